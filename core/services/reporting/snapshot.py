"""Reads what pages show: an account's newest snapshot, cycles, fills, funding, events and alarms.

Reads only. Lists are newest first; money in USDT; a snapshot knows its own age.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.clock import Clock
from core.domain.order import Fill, Funding
from core.domain.settings.trader import TraderSettings
from core.domain.snapshot import AccountSnapshot
from core.domain.snapshot.account import STALE_AFTER
from db.mapping.older_texts import does
from db.records import Alarm, CycleRecord, Event
from db.store import Store

MISSED_LOOKS = 3
ENDINGS = 5  #: lines about endings among which the newest end of a cycle is
CANDLES_STALE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Candles:
    """Minute bars of one contract, oldest first, and when the exchange was asked for them."""

    bars: list[dict[str, str]]  #: t: opening time in milliseconds; o, h, l, c: prices; v: contracts
    as_of: datetime

    def age(self, now: datetime) -> timedelta:
        return max(now - self.as_of, timedelta())

    def stale(self, now: datetime) -> bool:
        """Return whether the newest bars are missing."""
        return self.age(now) > CANDLES_STALE_AFTER


class Reports:
    """Reads everything that pages show. Raises Unavailable where the database does not answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def snapshot(self, account: str) -> AccountSnapshot | None:
        """Return the newest snapshot, or None where the bot has not read the exchange yet."""
        found = self.store.snapshots.latest(account)
        if found is None:
            return None
        watch = TraderSettings.of_stored(self.store.settings.all()).order_watch_seconds
        missed = timedelta(seconds=MISSED_LOOKS * watch)
        return found if missed <= STALE_AFTER else replace(found, stale_after=missed)

    def candles(self, account: str, symbol: str) -> Candles | None:
        """Return bars of a contract that is held, or None where the bot has not read any yet."""
        found = self.store.candles.read(account, symbol)
        return None if found is None else Candles(*found)

    def cycles(self, account: str, limit: int) -> list[CycleRecord]:
        """Return cycles of parts with their results; one that still runs has no end."""
        return self.store.history.cycles(account=account, limit=limit)

    def fills(self, account: str, limit: int) -> list[Fill]:
        """Return executions at the exchange, ours and those of others."""
        return self.store.fills.find(account, limit=limit)

    def funding(self, account: str, limit: int) -> list[Funding]:
        """Return funding payments; positive was received."""
        return self.store.fills.funding(account, limit=limit)

    def events(self, account: str, part: str | None = None, limit: int = 50) -> list[Event]:
        """Return what was asked, decided and done, of the account or of one part."""
        return self.store.events.find(account=account, part=part, limit=limit)

    def taken(self, account: str, parts: Collection[str], limit: int = 200) -> list[Event]:
        """Return events of what was booked to these parts because somebody else closed it, with the rule by which it
        was divided.
        """
        said = self.store.events.find(account=account, rule="totals", limit=limit)
        return [event for event in said if event.part in parts and does(event.action, "action.book_exit")]

    def refused_because(self, account: str, part: str) -> str:
        """Return why the newest cycle of a part was never entered, in the words of that moment; empty where none was
        noted.
        """
        said = self.store.events.find(account=account, part=part, rule="finish", limit=ENDINGS)
        return next((str(event.because) for event in said if does(event.action, "action.end_cycle")), "")

    def said(self, account: str, rule: str, limit: int = 20) -> list[Event]:
        """Return events of one rule about the account: "restart", "switch", "setting"."""
        return self.store.events.find(account=account, rule=rule, limit=limit)

    def alarms(self, account: str) -> list[Alarm]:
        """Return alarms that are still true."""
        return self.store.alarms.open(account)
