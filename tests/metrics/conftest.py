"""A bot on the paper exchange, and its `/metrics` behind a real server on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from core.api import metrics
from core.domain.account import Exchange
from core.paper import PAPER_ACCOUNTS
from core.services.access.tokens import Tokens
from core.services.metrics.service import Metrics
from core.vault import Vault
from core.wiring import Services
from db.store import Store
from tests.api.conftest import serve
from tests.metrics.promethean import prometheus_programs
from tests.postgres import database_url, postgres, store
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack

__all__ = ["database_url", "postgres", "prometheus_programs", "store"]

VERSION = "1.2.3"


class Station:
    """Who scrapes, and what is scraped."""

    def __init__(self, stack: Stack, home: Path) -> None:
        self.stack, self.store = stack, stack.store
        self.tokens, self.metrics = (
            tokens_on(stack, home),
            Metrics(stack.store.metrics, stack.store.snapshots, stack.store.equity, stack.clock),
        )
        made = cast(Services, SimpleNamespace(tokens=self.tokens, metrics=self.metrics))
        self.passed = 0.0  #: seconds on the stopwatch of the limits
        app = Starlette(routes=[metrics.route(VERSION, lambda: made, lambda: self.passed)])
        self.server, self.thread, self.url = serve(app)

    def get(self, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"{self.url}/metrics", headers=named, trust_env=False, verify=False, timeout=30)

    def scrape(self) -> Exposed:
        answer = self.get()
        assert answer.status_code == 200, answer.text
        return Exposed(answer.text)

    def value(self, name: str, **labels: str) -> float | None:
        return self.scrape().value(name, **labels)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


class Exposed:
    """One answer, read by the reader that Prometheus' own client library brings."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of everything under this name and these labels; None where there is nothing."""
        found = [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        return sum(found) if found else None


def tokens_on(stack: Stack, home: Path) -> Tokens:
    vault = Vault.open(home, None)
    return Tokens(stack.store.api_tokens, stack.store.events, stack.clock, lambda: vault.signing_key("signals"))


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def station(store: Store, exchange: SimulatorProcess, tmp_path: Path) -> Iterator[Station]:
    """On OKX; BTC stands at 100,000, the bot is started and has looked once."""
    yield from _station(store, exchange, tmp_path, Exchange.OKX)


@pytest.fixture(params=list(PAPER_ACCOUNTS))
def either(
    request: pytest.FixtureRequest, store: Store, exchange: SimulatorProcess, tmp_path: Path
) -> Iterator[Station]:
    """The same on every exchange in turn."""
    yield from _station(store, exchange, tmp_path, request.param)


def _station(store: Store, exchange: SimulatorProcess, home: Path, wire: Exchange) -> Iterator[Station]:
    stack = Stack(store, fresh(exchange), wire)
    stack.look()
    stack.hear()
    made = Station(stack, home)
    yield made
    made.close()
    stack.client.close()
