"""Tells the position that an order concerns from its client id and side, the same on every exchange."""

from __future__ import annotations

from typing import NamedTuple

from core.domain.ids import meaning
from core.domain.instrument import OrderSide, Side
from core.domain.order import Purpose


class ClientId(NamedTuple):
    """The meaning of an order's client id: which part it works for and what it is for."""

    part: str | None
    cycle: int | None
    purpose: Purpose

    @property
    def ours(self) -> bool:
        """Return whether the order belongs to one of our parts."""
        return self.part is not None

    def opens(self, closes: bool) -> bool:
        """Return whether the order opens a position; `closes` is believed of orders that are not ours."""
        return self.purpose.adds_risk if self.ours else not closes


def read_client_id(client_id: str) -> ClientId:
    """Return what a client id says; an id that is not ours belongs to no part and is FOREIGN."""
    meant = meaning(client_id)
    return ClientId(None, None, Purpose.FOREIGN) if meant is None else ClientId(meant.part, meant.cycle, meant.purpose)


def held_side(side: OrderSide, opens: bool) -> Side:
    """Return the side of the position that an order of this side opens (or closes)."""
    return Side.LONG if (side is OrderSide.BUY) == opens else Side.SHORT
