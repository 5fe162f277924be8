"""Counts cycles for `/metrics`: adds one cycle to all counters and histograms. Pure.

What is counted of a life only grows while it lasts, and stays as it is after its end.
"""

from __future__ import annotations

from decimal import Decimal

from core.domain.action import OutcomeKind
from core.domain.ids import same_step
from core.domain.instrument import OrderSide
from core.domain.money import ZERO
from core.domain.order import Leg, OrderStatus, Purpose
from core.services.metrics.series import Bounded, Labels, Samples
from db.repositories.metrics import LifeFact, SentFact

LEGS = {Leg.TAKE_PROFIT: Purpose.TAKE_PROFIT, Leg.STOP_LOSS: Purpose.STOP_LOSS}
SETTLED = (OutcomeKind.DONE, OutcomeKind.REFUSED)
BASIS_POINT = Decimal("0.0001")


def count(life: LifeFact, into: Samples, bounded: Bounded) -> None:
    """Add one cycle to the counters."""
    where = (life.account, life.exchange)
    symbol = bounded("symbol", life.symbol)
    strategy = (*where, bounded("strategy_id", life.strategy), symbol, life.side)
    _pairs(life, strategy, into)
    _result(life, strategy, into)
    if life.before is not None:
        into.observe("perpdeck_reopen_delay_seconds", where, max(0.0, (life.started - life.before).total_seconds()))
    into.add("perpdeck_reopens_total", strategy, int(life.before is not None))
    steps = {same_step(one.client_order_id) for one in life.sent if one.purpose == Purpose.RECOVERY and one.filled}
    into.add("perpdeck_recoveries_total", strategy, len(steps))
    for liquidity, fills in (("maker", life.maker_fills), ("taker", life.taker_fills)):
        into.add("perpdeck_fills_total", (*where, symbol, liquidity), fills)
    for one in life.sent:
        _order(one, where, symbol, into, bounded)


def _pairs(life: LifeFact, strategy: Labels, into: Samples) -> None:
    placed = any(one.conditional and Purpose(one.purpose).protects for one in life.sent)
    into.add("tradeengine_strategy_oco_placed_total", strategy, int(placed))
    into.add("tradeengine_strategy_tp_triggered_total", strategy, _hit(life, Leg.TAKE_PROFIT))
    into.add("tradeengine_strategy_sl_triggered_total", strategy, _hit(life, Leg.STOP_LOSS))


def _hit(life: LifeFact, leg: Leg) -> int:
    """Return 1 where this leg filled, at the exchange or at market in its place; else 0."""
    return int(any(one.filled > 0 and (one.triggered_leg == leg or one.purpose == LEGS[leg]) for one in life.sent))


def _result(life: LifeFact, strategy: Labels, into: Samples) -> None:
    """Add the result of an ended cycle."""
    into.add("perpdeck_cycles_not_entered_total", strategy, int(life.ended is not None and not life.contracts))
    gross, fees, funding = life.realised_pnl or ZERO, life.fees or ZERO, life.funding or ZERO
    net = gross + fees + funding
    into.add("perpdeck_won_usdt_total", strategy, max(net, ZERO))
    into.add("perpdeck_lost_usdt_total", strategy, max(-net, ZERO))
    for of, amount in (("gross", gross), ("fees", fees), ("funding", funding)):
        into.add("perpdeck_result_usdt", (*strategy, of), amount)
    if life.ended is None or not life.contracts:
        return
    closed = (*strategy, life.reason or "")
    into.observe("tradeengine_strategy_pnl_realized", closed, net)
    into.add("perpdeck_cycles_total", (*closed, "won" if net > 0 else "lost" if net < 0 else "even"))


def _order(one: SentFact, where: Labels, symbol: str, into: Samples, bounded: Bounded) -> None:
    purpose = Purpose(one.purpose).name.lower()
    order = (*where, symbol, purpose)
    lost = max(0, one.attempts - 1) + (one.outcome == OutcomeKind.LOST)
    into.add("perpdeck_orders_sent_total", order, one.attempts)
    into.add("perpdeck_orders_accepted_total", order, int(one.outcome == OutcomeKind.DONE))
    into.add("perpdeck_orders_filled_total", order, int(one.filled > 0))
    into.add("perpdeck_orders_lost_total", order, lost)
    if one.outcome == OutcomeKind.REFUSED:
        into.add("perpdeck_orders_refused_total", (*where, purpose, bounded("code", one.code or "none")))
    if one.outcome in SETTLED and one.recorded_at and one.settled_at:
        took = (one.settled_at - one.recorded_at).total_seconds()
        into.observe("perpdeck_order_answer_seconds", where, max(0.0, took))
    if one.status != OrderStatus.FILLED:
        return
    if one.recorded_at and one.last_fill_at and not one.conditional:
        took = (one.last_fill_at - one.recorded_at).total_seconds()
        into.observe("perpdeck_execution_seconds", (*where, purpose), max(0.0, took))
    worse = slippage(one)
    if worse is not None:
        leg = LEGS[Leg(one.triggered_leg)].name.lower() if one.triggered_leg else purpose
        into.observe("perpdeck_slippage_bp", (*where, leg), worse)


def slippage(one: SentFact) -> Decimal | None:
    """Return the basis points by which the average fill was worse than its reference price; None where one is not
    known.
    """
    aimed = one.reference
    if one.conditional:
        aimed = one.tp_trigger if _takes_profit(one) else one.sl_trigger
    if not aimed or not one.average_price:
        return None
    sign = 1 if one.side == OrderSide.BUY else -1
    return (sign * (one.average_price / aimed - 1) / BASIS_POINT).quantize(Decimal("0.01"))


def _takes_profit(one: SentFact) -> bool:
    return one.triggered_leg == Leg.TAKE_PROFIT or (one.triggered_leg is None and one.purpose == Purpose.TAKE_PROFIT)
