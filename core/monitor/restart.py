"""The first pass after a start: resolve unknown outcomes, observe, plan once in full, report; nothing is done.

It is the ordinary loop with acting switched off. Commands without an outcome are asked for on the way. Only a
fresh paper account is put in order: a new account at Binance begins one-way, and the trader of a paper account has
no page of the exchange on which to change that.
"""

from __future__ import annotations

from core.domain.account import Environment
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.reason import Reason
from core.monitor.guard import AccountGuard
from db.records import Event

RULE = "restart"


def report(guard: AccountGuard) -> Reason:
    """Look at everything once and return what was found. Raises Unavailable where it cannot be known."""
    guard.work_once(set(), everything=True)
    results = guard.reconciler.results.values()
    parts = [part for result in results for part in result.parts if part.size]
    protected = sum(part.protected for part in parts)
    open_questions = sum(command.unresolved for result in results for command in result.seen.commands)
    would_do = sum(len(result.plan.actions) for result in results)
    found = Reason("restart.found", parts=len(parts), protected=protected, commands=open_questions, actions=would_do)
    guard.store.events.add(
        guard.account.id, [Event(guard.clock.now(), guard.account.id, None, RULE, found, None, None)]
    )
    return found


def hold_both_sides(guard: AccountGuard) -> bool:
    """Switch a paper account on which nothing is held or rests to long/short mode; True where it was switched.

    The modes of demo and live accounts are the trader's to set. Raises Unavailable.
    """
    state, look = guard.observer.state, guard.reconciler.last_look
    busy = look is None or look.positions or any(order.working for order in look.orders)
    if guard.account.environment is not Environment.PAPER or state is None or state.hedge_mode or busy:
        return False
    try:
        guard.executor.hold_both_sides()
    except (Refused, OutcomeUnknown) as trouble:
        said = Reason("restart.stays_one_way", why=trouble.reason)
    else:
        said = Reason("restart.hedge_mode")
    now = guard.refresh_account()
    guard.store.events.add(guard.account.id, [Event(guard.clock.now(), guard.account.id, None, RULE, said, None, None)])
    return now.hedge_mode
