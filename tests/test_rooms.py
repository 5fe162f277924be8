"""Which room may import which: the walls of the house, read from every file's imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: room -> what of ours it may import, as prefixes of module names
ROOMS: dict[str, tuple[str, ...]] = {
    "core/domain": ("core.domain",),
    "core/execution": ("core.execution", "core.domain"),
    "core/decision": ("core.decision", "core.domain", "core.execution"),
    "core/exchange": ("core.exchange", "core.domain"),
    "core/monitor": (
        "core.monitor",
        "core.domain",
        "core.decision",
        "core.exchange.port",
        "core.alerts",
        "core.clock",
        "db",
    ),
    "core/ui": ("core.ui", "core.services", "core.domain", "core.wiring", "db.records"),
    "core/simulator": ("core.simulator",),
    "pages": ("core.ui", "core.services"),
}
PURE = ("core/domain", "core/execution", "core/decision")
NOT_PURE = {"time", "random", "uuid", "logging", "socket", "sqlalchemy", "streamlit", "okx", "binance", "httpx", "os"}
WRITES = {"place", "place_oco", "amend", "cancel", "set_leverage", "set_hedge_mode"}


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    paths = files(room)
    assert paths, f"{room} is empty"
    for path in paths:
        ours = {module for module in imports(path) if module.split(".")[0] in ("core", "db", "pages", "app")}
        trespass = {module for module in ours if not within(module, ROOMS[room])}
        assert not trespass, f"{path.relative_to(ROOT)} imports {sorted(trespass)}"


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_have_no_clock_no_chance_and_no_outside(room: str) -> None:
    for path in files(room):
        roots = {module.split(".")[0] for module in imports(path)}
        assert not roots & NOT_PURE, f"{path.relative_to(ROOT)} imports {sorted(roots & NOT_PURE)}"
        assert ".now(" not in path.read_text(), f"{path.relative_to(ROOT)} asks for the time"


def test_only_the_executor_writes_to_an_exchange() -> None:
    for path in files("core/monitor"):
        if path.name == "executor.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                owner = ast.unparse(node.func.value)
                assert not owner.endswith("port"), f"{path.relative_to(ROOT)} calls {owner}.{node.func.attr}"


def test_streamlit_stays_in_the_pages() -> None:
    for path in files("core"):
        if path.is_relative_to(ROOT / "core/ui"):
            continue
        assert "streamlit" not in {module.split(".")[0] for module in imports(path)}, path.relative_to(ROOT)
