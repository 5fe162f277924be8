"""The toy exchange on the bench of the contract suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.instrument import Side
from core.domain.money import Contracts, Price
from core.domain.order import OrderKind
from tests.contract.bench import BALANCE, PRICE, SYMBOL, Act, StreamTrouble, Trouble
from tests.third_exchange.adapter import Session, ToyClient, ToyStream
from tests.third_exchange.market import ToyExchange

SECRET = "the secret of the toy exchange"


class ToyBench:
    """A `Bench`."""

    def __init__(self) -> None:
        self.name, self.hedge, self.lot = "toy", True, Decimal(1)
        self._streams: list[ToyStream] = []
        self._begin()

    def _begin(self) -> None:
        self.exchange = ToyExchange(BALANCE, PRICE)
        self._session = Session(self.exchange)
        self.port = ToyClient(self._session)

    def fresh(self) -> None:
        self.close()
        self._begin()

    def close(self) -> None:
        while self._streams:
            self._streams.pop().stop()

    @property
    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)

    def open_stream(self) -> ToyStream:
        return self.stranger(secret=SECRET)

    def stranger(self, *, secret: str) -> ToyStream:
        self._streams.append(ToyStream(self.port, secret, SECRET, lambda: datetime.now(UTC)))
        return self._streams[-1]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._session.away = True
        for stream in self._streams:
            stream.lose()
        try:
            yield
        finally:
            self._session.away = False
            for stream in self._streams:
                stream.come_back()

    def grow_old(self) -> None:
        """Nothing is kept for a while."""

    # -- the exchange's side

    def now(self) -> datetime:
        return self.exchange.now

    def advance(self, seconds: float) -> None:
        self.exchange.advance(seconds)
        self.port.server_time()

    def price(self, last: Decimal, mark: Decimal | None = None) -> None:
        self.exchange.move(SYMBOL, last, mark)

    def trouble(self, act: Act, trouble: Trouble, *, times: int | None = 1) -> None:
        self._session.troubles = {act: (trouble, times)}

    def stream_trouble(self, trouble: StreamTrouble, *, times: int = 1) -> None:
        for stream in self._streams:
            stream.troubles = [trouble] * times

    def calm(self) -> None:
        self._session.troubles.clear()
        for stream in self._streams:
            stream.troubles.clear()

    def hide(self, seconds: float) -> None:
        self.exchange.hidden_seconds = seconds

    def fill_partly(self, fraction: Decimal, *, rest_works: bool) -> None:
        self.exchange.partial = (fraction, rest_works)

    def fill_in_slices(self, slices: int) -> None:
        self.exchange.slices = slices

    def requests(self) -> Mapping[Act, int]:
        return {act: self._session.asked[act] for act in Act}

    def orders_placed(self, client_order_id: str) -> int:
        return sum(order.client_order_id == client_order_id for order in self.exchange.orders)

    # -- the hand of a person in the account, and of the exchange

    def close_by_hand(self, side: Side, quantity: Contracts | None = None) -> None:
        self.exchange.close_at_market(side, SYMBOL, quantity)

    def place_by_hand(self, side: Side, quantity: Contracts, price: Price) -> None:
        self.exchange.accept("", SYMBOL, side, side.opening, OrderKind.LIMIT, quantity, price=price)

    def cancel_by_hand(self, name: str) -> None:
        ours = name.startswith("op")
        self.exchange.cancel_named(name if ours else "", "" if ours else name)

    def liquidate(self, side: Side) -> None:
        self.exchange.close_at_market(side, SYMBOL, None, origin="liquidation")

    def suspend(self, minutes: int) -> None:
        self.exchange.under_maintenance_until = self.exchange.now + timedelta(minutes=minutes)
