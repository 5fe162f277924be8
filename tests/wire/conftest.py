"""An OKX client in front of a scripted server, with a clock and pauses that the test owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from core.exchange.okx.client import OKXClient
from core.exchange.port import Credentials
from tests.wire.stub import Stub

KEY, SECRET, PASSPHRASE = "0f1e2d3c-key-9a8b", "22582BD0CFF14C41EDBF1AB98506286D", "correct horse"


@dataclass
class Time:
    """OKX's payload says 2026-06-20 12:00:00 UTC; ours stands there too until it is moved."""

    at: datetime = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
    passed: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that tells the time and the account's mode, and nothing else until scripted."""
    made = Stub()
    made.answer("public/time", "time")
    made.answer("account/config", "config")
    server = made.serve()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def make_client(stub: Stub, clock: Time) -> Iterator[Callable[..., OKXClient]]:
    made: list[OKXClient] = []

    def make(**settings: object) -> OKXClient:
        credentials = Credentials(KEY, SECRET, PASSPHRASE)
        settings = {"rest_url": stub.url, "now": clock.now, "monotonic": clock.monotonic} | settings
        made.append(OKXClient(credentials, sleep=clock.sleep, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def okx(make_client: Callable[..., OKXClient]) -> OKXClient:
    return make_client()
