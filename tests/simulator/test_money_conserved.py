"""Whatever happens, in any order: money is conserved to the last digit, and an order is live or ended, never both."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.simulator.conftest import PRICES
from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient
from tests.simulator_process import SimulatorProcess

SEEDS = range(12)
STEPS = 60
LIVE, ENDED = {"live", "partially_filled"}, {"filled", "canceled"}
ALGO_STATES = {"live", "effective", "canceled", "order_failed"}
FAULTS: list[dict[str, Any]] = [
    {"kind": "lost_after"},
    {"kind": "lost_before"},
    {"kind": "late", "seconds": 40},
    {"kind": "reject", "code": "51008"},
    {"kind": "partial_fill", "fraction": "0.3", "rest": "work"},
    {"kind": "partial_fill", "fraction": "0.7", "rest": "cancel"},
    {"kind": "accept_delay", "seconds": 30},
    {"kind": "code", "code": "50004", "http": 400, "executed": True},
]


class Storm:
    """A careless trader in a wild market, drawn from a seed."""

    def __init__(self, sim: SimulatorProcess, okx: OkxClient, seed: int) -> None:
        self.sim, self.okx, self.draw = sim, okx, random.Random(seed)
        self.prices = {instrument: Decimal(price) for instrument, price in PRICES.items()}

    def step(self) -> None:
        deeds = [self.trade] * 6 + [self.protect] * 3 + [self.move] * 6 + [self.meddle] * 2 + [self.wait] * 2
        do = self.draw.choice(deeds)
        try:
            do()
        except httpx.TransportError:
            return  # a lost answer is what the fault was for

    def trade(self) -> None:
        instrument, side = self.draw.choice([BTC, ETH, SOL]), self.draw.choice(["long", "short"])
        opening, kind = self.draw.random() < 0.6, self.draw.choice(["market", "limit", "post_only", "ioc", "fok"])
        price = {} if kind == "market" else {"px": self.near(instrument, 0.01)}
        buys = (side == "long") == opening
        attached = [{"slTriggerPx": self.near(instrument, 0.05), "slOrdPx": "-1"}] if self.draw.random() < 0.3 else []
        body = price | ({"attachAlgoOrds": attached} if opening and attached else {})
        size = self.draw.choice(["0.01", "0.37", "2", "11"])
        self.okx.order(instrument, "buy" if buys else "sell", side, size, ordType=kind, **body)

    def protect(self) -> None:
        instrument, side = self.draw.choice([BTC, ETH, SOL]), self.draw.choice(["long", "short"])
        kind = self.draw.choice(["conditional", "oco", "trigger", "move_order_stop"])
        stop = {"slTriggerPx": self.near(instrument, 0.03), "slOrdPx": "-1"}
        target = {"tpTriggerPx": self.near(instrument, 0.03), "tpOrdPx": "-1"}
        trigger = {"triggerPx": self.near(instrument, 0.03), "orderPx": "-1"}
        trailing = {"callbackRatio": "0.02"}
        legs = {"conditional": stop, "oco": stop | target, "trigger": trigger, "move_order_stop": trailing}
        tied = {"reduceOnly": True, "cxlOnClosePos": True} if kind == "oco" and self.draw.random() < 0.5 else {}
        size = self.draw.choice(["0.01", "1", "7"])
        self.okx.algo(instrument, "sell" if side == "long" else "buy", side, kind, sz=size, **legs[kind], **tied)

    def move(self) -> None:
        instrument, jump = self.draw.choice([BTC, ETH, SOL]), self.draw.choice([0.001, 0.01, 0.01, 0.05])
        self.prices[instrument] = Decimal(self.near(instrument, jump))
        self.sim.price(instrument, self.prices[instrument])

    def meddle(self) -> None:
        pending = self.okx.get("trade/orders-pending").rows
        choice = self.draw.random()
        if pending and choice < 0.4:
            row = self.draw.choice(pending)
            self.okx.post("trade/cancel-order", {"instId": row["instId"], "ordId": row["ordId"]})
        elif pending and choice < 0.6:
            row = self.draw.choice(pending)
            self.okx.post("trade/amend-order", {"instId": row["instId"], "ordId": row["ordId"], "newSz": "3"})
        elif choice < 0.8:
            held = self.okx.positions()
            for row in held[:1]:
                body = {"instId": row["instId"], "mgnMode": "cross", "posSide": row["posSide"], "autoCxl": True}
                self.okx.post("trade/close-position", body)
        else:
            self.sim.faults({"match": {"method": "POST"}, "count": 1, **self.draw.choice(FAULTS)})

    def wait(self) -> None:
        self.sim.clock(self.draw.choice([1, 50, 4 * 3600]))

    def near(self, instrument: str, width: float) -> str:
        moved = self.prices[instrument] * Decimal(str(1 + self.draw.uniform(-width, width)))
        return str(moved.quantize(Decimal("0.1")))


def assert_books_balance(state: dict[str, Any]) -> None:
    names = ("balance", "deposits", "realised", "fees", "funding", "penalties")
    for name, account in state["accounts"].items():
        parts = {key: Decimal(account[key]) for key in names}
        expected = parts["deposits"] + parts["realised"] + parts["funding"] - parts["fees"] - parts["penalties"]
        assert parts["balance"] == expected, (name, parts)
    paid = sum((Decimal(row["balChg"]) for row in state["ledger"]), Decimal(0))
    assert paid == sum((Decimal(account["balance"]) for account in state["accounts"].values()), Decimal(0))


def assert_orders_are_live_or_ended(state: dict[str, Any], pending: set[str]) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in state["fills"]:
        filled[fill["ordId"]] += Decimal(fill["fillSz"])
    ids = [row["ordId"] for row in state["orders"]]
    assert len(ids) == len(set(ids))
    for row in state["orders"]:
        assert row["state"] in LIVE | ENDED, row
        assert (row["ordId"] in pending) == (row["state"] in LIVE), row
        assert Decimal(row["accFillSz"]) == filled.pop(row["ordId"], Decimal(0)), row
        whole = Decimal(row["accFillSz"]) >= Decimal(row["sz"])  # more, where it was amended to less than was filled
        assert whole == (row["state"] == "filled"), row
    assert filled == {}


def assert_positions_are_the_sum_of_fills(state: dict[str, Any]) -> None:
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fill in state["fills"]:
        opens = (fill["side"] == "buy") == (fill["posSide"] == "long")
        held[fill["instId"], fill["posSide"]] += Decimal(fill["fillSz"]) if opens else -Decimal(fill["fillSz"])
    seen = {(row["instId"], row["posSide"]): Decimal(row["pos"]) for row in state["positions"]}
    assert {key: size for key, size in seen.items() if size} == {key: size for key, size in held.items() if size}
    assert all(size >= 0 for size in held.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_storm_of_orders_prices_funding_and_faults(sim: SimulatorProcess, okx: OkxClient, seed: Any) -> None:
    sim.switches(oversize_close="trim")
    storm = Storm(sim, okx, seed)
    for step in range(STEPS):
        storm.step()
        if step % 20 == 19:
            sim.faults()
            state, pending = sim.state(), {row["ordId"] for row in okx.get("trade/orders-pending").rows}
            assert_books_balance(state)
            assert_orders_are_live_or_ended(state, pending)
            assert_positions_are_the_sum_of_fills(state)
            assert {row["state"] for row in state["algos"]} <= ALGO_STATES
            assert Decimal(okx.usdt()["cashBal"]) == Decimal(next(iter(state["accounts"].values()))["balance"])


def test_the_ledger_explains_a_liquidated_account(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.post("account/set-leverage", {"instId": BTC, "lever": "100", "mgnMode": "cross"})
    okx.order(BTC, "buy", "long", "90")
    sim.price(BTC, "80000")
    state = sim.state()
    assert_books_balance(state)
    assert state["positions"] == [] or all(Decimal(row["pos"]) == 0 for row in state["positions"])
