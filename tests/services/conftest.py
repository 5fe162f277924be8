"""Services over a real database and a real simulator, with a clock that is moved by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.clock import SteppedClock
from core.domain.account import Account, Environment, Exchange, PositionKey
from core.domain.action import StartCycle
from core.domain.instrument import Side
from core.domain.intent import ExecutionStyle
from core.domain.reason import text
from core.domain.snapshot import OrderSnapshot, ProtectionSnapshot
from core.vault import Vault
from db.store import Store
from tests.builders import contracts, intent, price
from tests.eventually import eventually
from tests.pages.samples.snapshot import empty_snapshot
from tests.postgres import database_url, postgres
from tests.simulator.conftest import fresh
from tests.simulator.okx.client import OkxClient
from tests.simulator_process import SimulatorProcess

__all__ = ["database_url", "postgres"]

BTC = "BTC-USDT-PERP"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAPER = Account("paper-okx", "Paper OKX", Exchange.OKX, Environment.PAPER, "", "", "0a1b", "read_only,trade")
DEMO = Account("demo-okx", "OKX demo", Exchange.OKX, Environment.DEMO, "", "", "9f2c", "read_only,trade")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A fresh database in which the paper account is known."""
    opened = Store.open(database_url)
    opened.accounts.save(PAPER, None)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> SteppedClock:
    """Begins at the database's time, then stands still."""
    return SteppedClock(datetime.now(UTC))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path, None)


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def sim(exchange: SimulatorProcess) -> SimulatorProcess:
    return fresh(exchange)


@pytest.fixture
def okx(sim: SimulatorProcess) -> Iterator[OkxClient]:
    with OkxClient(sim.base_url, sim.okx) as client:
        yield client


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def heard(store: Store) -> Iterator[Callable[[dict[str, Any]], bool]]:
    """`heard({"bot": "paper-okx"})` waits until the bot's ear has heard exactly this."""
    messages: list[dict[str, Any]] = []
    stop = threading.Event()
    ear = threading.Thread(target=store.listen, args=(messages.append, stop), daemon=True)
    ear.start()
    eventually(lambda: messages, words="the ear is open")
    yield lambda message: eventually(lambda: message in messages, words=f"{message} among {messages}")
    stop.set()
    ear.join(5)


def open_part(store: Store, style: ExecutionStyle) -> str:
    """A long of 1,000 USDT is asked for; its part."""
    wish = intent("").but(key=PositionKey(PAPER.id, BTC, Side.LONG), entry=style)
    return store.parts.open(wish, uuid4().hex)[0].part


def start_cycle(store: Store, part: str) -> None:
    store.cycles.start(StartCycle(part, 1, contracts(10), price(99000)), NOW)


def show(
    store: Store,
    *,
    running: bool = False,
    parts: int = 0,
    protected: int = 0,
    trouble: str = "",
    orders: tuple[OrderSnapshot, ...] = (),
    as_of: datetime = NOW,
) -> None:
    """Stores a snapshot, as far as services look into it."""
    calm = empty_snapshot(PAPER, as_of=as_of, orders=orders)
    health = replace(calm.health, exchange_trouble=text(trouble) if trouble else None)
    guarded = ProtectionSnapshot(protected, parts, Decimal(0))
    store.snapshots.put(replace(calm, bot=replace(calm.bot, running=running), health=health, protection=guarded))
