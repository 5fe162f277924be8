"""The adapter of the toy exchange: profile, client and stream, as docs/adding-an-exchange.md asks for them.

The wire is a function call: `Session.ask` is where requests are counted, and where a test spoils them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.clock import Clock
from core.domain.account import AccountState, Environment, Exchange
from core.domain.action import AmendOrder, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import Misconfigured, OutcomeUnknown, Refused
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument, TriggerBy
from core.domain.money import plain
from core.domain.observation import PortFacts, Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind
from core.exchange.clock import ExchangeClock
from core.exchange.fields import Fields, milliseconds
from core.exchange.port import Candle, Credentials, OnPush, Push
from core.exchange.profile import KEY_FIELDS, ExchangeProfile
from core.exchange.rest import GOOD, NO_ANSWER, NOT_SENT, RestAnswer, RestCaller, RestPolicy, terms_of_call
from core.venues import Venue
from tests.contract.bench import Act, StreamTrouble, Trouble
from tests.third_exchange.market import No, ToyExchange

TOY = Exchange("toy")
FIELDS = Fields("Toy", contract_field="contract", contract_ending="/USDT")
FACTS = PortFacts(
    request_lifetime=timedelta(seconds=5),
    native_oco=True,
    can_amend_triggers=False,
    attaches_protection=False,
    stop_passed_codes=frozenset({"stop_passed"}),
    target_passed_codes=frozenset({"target_passed"}),
    nothing_held_codes=frozenset({"nothing_held"}),
    precision_codes=frozenset({"size", "tick"}),
)
PROFILE = ExchangeProfile(
    exchange=TOY,
    title="Toy",
    credential_fields=KEY_FIELDS,
    triggers=(TriggerBy.LAST, TriggerBy.MARK),
    leverage_step=Decimal(1),
    key_help={
        Environment.DEMO: ("Any key works on the toy exchange.",),
        Environment.LIVE: ("Nothing is real on the toy exchange.",),
    },
    key_trouble={"key": "keys.not_accepted"},
)
BUSY, TOO_FAST, LATE = "busy", "too_fast", "late"
OPEN, PASSING = frozenset({NO_ANSWER, BUSY, "exists"}), frozenset({NOT_SENT, TOO_FAST, LATE})
DONE = {Trouble.ANSWER_LOST, Trouble.BUSY_BUT_DONE, Trouble.TIMED_OUT_BUT_DONE}
CODES = {Trouble.BUSY: BUSY, Trouble.BUSY_BUT_DONE: BUSY, Trouble.TIMED_OUT: BUSY, Trouble.TIMED_OUT_BUT_DONE: BUSY}


def failed_write(what: str, answer: RestAnswer) -> Refused | OutcomeUnknown:
    told = {"exchange_code": answer.code, "exchange_words": answer.words}
    if answer.code in OPEN:
        return OutcomeUnknown(f"{what}: {answer.words} ({answer.code})", **told)
    return Refused(f"{what}: {answer.words} ({answer.code})", transient=answer.code in PASSING, **told)


POLICY = RestPolicy(
    fields=FIELDS,
    time_field="now",
    read_again=OPEN | PASSING,
    pauses_seconds=(0, 0),
    clock_off=frozenset(),
    failed_write=failed_write,
    too_fast=frozenset({TOO_FAST}),
    too_fast_pause_seconds=0,
    request_lifetime=FACTS.request_lifetime,
)


@dataclass
class Session:
    """The line to the exchange: every request passes here, is counted, and may be spoiled."""

    exchange: ToyExchange
    asked: Counter[Act] = field(default_factory=Counter)
    troubles: dict[Act, tuple[Trouble, int | None]] = field(default_factory=dict)
    away: bool = False

    def ask(self, act: Act, do: Callable[[], Any]) -> RestAnswer:
        """Send one request and return what became of it."""
        if self.away:
            return RestAnswer(NOT_SENT, "nobody is there")
        self.asked[act] += 1
        trouble = self._trouble(act)
        if trouble is Trouble.TOO_FAST:
            return RestAnswer(TOO_FAST, "too many requests")
        until = terms_of_call().until
        if until is not None and until < self.exchange.now:
            return RestAnswer(LATE, "it came after its deadline")
        answer = self._done(do) if trouble is None or trouble in DONE else RestAnswer(NO_ANSWER, "")
        return answer if trouble is None else RestAnswer(CODES.get(trouble, NO_ANSWER), f"{trouble}")

    def _trouble(self, act: Act) -> Trouble | None:
        trouble, left = self.troubles.get(act, (None, 0))
        if left is not None:
            if left <= 1:
                self.troubles.pop(act, None)
            elif trouble is not None:
                self.troubles[act] = (trouble, left - 1)
        return trouble

    @staticmethod
    def _done(do: Callable[[], Any]) -> RestAnswer:
        try:
            return RestAnswer(GOOD, "", do())
        except No as no:
            return RestAnswer(no.code, no.words)


class ToyClient:
    """An `ExchangePort`."""

    def __init__(self, session: Session, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.session, self.exchange, self._now = session, session.exchange, now
        self._rest = RestCaller(POLICY, ExchangeClock(now), self._server_time)

    def _server_time(self) -> RestAnswer:
        return self.session.ask(Act.SERVER_TIME, lambda: {"now": milliseconds(self.exchange.now)})

    def _read(self, what: str, act: Act, read: Callable[[], Any]) -> Any:
        return self._rest.read(what, lambda: self.session.ask(act, read))

    def _write(self, what: str, act: Act, do: Callable[[], Any], deadline: datetime | None = None) -> str:
        row = self._rest.write(what, lambda: self.session.ask(act, lambda: {"id": do()}), deadline=deadline)
        return str(row["id"])

    @property
    def facts(self) -> PortFacts:
        return FACTS

    def usage(self) -> dict[str, tuple[int, int]]:
        return {"requests": (self.session.asked.total(), 1_000_000)}

    def close(self) -> None:
        self._rest.closed = True

    # -- reads

    def instruments(self) -> dict[str, Instrument]:
        return dict(self._read("contracts", Act.INSTRUMENTS, lambda: self.exchange.contracts))

    def account_state(self) -> AccountState:
        state: AccountState = self._read("balance", Act.ACCOUNT, self.exchange.account)
        return state

    def positions(self) -> list[Position]:
        return list(self._read("positions", Act.POSITIONS, self.exchange.positions))

    def working_orders(self) -> list[Order]:
        triggers = self._read("OCOs", Act.WORKING_OCOS, lambda: self.exchange.working(on_trigger=True))
        return [*self._read("orders", Act.WORKING_ORDERS, lambda: self.exchange.working(on_trigger=False)), *triggers]

    def other_conditional_orders(self) -> list[Order]:
        return []

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        act = Act.FIND_OCO if kind.rests_on_trigger else Act.FIND
        order: Order | None = self._read(
            f"order {client_order_id}",
            act,
            lambda: self.exchange.find(client_order_id, on_trigger=kind.rests_on_trigger),
        )
        return order

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        found = self._read("fills", Act.FILLS, lambda: list(self.exchange.fills))
        return [one for one in found if since <= one.at and (until is None or one.at <= until)]

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]:
        found = self._read("funding", Act.FUNDING, lambda: list(self.exchange.payments))
        return [one for one in found if since <= one.at and (until is None or one.at <= until)]

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        found = self._read("closed positions", Act.CLOSED_POSITIONS, self.exchange.closed)
        return [one for one in found if since <= one.updated_at and (until is None or one.updated_at <= until)]

    def ticker(self, symbol: str) -> Ticker:
        ticker: Ticker = self._read("prices", Act.TICKER, lambda: self.exchange.ticker(symbol, self._now()))
        return ticker

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        return list(self._read("candles", Act.CANDLES, lambda: self.exchange.candles(symbol, bar, limit)))

    def leverage(self, symbol: str) -> Decimal:
        return Decimal(self._read("leverage", Act.LEVERAGE, lambda: self.exchange.leverage(symbol)))

    def server_time(self) -> datetime:
        return self._rest.measure_clock()

    def under_maintenance(self) -> bool:
        until = self._read("maintenance", Act.MAINTENANCE, lambda: self.exchange.under_maintenance_until)
        return bool(until > self.exchange.now)

    # -- writes

    def set_hedge_mode(self) -> None:
        """Long and short are always held apart here."""

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        what = f"leverage {plain(leverage)} of {symbol}"
        if self._rest.first(what, lambda: self.leverage(symbol)) != leverage:
            self._write(what, Act.SET_LEVERAGE, lambda: self.exchange.set_leverage(symbol, leverage))

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        if request.attached is not None:
            raise Misconfigured("the toy exchange has no TP and SL that travel with an order")
        what = f"order {request.client_order_id}"
        return self._write(what, Act.PLACE, lambda: self.exchange.place(request), deadline)

    def place_oco(self, request: PlaceOco) -> str:
        what = f"TP and SL {request.client_order_id}"
        return self._write(what, Act.PLACE_OCO, lambda: self.exchange.place_oco(request))

    def amend(self, request: AmendOrder) -> None:
        if request.order.kind.rests_on_trigger:
            raise Misconfigured("the toy exchange changes limit orders only")
        what = f"change of {request.order.client_order_id}"
        self._write(what, Act.AMEND, lambda: self.exchange.amend(request))

    def cancel(self, request: CancelOrder) -> None:
        act = Act.CANCEL_OCO if request.order.kind.rests_on_trigger else Act.CANCEL
        try:
            self._write(f"cancel of {request.order.client_order_id}", act, lambda: self.exchange.cancel(request))
        except Refused as refusal:
            if refusal.exchange_code not in ("ended", "unknown"):
                raise


class ToyStream:
    """A `StreamPort` that rings in the thread in which something moved."""

    def __init__(self, client: ToyClient, secret: str, right_secret: str, now: Callable[[], datetime]) -> None:
        self.exchange, self._now, self._refused = client.exchange, now, secret != right_secret
        self._on_push: OnPush | None = None
        self._watched: frozenset[str] = frozenset()
        self._up = False
        self._heard: datetime | None = None
        self._held_back: Push | None = None
        self.troubles: list[StreamTrouble] = []

    def start(self, on_push: OnPush) -> None:
        self._on_push = on_push
        if self._refused:
            on_push(Push("connection", words="lost: private: login refused"))
            return
        self.exchange.emit = self._pushed
        self._come_up("connected")

    def _come_up(self, words: str) -> None:
        self._up = True
        self._ring(Push("connection", words=words))

    def lose(self) -> None:
        """The connection ends."""
        self._up = False
        if self._on_push is not None:
            self._on_push(Push("connection", words="lost: private: closed by the exchange"))

    def come_back(self) -> None:
        """The connection is there again."""
        if self._on_push is not None and not self._up:
            self._come_up("reconnected")

    def _pushed(self, push: Push) -> None:
        if push.channel == "prices":
            if push.symbol in self._watched:
                self._tell_price(push.symbol)
            return
        trouble = self.troubles.pop(0) if self.troubles and push.channel == "orders" else None
        if trouble in (StreamTrouble.CUT, StreamTrouble.UPGRADE):
            self.lose()
            self.come_back()
        elif trouble is StreamTrouble.OUT_OF_ORDER:
            self._held_back = push
        elif trouble is not StreamTrouble.WITHHELD:
            self._ring(push)
            if trouble is StreamTrouble.DOUBLED:
                self._ring(push)
            if self._held_back is not None and push.channel == "orders":
                late, self._held_back = self._held_back, None
                self._ring(late)

    def _ring(self, push: Push) -> None:
        if self._up and self._on_push is not None:
            self._heard = self._now()
            self._on_push(push)

    def watch(self, symbols: frozenset[str]) -> None:
        self._watched = symbols
        for symbol in sorted(symbols):
            self._tell_price(symbol)

    def _tell_price(self, symbol: str) -> None:
        self._ring(Push("prices", symbol, ticker=self.exchange.ticker(symbol, self._now())))

    def stop(self) -> None:
        self._on_push, self._up = None, False

    @property
    def connected(self) -> bool:
        return self._up

    @property
    def last_heard(self) -> datetime | None:
        return self._heard


def venue_of(session: Session) -> Venue:
    """Return the row with which the toy exchange joins the others."""

    def addresses(environment: Environment, region: str) -> tuple[str, str]:
        if region not in PROFILE.regions:
            raise Misconfigured(f"region {region!r} is not known: one of {', '.join(PROFILE.regions)}")
        return "toy://rest", "toy://stream"

    def client(environment: Environment, rest_url: str, credentials: Credentials, clock: Clock) -> ToyClient:
        return ToyClient(session, clock.now)

    def stream(made: ToyClient, url: str, credentials: Credentials, clock: Clock) -> ToyStream:
        return ToyStream(made, credentials.api_secret, credentials.api_secret, clock.now)

    return Venue(PROFILE, addresses, client, stream)
