"""One simulator on a stepped clock for all tests here, made fresh before each; its prices move only when told."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.simulator.binance.client import BinanceClient
from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator_process import SimulatorProcess

PRICES = {BTC: "100000", ETH: "3500", SOL: "200"}


def fresh(simulator: SimulatorProcess) -> SimulatorProcess:
    """A new account of 10,000 USDT, prices standing still at the round numbers of `PRICES`."""
    simulator.reset()
    simulator.switches(rate_limits=False)
    simulator.market("hold")
    for instrument, price in PRICES.items():
        simulator.price(instrument, price)
    return simulator


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def sim(simulator_process: SimulatorProcess) -> SimulatorProcess:
    return fresh(simulator_process)


@pytest.fixture
def okx(sim: SimulatorProcess) -> Iterator[OkxClient]:
    with OkxClient(sim.base_url, sim.okx) as client:
        yield client


@pytest.fixture
def one_way(sim: SimulatorProcess) -> Iterator[BinanceClient]:
    """The Binance account as it begins: one-way mode, 100,000 USDT."""
    with BinanceClient(sim.base_url, sim.binance) as client:
        yield client


@pytest.fixture
def binance(one_way: BinanceClient) -> BinanceClient:
    """The Binance account in hedge mode."""
    one_way.hedge()
    return one_way


@pytest.fixture
def held(okx: OkxClient) -> None:
    """A long of 2 contracts of BTC, bought near 100,000."""
    assert okx.order(BTC, "buy", "long", "2").row["sCode"] == "0"


@pytest.fixture
def public(sim: SimulatorProcess) -> Iterator[OkxClient]:
    with OkxClient(sim.base_url) as client:
        yield client


@pytest.fixture
def socket(sim: SimulatorProcess) -> Iterator[Callable[..., OkxSocket]]:
    """Opens sockets: socket("private") is logged in, socket("business", login=False) is not."""
    opened: list[OkxSocket] = []

    def opening(kind: str, login: bool | None = None, query: str = "") -> OkxSocket:
        opened.append(OkxSocket(sim.ws_url, kind, query))
        if login if login is not None else kind != "public":
            assert opened[-1].login(sim.okx)["event"] == "login"
        return opened[-1]

    yield opening
    for connection in opened:
        connection.close()


@pytest.fixture
def enter(sim: SimulatorProcess, okx: OkxClient) -> Callable[[str, str, str, str], str]:
    """Enter exactly at a price, as a maker (fee 0.02 %): a resting limit order that the price then walks through.

    Returns the ordId; the price stands at the entry afterwards.
    """

    def entering(instrument: str, position_side: str, size: str, price: str) -> str:
        buying = position_side == "long"
        away, through = ("1.01", "0.999") if buying else ("0.99", "1.001")
        sim.price(instrument, times(price, away))
        side = "buy" if buying else "sell"
        placed = okx.order(instrument, side, position_side, size, ordType="limit", px=price).row
        assert placed["sCode"] == "0", placed
        sim.price(instrument, times(price, through))
        assert okx.find(instrument, ordId=placed["ordId"])["state"] == "filled"
        sim.price(instrument, price)
        return str(placed["ordId"])

    return entering


def times(price: str, factor: str) -> str:
    """The price a little away, on a tick that all instruments have (0.1 USDT)."""
    return str((Decimal(price) * Decimal(factor)).quantize(Decimal("0.1")))
