"""OKX on the bench: our adapter over real sockets, and the simulator behind it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.instrument import Side
from core.domain.money import Contracts, Price, plain
from core.exchange.connection import CONNECT, Pace
from core.exchange.okx.client import OKXClient
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.port import Credentials
from core.exchange.throttle import Limit, Throttle
from tests.contract.bench import BALANCE, PRICE, Act, StreamTrouble, Trouble
from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator_process import SimulatorProcess

REQUESTS: Mapping[Act, tuple[str, str]] = {
    Act.PLACE: ("POST", "trade/order"),
    Act.PLACE_OCO: ("POST", "trade/order-algo"),
    Act.AMEND: ("POST", "trade/amend-order"),
    Act.AMEND_OCO: ("POST", "trade/amend-algos"),
    Act.CANCEL: ("POST", "trade/cancel-order"),
    Act.CANCEL_OCO: ("POST", "trade/cancel-algos"),
    Act.SET_LEVERAGE: ("POST", "account/set-leverage"),
    Act.FIND: ("GET", "trade/order"),
    Act.FIND_OCO: ("GET", "trade/order-algo"),
    Act.POSITIONS: ("GET", "account/positions"),
    Act.WORKING_ORDERS: ("GET", "trade/orders-pending"),
    Act.WORKING_OCOS: ("GET", "trade/orders-algo-pending"),
    Act.FILLS: ("GET", "trade/fills"),
    Act.FUNDING: ("GET", "account/bills"),
    Act.CLOSED_POSITIONS: ("GET", "account/positions-history"),
    Act.ACCOUNT: ("GET", "account/balance"),
    Act.LEVERAGE: ("GET", "account/leverage-info"),
    Act.INSTRUMENTS: ("GET", "public/instruments"),
    Act.TICKER: ("GET", "market/ticker"),
    Act.CANDLES: ("GET", "market/candles"),
    Act.SERVER_TIME: ("GET", "public/time"),
    Act.MAINTENANCE: ("GET", "system/status"),
}
TROUBLES: Mapping[Trouble, dict[str, Any]] = {
    Trouble.ANSWER_LOST: {"kind": "lost_after"},
    Trouble.LOST_ON_THE_WAY: {"kind": "lost_before"},
    Trouble.ARRIVES_LATE: {"kind": "late", "seconds": 60},
    Trouble.RESET: {"kind": "reset"},
    Trouble.ERROR_PAGE: {"kind": "html_502"},
    Trouble.BUSY: {"kind": "code", "code": "50004", "http": 400},
    Trouble.BUSY_BUT_DONE: {"kind": "code", "code": "50004", "http": 400, "executed": True},
    Trouble.TIMED_OUT: {"kind": "code", "code": "51149", "http": 200},
    Trouble.TIMED_OUT_BUT_DONE: {"kind": "code", "code": "51149", "http": 200, "executed": True},
    Trouble.TOO_FAST: {"kind": "code", "code": "50011", "http": 429},
}
STREAM_TROUBLES: Mapping[StreamTrouble, dict[str, Any]] = {
    StreamTrouble.CUT: {"kind": "stream_cut"},
    StreamTrouble.UPGRADE: {"kind": "stream_cut", "notice": True},
    StreamTrouble.DOUBLED: {"kind": "stream_double"},
    StreamTrouble.OUT_OF_ORDER: {"kind": "stream_reorder"},
    StreamTrouble.WITHHELD: {"kind": "push_withheld"},
}
UNLIMITED = Limit(100_000, 1.0)  #: the budget has tests of its own
PACE = Pace(first_back_off=0.01, longest_back_off=0.05, close=0.1)


class OkxBench:
    """A `Bench`. `hedge` False: the account nets long and short, as OKX accounts may."""

    def __init__(self, *, hedge: bool = True) -> None:
        self.name, self.hedge, self.lot = ("okx" if hedge else "okx-net"), hedge, Decimal(1)
        self._simulator = SimulatorProcess(balance=str(BALANCE)).start()
        self._streams: list[OKXStream] = []
        self.port = self._client()

    def _client(self) -> OKXClient:
        return OKXClient(
            self._credentials,
            rest_url=self._simulator.base_url,
            throttle=Throttle({}, otherwise=UNLIMITED),
            sleep=lambda seconds: None,
        )

    @property
    def _credentials(self) -> Credentials:
        keys = self._simulator.okx
        return Credentials(keys["api_key"], keys["secret"], keys["passphrase"])

    def fresh(self) -> None:
        self._hang_up()
        self._simulator.reset()
        self._simulator.switches(rate_limits=False)
        self._simulator.market("hold")
        self.price(PRICE)
        if not self.hedge:
            with OkxClient(self._simulator.base_url, self._simulator.okx) as person:
                assert person.post("account/set-position-mode", {"posMode": "net_mode"}).code == "0"
        self.port = self._client()
        self.port.server_time()

    def close(self) -> None:
        self._hang_up()
        self._simulator.stop()

    def _hang_up(self) -> None:
        self.port.close()
        while self._streams:
            self._streams.pop().stop()

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._credentials.api_secret, self._credentials.passphrase)

    def open_stream(self) -> OKXStream:
        return self._stream(self._credentials)

    def stranger(self, *, secret: str) -> OKXStream:
        keys = self._credentials
        return self._stream(Credentials(keys.api_key, secret, keys.passphrase))

    def _stream(self, credentials: Credentials) -> OKXStream:
        connect_limit = Throttle({CONNECT: UNLIMITED})
        self._streams.append(OKXStream(credentials, self._simulator.ws_url, connect_limit=connect_limit, pace=PACE))
        return self._streams[-1]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._simulator.kill9()
        try:
            yield
        finally:
            self._simulator.restart()

    def grow_old(self) -> None:
        """Nothing is kept for a while."""

    # -- the exchange's side

    def now(self) -> datetime:
        return datetime.fromisoformat(self._simulator.clock())

    def advance(self, seconds: float) -> None:
        self._simulator.clock(seconds)
        self.port.server_time()

    def price(self, last: Decimal, mark: Decimal | None = None) -> None:
        self._simulator.price(BTC, last, mark)

    def trouble(self, act: Act, trouble: Trouble, *, times: int | None = 1) -> None:
        method, path = REQUESTS[act]
        count = {} if times is None else {"count": times}
        self._simulator.faults({"match": {"method": method, "path": path}, **TROUBLES[trouble], **count})

    def stream_trouble(self, trouble: StreamTrouble, *, times: int = 1) -> None:
        self._simulator.faults({"match": {"channel": "orders"}, **STREAM_TROUBLES[trouble], "count": times})

    def calm(self) -> None:
        self._simulator.faults()

    def hide(self, seconds: float) -> None:
        self._simulator.faults({"kind": "not_found", "seconds": seconds, "count": 1})

    def fill_partly(self, fraction: Decimal, *, rest_works: bool) -> None:
        rest = "work" if rest_works else "cancel"
        self._simulator.faults({"kind": "partial_fill", "fraction": str(fraction), "rest": rest, "count": 1})

    def fill_in_slices(self, slices: int) -> None:
        self._simulator.switches(fill_steps=slices)

    def requests(self) -> Mapping[Act, int]:
        counted = self._simulator.requests()
        return {act: counted.get(f"{method} /api/v5/{path}", 0) for act, (method, path) in REQUESTS.items()}

    def orders_placed(self, client_order_id: str) -> int:
        state = self._simulator.state()
        ids = [row["clOrdId"] for row in state["orders"]] + [row["algoClOrdId"] for row in state["algos"]]
        return ids.count(client_order_id)

    # -- the hand of a person, and of the exchange

    def _side(self, side: Side) -> str:
        return side.value if self.hedge else "net"

    def close_by_hand(self, side: Side, quantity: Contracts | None = None) -> None:
        size = {} if quantity is None else {"sz": plain(quantity)}
        self._simulator.intervene("close", instId=BTC, posSide=self._side(side), **size)

    def place_by_hand(self, side: Side, quantity: Contracts, price: Price) -> None:
        self._simulator.intervene(
            "place", instId=BTC, side=side.opening.value, posSide=self._side(side), ordType="limit",
            sz=plain(quantity), px=plain(price),
        )  # fmt: skip

    def cancel_by_hand(self, name: str) -> None:
        state, words = self._simulator.state(), (("orders", "ordId"), ("orders", "clOrdId"), ("algos", "algoClOrdId"))
        word = next(word for rows, word in words if any(row[word] == name for row in state[rows]))
        self._simulator.intervene("cancel", instId=BTC, **{word: name})

    def liquidate(self, side: Side) -> None:
        self._simulator.intervene("liquidate", instId=BTC, posSide=self._side(side))

    def suspend(self, minutes: int) -> None:
        begin = self.now()
        window = {"begin": begin.isoformat(), "end": (begin + timedelta(minutes=minutes)).isoformat()}
        self._simulator.switches(maintenance=window)
