"""The simulator's own controls: prices, clock, markets, a person's hand, counters; and same seed, same run."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient, order
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator.words import STOP
from tests.simulator_process import SimulatorProcess


def last(client: OkxClient, instrument: str = BTC) -> Decimal:
    return Decimal(client.get("market/ticker", instId=instrument).row["last"])


def test_the_ready_line_names_everything_a_client_needs(sim: SimulatorProcess) -> None:
    assert {"base_url", "ws_url", "control_url", "pid", "okx", "okx_read_only", "okx_withdraw"} <= set(sim.ready)
    assert set(sim.okx) == {"api_key", "secret", "passphrase"}
    assert sim.ready["base_url"].startswith("http://127.0.0.1:")
    assert sim.ready["ws_url"].startswith("ws://127.0.0.1:")


def test_it_is_healthy(sim: SimulatorProcess) -> None:
    assert sim.control("GET", "health")


def test_the_stepped_clock_moves_only_when_told(sim: SimulatorProcess) -> None:
    assert sim.clock() == sim.clock()
    before = sim.clock()
    after = sim.clock(3661)
    assert (before[:19], after[:19]) == ("2026-01-01T00:00:00", "2026-01-01T01:01:01")


def test_held_prices_stand_still_and_walking_ones_move_with_the_clock(sim: SimulatorProcess, public: OkxClient) -> None:
    sim.clock(600)
    assert last(public) == 100000
    sim.market("walk", BTC)
    assert last(public) == 100000
    sim.clock(600)
    assert last(public) != 100000
    assert Decimal(50000) < last(public) < Decimal(200000)
    assert last(public, ETH) == 3500


def test_a_scripted_path_is_followed_by_the_second(sim: SimulatorProcess, public: OkxClient) -> None:
    sim.market("script", BTC, path=[["10", "101000"], ["20", "99000"]])
    sim.clock(10)
    assert last(public) == 101000
    sim.clock(10)
    assert last(public) == 99000
    sim.clock(30)
    assert last(public) == 99000


def test_a_price_walks_the_straight_path_so_levels_between_are_met(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1", ordType="limit", px="99000", clOrdId="between")
    sim.price(BTC, "97000")
    assert Decimal(okx.find(BTC, clOrdId="between")["avgPx"]) == 99000


def test_the_same_seed_and_requests_give_the_same_world(sim: SimulatorProcess) -> None:
    def run(seed: int) -> dict[str, Any]:
        sim.reset(seed=seed)
        sim.switches(rate_limits=False)
        with OkxClient(sim.base_url, sim.okx) as client:
            for number in range(5):
                client.order(BTC, "buy", "long", "1", clOrdId=f"d{number}")
                client.order(ETH, "sell", "short", "2", ordType="limit", px="3600")
                sim.clock(977)
            client.algo(BTC, "sell", "long", "conditional", sz="1", slTriggerPx="50000", slOrdPx="-1")
            sim.clock(40000)
        state = sim.state()
        return {key: value for key, value in state.items() if key != "requests"}

    first, second, other = run(11), run(11), run(12)
    assert first == second
    assert first["prices"] != other["prices"]


def test_a_reset_makes_everything_fresh_under_the_same_keys(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1")
    sim.switches(oversize_close="reject")
    sim.faults({"match": {}, "kind": "reject", "code": "51008"})
    sim.clock(500)
    sim.reset(balance="2500")
    assert okx.positions() == []
    assert Decimal(okx.usdt()["cashBal"]) == 2500
    assert okx.get("account/bills", instType="SWAP").rows == []
    assert sim.switches()["oversize_close"] == "trim"
    assert sim.clock()[:19] == "2026-01-01T00:00:00"
    assert okx.order(BTC, "buy", "long", "1").row["sCode"] == "0"


def test_requests_are_counted_by_method_and_path(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.control("POST", "requests/reset")
    okx.order(BTC, "buy", "long", "1")
    okx.positions()
    okx.positions()
    counted = {key.rsplit("/api/v5/", 1)[-1]: count for key, count in sim.requests().items()}
    assert counted == {"trade/order": 1, "account/positions": 2}
    assert any(key.startswith("POST") for key in sim.requests())


def test_the_whole_truth_has_every_part(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1", clOrdId="one")
    okx.algo(BTC, "sell", "long", "conditional", sz="1", **STOP)
    state = sim.state()
    parts = "now seed clock config prices accounts positions orders algos fills ledger requests"
    assert set(parts.split()) <= set(state)
    assert Decimal(state["prices"][BTC]["mark"]) == 100000
    assert [row["clOrdId"] for row in state["orders"]] == ["one"]
    assert [row["slTriggerPx"] for row in state["algos"]] == ["95000"]
    assert [(row["instId"], row["posSide"], Decimal(row["pos"])) for row in state["positions"]] == [(BTC, "long", 1)]
    assert len(state["fills"]) == 1


def test_a_persons_hand_closes_in_part_and_whole(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "3")
    sim.intervene("close", instId=BTC, posSide="long", sz="1")
    assert Decimal(okx.position(BTC, "long")["pos"]) == 2
    sim.intervene("close", instId=BTC, posSide="long")
    assert okx.positions() == []


def test_a_persons_hand_places_and_cancels(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.intervene("place", **order(BTC, "buy", "long", "1", ordType="limit", px="99000"))
    foreign = okx.get("trade/orders-pending").row
    assert foreign["px"] == "99000"
    sim.intervene("cancel", ordId=foreign["ordId"])
    assert okx.get("trade/orders-pending").rows == []
    okx.order(BTC, "buy", "long", "1")
    stop = order(BTC, "sell", "long", "1", ordType="conditional", **STOP)
    sim.intervene("place_algo", **stop, algoClOrdId="foreign1")
    sim.intervene("amend_algo", instId=BTC, algoClOrdId="foreign1", newSlTriggerPx="94000")
    assert okx.find_algo(algoClOrdId="foreign1")["slTriggerPx"] == "94000"
    sim.intervene("cancel", algoClOrdId="foreign1")
    assert okx.find_algo(algoClOrdId="foreign1")["state"] == "canceled"


def test_a_persons_hand_is_seen_on_the_stream(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    okx.order(BTC, "buy", "long", "3")
    connection = socket("private")
    connection.subscribe("positions", instType="SWAP", extraParams='{"updateInterval":"0"}')
    sim.intervene("close", instId=BTC, posSide="long")
    connection.push("positions", instId=BTC, pos="0")


def test_a_slow_wire_delays_every_answer(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.delay(150)
    began = time.monotonic()
    okx.get("public/time")
    assert time.monotonic() - began >= 0.145
    sim.delay(0)


def test_candles_for_those_who_draw(sim: SimulatorProcess) -> None:
    candles = sim.control("GET", f"candles?instId={SOL}&limit=100")
    assert len(candles["candles"] if isinstance(candles, dict) else candles) == 100


def test_prices_alone_are_told_without_the_whole_truth(sim: SimulatorProcess) -> None:
    sim.price(BTC, "101000", mark="100900", index="100950")
    prices = sim.control("GET", "prices")
    assert prices == sim.state()["prices"]
    assert prices[BTC] == {"last": "101000", "mark": "100900", "index": "100950", "source": "hold"}


def test_slippage_is_a_switch(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(slippage_bps="20")
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "0.01").row["ordId"])
    assert Decimal("100195") <= Decimal(found["avgPx"]) <= Decimal("100215")


@pytest.mark.parametrize("body", [
    "[1", "null", "7", '{"instId":"NOPE","last":"1"}', '{"instId":"BTC-USDT-SWAP","last":"-5"}',
])  # fmt: skip
def test_a_senseless_price_is_refused_with_words(sim: SimulatorProcess, public: OkxClient, body: str) -> None:
    answer = public.http.post("/sim/price", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.text != "") == (400, True)
    assert last(public) == 100000


def test_unknown_switches_and_faults_are_refused_with_words(sim: SimulatorProcess, public: OkxClient) -> None:
    senseless = {"switches": {"no_such": 1}, "faults": [{"kind": "no_such"}], "intervene": {"do": "no_such"}}
    for path, body in senseless.items():
        assert public.http.post(f"/sim/{path}", json=body).status_code == 400, path


def test_prices_can_be_mirrored_from_another_exchange(sim: SimulatorProcess, public: OkxClient) -> None:
    with SimulatorProcess(seed=5) as original:
        original.market("hold")
        original.price(BTC, "87654.3", mark="87650")
        sim.market("mirror", base_url=original.base_url)
        deadline = time.monotonic() + 10
        while last(public) != Decimal("87654.3"):
            assert time.monotonic() < deadline, last(public)
        sim.market("hold")


def test_a_real_clock_ticks_by_itself() -> None:
    with SimulatorProcess(clock="real") as simulator, OkxClient(simulator.base_url) as client:
        deadline, first = time.monotonic() + 10, simulator.state()["prices"]
        while simulator.state()["prices"] == first:
            assert time.monotonic() < deadline
        off_ms = int(client.get("public/time").row["ts"]) - time.time() * 1000
        assert abs(off_ms) < 2000


def test_a_fast_clock_runs_ahead() -> None:
    with SimulatorProcess(clock="fast", speed=600) as simulator:
        deadline, began = time.monotonic() + 10, datetime.fromisoformat(simulator.clock())
        while datetime.fromisoformat(simulator.clock()) - began < timedelta(minutes=2):
            assert time.monotonic() < deadline


def test_instruments_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    file.write_text(
        '[{"instId": "DOGE-USDT-SWAP", "ctVal": "1000", "lotSz": "0.01", "minSz": "0.01", "tickSz": "0.00001",'
        ' "lever": "50", "price": "0.4"}]'
    )
    widened = SimulatorProcess(options=["--instruments", str(file)])
    with widened as simulator, OkxClient(simulator.base_url, simulator.okx) as client:
        row = client.get("public/instruments", instType="SWAP", instId="DOGE-USDT-SWAP").row
        assert (row["ctVal"], row["tickSz"], row["ctValCcy"]) == ("1000", "0.00001", "DOGE")
        assert client.order("DOGE-USDT-SWAP", "buy", "long", "1").row["sCode"] == "0"
