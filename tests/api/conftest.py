"""The API over real HTTP, on the whole bot: real database, real client, real paper exchange, one clock for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from core.api import app as app_module
from core.api.limits import Rate
from core.domain.account import Exchange
from core.domain.token import Scope
from core.paper import PAPER_ACCOUNTS
from core.services.access.idempotency import Answers
from core.services.access.tokens import NewToken, Tokens
from core.services.accounts.accounts import Accounts
from core.services.accounts.keys import Keys
from core.services.reporting.executions import Executions
from core.services.reporting.history import History
from core.services.reporting.ledger import Ledger
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from core.services.safety.risk_checks import Risk
from core.services.trading.orders import OrderManager
from core.services.trading.pairs import Pairs
from core.vault import Vault
from core.wiring import Services
from db.store import Store
from tests.eventually import eventually
from tests.postgres import database_url, postgres, store
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack

__all__ = ["database_url", "postgres", "store"]

PLENTY = Rate(100_000, 100_000.0)
MOUNT = "/api/v1"


class Desk:
    """A dashboard's API with a bot behind it."""

    def __init__(self, stack: Stack, home: Path, rate: Rate = PLENTY) -> None:
        self.stack, self.store = stack, stack.store
        self.services = services_on(stack, home)
        self.passed = 0.0  #: seconds on the stopwatch of the limits
        self.api = app_module.build("test", lambda: self.services, lambda: self.passed, rate)
        self.server, self.thread, self.url = serve(Starlette(routes=[Mount(MOUNT, self.api)]))
        self._clients: list[httpx.Client] = []

    def token(self, scope: Scope = Scope.ADMIN, days: int | None = None, name: str = "") -> NewToken:
        return self.services.tokens.create(
            name or f"{scope} {len(self.store.api_tokens.all())}", scope, days, "operator"
        )

    def client(self, scope: Scope | None = Scope.ADMIN, text: str = "") -> httpx.Client:
        """A program with a token of this scope, or with this text for one, or with none."""
        text = text or (self.token(scope).secret if scope is not None else "")
        headers = {"authorization": f"Bearer {text}"} if text else {}
        made = httpx.Client(base_url=f"{self.url}{MOUNT}", headers=headers, trust_env=False, verify=False, timeout=30)
        self._clients.append(made)
        return made

    def wish(self, **changes: Any) -> dict[str, Any]:
        """A long of 1,000 USDT as a body; a value of `...` takes its field away."""
        body = {
            "account": self.stack.name,
            "symbol": "BTC-USDT-PERP",
            "side": "long",
            "position_value": 1000,
            "leverage": 10,
            "take_profit": {"pnl_usdt": 50},
            "stop_loss": {"pnl_usdt": "-100"},
        }
        return {name: value for name, value in (body | changes).items() if value is not ...}

    def signal(self, id: str = "alert-1", **changes: Any) -> dict[str, Any]:
        """The same as a signal of a strategy, sent now."""
        said = {"id": id, "time": self.stack.clock.now().isoformat(), "action": "open", "strategy": "breakout"}
        return self.wish(**(said | changes))

    def untouched(self) -> bool:
        """Nothing was asked for, and the exchange holds nothing and rests nothing."""
        self.stack.look()
        exchange = self.stack.resting() + self.stack.working()
        return self.store.parts.intents(self.stack.name) == [] and exchange == [] and self.stack.held() == 0

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.server.should_exit = True
        self.thread.join(10)


def services_on(stack: Stack, home: Path) -> Services:
    """The real services that the API asks, on the clock of the stack."""
    store, clock = stack.store, stack.clock
    vault = Vault.open(home, None)
    keys = Keys(store.accounts, store.sealed_texts, vault, None)
    nowhere: Any = None  # the API adds no account, and asks no exchange
    made = SimpleNamespace(
        positions=stack.positions,
        orders=OrderManager(store, clock),
        levels=Levels(store, clock, "test"),
        accounts=Accounts(store, vault, nowhere, nowhere, keys, nowhere, clock),
        reports=Reports(store, clock),
        pairs=Pairs(store.snapshots, store.pairs),
        history=History(store.history, store.fills, clock),
        ledger=Ledger(store),
        tokens=Tokens(store.api_tokens, store.events, clock, lambda: vault.signing_key("signals")),
        answers=Answers(store.api_answers, clock),
        risk=Risk(store.risk_checks),
        executions=Executions(store.executions),
    )
    return cast(Services, made)


def serve(app: Any) -> tuple[uvicorn.Server, threading.Thread, str]:
    """The app on a free port of this machine, in a thread that ends after `should_exit`."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started, 20, "the API listens")
    return server, thread, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def desk(store: Store, exchange: SimulatorProcess, tmp_path: Path) -> Iterator[Desk]:
    """On OKX; BTC stands at 100,000, the bot is started and has looked once."""
    yield from _desk(store, exchange, tmp_path, Exchange.OKX)


@pytest.fixture(params=list(PAPER_ACCOUNTS))
def either(request: pytest.FixtureRequest, store: Store, exchange: SimulatorProcess, tmp_path: Path) -> Iterator[Desk]:
    """The same on every exchange in turn."""
    yield from _desk(store, exchange, tmp_path, request.param)


def _desk(store: Store, exchange: SimulatorProcess, home: Path, wire: Exchange) -> Iterator[Desk]:
    stack = Stack(store, fresh(exchange), wire)
    stack.look()
    stack.hear()
    made = Desk(stack, home)
    yield made
    made.close()
    stack.client.close()


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}
