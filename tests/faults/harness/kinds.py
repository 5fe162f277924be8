"""The columns of the fault table: everything that can go wrong at one step, and at which steps it can.

A kind is either a fault of the simulator, struck at exactly one request, or an end of our own process, or a database
that does not answer. Some are the same on every exchange, others are one exchange's own words or ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.account import Exchange


class Where(StrEnum):
    """What a step is, as far as faults care."""

    READ = "read"
    WRITE = "write"  #: changes something at the exchange
    PLACEMENT = "placement"  #: of an ordinary order
    ALGO = "algo"  #: of TP and SL
    BOOK = "book"  #: a commit
    MARKET = "market"  #: the price moves and sets something off


TO_EXCHANGE = frozenset({Where.WRITE, Where.PLACEMENT, Where.ALGO})
WIRE = TO_EXCHANGE | {Where.READ}
STREAM = TO_EXCHANGE | {Where.MARKET}
OURS = WIRE | {Where.BOOK}
PLACED = frozenset({Where.PLACEMENT})
ALGO = frozenset({Where.ALGO})
MARKET = frozenset({Where.MARKET})


@dataclass(frozen=True, slots=True)
class Kind:
    """One column. `faults` are given to the simulator for the one request; `death` and `silence` are our own."""

    label: str
    words: str
    where: frozenset[Where]
    faults: tuple[Mapping[str, Any], ...] = ()
    death: str = ""  #: before | after
    silence: str = ""  #: of the database: before | after the commit
    timeout: float | None = None  #: seconds that the client waits for this one answer
    heard: bool = False  #: strikes pushes, so the streams must be up
    lasting: bool = False  #: not over with the request
    shows_after: float = 0.0  #: seconds until the exchange shows what it has accepted
    pause: float = 0.0  #: seconds for which the exchange forbids everything, so that nothing can be guarded

    def flows(self, flows: Iterable[str]) -> tuple[str, ...]:
        """The flows in which it can strike: history hears no pushes, and only a target is set off as planned."""
        if self.where == MARKET:
            return ("target reached",)
        return tuple(flow for flow in flows if not (self.heard and flow == "history"))


def _one(label: str, words: str, where: frozenset[Where], kind: str, *, pause: float = 0.0, **more: Any) -> Kind:
    return Kind(label, words, where, ({"kind": kind, **more},), pause=pause)


def _code(
    code: str, words: str, where: frozenset[Where], *, executed: bool = False, http: int = 200, pause: float = 0.0
) -> Kind:
    label = f"{code}{'+' if executed else ''}"
    return _one(label, words, where, "code", pause=pause, code=code, executed=executed, http=http)


def _stream(label: str, words: str, kind: str, **more: Any) -> Kind:
    return Kind(label, words, STREAM, ({"kind": kind, "count": 4, **more},), heard=True, lasting=True)


def _hidden(seconds: int) -> Kind:
    words = f"accepted, and not to be found for {seconds} s"
    fault = {"kind": "not_found", "seconds": seconds}
    return Kind(f"hid{seconds}", words, ALGO, (fault,), shows_after=seconds)


EVERYWHERE: tuple[Kind, ...] = (
    _one("lost-", "lost before it arrives", WIRE, "lost_before"),
    _one("lost+", "carried out, the answer lost", TO_EXCHANGE, "lost_after"),
    _one("late", "carried out 3 s after the line broke", TO_EXCHANGE, "late", seconds=3),
    _one("slow", "answered slowly", WIRE, "slow", seconds=0.01),
    Kind("tout", "no answer in time, carried out", WIRE, ({"kind": "slow", "seconds": 0.2},), timeout=0.06),
    _one("502-", "a gateway's page, nothing done", WIRE, "html_502", executed=False),
    _one("502+", "a gateway's page, carried out", TO_EXCHANGE, "html_502", executed=True),
    _one("rst-", "connection torn, nothing done", WIRE, "reset", executed=False),
    _one("rst+", "connection torn, carried out", TO_EXCHANGE, "reset", executed=True),
    _one("void", "an empty body, carried out", WIRE, "empty", executed=True),
    _one("torn", "half a body, carried out", WIRE, "garbled", executed=True),
    _one("part", "fills in part, the rest cancelled", PLACED, "partial_fill", fraction="0.4", rest="cancel"),
    _one("work", "fills in part, the rest works", PLACED, "partial_fill", fraction="0.5", rest="work"),
    _one("wait", "accepted, fills 3 s later", PLACED, "accept_delay", seconds=3),
    Kind(
        "hide",
        "answer lost, and not to be found for 4 s",
        PLACED | ALGO,
        ({"kind": "lost_after"}, {"kind": "not_found", "seconds": 4}),
    ),
    _stream("cut", "the streams are cut", "stream_cut"),
    _stream("mute", "pushes never come", "push_withheld"),
    _stream("twin", "pushes come twice", "stream_double"),
    _stream("tard", "pushes come late", "stream_delay", seconds=0.06),
    _stream("swap", "pushes come out of order", "stream_reorder"),
    Kind("die-", "the process dies before it", OURS, death="before"),
    Kind("die+", "the process dies after it, the answer unread", OURS, death="after"),
    Kind("db-", "the database is silent, nothing kept", frozenset({Where.BOOK}), silence="before"),
    Kind("db+", "the database is silent, kept", frozenset({Where.BOOK}), silence="after"),
)
OKX: tuple[Kind, ...] = (
    _code("50011", "too many requests", WIRE, http=429),
    _code("50013", "busy", WIRE, http=429),
    _code("50026", "system error, nothing done", TO_EXCHANGE),
    _code("50004", "the exchange's own time-out, carried out", TO_EXCHANGE, executed=True),
    _code("51000", "refused: parameter", TO_EXCHANGE),
    _one("51008", "refused: margin", PLACED, "reject", code="51008"),
)
BINANCE: tuple[Kind, ...] = (
    _code("-1003", "too many requests (429)", WIRE, http=429, pause=60),
    _one("ban", "banned for a while (418)", WIRE, "code", code="-1003", http=418, pause=60),
    _one("503u-", "503 unknown error, nothing done", WIRE, "http_503", variant="A", executed=False),
    _one("503u+", "503 unknown error, carried out", TO_EXCHANGE, "http_503", variant="A", executed=True),
    _one("503f", "503 service unavailable", WIRE, "http_503", variant="B"),
    _one("503o", "503 overloaded, closes let through", TO_EXCHANGE, "http_503", variant="C"),
    _code("-1000", "unknown error, nothing done", TO_EXCHANGE, http=400),
    _code("-1001", "internal error, carried out", TO_EXCHANGE, executed=True, http=400),
    _code("-1006", "message bus, nothing done", TO_EXCHANGE, http=400),
    _code("-1006", "message bus, carried out", TO_EXCHANGE, executed=True, http=400),
    _code("-1007", "its own time-out, nothing done", TO_EXCHANGE, http=408),
    _code("-1007", "its own time-out, carried out", TO_EXCHANGE, executed=True, http=408),
    _code("-1021", "our clock is off, it says", WIRE, http=400),
    _one("list", "an error inside a list", TO_EXCHANGE, "json_list", executed=True, http=200),
    _code("-1102", "refused: parameter", TO_EXCHANGE, http=400),
    _one("-2019", "refused: margin", PLACED, "reject", code="-2019"),
    *(_hidden(seconds) for seconds in (5, 30, 90)),
    _one("gone", "accepted, and cancelled 2 s later", ALGO, "algo_vanish", seconds=2),
    Kind(
        "stuck",
        "set off, and no order comes of it for 45 s",
        MARKET,
        ({"kind": "trigger_stuck", "seconds": 45},),
        lasting=True,
        shows_after=45,
    ),
    Kind("trej", "set off, and its order is refused", MARKET, ({"kind": "trigger_reject"},), lasting=True),
    Kind("key", "the listen key has died", STREAM, heard=True, lasting=True),
)
KINDS: Mapping[Exchange, tuple[Kind, ...]] = {
    Exchange.OKX: EVERYWHERE + OKX,
    Exchange.BINANCE: EVERYWHERE + BINANCE,
}
BY_LABEL = {exchange: {kind.label: kind for kind in kinds} for exchange, kinds in KINDS.items()}
ALL: Mapping[str, Kind] = {kind.label: kind for kind in EVERYWHERE + OKX + BINANCE}  #: in the order of the table
