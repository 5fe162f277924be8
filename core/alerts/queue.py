"""Chooses a channel's next message: quiet hours, rate, and repeated subjects. Pure.

Severe alerts go first and at any hour. In quiet hours the others wait, and afterwards come in one message. When the
minute's last message has come, everything that waits is folded into it. A subject that has spoken twice in half an
hour is silent for the rest of it; then its newest word goes out, with how often there was one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.domain.alert import AlertChannel, Entry, Message, Sent, Waiting

MINUTE = timedelta(minutes=1)
SPAN = timedelta(minutes=30)
TWICE = 2
LINES = 10  #: of one message; the rest is only counted


def next_message(
    channel: AlertChannel, waiting: Sequence[Waiting], sent: Sequence[Sent], now: datetime, zone: ZoneInfo
) -> Message | None:
    """Return the next message, or None where nothing may be sent now. `waiting` and `sent` are oldest first."""
    left = channel.per_minute - sum(one.at > now - MINUTE for one in sent)
    if left <= 0:
        return None
    severe = [one for one in waiting if one.alert.severe]
    mild = [] if is_quiet(channel, now, zone) else _ready(waiting, sent, now)
    if not severe and not mild:
        return None
    if left == 1:
        return _message([*severe, *mild])
    if severe:
        return _message(severe[:1])
    held = [one for one in mild if is_quiet(channel, one.alert.at, zone)]
    if len(held) > 1:
        return _message(held)
    return _message([one for one in mild if one.alert.subject == mild[0].alert.subject])


def is_quiet(channel: AlertChannel, at: datetime, zone: ZoneInfo) -> bool:
    """Return whether a time is within the channel's quiet hours."""
    return channel.quiet is not None and at.astimezone(zone).time() in channel.quiet


def _ready(waiting: Sequence[Waiting], sent: Sequence[Sent], now: datetime) -> list[Waiting]:
    """Return the alerts that are not severe and whose subject was not sent twice already."""
    spoken = Counter(subject for one in sent if one.at > now - SPAN for subject in one.subjects)
    return [one for one in waiting if not one.alert.severe and spoken[one.alert.subject] < TWICE]


def _message(chosen: Sequence[Waiting]) -> Message:
    """Return one message of all these alerts: the newest of each subject, and how many there were."""
    newest: dict[str, Waiting] = {}
    times: Counter[str] = Counter()
    for one in chosen:
        newest[one.alert.subject] = one
        times[one.alert.subject] += 1
    entries = [Entry(one.alert, times[subject]) for subject, one in newest.items()]
    shown = entries if len(entries) <= LINES else entries[: LINES - 1]
    return Message(
        alerts=tuple(one.id for one in chosen),
        entries=tuple(shown),
        more=sum(entry.times for entry in entries[len(shown) :]),
        attempts=max(one.attempts for one in chosen),
    )
