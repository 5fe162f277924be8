"""All accounts side by side: each with its bot, money and protection, and their totals.

Practice and real money are never added up: the sums are made for each environment by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from core.clock import Clock
from core.domain.account import Account, Environment
from core.domain.errors import PerpdeckError
from core.domain.money import ZERO, total
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot, MoneySnapshot
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import BotStatus, Levels
from db.repositories.equity import EquityRepository


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account as last seen. Money in USDT; None where it is not known."""

    account: Account
    status: BotStatus
    snapshot: AccountSnapshot | None
    day_start: Decimal | None  #: equity at the first sample since midnight UTC

    @property
    def money(self) -> MoneySnapshot | None:
        return self.snapshot.money if self.snapshot else None

    @property
    def daily_pnl(self) -> Decimal | None:
        """Change of the equity since midnight UTC, deposits and withdrawals included."""
        return None if self.money is None or self.day_start is None else self.money.equity - self.day_start

    @property
    def bare_seconds_today(self) -> Decimal:
        return self.snapshot.protection.bare_seconds_today if self.snapshot else ZERO


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over accounts of one environment. An account without a snapshot adds nothing, and is counted."""

    environment: Environment
    accounts: int
    unseen: int
    equity: Decimal
    available: Decimal
    floating_pnl: Decimal
    margin_used: Decimal
    daily_pnl: Decimal | None
    parts: int  #: that hold something
    protected: int


class Overview:
    """Reads all accounts; starts and stops all bots. Raises Unavailable where the database does not answer."""

    def __init__(self, equity: EquityRepository, levels: Levels, reports: Reports, clock: Clock) -> None:
        self._equity, self.levels, self.reports, self.clock = equity, levels, reports, clock

    def lines(self, accounts: Iterable[Account]) -> list[AccountLine]:
        """Return a line for each of these accounts, in their order."""
        midnight = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            AccountLine(
                account,
                self.levels.status(account.id),
                self.reports.snapshot(account.id),
                self._equity.first(account.id, midnight),
            )
            for account in accounts
        ]

    def start_all(self, accounts: Iterable[Account], by: str) -> dict[str, Reason | None]:
        """Start every stopped bot; returns for each one why it could not be started, None where it was."""
        stopped = (account for account in accounts if self.levels.status(account.id).state == "stopped")
        return {account.name: self._refused(partial(self.levels.start, account.id, by)) for account in stopped}

    def stop_all(self, accounts: Iterable[Account], by: str) -> dict[str, Reason | None]:
        """Stop every bot that is not stopped, without cancelling or closing anything; returns why one could not be."""
        going = (account for account in accounts if self.levels.status(account.id).state != "stopped")
        return {account.name: self._refused(partial(self.levels.stop, account.id, by)) for account in going}

    @staticmethod
    def _refused(switch: Callable[[], None]) -> Reason | None:
        """Return why one account could not be switched, so that it keeps none of the others from it."""
        try:
            switch()
        except PerpdeckError as trouble:
            return trouble.reason
        return None


def totals(lines: Iterable[AccountLine]) -> list[Totals]:
    """Return the totals, real money first."""
    found: dict[Environment, list[AccountLine]] = {}
    for line in lines:
        found.setdefault(line.account.environment, []).append(line)
    order = (Environment.LIVE, Environment.DEMO, Environment.PAPER)
    return [_total(environment, found[environment]) for environment in order if environment in found]


def _total(environment: Environment, lines: list[AccountLine]) -> Totals:
    known = [line.money for line in lines if line.money is not None]
    days = [line.daily_pnl for line in lines if line.daily_pnl is not None]
    return Totals(
        environment=environment,
        accounts=len(lines),
        unseen=len(lines) - len(known),
        equity=total(money.equity for money in known),
        available=total(money.available for money in known),
        floating_pnl=total(money.floating_pnl for money in known),
        margin_used=total(money.margin_used for money in known),
        daily_pnl=sum(days, ZERO) if days else None,
        parts=sum(line.status.parts for line in lines),
        protected=sum(line.status.protected for line in lines),
    )
