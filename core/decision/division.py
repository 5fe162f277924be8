"""Divides contracts that somebody else closed over the parts of a position. Pure; every step finds a part."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from core.domain.difference import Division
from core.domain.money import NONE_HELD, ZERO, Contracts, total


def divide(quantity: Contracts, rooms: Mapping[str, Contracts], rule: Division, step: Decimal) -> dict[str, Contracts]:
    """Return shares of `quantity` by part; `rooms` tells what each holds, oldest part first. No share exceeds its room.

    What is more than all rooms together stays undivided. Contracts, in whole steps where the rooms are.
    """
    wanted = Contracts(min(quantity, total(rooms.values())))
    if rule is Division.PRO_RATA:
        return _in_proportion(wanted, rooms, step)
    order = reversed(list(rooms)) if rule is Division.NEWEST else rooms
    shares: dict[str, Contracts] = {}
    for part in order:
        share = Contracts(min(wanted, rooms[part]))
        if share > NONE_HELD:
            shares[part] = share
            wanted = Contracts(wanted - share)
    return shares


def _in_proportion(wanted: Contracts, rooms: Mapping[str, Contracts], step: Decimal) -> dict[str, Contracts]:
    """Divide by size, in whole steps; leftover steps go where the rounding took most, the oldest first."""
    whole = total(rooms.values())
    if whole <= ZERO:
        return {}
    exact = {part: wanted * room / whole for part, room in rooms.items()}
    shares = {part: (share / step).to_integral_value(ROUND_DOWN) * step for part, share in exact.items()}
    left = wanted - total(shares.values())
    while left > ZERO:
        open_ones = [part for part in rooms if shares[part] < rooms[part]]
        taker = max(open_ones, key=lambda part: exact[part] - shares[part])  # the first of equals: the oldest
        more = min(step, left, rooms[taker] - shares[taker])
        shares[taker] += more
        left -= more
    return {part: Contracts(share) for part, share in shares.items() if share > ZERO}
