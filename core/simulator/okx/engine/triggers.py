"""When an algo order is triggered, and by which leg.

- A stop-loss that sells is triggered when the price it listens to (last, mark or index) is at or below its trigger, a
  take-profit that sells when it is at or above; for buying ones the other way round. The first of two legs to be
  triggered cancels the other. The stop-loss is looked at first.
- A trigger order is triggered when the price it listens to reaches its level from the side it was on when it was
  placed.
- A trailing stop that sells remembers the highest last price since its activation and is triggered when the last price
  has come down from it by the callback; one that buys mirrors that.
"""

from decimal import Decimal

from core.simulator.engine.market import MarketPrices
from core.simulator.engine.state import TriggerLeg
from core.simulator.okx.engine.algo_order import OkxAlgo


def passed(sign: int, profit: bool, leg: TriggerLeg, prices: MarketPrices) -> bool:
    """Return whether the price is at or beyond the leg already; `sign` is that of the order it sends (+1 buys)."""
    price = prices.by(leg.by)
    return price >= leg.trigger if (sign < 0) == profit else price <= leg.trigger


def triggered(algo: OkxAlgo, prices: MarketPrices) -> tuple[str, TriggerLeg] | None:
    """Return the leg that these prices trigger ("sl", "tp" or "" for the others), or None."""
    if algo.stop_loss is not None and passed(algo.sign, False, algo.stop_loss, prices):
        return "sl", algo.stop_loss
    if algo.take_profit is not None and passed(algo.sign, True, algo.take_profit, prices):
        return "tp", algo.take_profit
    if algo.trigger is not None:
        price = prices.by(algo.trigger.by)
        reached = price >= algo.trigger.trigger if algo.trigger_above else price <= algo.trigger.trigger
        return ("", algo.trigger) if reached else None
    return _trailing(algo, prices.last) if algo.kind == "move_order_stop" else None


def trail(algo: OkxAlgo) -> Decimal | None:
    """Return where a trailing stop would be triggered now (USDT); None before its activation."""
    if algo.extreme is None or not algo.activated:
        return None
    back = (
        algo.callback_spread if algo.callback_spread is not None else algo.extreme * (algo.callback_ratio or Decimal(0))
    )
    return algo.extreme + algo.sign * back


def _trailing(algo: OkxAlgo, last: Decimal) -> tuple[str, TriggerLeg] | None:
    if not algo.activated:
        assert algo.active is not None
        algo.activated = last >= algo.active if algo.sign < 0 else last <= algo.active
    if not algo.activated:
        return None
    best = max if algo.sign < 0 else min
    algo.extreme = last if algo.extreme is None else best(algo.extreme, last)
    level = trail(algo)
    assert level is not None
    reached = last <= level if algo.sign < 0 else last >= level
    return ("", TriggerLeg(level)) if reached else None
