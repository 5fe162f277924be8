"""Which room may import which: the walls of the house, read from every file's imports.

The first test of the repository. A new file falls under its room's row at once; a new room needs a row.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("core", "db", "pages", "app")

#: what rooms that talk to no exchange may know of it: profiles, and nothing that makes a client
PROFILES = ("core.exchange.profile", "core.venues.profile_of", "core.venues.profiles")

#: room -> what of ours it may import beside itself; the longest room that a file lies under counts
ROOMS: dict[str, tuple[str, ...]] = {
    "core/domain": (),
    "core/clock.py": (),
    "core/logs.py": (),
    "core/auth.py": ("core.domain",),
    "core/settings.py": ("core.domain", "core.auth"),
    "core/alerts": ("core.domain", "core.clock", "db"),
    "core/telegram": ("core.domain", "core.clock", "core.services", "core.alerts", "db"),
    "core/paper.py": ("core.domain", "core.exchange.port"),
    "core/venues.py": ("core.domain", "core.exchange", "core.clock"),
    "core/vault.py": ("core.domain", "core.exchange.port"),
    "core/execution": ("core.domain",),
    "core/strategies": ("core.domain",),
    "core/decision": ("core.domain", "core.execution"),
    "core/exchange": ("core.domain",),
    "core/simulator": (),
    "db": ("core.domain",),
    "db/backup/__main__.py": ("db", "core.domain", "core.settings"),
    "core/monitor": ("core.domain", "core.decision", "core.exchange.port", "core.alerts", "core.clock", "db"),
    "core/services": (
        "core.domain",
        "core.decision",
        "core.execution",
        "core.strategies",
        "core.alerts",
        "core.monitor",
        "core.exchange.port",
        *PROFILES,
        "core.vault",
        "core.auth",
        "core.clock",
        "db",
    ),
    "core/api": ("core.services", "core.domain", "core.wiring"),
    "core/i18n": ("core.domain",),
    "core/ui": ("core.services", "core.domain", "core.i18n", "db.records", *PROFILES),
    "core/ui/session.py": ("core.services", "core.domain", "core.wiring", "core.i18n"),
    "core/monitor/__main__.py": ("core.monitor", "core.domain", "core.wiring"),
    "core/wiring.py": ("core", "db"),
    "pages": ("core.ui", "core.services", "core.i18n", "core.domain.snapshot", *PROFILES),
    "app.py": ("core.api", "core.ui", "core.services", "core.i18n", "core.wiring"),
}
PURE = ("core/domain", "core/decision", "core/execution", "core/strategies")
OUTSIDE = {
    *("time", "random", "uuid", "secrets", "logging", "socket", "os", "threading", "asyncio", "subprocess"),
    *("sqlalchemy", "psycopg2", "alembic", "streamlit", "okx", "binance", "httpx", "requests", "aiohttp", "websockets"),
}  #: what a pure room must not know
WRITES = {"place", "place_oco", "amend", "cancel", "set_leverage", "set_hedge_mode"}  #: the port's methods that write
HOMES = {
    "streamlit": ("app.py", "pages", "core/ui"),
    "sqlalchemy": ("db",),
    "alembic": ("db",),
    "psycopg2": ("db",),
    "okx": ("core/exchange/okx",),
    "binance": ("core/exchange/binance",),
    "prometheus_client": ("core/api",),
}  #: library -> the only places that may import it


@cache
def product() -> tuple[Path, ...]:
    """Every Python file that ships, but for the empty ones that only make a folder a package."""
    found = (path for room in ("core", "db", "pages") for path in (ROOT / room).rglob("*.py"))
    return (ROOT / "app.py", *sorted(path for path in found if path.stat().st_size))


def files(room: str) -> list[Path]:
    return [path for path in product() if path.is_relative_to(ROOT / room)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of the modules a file imports; `from core import clock` counts as core.clock."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            assert not node.level, f"{name(path)} imports relative to itself"
    return frozenset(found)


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


@cache
def room_of(path: Path) -> str:
    """The row of the table that a file falls under."""
    rooms = [room for room in ROOMS if path.is_relative_to(ROOT / room)]
    assert rooms, f"{name(path)} lies in no room"
    return max(rooms, key=len)


def module_of(room: str) -> str:
    return room.removesuffix(".py").replace("/", ".")


@pytest.mark.parametrize("path", product(), ids=name)
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    allowed = (module_of(room), *ROOMS[room])
    ours = {module for module in imports(path) if module.split(".")[0] in OURS}
    trespass = sorted(module for module in ours if not within(module, allowed))
    assert not trespass, f"{name(path)} lies in {room} and imports {trespass}"


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=list(HOMES))
def test_a_library_stays_in_its_home(library: str, homes: tuple[str, ...]) -> None:
    for path in product():
        if not any(path.is_relative_to(ROOT / home) for home in homes):
            assert library not in {module.split(".")[0] for module in imports(path)}, f"{name(path)} imports {library}"


@pytest.mark.parametrize("path", [path for room in PURE for path in files(room)], ids=name)
def test_a_pure_file_knows_no_clock_no_chance_and_no_outside(path: Path) -> None:
    outside = {module.split(".")[0] for module in imports(path)} & OUTSIDE
    assert not outside, f"{name(path)} imports {sorted(outside)}"
    for word in (".now(", ".utcnow(", ".today("):
        assert word not in path.read_text(), f"{name(path)} asks for the time"


@pytest.mark.parametrize("path", [path for room in PURE for path in files(room)], ids=name)
def test_a_pure_file_never_depends_on_the_order_of_a_set(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for loop in loops(tree):
        assert not is_set(loop), f"{name(path)}:{loop.lineno} walks through a set: {ast.unparse(loop)}"


def loops(tree: ast.AST) -> Iterator[ast.expr]:
    """Everything that is walked through in an order that shows: loops, lists made of it, joins."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            yield node.iter
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            if not (isinstance(node, ast.GeneratorExp) and summed(tree, node)):
                yield from (part.iter for part in node.generators)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("list", "tuple"):
            yield from node.args


