"""A bot on the simulator, a real receiver for what it tells, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.alerts.alert_generator import AlertGenerator
from core.alerts.dispatcher import AlertDispatcher
from core.alerts.messages import alerts_of
from core.clock import Clock
from core.domain.alert import Alert, AlertChannel, AlertKind
from core.domain.reason import text
from core.vault import Vault
from db.repositories.alerting.alert_channels import address_name
from db.store import Store
from tests.alerts.receiver import Receiver
from tests.monitor.conftest import exchange, on_binance, stack
from tests.postgres import database_url, postgres, store

__all__ = ["database_url", "exchange", "on_binance", "postgres", "stack", "store"]


class Desk:
    """Alert generator and dispatcher of one process, over one database."""

    def __init__(self, store: Store, clock: Clock, vault: Vault) -> None:
        self.store, self.clock, self.vault = store, clock, vault
        self.language = str
        self.restart()

    def restart(self) -> None:
        """The process dies and another comes up: nothing is remembered but the database."""
        self.generator = AlertGenerator(self.store, self.clock)
        self.dispatcher = AlertDispatcher(self.store, self.clock, self.vault.unseal, lambda: self.language)

    def channel(self, address: str, name: str = "phone", **how: Any) -> str:
        """A channel there, hearing what a new one hears."""
        made = AlertChannel(uuid4().hex[:8], name, "JSON", address[-4:], **how)
        self.store.alert_channels.save(made, self.vault.seal(address), self.clock.now())
        return made.id

    def turn(self) -> int:
        """What is new is told and sent; how many alerts were new."""
        new = self.generator.turn()
        self.send()
        return new

    def send(self) -> None:
        for future in self.dispatcher.turn():
            future.result(20)

    def tell(self, key: str, kind: AlertKind = AlertKind.LEVEL, *, words: str = "", subject: str = "") -> None:
        """An alert of its own, without a fact behind it."""
        made = Alert(
            key, kind, "paper-okx", subject or key, text(words or f"words of {key}"), self.clock.now(), kind.severe
        )
        self.store.alerts.tell(alerts_of, (), self.clock.now(), [made])


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path, None)


@pytest.fixture
def address_of() -> Any:
    return address_name
