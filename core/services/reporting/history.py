"""The history of an account: cycles with their steps, the exchange's own position history beside them, and performance.

Reads the ledger only; bringing the exchange's history home is asked of the bot. Lists are newest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.clock import Clock
from core.domain.history.holding import Step, steps
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Side
from core.domain.money import ZERO
from core.domain.order import Fill, Funding
from core.domain.reason import Reason
from core.services.reporting.performance import Drawdown, Performance, Point, drawdown, performance
from core.services.trading.requests import Asked
from db.records import CycleRecord, Only, SyncRow
from db.repositories.fills import FillRepository
from db.repositories.history import HistoryRepository

__all__ = ["Agreement", "Equity", "History", "Matched", "Only", "SyncRow"]

MOST_CYCLES = 5_000  #: measured together
THREE_MONTHS = timedelta(days=90)
POINTS = 500  #: of a curve that is drawn
A_CENT = Decimal("0.01")
JUST_NOW = timedelta(minutes=15)  #: an exchange may tell of a life a while after it has ended


class Agreement(StrEnum):
    """Whether our cycles and one position in the exchange's history agree."""

    AGREES = "agrees"  #: to the cent
    DIFFERS = "differs"
    HELD = "held"  #: the life goes on; compared once it is over
    NOT_OURS = "not_ours"  #: no cycle of ours was part of it
    NOT_TOLD = "not_told"  #: we have cycles of it, the exchange has not told of it


@dataclass(frozen=True, slots=True)
class Matched:
    """One position of the exchange's history and the sum of our cycles that belong to it. Money in USDT."""

    life: str
    symbol: str
    side: Side
    ended: datetime  #: the newest close
    theirs: ClosedPosition | None
    cycles: tuple[CycleRecord, ...]
    agreement: Agreement

    @property
    def pnl(self) -> Decimal:
        return sum((cycle.realised_pnl for cycle in self.cycles), ZERO)

    @property
    def fees(self) -> Decimal:
        return sum((cycle.fees for cycle in self.cycles), ZERO)

    @property
    def funding(self) -> Decimal:
        return sum((cycle.funding for cycle in self.cycles), ZERO)

    @property
    def net(self) -> Decimal:
        return sum((cycle.net for cycle in self.cycles), ZERO)

    @property
    def difference(self) -> Decimal | None:
        """Return our net result less the exchange's; None where one of the two is missing or not over."""
        if self.theirs is None or not self.cycles or self.agreement is Agreement.HELD:
            return None
        return self.net - self.theirs.realised


@dataclass(frozen=True, slots=True)
class Equity:
    """The account's equity over time and its deepest fall."""

    curve: tuple[Point, ...]
    drawdown: Drawdown | None


def match(lives: Iterable[ClosedPosition], cycles: Iterable[CycleRecord]) -> list[Matched]:
    """Return each exchange position with our cycles of it, newest first. A cycle without one entered nothing and is
    left out.
    """
    ours: dict[str, list[CycleRecord]] = defaultdict(list)
    for cycle in cycles:
        if cycle.life:
            ours[cycle.life].append(cycle)
    told = {life.life: life for life in lives}
    matched = [_matched(name, told.get(name), ours.get(name, [])) for name in sorted(told.keys() | ours.keys())]
    return sorted(matched, key=lambda one: one.ended, reverse=True)


def agrees(theirs: ClosedPosition, ours: Sequence[CycleRecord]) -> bool:
    """Return whether PnL, fees, funding and net result each differ by less than a cent."""
    pairs = (
        (theirs.pnl, sum((cycle.realised_pnl for cycle in ours), ZERO)),
        (theirs.fees, sum((cycle.fees for cycle in ours), ZERO)),
        (theirs.funding, sum((cycle.funding for cycle in ours), ZERO)),
        (theirs.realised, sum((cycle.net for cycle in ours), ZERO)),
    )
    return all(abs(left - right) < A_CENT for left, right in pairs)


