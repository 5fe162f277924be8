"""Rows and figures of all accounts together: totals, a row for each, and all holdings with their exchange.

Pure, like `rows`: values go in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.domain.account import Account, Environment
from core.i18n.translate import _, counted
from core.services.accounts.overview import AccountLine, Totals
from core.services.accounts.overview import totals as totals
from core.ui.components import levels
from core.ui.presenters import parts, positions
from core.ui.presenters.format import NOTHING, Figure, age, percent, pnl, signed, usdt
from core.ui.presenters.positions import Row


def exchange_words(account: Account) -> str:
    """Return exchange and environment, as in "OKX · paper"."""
    return f"{positions.brand(account.exchange)} · {environment_words(account.environment).lower()}"


def environment_words(environment: Environment) -> str:
    return {
        Environment.PAPER: _("Paper"),
        Environment.DEMO: _("Demo"),
        Environment.LIVE: _("Live, real money"),
    }[environment]


def total_figures(total: Totals) -> list[Figure]:
    """Return the sums of one environment; what is not known yet is said."""
    share = percent(total.margin_used / total.equity * 100).lstrip("+") if total.equity else NOTHING
    known = counted("{n} account", "{n} accounts", total.accounts)
    if total.unseen:
        known += ", " + counted("{n} not seen yet", "{n} not seen yet", total.unseen)
    return [
        Figure(_("Equity, USDT"), usdt(total.equity), known),
        Figure(_("Floating PnL, USDT"), pnl(total.floating_pnl)),
        Figure(_("PnL today, USDT"), pnl(total.daily_pnl), _("since midnight UTC, deposits counted in")),
        Figure(_("Margin used, USDT"), usdt(total.margin_used), _("{share} of equity", share=share)),
        Figure(_("Protected"), f"{total.protected}/{total.parts}", _("parts that hold something")),
    ]


def account_rows(lines: Iterable[AccountLine], now: datetime) -> list[Row]:
    """Return a row for each account."""
    return [
        {
            _("Account"): line.account.name,
            _("Exchange"): exchange_words(line.account),
            _("Bot"): positions.bot_words(line.status.state),
            _("Level"): levels.name(line.status.level),
            _("Equity, USDT"): usdt(line.money.equity if line.money else None),
            _("Available, USDT"): usdt(line.money.available if line.money else None),
            _("Floating PnL, USDT"): signed(line.money.floating_pnl if line.money else None),
            _("PnL today, USDT"): signed(line.daily_pnl),
            _("Margin used, USDT"): usdt(line.money.margin_used if line.money else None),
            _("Protected"): f"{line.status.protected}/{line.status.parts}",
            _("Conditional orders"): _budget(line),
            _("Seen"): age(line.snapshot.age(now)) if line.snapshot else NOTHING,
        }
        for line in lines
    ]


def position_rows(lines: Iterable[AccountLine]) -> list[Row]:
    """Return what every account holds at its exchange."""
    return [
        {**_whose(line), **row} for line in lines if line.snapshot for row in positions.position_rows(line.snapshot)
    ]


def part_rows(lines: Iterable[AccountLine], now: datetime) -> list[Row]:
    """Return what protects each part, over all accounts."""
    return [
        {**_whose(line), **row} for line in lines if line.snapshot for row in parts.protection_rows(line.snapshot, now)
    ]


def oldest(lines: Iterable[AccountLine], now: datetime) -> list[str]:
    """Return names of the accounts whose numbers may no longer be true."""
    return [line.account.name for line in lines if line.snapshot and line.snapshot.stale(now)]


def _whose(line: AccountLine) -> Row:
    return {_("Account"): line.account.name, _("Exchange"): positions.brand(line.account.exchange)}


def _budget(line: AccountLine) -> str:
    known = line.snapshot.conditional if line.snapshot else None
    if known is None:
        return NOTHING
    return str(known.used) if known.most is None else f"{known.used}/{known.most}"
