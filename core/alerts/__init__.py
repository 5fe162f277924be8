"""One alert to many channels; says each thing once until it has passed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("perpdeck.alerts")


class Channel(Protocol):
    """Somewhere an alert is heard."""

    def send(self, account: str, subject: str, words: str) -> None: ...


class LogChannel:
    """The log file of the process."""

    def send(self, account: str, subject: str, words: str) -> None:
        log.warning("alarm account=%s subject=%s %s", account, subject, words)


class Alerts:
    """Hands every new alarm to each channel. The alarms table decides what is new."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)

    def say(self, account: str, subject: str, words: str) -> None:
        for channel in self.channels:
            channel.send(account, subject, words)
