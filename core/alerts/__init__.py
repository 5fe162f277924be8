"""Sends new alarms to channels, each once until it has passed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("perpdeck.alerts")


class Channel(Protocol):
    """An interface for whatever receives an alarm."""

    def send(self, account: str, subject: str, words: str) -> None: ...


class LogChannel:
    """Writes alarms to the process's log file."""

    def send(self, account: str, subject: str, words: str) -> None:
        log.warning("alarm account=%s subject=%s %s", account, subject, words)


class Alerts:
    """Sends every new alarm to each channel. The alarms table decides what is new."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)

    def say(self, account: str, subject: str, words: str) -> None:
        for channel in self.channels:
            channel.send(account, subject, words)
