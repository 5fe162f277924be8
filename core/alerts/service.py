"""Runs everything that alerts a person, in threads of its own, so that the bot never waits for it."""

from __future__ import annotations

from collections.abc import Callable

from core.alerts.alert_generator import AlertGenerator
from core.alerts.dispatcher import AlertDispatcher, Translate
from core.alerts.periodic_thread import Repeating
from core.alerts.ping import Ping
from core.clock import Clock
from db.store import Store

READ_EVERY, SEND_EVERY, PING_EVERY = 2.0, 1.0, 5.0  #: seconds between two turns


class AlertService:
    """Runs alert generator, dispatcher and dead man's switch of one process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        unseal: Callable[[bytes], str],
        language: Callable[[], Translate],
        acting: Callable[[], bool],
    ) -> None:
        self._courier = AlertDispatcher(store, clock, unseal, language)
        self._threads = (
            Repeating("alerts read", READ_EVERY, AlertGenerator(store, clock).turn),
            Repeating("alerts send", SEND_EVERY, self._courier.turn),
            Repeating("alerts ping", PING_EVERY, Ping(store, clock, unseal, acting).turn),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all threads. What waits is sent after the next start."""
        for thread in self._threads:
            thread.ask_to_stop()
        for thread in self._threads:
            thread.stop()
        self._courier.close()