def _matched(name: str, theirs: ClosedPosition | None, ours: list[CycleRecord]) -> Matched:
    if theirs is None:
        newest = max(ours, key=lambda cycle: cycle.ended)
        return Matched(name, newest.symbol, newest.side, newest.ended, None, tuple(ours), Agreement.NOT_TOLD)
    if not theirs.last_close.over:
        agreement = Agreement.HELD
    elif not ours:
        agreement = Agreement.NOT_OURS
    else:
        agreement = Agreement.AGREES if agrees(theirs, ours) else Agreement.DIFFERS
    return Matched(name, theirs.symbol, theirs.side, theirs.updated_at, theirs, tuple(ours), agreement)


class History:
    """Reads the history. Raises Unavailable where the database does not answer."""

    def __init__(self, history: HistoryRepository, fills: FillRepository, clock: Clock) -> None:
        self._history, self._fills, self.clock = history, fills, clock

    def cycles(self, account: str, only: Only, limit: int) -> list[CycleRecord]:
        """Return ended cycles that pass the filter."""
        return self._history.cycles(account, limit=limit, only=only)

    def traded(self, account: str) -> tuple[list[str], list[str]]:
        """Return symbols and strategies of all ended cycles, for filters."""
        return self._history.traded(account)

    def steps(self, part: str, cycle: int) -> tuple[Step, ...]:
        """Return what happened within one cycle, oldest first."""
        facts = self._history.cycle_facts(part, cycle)
        return steps(facts.orders, facts.exits, facts.levels, facts.edits, facts.entries)

    def matched(self, account: str, only: Only, limit: int) -> list[Matched]:
        """Return the exchange's position history beside our cycles; symbol, side and dates narrow it.

        Cycles that ended after the exchange was last asked are not held against it yet.
        """
        lives = self._history.lives(account, only, limit)
        reached = self._history.sync_state(account).reached
        recent = self._history.cycles(account, limit=limit, only=Only(only.symbol, only.side, since=only.since))
        until = None if reached is None else reached - JUST_NOW
        told = {life.life for life in lives}
        # a life is compared with all its cycles, also with those that the filters leave out
        cycles = self._history.cycles_of_lives(account, told)
        cycles += [
            cycle
            for cycle in recent
            if cycle.life not in told and until is not None and cycle.ended < until and _within(cycle, only)
        ]
        return match(lives, cycles)

    def performance(self, account: str, only: Only) -> Performance:
        """Return all measures over the newest cycles that fit; `since` tells where older ones were left out."""
        found = self._history.cycles(account, limit=MOST_CYCLES + 1, only=only)
        measured = found[:MOST_CYCLES]
        return replace(performance(measured), since=measured[-1].ended if len(found) > MOST_CYCLES else None)

    def equity(self, account: str, only: Only) -> Equity:
        """Return the account's sampled equity and its deepest fall; dates narrow it, else the newest three months.

        Drawn from the last sample of each span, at most about `POINTS` of them; empty where none was sampled yet.
        """
        now = self.clock.now()
        since = only.since or now - THREE_MONTHS
        seconds = max(60, int((now - since).total_seconds()) // POINTS)
        found = self._history.equity_curve(account, since, seconds)
        curve = tuple(point for point in found if only.until is None or point[0] < only.until)
        return Equity(curve, drawdown(curve))

    def fills(self, account: str, only: Only, limit: int) -> list[Fill]:
        """Return executions, ours and those of others; symbol, side and dates narrow them."""
        return self._fills.find(account, limit=limit, only=only)

    def funding(self, account: str, only: Only, limit: int) -> list[Funding]:
        """Return funding payments; symbol and dates narrow them, and side where the exchange tells it."""
        return self._fills.funding(account, limit=limit, only=only)

    def sync_state(self, account: str) -> SyncRow:
        """Return how far the exchange's history has been read, and the read under way."""
        return self._history.sync_state(account)

    def sync_now(self, account: str, token: str, by: str) -> Asked:
        """Ask the bot to read what is new in the exchange's history."""
        new = self._history.ask_for_sync(account, token, by)
        return Asked("", new, Reason("history.sync"))


def _within(cycle: CycleRecord, only: Only) -> bool:
    return only.until is None or cycle.ended < only.until
