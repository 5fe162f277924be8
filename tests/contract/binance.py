"""Binance USD-M on the bench: our adapter over real sockets, and the simulator behind it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.instrument import Side
from core.domain.money import Contracts, Price, plain
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.limits import Budget
from core.exchange.binance.stream.stream import BinanceStream, Upkeep
from core.exchange.connection import CONNECT, Pace
from core.exchange.port import Credentials
from core.exchange.throttle import Limit, Throttle
from tests.contract.bench import BALANCE, LOT, PRICE, Act, StreamTrouble, Trouble
from tests.simulator.binance import client as person
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

BTCUSDT = person.BTCUSDT
REQUESTS: Mapping[Act, tuple[str, str]] = {
    Act.PLACE: ("POST", "fapi/v1/order"),
    Act.PLACE_OCO: ("POST", "fapi/v1/algoOrder"),
    Act.AMEND: ("PUT", "fapi/v1/order"),
    Act.CANCEL: ("DELETE", "fapi/v1/order"),
    Act.CANCEL_OCO: ("DELETE", "fapi/v1/algoOrder"),
    Act.SET_LEVERAGE: ("POST", "fapi/v1/leverage"),
    Act.FIND: ("GET", "fapi/v1/order"),
    Act.FIND_OCO: ("GET", "fapi/v1/algoOrder"),
    Act.POSITIONS: ("GET", "fapi/v3/positionRisk"),
    Act.WORKING_ORDERS: ("GET", "fapi/v1/openOrders"),
    Act.WORKING_OCOS: ("GET", "fapi/v1/openAlgoOrders"),
    Act.FILLS: ("GET", "fapi/v1/userTrades"),
    Act.FUNDING: ("GET", "fapi/v1/income"),
    Act.CLOSED_POSITIONS: ("GET", "fapi/v1/userTrades"),
    Act.ACCOUNT: ("GET", "fapi/v3/account"),
    Act.LEVERAGE: ("GET", "fapi/v1/symbolConfig"),
    Act.INSTRUMENTS: ("GET", "fapi/v1/exchangeInfo"),
    Act.TICKER: ("GET", "fapi/v1/premiumIndex"),
    Act.CANDLES: ("GET", "fapi/v1/klines"),
    Act.SERVER_TIME: ("GET", "fapi/v1/time"),
    Act.MAINTENANCE: ("GET", "fapi/v1/ping"),
}  #: a trigger cannot be amended here
TROUBLES: Mapping[Trouble, dict[str, Any]] = {
    Trouble.ANSWER_LOST: {"kind": "lost_after"},
    Trouble.LOST_ON_THE_WAY: {"kind": "lost_before"},
    Trouble.ARRIVES_LATE: {"kind": "late", "seconds": 60},
    Trouble.RESET: {"kind": "reset"},
    Trouble.ERROR_PAGE: {"kind": "html_502"},
    Trouble.BUSY: {"kind": "http_503", "variant": "A"},
    Trouble.BUSY_BUT_DONE: {"kind": "http_503", "variant": "A", "executed": True},
    Trouble.TIMED_OUT: {"kind": "code", "code": "-1007", "http": 408},
    Trouble.TIMED_OUT_BUT_DONE: {"kind": "code", "code": "-1007", "http": 408, "executed": True},
    Trouble.TOO_FAST: {"kind": "code", "code": "-1003", "http": 429},
}
STREAM_TROUBLES: Mapping[StreamTrouble, dict[str, Any]] = {
    StreamTrouble.CUT: {"kind": "stream_cut"},
    StreamTrouble.UPGRADE: {"kind": "stream_cut"},
    StreamTrouble.DOUBLED: {"kind": "stream_double"},
    StreamTrouble.OUT_OF_ORDER: {"kind": "stream_reorder", "behind": "ORDER_TRADE_UPDATE"},
    StreamTrouble.WITHHELD: {"kind": "push_withheld"},
}
UNLIMITED = 10**9  #: weight; the budget has tests of its own
PACE = Pace(first_back_off=0.01, longest_back_off=0.05, close=0.1)
UPKEEP = Upkeep(watch=0.05, prices=0.01)


#: where nobody could tell how Binance does it: the other answer to each such question
TURNED: Mapping[str, Any] = {
    "binance_replies": "old",
    "binance_closing_clash": "refuse_4118",
    "binance_post_only": "expire",
    "binance_reduce_only_false_hedged": "ignore",
    "binance_closing_limits_after_flat": "stay",
    "binance_open_algos": "unended",
    "binance_off_tick_trigger": "accept",
    "binance_would_trigger": "last",
    "binance_child_first": True,
    "binance_account_first": False,
    "binance_trade_lite_first": False,
    "binance_legacy_streams": "deliver",
    "binance_flavour": "demo",
}


class BinanceBench:
    """A `Bench`. `hedge` False: one-way mode, in which every Binance account begins. `switches` of the simulator."""

    def __init__(self, name: str = "binance", *, hedge: bool = True, **switches: Any) -> None:
        self.name, self.hedge, self.lot, self._switches = name, hedge, LOT, switches
        self._simulator = SimulatorProcess(balance=str(BALANCE)).start()
        self._streams: list[BinanceStream] = []
        self._older = 0.0  #: seconds by which the adapter's own clock is ahead of the real one
        self.port = self._client(self._credentials)

    def _client(self, credentials: Credentials) -> BinanceClient:
        return BinanceClient(
            credentials,
            rest_url=self._simulator.base_url,
            budget=Budget(UNLIMITED, sleep=lambda seconds: None),
            monotonic=lambda: time.monotonic() + self._older,
            sleep=lambda seconds: None,
        )

    @property
    def _credentials(self) -> Credentials:
        keys = self._simulator.binance
        return Credentials(keys["api_key"], keys["secret"], "")

    def fresh(self) -> None:
        self._hang_up()
        self._simulator.reset()
        self._simulator.switches(rate_limits=False, **self._switches)
        self._simulator.market("hold")
        self.price(PRICE)
        self.port = self._client(self._credentials)
        self.port.server_time()
        if self.hedge:
            self.port.set_hedge_mode()

    def close(self) -> None:
        self._hang_up()
        self._simulator.stop()

    def _hang_up(self) -> None:
        self.port.close()
        while self._streams:
            self._streams.pop().stop()

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._credentials.api_secret,)

    def open_stream(self) -> BinanceStream:
        return self._stream(self.port)

    def stranger(self, *, secret: str) -> BinanceStream:
        """A listen key is given to whoever knows the API key."""
        return self._stream(self._client(Credentials(secret, secret, "")))

    def _stream(self, client: BinanceClient) -> BinanceStream:
        connect_limit = Throttle({CONNECT: Limit(100_000, 1.0)})
        self._streams.append(
            BinanceStream(client, self._simulator.ws_url, connect_limit=connect_limit, pace=PACE, upkeep=UPKEEP)
        )
        return self._streams[-1]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._simulator.kill9()
        try:
            yield
        finally:
            self._simulator.restart()

    def grow_old(self) -> None:
        self._older += 24 * 3600.0

    # -- the exchange's side

    def now(self) -> datetime:
        return datetime.fromisoformat(self._simulator.clock())

    def advance(self, seconds: float) -> None:
        self._simulator.clock(seconds)
        self._older += seconds
        self.port.server_time()

    def price(self, last: Decimal, mark: Decimal | None = None) -> None:
        self._simulator.price(BTC, last, mark)

    def trouble(self, act: Act, trouble: Trouble, *, times: int | None = 1) -> None:
        method, path = REQUESTS[act]
        count = {} if times is None else {"count": times}
        match = {"exchange": "binance", "method": method, "path": path}
        self._simulator.faults({"match": match, **TROUBLES[trouble], **count})

    def stream_trouble(self, trouble: StreamTrouble, *, times: int = 1) -> None:
        match = {"exchange": "binance", "channel": "ORDER_TRADE_UPDATE"}
        self._simulator.faults({"match": match, **STREAM_TROUBLES[trouble], "count": times})

    def calm(self) -> None:
        self._simulator.faults()

    def hide(self, seconds: float) -> None:
        match = {"exchange": "binance"}
        self._simulator.faults({"match": match, "kind": "not_found", "seconds": seconds, "count": 1})

    def fill_partly(self, fraction: Decimal, *, rest_works: bool) -> None:
        rest, match = ("work" if rest_works else "cancel"), {"exchange": "binance"}
        fault = {"match": match, "kind": "partial_fill", "fraction": str(fraction), "rest": rest, "count": 1}
        self._simulator.faults(fault)

    def fill_in_slices(self, slices: int) -> None:
        self._simulator.switches(fill_steps=slices)

    def requests(self) -> Mapping[Act, int]:
        counted = self._simulator.requests()
        return {act: counted.get(f"{method} /{path}", 0) for act, (method, path) in REQUESTS.items()}

    def orders_placed(self, client_order_id: str) -> int:
        """The order that a conditional one has placed bears its name, and does not count."""
        state = self._simulator.state()["binance"]
        conditional = [row["client_id"] for row in state["algos"]].count(client_order_id)
        return conditional or [row["clOrdId"] for row in state["orders"]].count(client_order_id)

    # -- the hand of a person, and of the exchange

    def _intervene(self, do: str, **what: Any) -> None:
        self._simulator.intervene(do, account="binance", instId=BTCUSDT, **what)

    def _side(self, side: Side) -> str:
        return side.value if self.hedge else "net"

    def close_by_hand(self, side: Side, quantity: Contracts | None = None) -> None:
        size = {} if quantity is None else {"sz": plain(quantity)}
        self._intervene("close", posSide=self._side(side), **size)

    def place_by_hand(self, side: Side, quantity: Contracts, price: Price) -> None:
        leg = {"positionSide": side.name} if self.hedge else {}
        self._simulator.intervene(
            "place", account="binance", symbol=BTCUSDT, side=side.opening.name, type="LIMIT", timeInForce="GTC",
            quantity=plain(quantity), price=plain(price), **leg,
        )  # fmt: skip

    def cancel_by_hand(self, name: str) -> None:
        state = self._simulator.state()["binance"]
        if any(row["client_id"] == name for row in state["algos"]):
            self._intervene("cancel", clientAlgoId=name)
        elif any(row["ordId"] == name for row in state["orders"]):
            self._intervene("cancel", orderId=name)
        else:
            self._intervene("cancel", clOrdId=name)

    def liquidate(self, side: Side) -> None:
        self._intervene("liquidate", posSide=self._side(side))

    def suspend(self, minutes: int) -> None:
        """Binance announces nothing: it answers every call with the same refusal."""
        self._simulator.faults({"match": {"exchange": "binance"}, "kind": "http_503", "variant": "B"})
