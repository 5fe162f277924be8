"""What a person does to single orders: see them, and withdraw an entry that has not filled yet.

A cancel is a wish in the book like any other; the bot carries it out. What protects or closes a part is changed
through the part, and what somebody else placed is never touched: both are refused with the way to go instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.errors import Misconfigured
from core.domain.ids import meaning
from core.domain.instrument import OrderSide, Side
from core.domain.intent import EntryKind, Intent
from core.domain.order import Order, OrderKind, OrderStatus, Purpose
from core.services.positions import Asked
from db.store import Store

WITHDRAW_NOW = timedelta(seconds=1)  #: a time-out that has passed: the rest is withdrawn, what filled is kept

INSTEAD = {
    Purpose.PROTECT: "protects part {part}; to move it use Edit TP/SL, to be rid of the position use Close",
    Purpose.SAFETY_NET: "protects part {part} while it fills; to move it use Edit TP/SL",
    Purpose.TAKE_PROFIT: "is the take-profit of part {part}; to move it use Edit TP/SL",
    Purpose.STOP_LOSS: "is the stop-loss of part {part}; to move it use Edit TP/SL",
    Purpose.CLOSE: "closes part {part} at market as was asked; it fills by itself",
    Purpose.RECOVERY: "is a recovery step of part {part} at market; it fills by itself",
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One live order as the last look saw it. `part` None: not ours."""

    client_order_id: str
    exchange_order_id: str
    part: str | None
    purpose: str
    symbol: str
    side: OrderSide
    position_side: Side
    kind: OrderKind
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    take_profit_trigger: Decimal | None
    stop_loss_trigger: Decimal | None
    status: OrderStatus
    foreign: bool
    created_at: datetime | None


class OrderManager:
    """Lists and cancels. Raises Misconfigured with a sentence where an order may not be cancelled by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def working(self, account: str) -> list[OrderRow]:
        """Every live order of the last look, ours and foreign; none where there was no look yet."""
        found = self.store.picture(account)
        return [_row(order) for order in found[0]["orders"]] if found else []

    def cancel(self, account: str, client_order_id: str, token: str, by: str) -> Asked:
        """Withdraw what has not filled of an entry; what has filled stays and stays protected."""
        before = self.store.part_of_token(token)
        if before is not None:
            return Asked(before, False, "asked for already by this click")
        order, intent = self._own(account, client_order_id)
        if order.purpose in INSTEAD:
            raise Misconfigured(f"order {client_order_id} {INSTEAD[order.purpose].format(part=intent.part)}")
        if intent.entry.kind is EntryKind.MARKET:
            raise Misconfigured(f"order {client_order_id} enters at market and fills by itself; use Close afterwards")
        if not order.working:
            raise Misconfigured(f"order {client_order_id} has ended already: {order.status}")
        self.store.change_part(
            intent.part,
            token,
            by,
            f"the rest of entry {client_order_id} is to be cancelled",
            entry=replace(intent.entry, timeout=WITHDRAW_NOW),
        )
        running = self.store.bot(account).running
        words = "The bot withdraws it now" if running else "The bot withdraws it once it is started"
        return Asked(intent.part, True, f"{words}; what has filled stays and stays protected.")

    def _own(self, account: str, client_order_id: str) -> tuple[Order, Intent]:
        """The order and its part. Raises Misconfigured where it is not one of ours on this account."""
        said = meaning(client_order_id)
        intent = self.store.intent(said.part) if said else None
        if said is None or intent is None or intent.key.account != account:
            raise Misconfigured(
                f"order {client_order_id or 'without an id'} was not placed by Perpdeck for this account; such orders "
                "are shown and never touched. Cancel it where it was placed"
            )
        if not intent.living or intent.cycle != said.cycle:
            raise Misconfigured(f"order {client_order_id} is of a cycle that has ended; the bot removes what is left")
        for order in self.store.orders(account):
            if order.client_order_id == client_order_id:
                return order, intent
        raise Misconfigured(f"order {client_order_id} has not been seen at the exchange; the bot is asking for it")


def _row(order: dict[str, Any]) -> OrderRow:
    return OrderRow(
        client_order_id=order["client_order_id"],
        exchange_order_id=order["exchange_order_id"],
        part=order["part"],
        purpose=order["purpose"],
        symbol=order["symbol"],
        side=OrderSide(order["side"]),
        position_side=Side(order["position_side"]),
        kind=OrderKind(order["kind"]),
        quantity=Decimal(order["quantity"]),
        filled=Decimal(order["filled"]),
        price=_decimal(order["price"]),
        take_profit_trigger=_decimal(order["take_profit_trigger"]),
        stop_loss_trigger=_decimal(order["stop_loss_trigger"]),
        status=OrderStatus(order["status"]),
        foreign=order["foreign"],
        created_at=datetime.fromisoformat(order["created_at"]) if order["created_at"] else None,
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
