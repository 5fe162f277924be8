"""What the Binance account acknowledged survives a power cut: orders, positions, settings, ids, money."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, BinanceClient
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """A simulator of its own, because it is going to be killed."""
    with SimulatorProcess(state_dir=tmp_path) as simulator:
        simulator.market("hold")
        simulator.price(BTC, "100000")
        yield simulator


def whole(client: BinanceClient) -> dict[str, Any]:
    """Everything a client can see that must be the same afterwards."""
    paths = ("v3/balance", "v2/positionRisk", "v1/openOrders", "v1/symbolConfig", "v1/accountConfig", "v1/income")
    seen = {path: client.get(path).ok for path in paths}
    return seen | {"trades": client.get("v1/userTrades", symbol=BTCUSDT).ok, "all": client.get("v1/allOrders").ok}


def busy(client: BinanceClient) -> None:
    client.hedge()
    client.post("v1/leverage", symbol=BTCUSDT, leverage=7)
    client.post("v1/marginType", symbol=ETHUSDT, marginType="ISOLATED")
    client.market(BTCUSDT, "BUY", "LONG", "0.02", newClientOrderId="entry-1")
    client.market(ETHUSDT, "SELL", "SHORT", "1")
    placed = client.limit(BTCUSDT, "SELL", "LONG", "0.01", "101000", newClientOrderId="target-1").ok
    client.put("v1/order", symbol=BTCUSDT, side="SELL", orderId=placed["orderId"], quantity="0.01", price="101500")
    client.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000")
    client.post("v1/countdownCancelAll", symbol=ETHUSDT, countdownTime=60_000)


@pytest.mark.parametrize("end", ["kill9", "stop"])
def test_everything_is_there_again(sim: SimulatorProcess, end: str) -> None:
    with BinanceClient(sim.base_url, sim.binance) as client:
        busy(client)
        before, keys = whole(client), sim.binance
    if end == "kill9":
        sim.kill9()
    sim.restart()
    assert sim.binance == keys
    with BinanceClient(sim.base_url, sim.binance) as client:
        assert whole(client) == before
        again = client.limit(BTCUSDT, "BUY", "LONG", "0.01", "98000", newClientOrderId="target-1")
        assert again.code == -4116
        sim.price(BTC, "101600")
        assert client.find(BTCUSDT, origClientOrderId="target-1")["status"] == "FILLED"
        ids = [row["orderId"] for row in client.get("v1/allOrders").ok]
        assert len(ids) == len(set(ids))


def test_a_refusal_is_replayed_as_a_refusal(sim: SimulatorProcess) -> None:
    with BinanceClient(sim.base_url, sim.binance) as client:
        client.hedge()
        assert client.market(BTCUSDT, "SELL", "LONG", "0.01").code == -2022
        client.market(BTCUSDT, "BUY", "LONG", "0.01")
        balance = client.usdt()["balance"]
        sim.kill9()
    sim.restart()
    with BinanceClient(sim.base_url, sim.binance) as client:
        assert client.usdt()["balance"] == balance
        assert Decimal(client.risk(BTCUSDT, "LONG")["positionAmt"]) == Decimal("0.01")


def test_keys_are_added_to_a_folder_from_before_there_was_a_binance_side(sim: SimulatorProcess) -> None:
    file = sim.state_dir / "keys.json"
    okx = sim.okx
    sim.kill9()
    kept = {name: key for name, key in json.loads(file.read_text()).items() if not name.startswith("binance")}
    file.write_text(json.dumps(kept))
    sim.restart()
    assert sim.okx == okx
    with BinanceClient(sim.base_url, sim.binance) as client:
        assert client.get("v3/balance").http == 200
