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
    """What a client order id says."""

    part: str
    cycle: int
    purpose: Purpose
    number: int


def part_name(number: int) -> str:
    """The name of the part with this running number, six letters or digits. Raises ValueError outside."""
    if not 0 <= number < len(_ALPHABET) ** PART_LENGTH:
        raise ValueError(f"part number {number} is outside 0..{len(_ALPHABET) ** PART_LENGTH - 1}")
    letters = []
    for _ in range(PART_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


NETS_OF_RECOVERY = 100  #: the nets of recovery orders are numbered from here on


def net_of(entry_id: str) -> str | None:
    """The id of the TP and SL that travel with this entry or recovery; None for any other order."""
    said = meaning(entry_id)
    if said is None or said.purpose not in (Purpose.ENTRY, Purpose.RECOVERY):
        return None
    number = said.number + (NETS_OF_RECOVERY if said.purpose is Purpose.RECOVERY else 0)
    return client_order_id(said.part, said.cycle, Purpose.SAFETY_NET, number)


def client_order_id(part: str, cycle: int, purpose: Purpose, number: int) -> str:
    """The id of the `number`-th order of this purpose in this cycle of the part."""
    return f"{PREFIX}{part}{cycle:02}{purpose.value}{number:02}"


def meaning(text: str) -> Meaning | None:
    """What an id says, or None where it is not one of ours."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    part, cycle, letter, number = match.groups()
    return Meaning(part, int(cycle), Purpose(letter), int(number))
