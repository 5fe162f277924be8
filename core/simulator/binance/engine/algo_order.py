"""A conditional order of Binance's algo service, from acceptance to its end."""

from dataclasses import dataclass
from decimal import Decimal

from core.simulator.engine.state import packed_as

LIMITS, MARKETS = ("STOP", "TAKE_PROFIT"), ("STOP_MARKET", "TAKE_PROFIT_MARKET")
TRAILING = "TRAILING_STOP_MARKET"
KINDS = (*LIMITS, *MARKETS, TRAILING)
WAITING = ("NEW", "TRIGGERING")  # not in the ordinary book yet
PLAIN_KINDS = {"GTC": "limit", "GTD": "limit", "GTE_GTC": "limit", "IOC": "ioc", "FOK": "fok", "GTX": "post_only"}


@dataclass(slots=True)
class BinanceAlgo:
    """One conditional order from acceptance to its end. Sizes in the base coin, prices in USDT, times in ms."""

    algo_id: str
    client_id: str
    instrument: str
    side: str  # buy, sell
    position_side: str  # long, short, net
    kind: str  # STOP_MARKET, ...
    size: Decimal  # 0: the whole position (closePosition)
    created: int
    updated: int
    price: Decimal | None = None
    trigger: Decimal | None = None
    by: str = "last"  # last, mark
    force: str = "GTC"
    close_position: bool = False
    reduce_only: bool = False
    protect: bool = False
    stp: str = "EXPIRE_MAKER"
    match: str = "NONE"
    till: int = 0  # goodTillDate; 0: none
    active: Decimal | None = None
    callback: Decimal | None = None  # percent
    activated: bool = True  # a trailing stop past its activation price
    extreme: Decimal | None = None
    state: str = "NEW"  # NEW, TRIGGERING, TRIGGERED, FINISHED, CANCELED, REJECTED, EXPIRED
    triggered: int = 0
    order_id: str = ""
    reason: str = ""
    sends_at: int = 0  # while TRIGGERING: when the order goes into the book; 0: never (stuck)
    ends_at: int = 0  # when the position that it hangs on is gone for good; 0: it is not
    vanishes_at: int = 0  # when the exchange cancels it for no reason; 0: never
    vanishes_as: str = "CANCELED"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self.side == "buy" else -1

    @property
    def profits(self) -> bool:
        """Return whether it takes profit rather than stops a loss."""
        return self.kind.startswith("TAKE_PROFIT")

    @property
    def tied(self) -> bool:
        """Return whether it ends with its position."""
        return self.force == "GTE_GTC"

    @property
    def ended(self) -> bool:
        """Return whether it has come to its end."""
        return self.state in ("FINISHED", "CANCELED", "REJECTED", "EXPIRED")


packed_as("BinanceAlgo", BinanceAlgo)
