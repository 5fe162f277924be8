"""What survives a power cut: everything that was acknowledged, and nothing twice."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.conftest import fresh
from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(state_dir=tmp_path / "state") as simulator:
        yield fresh(simulator)


def trader(simulator: SimulatorProcess) -> OkxClient:
    return OkxClient(simulator.base_url, simulator.okx)


WHAT_IS_SEEN = [
    ("account/config", {}),
    ("account/balance", {}),
    ("account/positions", {}),
    ("account/positions-history", {}),
    ("account/leverage-info", {"instId": SOL, "mgnMode": "cross"}),
    ("account/bills", {}),
    ("trade/orders-pending", {}),
    ("trade/orders-history", {"instType": "SWAP"}),
    ("trade/fills", {}),
    ("trade/orders-algo-pending", {"ordType": "conditional,oco"}),
    ("trade/orders-algo-pending", {"ordType": "trigger"}),
    ("public/time", {}),
    ("public/mark-price", {"instType": "SWAP"}),
    ("market/candles", {"instId": BTC}),
]


def everything_seen(simulator: SimulatorProcess) -> list[Any]:
    with trader(simulator) as client:
        return [(path, client.get(path, **parameters).rows) for path, parameters in WHAT_IS_SEEN]


def live_a_little(simulator: SimulatorProcess) -> None:
    with trader(simulator) as client:
        client.post("account/set-leverage", {"instId": SOL, "lever": "9", "mgnMode": "cross"})
        attached = [{"attachAlgoClOrdId": "guard1", "slTriggerPx": "95000", "slOrdPx": "-1"}]
        client.order(BTC, "buy", "long", "2", clOrdId="entry1", attachAlgoOrds=attached)
        client.order(ETH, "sell", "short", "5")
        simulator.clock(100)
        client.order(ETH, "buy", "short", "2")
        client.order(SOL, "buy", "long", "3", ordType="limit", px="190", clOrdId="resting1")
        gone = client.order(SOL, "buy", "long", "3", ordType="limit", px="190").row["ordId"]
        client.post("trade/cancel-order", {"instId": SOL, "ordId": gone})
        client.algo(BTC, "buy", "short", "trigger", sz="1", triggerPx="90000", orderPx="-1")
        simulator.clock(8 * 3600)
        simulator.price(BTC, "100500", mark="100400", index="100450")


@pytest.mark.parametrize("end", ["kill9", "stop"])
def test_after_the_end_everything_is_as_it_was(mortal: SimulatorProcess, end: str) -> None:
    live_a_little(mortal)
    before, keys, address = everything_seen(mortal), mortal.okx, mortal.base_url
    getattr(mortal, end)()
    mortal.restart()
    assert (mortal.okx, mortal.base_url) == (keys, address)
    for (path, then), (_, now) in zip(before, everything_seen(mortal), strict=True):
        assert now == then, path


def test_what_rested_before_the_power_cut_works_after_it(mortal: SimulatorProcess) -> None:
    live_a_little(mortal)
    mortal.kill9()
    mortal.restart()
    mortal.market("hold")
    mortal.price(SOL, "189")
    mortal.price(BTC, "94900")
    with trader(mortal) as client:
        assert client.find(SOL, clOrdId="resting1")["state"] == "filled"
        assert client.find_algo(algoClOrdId="guard1")["state"] == "effective"
        assert {row["instId"] for row in client.positions()} == {ETH, SOL}


def test_ids_go_on_where_they_stood(mortal: SimulatorProcess) -> None:
    with trader(mortal) as client:
        before = client.order(BTC, "buy", "long", "1").row["ordId"]
    mortal.kill9()
    mortal.restart()
    with trader(mortal) as client:
        assert int(client.order(BTC, "buy", "long", "1").row["ordId"]) > int(before)
        assert len({fill["tradeId"] for fill in client.get("trade/fills").rows}) == 2
        assert len({fill["billId"] for fill in client.get("trade/fills").rows}) == 2


def test_nothing_acknowledged_in_a_burst_is_lost(mortal: SimulatorProcess) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def burst() -> None:
        with trader(mortal) as client:
            for number in range(2000):
                try:
                    row = client.order(BTC, "buy", "long", "0.01", clOrdId=f"b{number}").row
                except httpx.TransportError:
                    return
                assert row["sCode"] == "0"
                acknowledged.append(row["clOrdId"])
                if number >= 60:
                    enough.set()

    placing = threading.Thread(target=burst)
    placing.start()
    assert enough.wait(20)
    mortal.kill9()
    placing.join()
    mortal.restart()
    mortal.switches(rate_limits=False)
    with trader(mortal) as client:
        for client_id in acknowledged:
            assert client.find(BTC, clOrdId=client_id)["state"] == "filled", client_id
        held = Decimal(client.position(BTC, "long")["pos"])
    orders = [row for row in mortal.state()["orders"] if row["state"] == "filled"]
    assert len(orders) - len(acknowledged) in (0, 1)  # one may have stood without its answer
    assert held == len(orders) * Decimal("0.01")


def test_three_power_cuts_in_a_row(mortal: SimulatorProcess) -> None:
    for number in range(3):
        with trader(mortal) as client:
            client.order(BTC, "buy", "long", "1", clOrdId=f"c{number}")
        mortal.kill9()
        mortal.restart()
    with trader(mortal) as client:
        assert Decimal(client.position(BTC, "long")["pos"]) == 3


def test_switches_set_before_the_power_cut_hold_after_it(mortal: SimulatorProcess) -> None:
    mortal.switches(oversize_close="reject", fees={"maker": "0", "taker": "0.001"})
    mortal.kill9()
    mortal.restart()
    switches = mortal.switches()
    assert (switches["oversize_close"], Decimal(switches["fees"]["taker"])) == ("reject", Decimal("0.001"))


def test_the_ready_line_is_kept_in_a_private_file_while_it_runs(mortal: SimulatorProcess) -> None:
    kept = mortal.state_dir / "ready.json"
    assert json.loads(kept.read_text()) == mortal.ready
    assert kept.stat().st_mode & 0o777 == 0o600
    mortal.stop()
    assert not kept.exists()


def test_no_secret_is_written_to_the_log(mortal: SimulatorProcess) -> None:
    live_a_little(mortal)
    for key in ("okx", "okx_read_only", "okx_withdraw"):
        assert mortal.ready[key]["secret"] not in mortal.log()
        assert mortal.ready[key]["passphrase"] not in mortal.log()
