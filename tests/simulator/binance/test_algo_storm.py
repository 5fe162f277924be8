"""A storm of entries, conditional orders and prices on the Binance side: the books stay right, also over a restart."""

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.binance.algo import conditional
from tests.simulator.binance.client import BinanceClient
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

KINDS = ("STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET")
FINAL = {"FINISHED", "CANCELED", "REJECTED", "EXPIRED"}


def one_more(sim: SimulatorProcess, client: BinanceClient, chance: random.Random, price: Decimal) -> Decimal:
    """One step of the storm; the price afterwards."""
    deed = chance.random()
    leg, way = chance.choice([("LONG", 1), ("SHORT", -1)])
    closing, opening = ("SELL", "BUY") if way > 0 else ("BUY", "SELL")
    if deed < 0.2:
        client.market("BTCUSDT", opening, leg, str(chance.choice(["0.010", "0.025"])))
    elif deed < 0.55:
        kind = chance.choice(KINDS)
        profits = kind.startswith("TAKE")
        level = price + (1 if profits else -1) * way * Decimal(chance.randint(5, 60)) * 10
        more: dict[str, Any] = {"quantity": chance.choice(["0.005", "0.010", "0.030"])}
        if kind.startswith("TRAILING"):
            more |= {"callbackRate": "0.1"}
        elif kind in ("STOP", "TAKE_PROFIT"):
            more |= {"price": str(level), "timeInForce": chance.choice(["GTC", "IOC", "FOK", "GTX"])}
        elif chance.random() < 0.3:
            more = {"closePosition": "true"}
        conditional(client, kind, closing, leg, None if kind.startswith("TRAILING") else str(level), **more)
    elif deed < 0.6:
        client.delete("v1/algoOpenOrders", symbol="BTCUSDT")
    elif deed < 0.65:
        client.delete("v1/allOpenOrders", symbol="BTCUSDT")
    elif deed < 0.75:
        sim.clock(chance.choice([0.1, 1, 30]))
    else:
        price = max(Decimal(90000), min(Decimal(110000), price + chance.randint(-80, 80) * 10))
        sim.price(BTC, price)
    return price


def truth(sim: SimulatorProcess) -> dict[str, Any]:
    known = dict(sim.state()["binance"])
    known.pop("weight")
    return known


def checked(state: dict[str, Any]) -> None:
    """Money adds up, positions are the sum of their fills, and each conditional order agrees with its plain one."""
    account = {name: Decimal(state["accounts"]["binance"][name]) for name in
               ("balance", "deposits", "realised", "fees", "funding", "penalties")}  # fmt: skip
    assert account["balance"] == (
        account["deposits"] + account["realised"] + account["funding"] - account["fees"] - account["penalties"]
    )
    held: dict[str, Decimal] = {}
    for fill in state["fills"]:
        way = 1 if fill["side"] == "buy" else -1
        held[fill["posSide"]] = held.get(fill["posSide"], Decimal(0)) + way * Decimal(fill["fillSz"])
    shown = {row["posSide"]: Decimal(row["pos"]) for row in state["positions"]}
    for side, size in held.items():
        assert abs(shown.get(side, Decimal(0))) == abs(size), side
        assert size >= 0 if side == "long" else size <= 0
    orders = {row["ordId"]: row for row in state["orders"]}
    for algo in state["algos"]:
        child = orders.get(algo["order_id"])
        assert (child is not None) == (algo["state"] in ("TRIGGERED", "FINISHED")), algo
        if child is not None:
            assert child["clOrdId"] == algo["client_id"]
            assert (algo["state"] == "FINISHED") == (child["state"] in ("filled", "canceled")), algo
        assert bool(algo["reason"]) == (algo["state"] == "REJECTED"), algo


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_storm(seed: int) -> None:
    chance, price = random.Random(seed), Decimal(100000)
    with SimulatorProcess(seed=seed) as sim:
        sim.switches(rate_limits=False, fill_steps=2, binance_trigger_delay_seconds=seed % 2)
        sim.market("hold")
        sim.price(BTC, price)
        for part in range(2):
            with BinanceClient(sim.base_url, sim.binance) as client:
                if part == 0:
                    client.hedge()
                for _ in range(70):
                    price = one_more(sim, client, chance, price)
            before = truth(sim)
            checked(before)
            if part == 0:
                sim.kill9()  # it goes on from its commands; after a clean end, from its snapshot
            sim.restart()
            assert truth(sim) == before, f"seed {seed}"
        ends = {algo["state"] for algo in before["algos"]}
        assert {"FINISHED", "CANCELED"} <= ends, f"seed {seed}"
