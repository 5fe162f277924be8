"""Answers Telegram commands: show the state, explain, and raise the protection.

Nothing here can add risk: a level is only ever raised, and taking it back needs the dashboard. Flattening needs a
code that is sent back within a minute. Every order goes through the services and is on the record with who gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from core.alerts.messages import figure, level_words
from core.clock import Clock
from core.domain.account import Level
from core.domain.errors import PerpdeckError
from core.domain.money import plain
from core.domain.reason import Reason
from core.domain.snapshot import MoneySnapshot, PartSnapshot
from core.services.accounts.accounts import Accounts
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from core.telegram.client import Update
from core.telegram.confirmation_codes import Codes

TOO_LATE = timedelta(seconds=60)  #: an order that lay about so long is not carried out
ALL = "all"
HELP = (
    "/status: bots, levels, money",
    "/positions: what is held",
    "/why <part>: why the bot did or did not do something",
    "/pause [account]: no entries, no recovery, no reopening",
    "/reduce_only [account]: nothing that enlarges a position",
    "/flatten [account]: close everything; asks for a code",
    "Taking a level back needs the dashboard.",
)
Translate = Callable[[Reason | str], str]


@dataclass(frozen=True, slots=True)
class Remote:
    """The services that the commands use."""

    accounts: Accounts
    levels: Levels
    reports: Reports


class Commands:
    """Answers the commands, one message after the other. `translate` puts each sentence into the trader's language."""

    def __init__(self, remote: Remote, clock: Clock, language: Callable[[], Translate]) -> None:
        self._remote, self._clock, self._language = remote, clock, language
        self._codes = Codes()

    def answer(self, update: Update) -> str:
        """Return the answer to a message of somebody who may give commands; empty: none."""
        name, _, given = update.text.strip().partition(" ")
        if not name.startswith("/"):
            return ""
        command, given = name[1:].partition("@")[0].lower(), given.strip()
        lines = []
        try:
            for line in self._lines(update, command, given):
                lines.append(line)
        except PerpdeckError as trouble:
            lines.append(str(trouble))  # what was done before it is told too
        translate = self._language()
        return "\n".join(translate(line) for line in lines)

    def _lines(self, update: Update, command: str, given: str) -> Iterator[str]:
        match command:
            case "status":
                yield from self._status()
            case "positions":
                yield from self._positions()
            case "why":
                yield from self._why(given)
            case "pause" | "reduce_only" | "flatten" if self._clock.now() - update.at > TOO_LATE:
                yield f"/{command} came more than a minute late and was not carried out: send it again"
            case "pause":
                yield from self._raise(self._named(given or ALL), Level.NO_ADDED_RISK, update)
            case "reduce_only":
                yield from self._raise(self._named(given or ALL), Level.REDUCE_ONLY, update)
            case "flatten":
                yield from self._flatten(update, given)
            case "help" | "start":
                yield from HELP
            case _:
                yield f"/{command[:30]} is not known"
                yield from HELP

    # -- looking ---------------------------------------------------------------------------------------------

    def _status(self) -> Iterator[str]:
        for account in self._remote.accounts.list():
            status, snapshot = self._remote.levels.status(account.id), self._remote.reports.snapshot(account.id)
            yield f"{account.id}: {status.state}, level {level_words(status.level)}"
            yield str(status.words)
            if snapshot is not None:
                yield f"{status.protected} of {status.parts} open parts are protected"
                yield from _money(snapshot.money)
            for alarm in self._remote.reports.alarms(account.id):
                yield f"! {alarm.words}"

    def _positions(self) -> Iterator[str]:
        found = [(account, part) for account, part in self._parts() if part.held]
        for account, part in found:
            pnl = "?" if part.unrealised_pnl is None else f"{part.unrealised_pnl:+.2f}"
            yield (
                f"{account} {part.name}: {part.symbol} {part.side}, {plain(part.size)} contracts at "
                f"{figure(part.average_entry)}, PnL {pnl} USDT, "
                f"TP {_level(part.take_profit.price)}, SL {_level(part.stop_loss.price)}"
            )
            if not part.protected:
                yield f"! {part.name} is held without its stop-loss"
        if not found:
            yield "nothing is held"

    def _why(self, part: str) -> Iterator[str]:
        found = next((one for _, one in self._parts() if one.name == part.lower()), None)
        if found is None:
            known = ", ".join(one.name for _, one in self._parts()) or "-"
            yield f"which part? {known}"
            return
        yield f"{found.name}: {found.symbol} {found.side}"
        for explanation in found.why:
            yield str(explanation.because)

    def _parts(self) -> list[tuple[str, PartSnapshot]]:
        found = ((one.id, self._remote.reports.snapshot(one.id)) for one in self._remote.accounts.list())
        return [(account, part) for account, snapshot in found if snapshot for part in snapshot.parts]

    # -- protecting more -------------------------------------------------------------------------------------

    def _named(self, given: str) -> list[str]:
        known = [account.id for account in self._remote.accounts.list()]
        return known if given.lower() == ALL else [name for name in known if name == given.lower()]

    def _raise(self, accounts: Sequence[str], level: Level, update: Update) -> Iterator[str]:
        if not accounts:
            yield self._which()
        for account in accounts:
            if self._remote.levels.raise_level(account, level, f"telegram:{update.user}", f"/{_word(level)}"):
                yield f"{account}: the level is now {level_words(level)}"
            else:
                now = self._remote.levels.status(account).level
                yield f"{account}: the level stays {level_words(now)}, which protects as much"

    def _flatten(self, update: Update, given: str) -> Iterator[str]:
        who, now = (update.chat, update.user), self._clock.now()
        if given.isdecimal():
            code = "".join(str(int(sign)) for sign in given)  # a phone may write them in the letters of its language
            accounts, why_not = self._codes.take(who, code, now)
            yield from self._raise(accounts, Level.FLATTEN, update) if accounts else [why_not]
            return
        everything = self._named(ALL)
        accounts = tuple(self._named(given) if given else everything if len(everything) == 1 else ())
        if not accounts:
            yield self._which()
            return
        code = self._codes.give(who, accounts, now)
        yield f"closes everything at market on {', '.join(accounts)}: send /flatten {code} within 60 s"

    def _which(self) -> str:
        known = ", ".join(account.id for account in self._remote.accounts.list())
        return f"which account? {known}, or all"


def _money(money: MoneySnapshot | None) -> Iterator[str]:
    if money is not None:
        yield f"equity {money.equity:,.2f} USDT, unrealised {money.floating_pnl:+,.2f} USDT"


def _level(price: Decimal | None) -> str:
    return "-" if price is None else plain(price)


def _word(level: Level) -> str:
    return "pause" if level is Level.NO_ADDED_RISK else str(level)
