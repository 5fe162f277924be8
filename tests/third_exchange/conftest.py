"""The contract suite, run once more on an exchange that the product has never heard of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.exchange.port import ExchangePort
from tests.contract.orders import measure
from tests.third_exchange.bench import ToyBench


@pytest.fixture(scope="session")
def exchange() -> Iterator[ToyBench]:
    bench = ToyBench()
    yield bench
    bench.close()


@pytest.fixture
def bench(exchange: ToyBench) -> ToyBench:
    measure(exchange.lot)
    exchange.fresh()
    return exchange


@pytest.fixture
def port(bench: ToyBench) -> ExchangePort:
    return bench.port


@pytest.fixture
def secrets(bench: ToyBench) -> tuple[str, ...]:
    return bench.secrets
