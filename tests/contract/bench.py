"""What the contract suite needs of an exchange on the bench: its adapter, and a hand on the exchange behind it.

Another exchange joins the suite with a factory for one more `Bench` and a line in `conftest.BENCHES`. Sizes are told
in lots of 0.01 BTC, which is a contract on one exchange and a hundredth of the quantity on another.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from core.domain.instrument import Side
from core.domain.money import Contracts, Price
from core.exchange.port import ExchangePort, StreamPort

SYMBOL = "BTC-USDT-PERP"
PRICE = Price(Decimal(100_000))  #: where every test begins, bid and ask one tick around it
BALANCE = Decimal(10_000)  #: USDT
LOT = Decimal("0.01")  #: BTC


class Act(StrEnum):
    """Something an adapter asks of its exchange; a bench knows which requests that takes."""

    PLACE = "place"
    PLACE_OCO = "place_oco"
    AMEND = "amend"
    AMEND_OCO = "amend_oco"
    CANCEL = "cancel"
    CANCEL_OCO = "cancel_oco"
    SET_LEVERAGE = "set_leverage"
    FIND = "find"
    FIND_OCO = "find_oco"
    POSITIONS = "positions"
    WORKING_ORDERS = "working_orders"
    WORKING_OCOS = "working_ocos"
    FILLS = "fills"
    FUNDING = "funding"
    CLOSED_POSITIONS = "closed_positions"
    ACCOUNT = "account"
    LEVERAGE = "leverage"
    INSTRUMENTS = "instruments"
    TICKER = "ticker"
    CANDLES = "candles"
    SERVER_TIME = "server_time"
    MAINTENANCE = "maintenance"


class Trouble(StrEnum):
    """What becomes of a request."""

    ANSWER_LOST = "answer lost"  #: carried out, and the connection ends without a word
    LOST_ON_THE_WAY = "lost on the way"  #: never arrives, and the connection ends without a word
    ARRIVES_LATE = "arrives late"  #: a minute after the connection has ended, if the exchange still takes it then
    RESET = "connection reset"
    ERROR_PAGE = "error page"  #: a gateway's HTML instead of an answer
    BUSY = "busy"  #: the exchange says that it cannot tell whether it will be carried out; it is not
    BUSY_BUT_DONE = "busy but done"  #: the same words, and it is carried out
    TIMED_OUT = "timed out"  #: its own machinery did not answer in time, says the exchange; it is not carried out
    TIMED_OUT_BUT_DONE = "timed out but done"  #: the same words, and it is carried out
    TOO_FAST = "too fast"  #: refused for haste


class StreamTrouble(StrEnum):
    """What becomes of pushes about orders."""

    CUT = "cut"  #: the connection ends at the next push
    UPGRADE = "upgrade"  #: the same, announced where the exchange announces it
    DOUBLED = "doubled"
    OUT_OF_ORDER = "out of order"  #: a push comes after the one that follows it
    WITHHELD = "withheld"


class Bench(Protocol):
    """One adapter with its exchange. Time and prices stand still unless a test moves them."""

    name: str
    hedge: bool  #: long and short can be held apart
    lot: Decimal  #: contracts in a lot

    @property
    def port(self) -> ExchangePort: ...

    def fresh(self) -> None:
        """A new account with `BALANCE`, prices at `PRICE`, no trouble; and a new adapter."""
        ...

    def close(self) -> None: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        ...

    def open_stream(self) -> StreamPort:
        """A stream of the account, not started; stopped by `fresh` and `close` at the latest."""
        ...

    def stranger(self, *, secret: str) -> StreamPort:
        """The same with this for a secret (or for the key, where nothing else opens a stream); it is wrong."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """Inside, the exchange cannot be reached: no connection opens. Its state is kept."""
        ...

    def grow_old(self) -> None:
        """What the adapter keeps for a while to spare requests is too old now."""
        ...

    # -- the exchange's side

    def now(self) -> datetime:
        """The exchange's clock."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the exchange's clock on; the adapter takes notice, as it does of a real clock by and by."""
        ...

    def price(self, last: Decimal, mark: Decimal | None = None) -> None:
        """Walk the price of `SYMBOL` there; the mark price follows unless it is given."""
        ...

    def trouble(self, act: Act, trouble: Trouble, *, times: int | None = 1) -> None:
        """Let this happen to the next requests of that kind; None: to all from now on. Replaces earlier trouble."""
        ...

    def stream_trouble(self, trouble: StreamTrouble, *, times: int = 1) -> None: ...

    def calm(self) -> None:
        """No trouble from now on."""
        ...

    def hide(self, seconds: float) -> None:
        """What is accepted from now on cannot be found for so long by the exchange's clock, as if it were not there."""
        ...

    def fill_partly(self, fraction: Decimal, *, rest_works: bool) -> None:
        """The next order fills by that fraction; the rest works on, or is cancelled by the exchange."""
        ...

    def fill_in_slices(self, slices: int) -> None:
        """From now on an order that takes from the book fills in so many equal slices, one a second."""
        ...

    def requests(self) -> Mapping[Act, int]:
        """How many requests of each kind have arrived since `fresh`."""
        ...

    def orders_placed(self, client_order_id: str) -> int:
        """How many orders under this id the exchange has taken, live and ended."""
        ...

    # -- the hand of a person in the account, and of the exchange

    def close_by_hand(self, side: Side, quantity: Contracts | None = None) -> None: ...

    def place_by_hand(self, side: Side, quantity: Contracts, price: Price) -> None:
        """A limit order that opens, under no id of ours."""
        ...

    def cancel_by_hand(self, name: str) -> None:
        """Cancel the order of that id, ours or the exchange's."""
        ...

    def liquidate(self, side: Side) -> None: ...

    def suspend(self, minutes: int) -> None:
        """The exchange announces that it is under maintenance now, for so long."""
        ...
