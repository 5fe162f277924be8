"""Average a losing part down, one step at a time, and never without its stop.

A step is one order at market. Its own TP and SL travel with it, so that the new contracts are guarded from the
first fill; afterwards `protect` moves the part's pair to the new average.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.decision.entering import has_all, hindrance, market_price, safety_net
from core.decision.risk import ExecutionRiskControl
from core.decision.view import View, seconds, skip, usdt
from core.domain.account import Level
from core.domain.action import Decision, OutcomeKind, PlaceOrder, Rule
from core.domain.intent import Recovery
from core.domain.money import NONE_HELD, Contracts
from core.domain.order import OrderKind, Purpose
from core.domain.part import Part


def recover(part: Part, view: View, *, guarding: bool) -> Iterator[Decision]:
    """One part's next step, if it is due. `guarding`: this very plan puts its protection right first."""
    intent, rule = part.intent, part.intent.recovery
    if rule is None or not intent.living or part.size == NONE_HELD:
        return
    if intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return
    step = len(part.steps) + 1
    busy = _busy(part, view)
    if busy:
        yield skip(part, Rule.RECOVER, f"recovery step {step} waits: {busy}")
        return
    mark = view.seen.mark
    if mark is None:
        yield skip(part, Rule.RECOVER, f"recovery step {step} waits: no price")
        return
    pnl = part.unrealised_pnl(mark)
    if pnl >= rule.trigger_pnl:
        words = f"recovery step {step} waits: PnL {usdt(pnl)}, trigger {usdt(rule.trigger_pnl)}"
        yield skip(part, Rule.RECOVER, words)
        return
    held_back = _held_back(part, view, rule, guarding=guarding)
    if held_back:
        yield skip(part, Rule.RECOVER, f"recovery step {step} is due at PnL {usdt(pnl)} and waits: {held_back}")
        return
    yield _step(part, view, rule, f"recovery step {step}: PnL {usdt(pnl)} is under {usdt(rule.trigger_pnl)}")


def pause_ends_in(part: Part, view: View) -> timedelta:
    """How long the pause after the newest step still lasts; zero where there is none."""
    rule, last = part.intent.recovery, view.newest(part, Purpose.RECOVERY)
    if rule is None or last is None or last.outcome is OutcomeKind.LOST:
        return timedelta()
    return max(timedelta(), last.recorded_at + rule.pause - view.now)


def _busy(part: Part, view: View) -> str:
    """What else is going on with this part, or an empty string."""
    unknown = view.risk_blocked(part)
    if unknown is not None:
        return f"{unknown.client_order_id} has no answer yet"
    if part.entry_orders_working:
        return "an order that adds to it is filling"
    if part.intent.reduce_to is not None or part.closes_working:
        return "a close is under way"
    if view.filling(part):
        return "its protection has been set off"
    return ""


def _held_back(part: Part, view: View, rule: Recovery, *, guarding: bool) -> str:
    """Why a step that is due is not taken now, or an empty string."""
    taken, level = len(part.steps), view.desired.level
    if not level.may_add:
        return f"the level is {level}"
    if rule.max_steps is not None and taken >= rule.max_steps:
        return f"{taken} of at most {rule.max_steps} steps are taken"
    mark = view.seen.mark
    if rule.max_loss is not None and mark is not None and part.unrealised_pnl(mark) <= -rule.max_loss:
        return f"the loss has reached the limit of {rule.max_loss} USDT for recovery"
    if not taken and not has_all(part):
        return "the entry is not complete"
    if guarding or not part.protected:
        return "its stop-loss is put right first"
    stop = part.stop_price()
    if stop is not None and mark is not None and (mark - stop) * part.side.sign <= 0:
        return f"its stop-loss belongs at {stop}, which is passed already"
    rest = pause_ends_in(part, view)
    if rest:
        return f"the last step was {seconds(rule.pause - rest)} ago, {seconds(rule.pause)} lie between two"
    return hindrance(part, view, Purpose.RECOVERY)


def _step(part: Part, view: View, rule: Recovery, because: str) -> Decision:
    instrument, price, side = part.instrument, market_price(part, view), part.side
    quantity = Contracts(min(instrument.contracts_for(rule.add_notional, price), instrument.max_market_quantity))
    if quantity < instrument.min_quantity:
        least = instrument.notional(instrument.min_quantity, price)
        words = f"{because}, but {rule.add_notional} USDT is less than the smallest order of {least:,.2f} USDT"
        return skip(part, Rule.RECOVER, words)
    veto = ExecutionRiskControl(view.desired.limits).veto(part, quantity, price, view)
    if veto:
        return skip(part, Rule.RECOVER, f"{because}, but the limits refuse it: {veto}")
    client_id = view.next_id(part, Purpose.RECOVERY, side.opening, OrderKind.MARKET, quantity)
    action = PlaceOrder(
        part=part.name,
        cycle=part.intent.cycle,
        client_order_id=client_id,
        purpose=Purpose.RECOVERY,
        symbol=part.intent.key.symbol,
        position_side=side,
        side=side.opening,
        kind=OrderKind.MARKET,
        quantity=quantity,
        attached=safety_net(part, client_id) if view.seen.facts.attaches_protection else None,
        leverage=part.intent.leverage,
    )
    return Decision(part.name, Rule.RECOVER, f"{because}: adds {quantity} contracts", action)
