"""Terms of a part's next order that adds to it: its price, and the take-profit and stop-loss that travel with it."""

from __future__ import annotations

from core.decision.view import View
from core.domain.action import Attached
from core.domain.ids import net_of
from core.domain.instrument import TriggerBy
from core.domain.money import Price
from core.domain.part import Part


def attached_protection(part: Part, entry_id: str, price: Price | None = None) -> Attached | None:
    """Return TP and SL to travel with an order that adds: at its expected price, or (None) the part's own."""
    stop, target, net_id = part.stop_price(price), part.take_profit_price(price), net_of(entry_id)
    if net_id is None or (stop is None and target is None):
        return None
    return Attached(net_id, target, stop, trigger_by(part))


def trigger_by(part: Part) -> TriggerBy:
    """Return the price that sets off this part's protection: the stop's choice where the two differ."""
    target, stop = part.targets
    wanted = stop or target
    return wanted.trigger_by if wanted else TriggerBy.MARK


def reference_price(part: Part, view: View) -> Price:
    """Return the price an entry is sized by: its limit price, else the side of the book it will take."""
    return part.intent.entry.price or market_price(part, view)


def market_price(part: Part, view: View) -> Price:
    """Return the side of the book that an opening order at market takes."""
    ticker = view.seen.ticker
    assert ticker is not None, "checked by precondition_failed"
    return ticker.ask if part.side.sign > 0 else ticker.bid
