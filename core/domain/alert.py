"""Alerts: what is sent to a person away from the dashboard, to which channels, and what became of it.

An alert is made from a fact and carries the fact's own key, so that the same fact is told once. A channel has no
address here: that lies sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from core.domain.reason import Reason


class AlertKind(StrEnum):
    """The kind of an alert; each channel chooses among them."""

    OPENED = "opened"  #: the first contracts of a part
    FILL = "fill"  #: each order of ours that fills, or fills further
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    CLOSED = "closed"  #: a cycle that ended otherwise
    RECOVERY = "recovery"  #: a step has added contracts
    REOPENED = "reopened"  #: the first contracts of a later cycle
    REOPEN_FAILED = "reopen_failed"
    LIQUIDATION = "liquidation"  #: and deleveraging: the exchange closed it by force
    BARE = "bare"  #: contracts are held without the stop-loss they should have
    UNRESOLVED = "unresolved"  #: an order of ours has no answer for long
    REFUSAL = "refusal"  #: the exchange said no
    ALARM = "alarm"
    CLEARED = "cleared"  #: an alarm, or something that was told of, has passed
    SENTINEL = "sentinel"  #: the watchdog found something
    LEVEL = "level"
    BOT = "bot"  #: started or stopped
    LEASE = "lease"  #: a bot that should run is run by nobody
    SUMMARY = "summary"  #: once a day

    @property
    def severe(self) -> bool:
        """Return whether it is sent in quiet hours too."""
        return self in (AlertKind.BARE, AlertKind.LIQUIDATION, AlertKind.LEASE)


USUAL = frozenset(AlertKind) - {AlertKind.FILL, AlertKind.CLEARED}  #: what a new channel hears


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  #: a process has taken it; if it dies, another sends it again
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `words` are put into the trader's language when they are sent or shown."""

    key: str  #: made from the fact: the same fact has the same key for ever
    kind: AlertKind
    account: str
    subject: str  #: alerts about one and the same thing share it
    words: Reason
    at: datetime
    severe: bool = False
    part: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an alert has an aware time")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that holds now; an alert is made once it has held for `after`."""

    subject: str
    kind: AlertKind
    account: str
    words: Reason
    after: timedelta
    since: datetime | None = None  #: None: since it was first noticed
    part: str = ""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of each day, in the dashboard's time zone; it may pass midnight."""

    start: time
    end: time

    def __contains__(self, at: time) -> bool:
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True, slots=True)
class AlertChannel:
    """An alert channel, as the trader set it up. Its address is stored encrypted elsewhere."""

    id: str
    name: str
    service: str  #: "Telegram", "Discord"
    hint: str  #: the last four letters of its address
    on: bool = True
    kinds: frozenset[AlertKind] = USUAL
    quiet: QuietHours | None = None
    per_minute: int = 20
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    failure: Reason | None = None  #: why the last attempt failed; None again after one that did not


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that is still to be sent to one channel."""

    id: int
    alert: Alert
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a message: an alert, and how many alike waited with it."""

    alert: Alert
    times: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """The next message of one channel: one alert, or several in one."""

    alerts: tuple[int, ...]  #: the numbers of all that it settles
    entries: tuple[Entry, ...]
    more: int = 0  #: alerts that are only counted in it
    attempts: int = 0  #: that have failed before


@dataclass(frozen=True, slots=True)
class Sent:
    """A message sent to one channel: when, and about which subjects."""

    at: datetime
    subjects: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeliveredAlert:
    """An alert and the state of its delivery to each channel."""

    alert: Alert
    deliveries: Mapping[str, DeliveryState]  #: by channel id


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The alert settings that hold for all channels."""

    bare_seconds: int = 10
    unresolved_seconds: int = 30
    summary_at: time | None = None  #: of each day, in the dashboard's time zone; None: no summary
    ping_minutes: int = 5
    telegram_on: bool = False
    telegram_ids: tuple[int, ...] = ()  #: users and chats that may give commands

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> AlertSettings:
        """Return the alert settings in the settings table; what is not there has its default."""
        given, usual = settings, cls()
        summary = given.get("alert_summary_at")
        return cls(
            bare_seconds=int(given.get("alert_bare_seconds", usual.bare_seconds)),
            unresolved_seconds=int(given.get("alert_unresolved_seconds", usual.unresolved_seconds)),
            summary_at=time.fromisoformat(summary) if summary else None,
            ping_minutes=int(given.get("alert_ping_minutes", usual.ping_minutes)),
            telegram_on=bool(given.get("alert_telegram_on", usual.telegram_on)),
            telegram_ids=tuple(int(one) for one in given.get("alert_telegram_ids", ())),
        )

    def kept(self) -> dict[str, Any]:
        """Return the alert settings as the settings table keeps them."""
        return {
            "alert_bare_seconds": self.bare_seconds,
            "alert_unresolved_seconds": self.unresolved_seconds,
            "alert_summary_at": self.summary_at.isoformat("minutes") if self.summary_at else None,
            "alert_ping_minutes": self.ping_minutes,
            "alert_telegram_on": self.telegram_on,
            "alert_telegram_ids": list(self.telegram_ids),
        }
