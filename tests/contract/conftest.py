"""Each test of the contract runs once per bench. One exchange process per bench for the whole run."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from core.exchange.port import ExchangePort
from tests.contract.bench import Bench
from tests.contract.binance import TURNED, BinanceBench
from tests.contract.okx import OkxBench
from tests.contract.orders import measure

BENCHES: Mapping[str, Callable[[], Bench]] = {
    "okx": OkxBench,
    "okx-net": lambda: OkxBench(hedge=False),
    "binance": BinanceBench,
    "binance-net": lambda: BinanceBench("binance-net", hedge=False),
    "binance-turned": lambda: BinanceBench("binance-turned", **TURNED),
}

#: for stories in which the position mode makes no difference: one bench of each exchange
ONE_OF_EACH = pytest.mark.one_of_each
ONE_EACH = ("okx", "binance", "binance-turned")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on every bench, or on one of each exchange where its mark says so."""
    if "exchange" in metafunc.fixturenames:
        one_of_each = metafunc.definition.get_closest_marker("one_of_each") is not None
        metafunc.parametrize("exchange", ONE_EACH if one_of_each else [*BENCHES], indirect=True, scope="session")


@pytest.fixture(scope="session")
def exchange(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = BENCHES[request.param]()
    yield bench
    bench.close()


@pytest.fixture
def bench(exchange: Bench) -> Bench:
    measure(exchange.lot)
    exchange.fresh()
    return exchange


@pytest.fixture
def port(bench: Bench) -> ExchangePort:
    return bench.port


@pytest.fixture
def secrets(bench: Bench) -> tuple[str, ...]:
    return bench.secrets