def summed(tree: ast.AST, generator: ast.GeneratorExp) -> bool:
    """True where the order cannot show: sum, any, all, min, max, sorted, set of it."""
    orderless = {"sum", "any", "all", "min", "max", "sorted", "set", "frozenset", "total", "len"}
    return any(
        isinstance(node, ast.Call)
        and generator in node.args
        and isinstance(node.func, ast.Name)
        and node.func.id in orderless
        for node in ast.walk(tree)
    )


def is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    return isinstance(node, ast.BinOp) and (is_set(node.left) or is_set(node.right))


def test_only_the_executor_writes_to_an_exchange() -> None:
    for path in product():
        if room_of(path) in ("core/exchange", "core/simulator") or name(path) == "core/monitor/executor.py":
            continue
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                owner = ast.unparse(node.func.value)
                assert owner.split(".")[-1] not in ("port", "client", "exchange"), (
                    f"{name(path)}:{node.lineno} calls {owner}.{node.func.attr}"
                )


def test_the_wiring_is_known_to_its_doors_only() -> None:
    doors = {"app.py", "core/ui/session.py", "core/monitor/__main__.py", "core/wiring.py"}
    for path in product():
        if name(path) not in doors and room_of(path) != "core/api":
            assert not any(within(module, ("core.wiring",)) for module in imports(path)), f"{name(path)} knows wiring"


def test_nothing_in_the_repository_names_a_machine_or_a_package_host() -> None:
    words = ("/wo" + "rk/", "pypi" + ".org", "python" + "hosted", "/tmp/" + "brief")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / one for one in listed.stdout.split("\0") if one] or [*product()]
    for path in paths:
        if not path.exists() or path.suffix in (".png", ".gz"):
            continue
        text = path.read_text(errors="replace")
        for word in words:
            assert word not in text, f"{name(path)} says {word}"
