"""The rule *finish*: end a cycle once its part is flat, and only after nothing of it rests any more.

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
from core.domain.reason import Reason

ENDS = {
    ExitReason.TAKE_PROFIT: Reason("finish.take_profit"),
    ExitReason.STOP_LOSS: Reason("finish.stop_loss"),
    ExitReason.CLOSED_BY_US: Reason("finish.closed_by_us"),
    ExitReason.CLOSED_BY_HAND: Reason("finish.closed_by_hand"),
    ExitReason.LIQUIDATED: Reason("finish.liquidated"),
    ExitReason.DELEVERAGED: Reason("finish.deleveraged"),
    ExitReason.NOT_KNOWN: Reason("finish.not_known"),
}


def finish(part: Part, view: View) -> Iterator[Decision]:
    """Decide the end of one part's cycle."""
    if not part.intent.living or part.size != NONE_HELD:
        return
    over = entry_over(part, view)
    if part.entered == NONE_HELD and over is None:
        return
    legs = [order for order in part.protection if not order.triggered_leg]
    if part.entered and legs and not view.seen.facts.native_oco:
        for order in legs:
            yield Decision(part.name, Rule.FINISH, Reason("finish.other_leg"), CancelOrder(part.name, order))
        return
    unknown = view.unresolved(part)
    if unknown is not None:
        yield skip(part, Rule.FINISH, Reason("finish.no_answer", order=unknown.client_order_id))
        return
    live = [order for order in part.orders if order.working and not view.is_stuck(order)]
    if part.entered == NONE_HELD and over is not None:
        reason, why = ExitReason.NOT_ENTERED, over
    elif not view.seen.confirmed or not view.seen.settled:
        yield skip(part, Rule.FINISH, Reason("finish.second_look"))
        return
    else:
        reason = part.why_it_ended
        why = ENDS[reason]
    if live:
        for order in live:
            yield Decision(part.name, Rule.FINISH, Reason("finish.clears_up", why=why), CancelOrder(part.name, order))
        return
    for order in part.orders:
        if order.working:
            yield stuck(order, Rule.FINISH)
    if part.closed_beyond and view.residual < NONE_HELD:
        yield skip(part, Rule.FINISH, Reason("finish.closed_beyond", beyond=part.closed_beyond))
        return
    end = EndCycle(
        part=part.name,
        cycle=part.intent.cycle,
        reason=reason,
        words=why,
        realised_pnl=part.realised_pnl,
        fees=part.fees,
        entered=part.entered,
        average_entry=part.average_entry,
        average_exit=part.average_exit,
    )
    yield Decision(part.name, Rule.FINISH, why, end)
