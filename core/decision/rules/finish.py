"""End a cycle once its part is flat, and only after nothing of it rests any more.

Where the exchange has no OCO the leg that is left goes the moment our own fills tell that the part is flat; the
end itself waits for the second look, and until what its exits closed beyond the part has been brought back.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.decision.entry_state import entry_over
from core.decision.view import View, skip, stuck
from core.domain.action import CancelOrder, Decision, EndCycle, Rule
from core.domain.intent import ExitReason
from core.domain.money import NONE_HELD
from core.domain.part import Part

WORDS = {
    ExitReason.TAKE_PROFIT: "the take-profit closed it",
    ExitReason.STOP_LOSS: "the stop-loss closed it",
    ExitReason.CLOSED_BY_US: "closed as asked",
    ExitReason.CLOSED_BY_HAND: "closed by hand at the exchange",
    ExitReason.LIQUIDATED: "liquidated by the exchange",
    ExitReason.DELEVERAGED: "deleveraged by the exchange",
    ExitReason.NOT_KNOWN: "closed, and the exchange does not tell by what",
}


def finish(part: Part, view: View) -> Iterator[Decision]:
    """One part's end."""
    if not part.intent.living or part.size != NONE_HELD:
        return
    over = entry_over(part, view)
    if part.entered == NONE_HELD and not over:
        return
    legs = [order for order in part.protection if not order.triggered_leg]
    if part.entered and legs and not view.seen.facts.native_oco:
        for order in legs:
            words = "its other leg goes: nothing is left to close"
            yield Decision(part.name, Rule.FINISH, words, CancelOrder(part.name, order))
        return
    unknown = view.unresolved(part)
    if unknown is not None:
        yield skip(part, Rule.FINISH, f"flat, but waits for the answer to {unknown.client_order_id}")
        return
    live = [order for order in part.orders if order.working and not view.is_stuck(order)]
    if part.entered == NONE_HELD:
        reason, words = ExitReason.NOT_ENTERED, over
    elif not view.seen.confirmed or not view.seen.settled:
        yield skip(part, Rule.FINISH, "flat; waits for a second look that agrees")
        return
    else:
        reason = part.why_it_ended
        words = WORDS[reason]
    if live:
        for order in live:
            yield Decision(part.name, Rule.FINISH, f"{words}; what is left of it goes", CancelOrder(part.name, order))
        return
    for order in part.orders:
        if order.working:
            yield stuck(order, Rule.FINISH)
    if part.closed_beyond and view.residual < NONE_HELD:
        words = f"flat, but its exits closed {part.closed_beyond} contracts more than it held; that is put right first"
        yield skip(part, Rule.FINISH, words)
        return
    end = EndCycle(
        part=part.name,
        cycle=part.intent.cycle,
        reason=reason,
        words=words,
        realised_pnl=part.realised_pnl,
        fees=part.fees,
        entered=part.entered,
        average_entry=part.average_entry,
        average_exit=part.average_exit,
    )
    yield Decision(part.name, Rule.FINISH, words, end)
