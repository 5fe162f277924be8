"""Controls of the paper market: prices, what moves them, faults of the exchange, and trades by somebody else.

Talks to the simulator's own control addresses, on the loopback only; no real exchange hears of it. What a
person does to the market is written into the paper account's events, so that its history explains itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import httpx

from core.clock import Clock, RealClock
from core.domain.account import Environment, Exchange
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Side
from core.domain.money import plain
from core.domain.reason import Reason
from core.services.accounts.paper_wires import OURS, WIRES
from db.records import Event
from db.repositories.accounts import AccountRepository
from db.repositories.bots import SnapshotRepository
from db.repositories.events import EventRepository

PATIENCE_SECONDS = 10.0  #: a price that travels far meets many orders on its way
SHOCK = Reason("allowed.between_unit", low=-90, high=900, unit="%")
FURTHEST = Decimal(10)  #: a price moves at most to ten times, or a tenth of, what it is
SOURCES = {kind: Reason(f"paper.{kind}") for kind in ("walk", "hold", "mirror")}
_MARKET = WIRES[Exchange.OKX]  #: whose names of contracts the prices have
RULE = "paper market"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Fault:
    """One kind of fault: which requests it hits and its numbers, unless given otherwise."""

    match: Mapping[str, str]
    details: Mapping[str, Any] = field(default_factory=dict)


_ORDER, _READ = {"method": "POST", "path": "trade/order"}, {"method": "GET", "path": "account/positions"}
_CHANNEL = {"channel": "orders"}
_KINDS: Mapping[str, _Fault] = {
    "lost_after": _Fault(_ORDER),
    "lost_before": _Fault(_ORDER),
    "late": _Fault(_ORDER, {"seconds": 3}),
    "slow": _Fault(_ORDER, {"seconds": 3}),
    "reject": _Fault(_ORDER, {"code": "51008"}),
    "partial_fill": _Fault(_ORDER, {"fraction": "0.4", "rest": "cancel"}),
    "accept_delay": _Fault(_ORDER, {"seconds": 2}),
    "not_found": _Fault({}, {"seconds": 2}),
    "html_502": _Fault(_ORDER),
    "code": _Fault(_READ, {"code": "50013", "http": 503}),
    "push_withheld": _Fault(_CHANNEL),
    "stream_double": _Fault(_CHANNEL),
    "stream_delay": _Fault(_CHANNEL, {"seconds": 3}),
    "stream_cut": _Fault(_CHANNEL),
}


class Deed(StrEnum):
    """An act in a paper account that bypasses the bot: of a person at the exchange, or of the exchange itself."""

    CLOSE = "close"
    OPEN = "open"
    LIQUIDATE = "liquidate"
    DELEVERAGE = "adl"


class PaperMarket:
    """Controls the paper exchange. Raises Misconfigured for bad input, Unavailable where it does not answer."""

    FAULTS: ClassVar[Mapping[str, Reason]] = {kind: Reason(f"fault.{kind}") for kind in _KINDS}

    def __init__(
        self,
        find_control: Callable[[], str | None],
        accounts: AccountRepository,
        events: EventRepository,
        snapshots: SnapshotRepository,
        clock: Clock | None = None,
    ) -> None:
        self.find_control, self._accounts, self._events, self._snapshots, self.clock = (
            find_control,
            accounts,
            events,
            snapshots,
            clock or RealClock(),
        )
        self._http = httpx.Client(trust_env=False, verify=False, timeout=PATIENCE_SECONDS)

    def available(self) -> bool:
        """Return whether a paper exchange runs with this Perpdeck."""
        return self.find_control() is not None

    # -- prices ----------------------------------------------------------------------------------------------

    def prices(self) -> dict[str, dict[str, str]]:
        """Return last, mark and index price of each contract, USDT."""
        found = self._ask("GET", "prices")
        return {_ours(name): {kind: row[kind] for kind in ("last", "mark", "index")} for name, row in found.items()}

    def moved_by(self) -> str | None:
        """Return what moves all prices now: one of SOURCES or a script; None where contracts differ in it."""
        kinds = {row["source"] for row in self._ask("GET", "prices").values()}
        return str(kinds.pop()) if len(kinds) == 1 else None

    def candles(self, symbol: str, limit: int) -> list[dict[str, str]]:
        """Return the newest one-minute candles, oldest first; `t` is the opening time in milliseconds."""
        found = self._ask("GET", "candles", query={"instId": _MARKET.contract(symbol), "limit": str(limit)})
        return [dict(zip("tohlcv", map(str, row), strict=True)) for row in found["candles"]]

    def set_price(self, symbol: str, last: Decimal) -> None:
        """Move the last price to `last` (USDT), filling and triggering every order on its way; mark and index
        follow.
        """
        known = self.prices()
        if symbol not in known:
            raise _unknown_contract(symbol, known)
        now = Decimal(known[symbol]["last"])
        low, high = now / FURTHEST, now * FURTHEST
        if not (last.is_finite() and low <= last <= high):
            raise Misconfigured(
                Reason(
                    "paper.price_out_of_reach",
                    value=last,
                    allowed=Reason("allowed.between_unit", low=low, high=high, unit="USDT"),
                    field=Reason("field.price"),
                )
            )
        self._ask("POST", "price", {"instId": _MARKET.contract(symbol), "last": plain(last)})
        self._note(Reason("paper.moved", symbol=symbol, before=now, now=Decimal(self.prices()[symbol]["last"])))

    def shock(self, symbol: str, percent: Decimal) -> None:
        """Move the price by so many percent of what it is now."""
        if not (percent.is_finite() and Decimal(-90) <= percent <= Decimal(900)):
            raise Misconfigured(
                Reason("range.outside_unit", field=Reason("field.shock"), value=percent, unit="%", allowed=SHOCK)
            )
        known = self.prices()
        if symbol not in known:
            raise _unknown_contract(symbol, known)
        self.set_price(symbol, Decimal(known[symbol]["last"]) * (1 + percent / 100))

    def source(self, kind: str, **options: Any) -> None:
        """Set what moves all prices from now on: walk, hold, or mirror (with `base_url` of the exchange to follow)."""
        if kind not in SOURCES:
            raise Misconfigured(
                Reason("paper.source_unknown", value=kind, allowed=_one_of(SOURCES), field=Reason("field.source"))
            )
        address = str(options.get("base_url", ""))
        if kind == "mirror" and not address.startswith(("http://", "https://")):
            raise Misconfigured(Reason("paper.no_address", value=address, field=Reason("field.base_url")))
        self._ask("POST", "market", {"source": kind, **options})
        self._note(Reason("paper.source_set", source=SOURCES[kind]))

    # -- faults ----------------------------------------------------------------------------------------------

    def faults(self) -> list[Json]:
        """Return the faults that are set now, each with how often it has struck (`hits`)."""
        return list(self._ask("GET", "faults"))

    def set_faults(self, faults: list[Json]) -> None:
        """Set exactly these faults. One that was active keeps what is left of its count; one used up goes."""
        wanted = [_filled_in(fault) for fault in faults]
        left = [fault for fault in wanted if fault.get("count", 1) > 0]
        self._ask("POST", "faults", left)
        wrong = tuple(self.FAULTS[fault["kind"]] for fault in left)
        self._note(Reason("paper.faulty", faults=wrong or Reason("paper.nothing_faulty")))

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._ask("DELETE", "faults")
        self._note(Reason("paper.faulty", faults=Reason("paper.nothing_faulty")))

    # -- another hand ----------------------------------------------------------------------------------------

    def by_hand(self, account: str, deed: Deed, symbol: str, side: Side, contracts: Decimal | None) -> None:
        """Perform a trade in the account that bypasses the bot, at market; `contracts` None: the whole position.

        Raises Misconfigured where the paper exchange refuses it.
        """
        known = self._accounts.get(account)
        if known is None or known.environment is not Environment.PAPER:
            raise Misconfigured(Reason("paper.not_paper", value=account, field=Reason("field.account")))
        if contracts is not None and not (contracts.is_finite() and contracts > 0):
            raise Misconfigured(Reason("paper.not_above_zero", value=contracts, field=Reason("field.contracts")))
        if deed is Deed.OPEN and contracts is None:
            raise Misconfigured(Reason("paper.contracts_empty", field=Reason("field.contracts")))
        size = {} if contracts is None else {"sz": plain(contracts)}
        if deed is Deed.LIQUIDATE:
            size = {}
        wire = WIRES[known.exchange]
        contract, position_side = wire.contract(symbol), str(side) if self._hedged(account) else "net"
        asked = {"instId": contract, "posSide": position_side, **size}
        if deed is Deed.OPEN:
            asked = wire.opening(contract, position_side, side, size["sz"])
        do = "place" if deed is Deed.OPEN else str(deed)
        self._ask("POST", "intervene", {"do": do, "account": known.exchange, **asked})
        much = contracts if size else Reason("paper.all")
        note = Reason("paper.by_hand", deed=deed, much=much, side=side, symbol=symbol)
        self._events.add(account, [Event(self.clock.now(), account, None, RULE, note, None, None)])

    def _hedged(self, account: str) -> bool:
        """Return whether the account holds long and short apart, as the bot last saw it."""
        found = self._snapshots.latest(account)
        return found is None or found.money is None or found.money.hedge_mode

    # -- the wire --------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        control = self.find_control()
        if control is None:
            raise Unavailable(Reason("paper.not_running"))
        try:
            answer = self._http.request(method, f"{control}/{path}", json=body, params=query)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(Reason("paper.no_answer", why=type(error).__name__)) from error
        if answer.status_code == 400:
            raise Misconfigured(Reason("paper.refuses", words=str(told.get("message") or told.get("error"))))
        if not answer.is_success:
            raise Unavailable(Reason("paper.no_answer_http", status=answer.status_code))
        return told

    def _note(self, words: Reason) -> None:
        """Record an event for every paper account."""
        now = self.clock.now()
        for account in self._accounts.all():
            if account.environment is Environment.PAPER:
                self._events.add(account.id, [Event(now, account.id, None, RULE, words, None, None)])


def _filled_in(fault: Json) -> Json:
    """Return the fault as the simulator takes it. Raises Misconfigured for a kind that is not offered."""
    kind = str(fault.get("kind"))
    if kind not in _KINDS:
        raise Misconfigured(
            Reason("paper.source_unknown", value=kind, allowed=_one_of(_KINDS), field=Reason("field.fault"))
        )
    known = _KINDS[kind]
    full = {**known.details, **{name: value for name, value in fault.items() if name != "hits"}}
    match = dict(fault.get("match") or {})
    exchange = Exchange(match.get("exchange", ""))
    if set(match) <= {"exchange"}:
        match = {**match, **known.match}
    if exchange in WIRES:
        wire = WIRES[exchange]
        match = {name: wire.word(wanted) for name, wanted in match.items()}
        full |= {"code": wire.word(full["code"])} if "code" in full else {}
    full["match"] = match
    if "count" in full:
        full["count"] = int(full["count"]) - int(fault.get("hits", 0))
    return full


def _ours(instrument: str) -> str:
    return instrument.removesuffix(_MARKET.ending) + OURS


def _unknown_contract(symbol: str, known: Iterable[str]) -> Misconfigured:
    return Misconfigured(
        Reason("paper.contract_unknown", field=Reason("field.contract"), value=symbol, allowed=_one_of(known))
    )


def _one_of(names: Iterable[str]) -> Reason:
    return Reason("allowed.one_of", all=tuple(names))
