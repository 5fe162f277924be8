"""When a conditional order of Binance's algo service is triggered.

- STOP and STOP_MARKET that buy are triggered when the price they listen to (mark or last) is at or above their
  trigger, those that sell at or below it; TAKE_PROFIT and TAKE_PROFIT_MARKET the other way round.
- A trailing stop that buys waits until the price is at or below its activation price; from then on it remembers the
  lowest price and is triggered when the price has come up from it by the callback. One that sells mirrors that.
- With price protection none is triggered while last and mark are further apart than the instrument's `triggerProtect`.
"""

from decimal import Decimal

from core.simulator.binance.engine.algo_order import TRAILING, BinanceAlgo
from core.simulator.engine.market import MarketPrices


def passed(algo: BinanceAlgo, price: Decimal) -> bool:
    """Return whether this price is at or beyond the trigger."""
    assert algo.trigger is not None
    return price >= algo.trigger if (algo.sign > 0) != algo.profits else price <= algo.trigger


def apart(prices: MarketPrices) -> Decimal:
    """Return how far last and mark are from each other, as a share of the mark."""
    return abs(prices.last - prices.mark) / prices.mark


def triggered(algo: BinanceAlgo, prices: MarketPrices, protect: Decimal) -> bool:
    """Return whether these prices trigger it; a trailing stop takes note of them."""
    reached = _trailed(algo, prices.by(algo.by)) if algo.kind == TRAILING else passed(algo, prices.by(algo.by))
    return reached and not (algo.protect and apart(prices) > protect)


def _trailed(algo: BinanceAlgo, price: Decimal) -> bool:
    assert algo.callback is not None
    if not algo.activated:
        assert algo.active is not None
        algo.activated = price <= algo.active if algo.sign > 0 else price >= algo.active
    if not algo.activated:
        return False
    best = min if algo.sign > 0 else max
    algo.extreme = price if algo.extreme is None else best(algo.extreme, price)
    level = algo.extreme * (1 + algo.sign * algo.callback / 100)
    return price >= level if algo.sign > 0 else price <= level
