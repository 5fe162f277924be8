"""Client order ids: built from meaning, so that the same meaning always has the same id.

`op` + part (6) + cycle (2 or more digits) + purpose letter + number (2 or more digits), for example
`op00a7k203P01`: part 00a7k2, third cycle, its first OCO. Letters and digits only, at most 32 (OKX's rule).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.domain.order import Purpose

PREFIX = "op"
PART_LENGTH = 6
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID = re.compile(r"op([0-9a-z]{6})(\d{2,})([ERPNTSCB])(\d{2,})")


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a client order id: part, cycle, purpose, number."""

    part: str
    cycle: int
    purpose: Purpose
    number: int


def part_name(number: int) -> str:
    """Return the name of the part with this running number, six letters or digits. Raises ValueError outside."""
    if not 0 <= number < len(_ALPHABET) ** PART_LENGTH:
        raise ValueError(f"part number {number} is outside 0..{len(_ALPHABET) ** PART_LENGTH - 1}")
    letters = []
    for _ in range(PART_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


NUMBERS = 99  #: nets are numbered in blocks of so many: of entries, then of recoveries, then of entries again
PIECES = 100_000  #: a recovery step worked in pieces numbers them from its own number times this


def net_of(entry_id: str) -> str | None:
    """Return the id of the TP and SL attached to this entry or recovery; None for any other order."""
    said = meaning(entry_id)
    if said is None or said.purpose not in (Purpose.ENTRY, Purpose.RECOVERY):
        return None
    block, place = divmod(said.number - 1, NUMBERS)
    number = 2 * (NUMBERS + 1) * block + place + 1 + (NUMBERS + 1 if said.purpose is Purpose.RECOVERY else 0)
    return client_order_id(said.part, said.cycle, Purpose.SAFETY_NET, number)


def same_step(recovery_id: str) -> int:
    """Return a number that the orders of one recovery step have in common, and no other order has.

    An order that is a step by itself has its own number, R03; pieces of the third step, R300001, R300002 and so on,
    have 300000.
    """
    said = meaning(recovery_id)
    number = said.number if said is not None else 0
    return number - number % PIECES if number >= PIECES else number


def client_order_id(part: str, cycle: int, purpose: Purpose, number: int) -> str:
    """Return the id of the `number`-th order of this purpose in this cycle of the part."""
    return f"{PREFIX}{part}{cycle:02}{purpose.value}{number:02}"


def meaning(text: str) -> Meaning | None:
    """Return the meaning of an id, or None where it is not one of ours."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    part, cycle, letter, number = match.groups()
    return Meaning(part, int(cycle), Purpose(letter), int(number))
