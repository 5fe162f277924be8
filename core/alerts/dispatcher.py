"""Sends waiting alerts to each channel: one message at a time per channel, with a limited number of retries.

A channel that hangs keeps none of the others waiting. After the last attempt the alert is given up, and that is told
on the page, as an alarm, and over the other channels.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from core.alerts.alert_generator import zone_of
from core.alerts.messages import TITLES
from core.alerts.queue import next_message
from core.alerts.transport import Undelivered, send
from core.clock import Clock
from core.domain.alert import Entry, Message
from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.reason import Reason
from db.repositories.alerting.alert_channels import address_name
from db.repositories.alerting.alerts import OWN_TROUBLE
from db.store import Store

log = logging.getLogger("perpdeck.alerts")

TAKEN_FOR = timedelta(seconds=60)  #: longer than any attempt: then whoever took it is believed dead
AGAIN_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 20, 60, 180, 600))
SETTLE_TRIES, SETTLE_AGAIN = 15, 2.0  #: how often, and after how many seconds, what was sent is written down
AT_ONCE = 4  #: channels that are sent to at the same time

Translate = Callable[[Reason | str], str]
Unseal = Callable[[bytes], str]
Send = Callable[..., None]


class AlertDispatcher:
    """Sends alerts to all channels. Any number of processes may do so beside each other."""

    def __init__(
        self, store: Store, clock: Clock, unseal: Unseal, language: Callable[[], Translate], send_: Send = send
    ) -> None:
        self._store, self._clock, self._unseal, self._language, self._send = store, clock, unseal, language, send_
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts")
        self._busy: set[str] = set()
        self._lock = Lock()

    def turn(self) -> list[Future[int]]:
        """Start to send what is due, in a thread for each channel. Raises Unavailable."""
        started = []
        for channel in self._store.alert_channels.channels_with_news(self._clock.now()):
            with self._lock:
                if channel in self._busy:
                    continue
                self._busy.add(channel)
            future = self._pool.submit(self.work, channel)
            future.add_done_callback(partial(self._idle, channel))
            started.append(future)
        return started

    def work(self, channel: str) -> int:
        """Send this channel everything that may be sent now; returns how many messages. Raises Unavailable."""
        sent = 0
        while self._one(channel):
            sent += 1
        return sent

    def close(self) -> None:
        """Start nothing more; what is being sent ends by itself, or is sent again after the next start."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _idle(self, channel: str, future: Future[int]) -> None:
        with self._lock:
            self._busy.discard(channel)
        trouble = None if future.cancelled() else future.exception()
        if isinstance(trouble, PerpdeckError):
            log.warning("channel %s rests: %s", channel, trouble)
        elif trouble is not None:
            log.error("channel %s rests: an error of ours", channel, exc_info=trouble)

    def _one(self, channel: str) -> bool:
        now = self._clock.now()
        zone = zone_of(self._store.settings.all().get("time_zone"))
        message = self._store.alert_channels.take_message(
            channel,
            lambda about, waiting, sent: next_message(about, waiting, sent, now, zone),
            now,
            now + TAKEN_FOR,
        )
        if message is None:
            return False
        try:
            title, body = written(message, self._language())
            severe = any(entry.alert.severe for entry in message.entries)
            self._send(self._address(channel), title, body, severe=severe)
        except (Undelivered, Misconfigured) as trouble:
            self._failed(channel, message, trouble.reason, self._clock.now())
            return False
        self._sent(channel, message)
        for account in sorted({account.id for account in self._store.accounts.all()}):
            self._store.alarms.clear(account, (), self._clock.now(), only=(OWN_TROUBLE + channel,))
        return True

    def _sent(self, channel: str, message: Message) -> None:
        """Record a message as sent, also where the database is away for a moment: else it would be sent again."""
        for left in reversed(range(SETTLE_TRIES)):
            try:
                self._store.alert_channels.message_sent(channel, message, self._clock.now())
                return
            except Unavailable:
                if not left:
                    raise
                time.sleep(SETTLE_AGAIN)

    def _address(self, channel: str) -> str:
        sealed = self._store.sealed_texts.get(address_name(channel))
        if sealed is None:
            raise Misconfigured(Reason("alert.address_gone"))
        return self._unseal(sealed[0])

    def _failed(self, channel: str, message: Message, why: Reason, now: datetime) -> None:
        again = now + AGAIN_AFTER[message.attempts] if message.attempts < len(AGAIN_AFTER) else None
        self._store.alert_channels.message_failed(channel, message, why, now, again)
        log.warning("channel %s: attempt %s failed: %s", channel, message.attempts + 1, why)
        if again is not None:
            return
        name = next((one.name for one in self._store.alert_channels.all() if one.id == channel), channel)
        for account in sorted({entry.alert.account for entry in message.entries if entry.alert.account}):
            told = Reason("alert.given_up", channel=name, why=why)
            self._store.alarms.raise_alarm(account, OWN_TROUBLE + channel, told, now)


def written(message: Message, translate: Translate) -> tuple[str, str]:
    """Return title and body of a message as a person reads them."""
    if len(message.entries) == 1 and not message.more:
        (entry,) = message.entries
        return _heading(entry, translate), _line(entry, translate)
    lines = [f"{_heading(entry, translate)}: {_line(entry, translate)}" for entry in message.entries]
    if message.more:
        lines.append(translate(Reason("alert.and_more", n=message.more)))
    count = sum(entry.times for entry in message.entries) + message.more
    return "Perpdeck: " + translate(Reason("alert.several", n=count)), "\n".join(lines)


def _heading(entry: Entry, translate: Translate) -> str:
    kind = translate(TITLES[entry.alert.kind])
    return f"{kind} · {entry.alert.account}" if entry.alert.account else kind


def _line(entry: Entry, translate: Translate) -> str:
    words = translate(entry.alert.words)
    return words if entry.times == 1 else f"{words} ({entry.times} ×)"
