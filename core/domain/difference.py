"""Differences between exchange and book: the kinds, the possible answers, and the trader's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DifferenceKind(StrEnum):
    RESIDUAL = "residual"  #: the exchange holds more than our parts
    SHORTFALL = "shortfall"  #: the exchange holds less, and no fill tells why
    FOREIGN_ORDERS = "foreign_orders"  #: orders of others rest where parts of ours are held
    NET_MODE = "net_mode"  #: the account does not hold long and short apart
    LEVERAGE = "leverage"  #: the position stands at another leverage than its parts
    REDUCED = "reduced"  #: somebody closed some of a position that several parts share


class Choice(StrEnum):
    """A possible answer to a difference."""

    ADOPT = "adopt"  #: a residual becomes a part of its own
    ASSIGN = "assign"  #: a residual is added to a part that is there
    IGNORE = "ignore"  #: known and left alone, until it changes
    BOOK = "book"  #: what is missing is booked as closed at the mark price
    WAIT = "wait"  #: what is missing stays in the book until its fill is found
    PRO_RATA = "pro_rata"  #: what was closed by hand is divided over the parts by their size
    OLDEST = "oldest"  #: it comes off the oldest part first
    NEWEST = "newest"


class Division(StrEnum):
    """A rule for which parts lose what somebody else closed of a position they share."""

    PRO_RATA = "pro_rata"
    OLDEST = "oldest"
    NEWEST = "newest"
    ASK = "ask"  #: the trader says it each time


@dataclass(frozen=True, slots=True)
class DifferenceAnswer:
    """The trader's answer to one difference. It holds while the difference has this mark."""

    kind: DifferenceKind
    choice: Choice
    mark: str  #: what tells the difference from a changed one: its size, the orders' ids, the leverage
