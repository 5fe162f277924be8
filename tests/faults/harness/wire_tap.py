"""Where a fault is struck: every request and every commit of a flow passes here, is named, and may be the one.

A calm run is recorded: each step by its name, in order. Later a strike names a step and its occurrence and strikes
exactly there. What the steps are called is told by `wires`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.errors import Unavailable
from core.domain.ids import meaning
from db.repository import Repository
from db.store import Store
from tests.faults.harness.invariants import Died
from tests.faults.harness.kinds import Kind, Where
from tests.faults.harness.wires import Request, Send, Wire, purpose, unhurried
from tests.simulator_process import SimulatorControl

COMMITS = {
    "orders.record": "{} written down",
    "orders.settle": "{} outcome kept",
    "orders.save": "orders kept",
    "cycles.start": "cycle begun",
    "cycles.end": "cycle ended",
    "cycles.start_step": "recovery step begun",
    "cycles.execution_over": "execution over",
    "cycles.let_go": "part let go",
    "cycles.reduction_done": "reduction kept",
    "history.record_lives": "lives kept",
    "history.note_sync": "progress kept",
    "events.add": "reasons kept",
    "cycles.note_position": "reasons kept",
    "snapshots.put": "reasons kept",
}
FACTS = "facts kept"
THE_MARKET = "the market moves"


@dataclass(frozen=True, slots=True)
class Strike:
    """This kind at the n-th occurrence of this step."""

    step: str
    occurrence: int
    kind: Kind
    count: int = 1  #: tries that are struck; a read is tried three times

    def __str__(self) -> str:
        return f"{self.kind.label} at {self.step} #{self.occurrence} x{self.count}"


class Tap:
    """Sits in one client's line and in front of one store."""

    def __init__(self, wire: Wire, simulator: SimulatorControl, kill_key: Callable[[], None]) -> None:
        self._simulator, self._wire, self._kill_key = simulator, wire, kill_key
        wire.watch(self._request)
        self.open = False  #: between flows nothing is counted
        self.recorded: Counter[str] = Counter()
        self.steps: dict[str, Where] = {}
        self.struck = False
        self._strike: Strike | None = None
        self._last_write = ""
        self._armed, self._only = False, ""  #: the one request that the faults are for; empty: they last

    def begin(self, strike: Strike | None) -> None:
        """A flow begins; what was recorded of an earlier one is forgotten."""
        self.open, self.struck, self._strike, self._last_write = True, False, strike, ""
        self.recorded, self.steps = Counter(), {}

    def end(self) -> None:
        """Fair weather from here on."""
        self.open = False
        self._clear()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What passes meanwhile is nobody's step."""
        before, self.open = self.open, False
        try:
            yield
        finally:
            self.open = before

    def _clear(self) -> None:
        if self._armed:
            self._simulator.faults()
            self._armed = False

    def _is_it(self, step: str, where: Where) -> Kind | None:
        """Count this step; the kind where it is the one to be struck."""
        self.steps.setdefault(step, where)
        self.recorded[step] += 1
        strike = self._strike
        if strike is None or self.struck or (step, self.recorded[step]) != (strike.step, strike.occurrence):
            return None
        self.struck = True
        return strike.kind

    # -- the wire --------------------------------------------------------------------------------------------------

    def _request(self, request: Request, send: Send) -> Any:
        if not self.open or not request.step:
            return send()
        kind = self._is_it(self._placed_in_time(request), request.where)
        if kind is None and self._only not in ("", f"{request.method} {request.endpoint}"):
            self._clear()
        if kind is None:
            return send()
        if kind.death == "before":
            raise Died
        self._arm(kind, request.method, request.endpoint)
        with unhurried(kind.timeout, self._wire):
            answer = send()
        if kind.death == "after":
            raise Died
        return answer

    def _placed_in_time(self, request: Request) -> str:
        """The step's name; a look is named after the write before it."""
        if request.where is Where.READ:
            return request.step if request.step != "look" else f"look {self._last_write}".strip()
        self._last_write = f"after {request.step}"
        return request.step

    def _arm(self, kind: Kind, method: str, endpoint: str) -> None:
        assert self._strike is not None
        if kind.label == "key":
            self._kill_key()
        if not kind.faults:
            return
        match = {} if kind.lasting else {"match": {"method": method, "path": endpoint}}
        self._simulator.faults(*({"count": self._strike.count, **match, **fault} for fault in kind.faults))
        self._armed, self._only = True, "" if kind.lasting else f"{method} {endpoint}"

    def market(self, move: Callable[[], None]) -> None:
        """The price moves, which is a step too: what it sets off is pushed."""
        kind = self._is_it(THE_MARKET, Where.MARKET)
        if kind is not None:
            self._arm(kind, "", "")
        move()

    # -- the book --------------------------------------------------------------------------------------------------

    def commit(self, step: str, write: Callable[[], Any]) -> Any:
        """One commit, unless this is where the database or the process fails."""
        kind = self._is_it(f"book: {step}", Where.BOOK) if self.open else None
        if kind is None:
            return write()
        if kind.death == "before":
            raise Died
        if kind.silence == "before":
            raise Unavailable("the database does not answer")
        answer = write()
        if kind.death == "after":
            raise Died
        if kind.silence == "after":
            raise Unavailable("the database does not answer")
        return answer


class TappedRepository:
    """A repository whose commits pass a tap."""

    def __init__(self, repository: Repository, name: str, tap: Tap) -> None:
        self._repository, self._name, self._tap = repository, name, tap

    def __getattr__(self, name: str) -> Any:
        found, words = getattr(self._repository, name), COMMITS.get(f"{self._name}.{name}")
        if words is None:
            return found

        def called(*given: Any, **named: Any) -> Any:
            return self._tap.commit(words.format(purpose(_id_among(given))), lambda: found(*given, **named))

        return called


class Tapped:
    """A store whose commits pass a tap."""

    def __init__(self, store: Store, tap: Tap) -> None:
        self._store, self._tap = store, tap

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return TappedRepository(found, name, self._tap) if isinstance(found, Repository) else found

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """What the recorder keeps facts in."""
        step = f"book: {FACTS}"
        kind = self._tap._is_it(step, Where.BOOK) if self._tap.open else None
        if kind is not None and (kind.death or kind.silence) == "before":
            raise Died if kind.death else Unavailable("the database does not answer")
        with self._store.transaction() as connection:
            yield connection
        if kind is not None:
            raise Died if kind.death else Unavailable("the database does not answer")


def _id_among(given: tuple[Any, ...]) -> str:
    """The client order id that a commit is about, if it is about one."""
    for one in given:
        name = one if isinstance(one, str) else getattr(one, "client_order_id", "")
        if name and meaning(name) is not None:
            return name
    return ""
