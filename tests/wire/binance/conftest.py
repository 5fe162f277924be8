"""A Binance client in front of a scripted server, with a clock and pauses that the test owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.exchange.binance.client import BinanceClient
from core.exchange.port import Credentials
from tests.wire.binance.stub import Stub, payload
from tests.wire.conftest import Time

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that tells the time, an account in hedge mode with cross margin, and nothing else until scripted."""
    made = Stub(SECRET)
    for endpoint, name in {
        "GET v1/time": "time",
        "GET v1/accountConfig": "account_config",
        "GET v1/symbolConfig": "symbol_config",
        "GET v1/ping": "ping",
        "POST v1/order/test": "ping",
    }.items():
        made.answer(endpoint, name)
    server = made.serve()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def make_client(stub: Stub, clock: Time) -> Iterator[Callable[..., BinanceClient]]:
    made: list[BinanceClient] = []

    def make(**settings: object) -> BinanceClient:
        times = {"now": clock.now, "monotonic": clock.monotonic, "sleep": clock.sleep}
        made.append(BinanceClient(Credentials(KEY, SECRET, ""), **({"rest_url": stub.url} | times | settings)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def binance(make_client: Callable[..., BinanceClient]) -> BinanceClient:
    return make_client()


@pytest.fixture
def one_way(stub: Stub, make_client: Callable[..., BinanceClient]) -> BinanceClient:
    """The same account with long and short in one position."""
    stub.answer("GET v1/accountConfig", {**payload("account_config"), "dualSidePosition": False})
    return make_client()
