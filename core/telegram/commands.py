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
from core.domain.reason import Reason, Value, code_of
from core.domain.snapshot import MoneySnapshot, PartSnapshot
from core.services.accounts.accounts import Accounts
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from core.telegram.client import Update
from core.telegram.confirmation_codes import Codes

TOO_LATE = timedelta(seconds=60)  #: an order that lay about so long is not carried out
ALL = "all"
HELP = tuple(
    Reason(f"telegram.help_{name}")
    for name in ("status", "positions", "why", "pause", "reduce_only", "flatten", "back")
)
Translate = Callable[[Reason], str]


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
        lines: list[Reason] = []
        try:
            for line in self._lines(update, command, given):
                lines.append(line)
        except PerpdeckError as trouble:
            lines.append(trouble.reason)  # what was done before it is told too
        translate = self._language()
        return "\n".join(translate(line) for line in lines)

    def _lines(self, update: Update, command: str, given: str) -> Iterator[Reason]:
        match command:
            case "status":
                yield from self._status()
            case "positions":
                yield from self._positions()
            case "why":
                yield from self._why(given)
            case "pause" | "reduce_only" | "flatten" if self._clock.now() - update.at > TOO_LATE:
                yield Reason("telegram.too_late", command=command)
            case "pause":
                yield from self._raise(self._named(given or ALL), Level.NO_ADDED_RISK, update)
            case "reduce_only":
                yield from self._raise(self._named(given or ALL), Level.REDUCE_ONLY, update)
            case "flatten":
                yield from self._flatten(update, given)
            case "help" | "start":
                yield from HELP
            case _:
                yield Reason("telegram.unknown_command", command=command[:30])
                yield from HELP

    # -- looking ---------------------------------------------------------------------------------------------

    def _status(self) -> Iterator[Reason]:
        for account in self._remote.accounts.list():
            status, snapshot = self._remote.levels.status(account.id), self._remote.reports.snapshot(account.id)
            state, level = Reason(f"bot_state.{status.state}"), level_words(status.level)
            yield Reason("telegram.account_status", account=account.id, state=state, level=level)
            yield status.words
            if snapshot is not None:
                yield Reason("telegram.protected", protected=status.protected, parts=status.parts)
                yield from _money(snapshot.money)
            for alarm in self._remote.reports.alarms(account.id):
                yield Reason("telegram.alarm", what=alarm.words)

    def _positions(self) -> Iterator[Reason]:
        found = [(account, part) for account, part in self._parts() if part.held]
        for account, part in found:
            said: dict[str, Value] = {"account": account, "part": part.name, "symbol": part.symbol}
            said |= {"side": Reason(code_of(part.side)), "size": part.size, "average": figure(part.average_entry)}
            said |= {"tp": _level(part.take_profit.price), "sl": _level(part.stop_loss.price)}
            if part.unrealised_pnl is None:
                yield Reason("telegram.position_without_price", **said)
            else:
                yield Reason("telegram.position", pnl=part.unrealised_pnl, **said)
            if not part.protected:
                yield Reason("telegram.bare", part=part.name)
        if not found:
            yield Reason("telegram.nothing_held")

    def _why(self, part: str) -> Iterator[Reason]:
        found = next((one for _, one in self._parts() if one.name == part.lower()), None)
        if found is None:
            known = ", ".join(one.name for _, one in self._parts()) or "-"
            yield Reason("telegram.which_part", known=known)
            return
        yield Reason("telegram.part", part=found.name, symbol=found.symbol, side=found.side)
        for explanation in found.why:
            yield explanation.because

    def _parts(self) -> list[tuple[str, PartSnapshot]]:
        found = ((one.id, self._remote.reports.snapshot(one.id)) for one in self._remote.accounts.list())
        return [(account, part) for account, snapshot in found if snapshot for part in snapshot.parts]

    # -- protecting more -------------------------------------------------------------------------------------

    def _named(self, given: str) -> list[str]:
        known = [account.id for account in self._remote.accounts.list()]
        return known if given.lower() == ALL else [name for name in known if name == given.lower()]

    def _raise(self, accounts: Sequence[str], level: Level, update: Update) -> Iterator[Reason]:
        if not accounts:
            yield self._which()
        for account in accounts:
            if self._remote.levels.raise_level(account, level, f"telegram:{update.user}", f"/{_word(level)}"):
                yield Reason("telegram.level_raised", account=account, level=level_words(level))
            else:
                now = self._remote.levels.status(account).level
                yield Reason("telegram.level_stays", account=account, level=level_words(now))

    def _flatten(self, update: Update, given: str) -> Iterator[Reason]:
        who, now = (update.chat, update.user), self._clock.now()
        if given.isdecimal():
            code = "".join(str(int(sign)) for sign in given)  # a phone may write them in the letters of its language
            accounts, why_not = self._codes.take(who, code, now)
            yield from self._raise(accounts, Level.FLATTEN, update) if why_not is None else [why_not]
            return
        everything = self._named(ALL)
        accounts = tuple(self._named(given) if given else everything if len(everything) == 1 else ())
        if not accounts:
            yield self._which()
            return
        code = self._codes.give(who, accounts, now)
        yield Reason("telegram.confirm", accounts=accounts, code=code)

    def _which(self) -> Reason:
        known = ", ".join(account.id for account in self._remote.accounts.list())
        return Reason("telegram.which_account", known=known)


def _money(money: MoneySnapshot | None) -> Iterator[Reason]:
    if money is not None:
        yield Reason("telegram.money", equity=money.equity, floating=money.floating_pnl)


def _level(price: Decimal | None) -> Decimal | str:
    return "-" if price is None else price


def _word(level: Level) -> str:
    return "pause" if level is Level.NO_ADDED_RISK else str(level)
