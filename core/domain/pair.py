"""The take-profit/stop-loss pair of one part, whether the exchange keeps it as one order or as two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.domain.order import Leg, Order, OrderStatus, Purpose
from core.domain.part import Part


class PairState(StrEnum):
    NONE = "none"  #: neither leg was ever placed in this cycle
    WORKING = "working"  #: every leg that is wanted rests
    STOP_ONLY = "stop_only"  #: the take-profit is wanted and does not rest
    TARGET_ONLY = "target_only"  #: the stop-loss is wanted and does not rest
    BARE = "bare"  #: something is held and nothing rests
    FILLING = "filling"  #: a leg was set off and is being carried out
    TAKE_PROFIT = "take_profit"  #: the take-profit has filled
    STOP_LOSS = "stop_loss"
    BOTH_FILLED = "both_filled"  #: a gap set off both before the other could be cancelled
    ENDED = "ended"  #: both are gone and neither filled: closed in another way


@dataclass(frozen=True, slots=True)
class Pair:
    """Both legs of a part's present cycle; where the exchange has an OCO they are one order."""

    part: str
    cycle: int
    take_profit: Order | None
    stop_loss: Order | None
    state: PairState

    @property
    def leftover(self) -> Order | None:
        """Return the leg that still rests although the other has filled."""
        if self.state not in (PairState.TAKE_PROFIT, PairState.STOP_LOSS):
            return None
        other = self.stop_loss if self.state is PairState.TAKE_PROFIT else self.take_profit
        return other if other is not None and other.working and not other.filled else None


def pair_of(part: Part) -> Pair:
    """Return the pair of a part by its orders."""
    alive = (order for order in part.orders if order.client_order_id not in part.stuck)
    conditional = [order for order in alive if order.purpose.protects and order.kind.rests_on_trigger]
    target = _newest(order for order in conditional if order.tp_trigger is not None)
    stop = _newest(order for order in conditional if order.sl_trigger is not None)
    return Pair(part.name, part.intent.cycle, target, stop, _state(part, target, stop))


def _state(part: Part, target: Order | None, stop: Order | None) -> PairState:
    if any(order.working and order.triggered_leg for order in part.protection):
        return PairState.FILLING
    hit = {leg for order in part.exits if order.filled and (leg := _leg(order)) is not None}
    if part.balances or (len(hit) == 2 and part.closed_beyond):
        return PairState.BOTH_FILLED
    if not part.size and hit:
        return PairState.TAKE_PROFIT if Leg.TAKE_PROFIT in hit else PairState.STOP_LOSS
    wants_target, wants_stop = (wanted is not None for wanted in part.targets)
    tp_rests, sl_rests = (order is not None and order.working for order in (target, stop))
    if not part.size:
        return PairState.ENDED if target or stop else PairState.NONE
    if wants_stop and not sl_rests:
        return PairState.TARGET_ONLY if tp_rests else PairState.BARE
    if wants_target and not tp_rests:
        return PairState.STOP_ONLY
    return PairState.WORKING if tp_rests or sl_rests else PairState.NONE


def _leg(order: Order) -> Leg | None:
    """Return which leg an exit was, carried out by the exchange or at market in its place."""
    if order.triggered_leg is not None:
        return order.triggered_leg
    return {Purpose.TAKE_PROFIT: Leg.TAKE_PROFIT, Purpose.STOP_LOSS: Leg.STOP_LOSS}.get(order.purpose)


def _newest(orders: Iterable[Order]) -> Order | None:
    """Return the newest order: a resting one before one that has ended, then by its running number."""
    return max(orders, key=lambda order: (order.status is OrderStatus.WORKING, order.client_order_id), default=None)
