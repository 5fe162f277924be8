"""All accounts side by side: each with its bot, money and protection, and their totals.

Practice and real money are never added up: the sums are made for each environment by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from core.clock import Clock
from core.domain.account import Account, Environment
from core.domain.errors import PerpdeckError
from core.domain.money import ZERO
from core.domain.reason import Reason
from core.services.reporting.snapshot import Picture, Reports
from core.services.safety.levels import BotStatus, Levels
from db.store import Store


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account as last seen. Money in USDT; None where it is not known."""

    account: Account
    status: BotStatus
    picture: Picture | None
    day_start: Decimal | None  #: equity at the first sample since midnight UTC

    def money(self, name: str) -> Decimal | None:
        """Return one of the account's figures: equity, available, floating_pnl, margin_used."""
        metrics: Mapping[str, Any] = (self.picture.data["metrics"] or {}) if self.picture else {}
        return None if metrics.get(name) is None else Decimal(metrics[name])

    @property
    def daily_pnl(self) -> Decimal | None:
        """Return the change of the equity since midnight UTC, deposits and withdrawals included."""
        equity = self.money("equity")
        return None if equity is None or self.day_start is None else equity - self.day_start

    @property
    def bare_seconds_today(self) -> Decimal:
        return Decimal(self.picture.data["protection"]["bare_seconds_today"]) if self.picture else ZERO


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

    def __init__(self, store: Store, levels: Levels, reports: Reports, clock: Clock) -> None:
        self.store, self.levels, self.reports, self.clock = store, levels, reports, clock

    def lines(self, accounts: Iterable[Account]) -> list[AccountLine]:
        """Return a line for each of these accounts, in their order."""
        midnight = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            AccountLine(
                account,
                self.levels.status(account.id),
                self.reports.picture(account.id),
                self.store.equity.first(account.id, midnight),
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
    days = [line.daily_pnl for line in lines if line.daily_pnl is not None]
    return Totals(
        environment=environment,
        accounts=len(lines),
        unseen=sum(line.money("equity") is None for line in lines),
        equity=_sum(lines, "equity"),
        available=_sum(lines, "available"),
        floating_pnl=_sum(lines, "floating_pnl"),
        margin_used=_sum(lines, "margin_used"),
        daily_pnl=sum(days, ZERO) if days else None,
        parts=sum(line.status.parts for line in lines),
        protected=sum(line.status.protected for line in lines),
    )


def _sum(lines: Iterable[AccountLine], name: str) -> Decimal:
    return sum((line.money(name) or ZERO for line in lines), ZERO)
