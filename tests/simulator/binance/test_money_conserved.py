"""Whatever happens in the Binance account, in any order: money is conserved to the last digit, and so are positions."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, SOLUSDT, BinanceClient
from tests.simulator.okx.client import BTC, ETH, SOL
from tests.simulator.test_money_conserved import assert_books_balance
from tests.simulator_process import SimulatorProcess

SEEDS = range(8)
STEPS = 140
PRICES = {BTCUSDT: Decimal(100_000), ETHUSDT: Decimal(3500), SOLUSDT: Decimal(200)}
MARKETS = {BTCUSDT: BTC, ETHUSDT: ETH, SOLUSDT: SOL}
SIZES = {BTCUSDT: ["0.001", "0.02", "0.3", "8"], ETHUSDT: ["0.01", "0.4", "9", "200"], SOLUSDT: ["0.1", "7.25", "150"]}
FAULTS: list[dict[str, Any]] = [
    {"kind": "lost_after"}, {"kind": "lost_before"}, {"kind": "late", "seconds": 2},
    {"kind": "http_503", "variant": "A", "executed": True}, {"kind": "code", "code": "-1007", "executed": False},
    {"kind": "partial_fill", "fraction": "0.3", "rest": "work"},
    {"kind": "partial_fill", "fraction": "0.7", "rest": "cancel"}, {"kind": "accept_delay", "seconds": 30},
]  # fmt: skip


class Storm:
    """A careless trader in a wild market, drawn from a seed."""

    def __init__(self, sim: SimulatorProcess, client: BinanceClient, seed: int) -> None:
        self.sim, self.client, self.draw = sim, client, random.Random(seed)
        self.hedged, self.prices = self.draw.random() < 0.6, dict(PRICES)
        if self.hedged:
            client.hedge()
        for symbol in PRICES:
            if self.draw.random() < 0.3:
                client.post("v1/marginType", symbol=symbol, marginType="ISOLATED")
            client.post("v1/leverage", symbol=symbol, leverage=self.draw.choice([1, 5, 20, 50]))
        if self.draw.random() < 0.4:
            sim.switches(binance_fee_asset="BNB", binance_closing_clash="knock_out")
            sim.intervene("deposit", account="binance", amount="0.5", asset="BNB")

    def step(self) -> None:
        deeds = [self.trade] * 7 + [self.protect] * 4 + [self.move] * 5 + [self.meddle] * 3 + [self.wait] * 2
        try:
            self.draw.choice(deeds)()
        except httpx.TransportError:
            return  # a lost answer is what the fault was for

    def trade(self) -> None:
        symbol, kind = self.draw.choice(list(PRICES)), self.draw.choice(["MARKET", "GTC", "GTX", "IOC", "FOK"])
        side = self.draw.choice(["BUY", "SELL"])
        leg = self.draw.choice(["LONG", "SHORT"]) if self.hedged else None
        more = {"reduceOnly": "true"} if not self.hedged and self.draw.random() < 0.3 else {}
        quantity = self.draw.choice(SIZES[symbol])
        if kind == "MARKET":
            self.client.market(symbol, side, leg, quantity, **more)
        else:
            self.client.limit(symbol, side, leg, quantity, self.near(symbol, 0.01), timeInForce=kind, **more)

    def protect(self) -> None:
        symbol, side = self.draw.choice(list(PRICES)), self.draw.choice(["BUY", "SELL"])
        kind = self.draw.choice(["STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TRAILING_STOP_MARKET"])
        asked = {"algoType": "CONDITIONAL", "symbol": symbol, "side": side, "type": kind,
                 "positionSide": self.draw.choice(["LONG", "SHORT"]) if self.hedged else None,
                 "workingType": self.draw.choice(["MARK_PRICE", "CONTRACT_PRICE"])}  # fmt: skip
        near = self.near(symbol, 0.02)
        if kind.endswith("PROFIT_MARKET") and self.draw.random() < 0.4:
            asked |= {"closePosition": "true"}
        else:
            asked |= {"quantity": self.draw.choice(SIZES[symbol])}
        asked |= {"callbackRate": "1"} if kind.startswith("TRAILING") else {"triggerPrice": near}
        asked |= {"price": near, "timeInForce": "GTC"} if kind == "STOP" else {}
        self.client.post("v1/algoOrder", **asked)

    def move(self) -> None:
        symbol = self.draw.choice(list(PRICES))
        self.prices[symbol] = Decimal(self.near(symbol, self.draw.choice([0.001, 0.01, 0.01, 0.05])))
        self.sim.price(MARKETS[symbol], self.prices[symbol])

    def meddle(self) -> None:
        self.sim.faults()
        resting, choice = self.client.get("v1/openOrders").ok, self.draw.random()
        if resting and choice < 0.5:
            row = self.draw.choice(resting)
            which = {"symbol": row["symbol"], "orderId": row["orderId"]}
            if choice < 0.25:
                self.client.delete("v1/order", **which)
            else:
                price = self.near(row["symbol"], 0.01)
                self.client.put("v1/order", **which, side=row["side"], quantity=row["origQty"], price=price)
        elif choice < 0.7:
            for row in self.sim.state()["binance"]["positions"][:1]:
                self.sim.intervene("adl", account="binance", instId=row["instId"], posSide=row["posSide"])
        else:
            writes = {"exchange": "binance", "method": "POST"}
            self.sim.faults({"match": writes, "count": 1, **self.draw.choice(FAULTS)})

    def wait(self) -> None:
        self.sim.clock(self.draw.choice([1, 50, 4 * 3600]))

    def near(self, symbol: str, width: float) -> str:
        moved = self.prices[symbol] * Decimal(str(1 + self.draw.uniform(-width, width)))
        return str(moved.quantize(Decimal("0.1")))


def assert_positions_are_the_sum_of_fills(state: dict[str, Any]) -> None:
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fill in state["fills"]:
        held[fill["instId"], fill["posSide"]] += Decimal(fill["fillSz"]) * (1 if fill["side"] == "buy" else -1)
    seen = {
        (row["instId"], row["posSide"]): Decimal(row["pos"]) * (-1 if row["posSide"] == "short" else 1)
        for row in state["positions"]
    }
    assert {key: size for key, size in held.items() if size} == seen


def assert_the_wire_tells_the_same(client: BinanceClient, state: dict[str, Any]) -> None:
    account = state["accounts"]["binance"]
    assert Decimal(client.usdt()["balance"]) == Decimal(account["balance"])
    assert wire_income(client, "USDT") == Decimal(account["balance"])
    assert wire_income(client, "BNB") + Decimal(account["bnb_deposits"]) == Decimal(account["bnb"])
    waiting = {str(row["algoId"]) for row in client.get("v1/openAlgoOrders").ok}
    assert waiting <= {row["algo_id"] for row in state["algos"]}
    working = {str(row["orderId"]) for row in client.get("v1/openOrders").ok}
    assert working == {row["ordId"] for row in state["orders"] if row["state"] in ("live", "partially_filled")}


def wire_income(client: BinanceClient, asset: str) -> Decimal:
    rows = client.get("v1/income", limit=1000).ok
    assert len(rows) < 1000
    return sum((Decimal(row["income"]) for row in rows if row["asset"] == asset), Decimal(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_storm_of_orders_prices_funding_and_faults(
    sim: SimulatorProcess, one_way: BinanceClient, seed: Any
) -> None:
    storm = Storm(sim, one_way, seed)
    for step in range(STEPS):
        storm.step()
        if step % 35 == 34:
            sim.faults()
            state = sim.state()["binance"]
            assert_books_balance(state)
            assert_positions_are_the_sum_of_fills(state)
            assert_the_wire_tells_the_same(one_way, state)
            assert Decimal(state["accounts"]["binance"]["balance"]) >= 0
