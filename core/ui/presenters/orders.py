"""Live orders as rows and words: working, waiting for a trigger, unknown, foreign.

Pure, like `rows`: the snapshot goes in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from core.domain.order import Leg as Leg
from core.domain.order import OrderKind, Purpose
from core.domain.snapshot import AccountSnapshot, OrderSnapshot, PartSnapshot
from core.i18n.translate import _
from core.services.trading.orders import ByHand
from core.ui.presenters.format import NOTHING, Figure, ago, price, quantity
from core.ui.presenters.forms import trigger_words
from core.ui.presenters.positions import Row, order_side_words, short_symbol, side_words

_CAPITALS = (OrderKind.OCO, OrderKind.IOC, OrderKind.FOK)


def order_rows(orders: Iterable[OrderSnapshot], snapshot: AccountSnapshot, now: datetime) -> list[Row]:
    """Return live orders; a column that no row fills is left to the caller to drop."""
    rows = []
    for order in orders:
        tick = snapshot.tick_of(order.symbol)
        rows.append(
            {
                _("Contract"): order.symbol,
                _("Purpose"): purpose_words(order.purpose),
                _("Order"): f"{order_side_words(order.side)} {kind_words(order.kind)}",
                _("Position"): side_words(order.position_side),
                _("Contracts"): quantity(order.quantity),
                _("Filled"): quantity(order.filled),
                _("Price"): price(order.price, tick),
                _("Take-profit at"): price(order.take_profit_trigger, tick),
                _("Stop-loss at"): price(order.stop_loss_trigger, tick),
                _("Trigger by"): trigger_words(order.trigger_by).lower() if order.trigger_by else NOTHING,
                _("Part"): order.part or NOTHING,
                _("Placed"): ago(order.created_at, now),
                _("Order id"): order.client_order_id or order.exchange_order_id,
            }
        )
    return rows


def order_groups(snapshot: AccountSnapshot) -> dict[str, list[OrderSnapshot]]:
    """Return live orders by where a trader looks for them: plain, waiting for a trigger, not ours."""
    groups: dict[str, list[OrderSnapshot]] = {"working": [], "conditional": [], "foreign": []}
    for order in snapshot.orders:
        ours = "conditional" if order.kind.rests_on_trigger else "working"
        groups["foreign" if order.foreign else ours].append(order)
    return groups


def unresolved_rows(snapshot: AccountSnapshot, now: datetime) -> list[Row]:
    """Return commands whose outcome is not known yet."""
    return [
        {
            _("Order id"): command.client_order_id,
            _("Purpose"): purpose_words(command.purpose),
            _("Part"): command.part or NOTHING,
            _("Sent"): ago(command.since, now),
        }
        for command in snapshot.unresolved
    ]


def kind_words(kind: OrderKind) -> str:
    """Return an order's kind in words; the trade's own short words in capitals."""
    return kind.upper() if kind in _CAPITALS else kind.replace("_", " ")


def purpose_words(purpose: Purpose) -> str:
    """Return the purpose of an order in words."""
    return {
        Purpose.ENTRY: _("Entry"),
        Purpose.RECOVERY: _("Recovery"),
        Purpose.PROTECT: _("TP + SL"),
        Purpose.SAFETY_NET: _("TP + SL with the entry"),
        Purpose.TAKE_PROFIT: _("Take-profit"),
        Purpose.STOP_LOSS: _("Stop-loss"),
        Purpose.CLOSE: _("Close"),
        Purpose.BALANCE: _("Brought back"),
        Purpose.FOREIGN: _("Not ours"),
    }[purpose]


def cancel_words(order: OrderSnapshot, snapshot: AccountSnapshot) -> str:
    """Return the label of the button that cancels an order."""
    at = price(order.price, snapshot.tick_of(order.symbol))
    return _("Cancel {symbol} {n} at {p}", symbol=short_symbol(order.symbol), n=quantity(order.quantity), p=at)


def may_be_cancelled(order: OrderSnapshot) -> bool:
    """Return whether an entry rests at a limit. All else protects or closes a part, fills by itself, or is not ours."""
    return order.purpose is Purpose.ENTRY and order.kind is not OrderKind.MARKET and not order.foreign


# -- TP and SL by hand


def may_be_held(part: PartSnapshot) -> bool:
    """Return whether a part holds something, or soon will."""
    return part.living


def part_label(part: PartSnapshot) -> str:
    return f"{part.name} · {part.symbol} · {side_words(part.side)} · {quantity(part.size)}"


def by_hand_figures(held: ByHand, tick: Decimal | None) -> list[Figure]:
    """Return the levels that hold now and who set them."""
    return [
        Figure(_("Take-profit at"), price(held.take_profit, tick)),
        Figure(_("Stop-loss at"), price(held.stop_loss, tick)),
        Figure(_("Held"), _("by hand") if held.edited else _("automatically")),
    ]


def moved_words(held: ByHand, tick: Decimal | None, now: datetime) -> str:
    """Return what somebody set at the exchange, and what became of it."""
    tp, sl = held.at_exchange or (None, None)
    return _(
        "Take-profit {tp}, stop-loss {sl}, seen {ago}. The bot puts its own levels back; keep these to make them hold.",
        tp=price(tp, tick) if tp is not None else _("none"),
        sl=price(sl, tick) if sl is not None else _("none"),
        ago=ago(held.at_exchange_since, now),
    )


def removal_words(leg: Leg) -> str:
    return _("Remove take-profit") if leg is Leg.TAKE_PROFIT else _("Remove stop-loss")


def hand_words(held: ByHand) -> str:
    """Return until when the present levels hold."""
    if held.edited:
        return _(
            "Held by hand: the bot keeps exactly these levels on the exchange until the part's next recovery step, "
            "the end of its cycle, or Return to automatic."
        )
    return _("Automatic: the levels follow the part's own targets, and after a recovery step those of recovery.")
