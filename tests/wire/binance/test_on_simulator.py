"""The adapter against the simulator where Binance differs from other exchanges: weights, hidden and stuck stops,
closes that clash, fees in another currency, and lives that must have one key wherever they are told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.action import CancelOrder
from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.instrument import Side
from core.domain.money import Price
from core.domain.order import Leg, OrderKind, OrderStatus
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.codes import FACTS
from core.exchange.binance.limits import Budget
from core.exchange.port import Credentials
from tests.simulator_process import SimulatorProcess
from tests.wire.binance.words import BTC, close, entry, stop, target

ETH = "ETH-USDT-PERP"
BTC_HERE, ETH_HERE = "BTC-USDT-SWAP", "ETH-USDT-SWAP"  #: the simulator's own names
START = D(100_000)


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Any) -> SimulatorProcess:
    """Flat, quiet, one-way as every new account, with all switches as they come."""
    running.reset()
    running.faults()
    running.market("hold")
    return running


class Time:
    """The simulator's stepped clock, as ours."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._simulator = simulator
        self._now = datetime.fromisoformat(simulator.clock())
        self._began = self._now

    def step(self, seconds: float) -> None:
        self._now = datetime.fromisoformat(self._simulator.clock(seconds))

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._began).total_seconds()


@pytest.fixture
def time(simulator: Any) -> Time:
    return Time(simulator)


@pytest.fixture
def binance(simulator: Any, time: Any) -> Iterator[BinanceClient]:
    keys = Credentials(simulator.binance["api_key"], simulator.binance["secret"], "")
    client = BinanceClient(
        keys, rest_url=simulator.base_url, now=time.now, monotonic=time.monotonic, sleep=time.step, budget=Scales()
    )
    client.set_hedge_mode()
    yield client
    client.close()


class Scales(Budget):
    """A budget that remembers what each request was said to weigh, here and there."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = self.theirs = 0

    def answered(self, weight: int, told: int | None, now: datetime) -> None:
        super().answered(weight, told, now)
        self.ours += weight
        self.theirs = told or self.theirs


def price_of(simulator: SimulatorProcess, price: D, here: str = BTC_HERE) -> None:
    simulator.price(here, price)


# -- weights


def test_our_weights_are_binances(binance: BinanceClient, simulator: Any, time: Any) -> None:
    """One of each request that a day brings; the two counts never part."""
    simulator.switches(rate_limits=True)
    time.step(61)
    assert isinstance(binance.budget, Scales)
    binance.budget.ours = 0
    since = binance.exchange_now() - timedelta(hours=1)
    binance.instruments()
    binance.set_leverage(BTC, D(5))
    binance.place(entry())
    binance.place(entry(client_order_id="op00a7k203E02", kind=OrderKind.LIMIT, price=Price(D(96_000))))
    binance.place_oco(stop(sl_trigger=D(95_000)))
    binance.place_oco(target(tp_trigger=D(105_000)))
    resting = binance.find("op00a7k203E02", BTC, OrderKind.LIMIT)
    assert resting is not None
    reads = (
        binance.account_state, binance.positions, binance.working_orders, binance.under_maintenance,
        lambda: binance.ticker(BTC), lambda: binance.candles(BTC, "1m", 50), lambda: binance.candles(BTC, "1m", 300),
        lambda: binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL),
        lambda: binance.cancel(CancelOrder("00a7k2", resting)),
        lambda: binance.fills(since), lambda: binance.funding(since), lambda: binance.closed_positions(since),
        binance.make_listen_key, lambda: binance.leverage(BTC),
    )  # fmt: skip
    for read in reads:
        read()
        assert binance.budget.ours == binance.budget.theirs, read


@pytest.mark.parametrize("parts", [1, 10, 60])
def test_a_look_weighs_the_same_however_much_rests(binance: BinanceClient, parts: Any) -> None:
    """Positions and both books: 7 in one contract, and 85 where the whole account is read."""
    binance.place(entry(quantity=D("1")))
    for number in range(parts):
        name = f"op{number:06}01"
        binance.place_oco(stop(client_order_id=f"{name}S01", sl_trigger=D(90_000) + number))
        binance.place_oco(target(client_order_id=f"{name}T01", tp_trigger=D(110_000) + number))
    binance.positions()
    binance.working_orders()
    assert isinstance(binance.budget, Scales)
    before = binance.budget.ours
    assert len(binance.positions()) == 1
    assert len(binance.working_orders()) == 2 * parts
    assert binance.budget.ours - before == 7


def test_told_to_stop_by_the_exchange_it_stops(binance: BinanceClient, simulator: Any, time: Any) -> None:
    """We believe in a larger limit than there is, and are told; nothing is sent until it is over."""
    simulator.switches(rate_limits=True, binance_weight_limit=100)
    binance.budget.most = 10_000
    for _ in range(3):
        time.step(6)
        binance.funding(binance.exchange_now() - timedelta(hours=1))
    time.step(6)
    with pytest.raises(Unavailable) as caught:
        binance.funding(binance.exchange_now() - timedelta(hours=1))
    assert caught.value.exchange_code == "-1003"
    before = simulator.requests()
    with pytest.raises(Refused) as refusal:
        binance.place_oco(stop(sl_trigger=D(95_000)))
    assert refusal.value.transient
    assert simulator.requests() == before
    time.step(61)
    assert binance.positions() == []


def test_a_key_that_may_only_read(simulator: Any, time: Any) -> None:
    keys = simulator.ready["binance_read_only"]
    client = BinanceClient(Credentials(keys["api_key"], keys["secret"], ""), rest_url=simulator.base_url, now=time.now)
    assert not client.account_state().can_trade
    with pytest.raises(Refused) as caught:
        client.place_oco(stop(sl_trigger=D(95_000)))
    assert (caught.value.exchange_code, caught.value.transient) == ("-2015", False)
    client.close()


# -- conditional orders


def test_a_stop_that_cannot_be_found_for_a_while(binance: BinanceClient, simulator: Any, time: Any) -> None:
    simulator.switches(binance_algo_hidden_seconds=30)
    binance.place(entry())
    assert binance.place_oco(stop(sl_trigger=D(95_000)))
    assert binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL) is None
    assert binance.working_orders() == []
    time.step(31)
    found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
    assert found is not None
    assert found.working
    assert [order.client_order_id for order in binance.working_orders()] == ["op00a7k203S01"]
    assert timedelta(seconds=30) < FACTS.conditional_settle


@pytest.mark.parametrize("listed", ["waiting", "unended"])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_stop_from_its_trigger_to_its_end(
    binance: BinanceClient, simulator: Any, time: Any, listed: Any, steps: Any
) -> None:
    """However long it takes and whether or not it is still listed, it is one order, and then it has ended once."""
    simulator.switches(binance_open_algos=listed, fill_steps=steps, order_delay_seconds=1)
    binance.place(entry(quantity=D("0.030")))
    for _ in range(steps):
        time.step(1)
    assert binance.positions()[0].contracts == D("0.030")
    binance.place_oco(stop(quantity=D("0.030"), sl_trigger=D(95_000)))
    price_of(simulator, D(94_000))
    filled = D(0)
    for _ in range(steps + 2):
        found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
        assert found is not None
        assert found.triggered_leg is Leg.STOP_LOSS
        assert found.filled >= filled
        filled = found.filled
        working = binance.working_orders()
        assert [order.kind for order in working] in ([], [OrderKind.CONDITIONAL])
        assert not working or working[0].client_order_id == "op00a7k203S01"
        time.step(1)
    assert (found.status, found.filled) == (OrderStatus.FILLED, D("0.030"))
    assert found.fee == sum(fill.fee for fill in binance.fills(time.now() - timedelta(hours=1)) if fill.closing)
    assert binance.positions() == []


def test_a_stop_that_is_set_off_and_goes_no_further(binance: BinanceClient, simulator: Any) -> None:
    binance.place(entry())
    binance.place_oco(stop(sl_trigger=D(95_000)))
    simulator.faults({"kind": "trigger_stuck", "match": {"exchange": "binance"}})
    price_of(simulator, D(94_000))
    found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
    assert found is not None
    assert (found.status, found.triggered_leg, found.filled) == (OrderStatus.WORKING, Leg.STOP_LOSS, 0)
    binance.cancel(CancelOrder("00a7k2", found))
    assert binance.positions()[0].contracts == D("0.010")


def test_a_stop_that_is_refused_when_it_is_set_off(binance: BinanceClient, simulator: Any) -> None:
    binance.place(entry())
    binance.place_oco(stop(sl_trigger=D(95_000)))
    simulator.faults({"kind": "trigger_reject", "match": {"exchange": "binance"}})
    price_of(simulator, D(94_000))
    found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
    assert found is not None
    assert (found.status, found.triggered_leg) == (OrderStatus.REFUSED, Leg.STOP_LOSS)
    assert found.failure


def test_a_stop_whose_price_is_passed(binance: BinanceClient) -> None:
    binance.place(entry())
    with pytest.raises(Refused) as caught:
        binance.place_oco(stop(sl_trigger=D(101_000)))
    assert caught.value.exchange_code in FACTS.stop_passed_codes
    with pytest.raises(Refused) as caught:
        binance.place_oco(target(tp_trigger=D(99_000)))
    assert caught.value.exchange_code in FACTS.target_passed_codes


def test_legs_stay_when_their_position_is_gone(binance: BinanceClient) -> None:
    binance.place(entry())
    binance.place_oco(stop(sl_trigger=D(95_000)))
    binance.place_oco(target(tp_trigger=D(105_000)))
    binance.place(close())
    assert binance.positions() == []
    left = binance.working_orders()
    assert {order.client_order_id for order in left} == {"op00a7k203S01", "op00a7k203T01"}
    for order in left:
        binance.cancel(CancelOrder("00a7k2", order))
    assert binance.working_orders() == []


# -- a close that is refused


@pytest.mark.parametrize("switch", ["refuse", "refuse_4118"])
def test_a_close_beside_a_resting_close(binance: BinanceClient, simulator: Any, switch: Any) -> None:
    simulator.switches(binance_closing_clash=switch)
    binance.place(entry())
    binance.place(close(kind=OrderKind.LIMIT, price=Price(D(104_000))))
    with pytest.raises(Refused) as caught:
        binance.place(close(client_order_id="op00a7k203C02"))
    assert caught.value.exchange_code not in FACTS.nothing_held_codes
    assert "op00a7k203C01 over 0.01" in caught.value.exchange_words


def test_a_stop_that_waits_stands_in_nobodys_way(binance: BinanceClient) -> None:
    binance.place(entry())
    binance.place_oco(stop(sl_trigger=D(95_000)))
    binance.place(close())
    assert binance.positions() == []


def test_a_close_of_nothing(binance: BinanceClient) -> None:
    with pytest.raises(Refused) as caught:
        binance.place(close())
    assert caught.value.exchange_code in FACTS.nothing_held_codes


# -- unknown endings


@pytest.mark.parametrize(("fault", "stands"), [
    ({"kind": "http_503", "variant": "A", "executed": True}, True), ({"kind": "http_503", "variant": "A"}, False),
    ({"kind": "code", "code": "-1007", "http": 408, "executed": True}, True),
    ({"kind": "code", "code": "-1006"}, False),
])  # fmt: skip
def test_nobody_knows_and_a_look_tells(binance: BinanceClient, simulator: Any, fault: Any, stands: bool) -> None:
    simulator.faults({**fault, "times": 1, "match": {"exchange": "binance", "method": "POST", "path": "v1/order"}})
    with pytest.raises(OutcomeUnknown):
        binance.place(entry())
    assert (binance.find("op00a7k203E01", BTC, OrderKind.MARKET) is not None) is stands
    assert bool(binance.positions()) is stands


@pytest.mark.parametrize("variant", ["B", "C"])
def test_these_failures_are_certain(binance: BinanceClient, simulator: Any, variant: Any) -> None:
    simulator.faults(
        {"kind": "http_503", "variant": variant, "match": {"exchange": "binance", "method": "POST", "path": "v1/order"}}
    )
    with pytest.raises(Refused) as caught:
        binance.place(entry())
    assert caught.value.transient
    assert binance.positions() == []


# -- money and lives


def test_a_life_has_one_key_and_one_sum_wherever_it_is_told(binance: BinanceClient, simulator: Any, time: Any) -> None:
    """Long and short at once, added to, reduced, through funding, closed and opened again: all agrees exactly."""
    for symbol in (BTC, ETH):
        binance.set_leverage(symbol, D(5))
    binance.place(entry(quantity=D("0.010")))
    binance.place(
        entry(client_order_id="op00a7k301E01", side=close().side, position_side=Side.SHORT, quantity=D("0.004"))
    )
    keys = []
    for number in range(3):
        time.step(3 * 3600)
        price_of(simulator, START + 500 * number)
        binance.place(entry(client_order_id=f"op00a7k203R{number + 1:02}", quantity=D("0.002")))
        binance.place(close(client_order_id=f"op00a7k203C{number + 1:02}", quantity=D("0.003")))
    held = {position.side: position for position in binance.positions()}
    keys = [held[Side.LONG].life, held[Side.SHORT].life]
    time.step(700)
    held = {position.side: position for position in binance.positions()}
    assert [held[Side.LONG].life, held[Side.SHORT].life] == keys
    assert held[Side.LONG].funding
    binance.place(close(client_order_id="op00a7k203C09", quantity=held[Side.LONG].contracts))
    time.step(60)
    binance.place(entry(client_order_id="op00a7k204E01", quantity=D("0.007")))
    since = time.now() - timedelta(days=1)
    (life,) = (life for life in binance.closed_positions(since) if life.side is Side.LONG)
    assert life.life == keys[0]
    fills = [fill for fill in binance.fills(since) if fill.position_side is Side.LONG and fill.at <= life.updated_at]
    assert life.fees == sum(fill.fee for fill in fills)
    assert life.pnl == sum(fill.realised_pnl for fill in fills)
    assert life.closed == sum(fill.quantity for fill in fills if fill.closing)
    new = next(position for position in binance.positions() if position.side is Side.LONG)
    assert new.life not in keys
    paid = sum(payment.amount for payment in binance.funding(since))
    short = next(position for position in binance.positions() if position.side is Side.SHORT)
    assert abs(life.funding + short.funding + new.funding - paid) < D("0.00000001")
    again = BinanceClient(
        Credentials(simulator.binance["api_key"], simulator.binance["secret"], ""), rest_url=simulator.base_url,
        now=time.now, monotonic=time.monotonic, sleep=time.step,
    )  # fmt: skip
    assert {position.life for position in again.positions()} == {new.life, short.life}
    again.close()


def test_fees_in_bnb_are_told_in_usdt(binance: BinanceClient, simulator: Any, time: Any) -> None:
    simulator.switches(binance_fee_asset="BNB", binance_bnb_price="600")
    binance.place(entry())
    found = binance.find("op00a7k203E01", BTC, OrderKind.MARKET)
    assert found is not None
    assert -1 < found.fee < 0


def test_liquidation_names_itself(binance: BinanceClient, simulator: Any, time: Any) -> None:
    binance.set_leverage(BTC, D(100))
    binance.place(entry(quantity=D("5")))
    simulator.intervene("liquidate", account="binance", instId="BTCUSDT", posSide="long")
    since = time.now() - timedelta(hours=1)
    assert [fill.origin for fill in binance.fills(since)][-1] == "liquidation"
    (life,) = binance.closed_positions(since)
    assert life.last_close == "liquidated"


def test_a_thousand_executions_are_all_told(binance: BinanceClient, time: Any) -> None:
    """More than one answer holds, all within a few milliseconds of the exchange's time."""
    for number in range(520):
        binance.place(entry(client_order_id=f"op00a7k2{number + 1:02}E01", quantity=D("0.001")))
        binance.place(close(client_order_id=f"op00a7k2{number + 1:02}C01", quantity=D("0.001")))
        time.step(0.5)
    fills = binance.fills(time.now() - timedelta(hours=1))
    assert len(fills) == 1040
    assert len({fill.exchange_fill_id for fill in fills}) == 1040
    assert len(binance.closed_positions(time.now() - timedelta(hours=1))) == 520


REFUSALS = {"-2022", "clash", "-2021", "-4164", "-2019"}  #: what random orders may meet


@pytest.mark.parametrize("hedge", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_any_history_is_told_as_it_was(simulator: Any, time: Any, seed: Any, hedge: Any) -> None:
    """Random orders, triggers, cancels and days: what rests, is held, was lived and earned is the exchange's truth."""
    dice = random.Random(seed)
    keys = Credentials(simulator.binance["api_key"], simulator.binance["secret"], "")
    times = {"now": time.now, "monotonic": time.monotonic, "sleep": time.step}
    client = BinanceClient(keys, rest_url=simulator.base_url, budget=Budget(10**9), **times)
    if hedge:
        client.set_hedge_mode()
    client.set_leverage(BTC, D(5))
    simulator.switches(fill_steps=dice.choice((1, 1, 3)), binance_open_algos=dice.choice(("waiting", "unended")))
    price, began = D(100_000), time.now()
    for number in range(60):
        try:
            price = _act(client, simulator, time, dice, number, price, hedge)
        except Refused as refusal:
            if refusal.exchange_code not in REFUSALS:
                raise
        _agree(client, simulator)
        time.step(1)
    truth = simulator.state()["binance"]
    fills, lives = client.fills(began), client.closed_positions(began)
    assert len(fills) == len(truth["fills"])
    earned = sum(fill.realised_pnl + fill.fee for fill in fills) + sum(paid.amount for paid in client.funding(began))
    assert START + earned == D(truth["accounts"]["binance"]["balance"])
    theirs = {(row["direction"], int(row["cTime"])): row for row in truth["lives"]}
    ours = {(life.side.value, int(life.opened_at.timestamp() * 1000)): life for life in lives}
    assert ours.keys() == theirs.keys()
    for key, life in ours.items():
        row = theirs[key]
        assert (life.closed, life.largest, life.pnl, life.fees) == (
            D(row["closeTotalPos"]), D(row["openMaxPos"]), D(row["pnl"]), D(row["fee"]),
        )  # fmt: skip
        assert not life.last_close.over or int(life.updated_at.timestamp() * 1000) == int(row["uTime"])
    client.close()


def _act(client: Any, simulator: Any, time: Any, dice: Any, number: Any, price: Any, hedge: Any) -> D:
    """One thing that may happen; the price after it."""
    side = dice.choice((Side.LONG, Side.SHORT)) if hedge else Side.LONG
    name = f"op{number:06}01"
    order = {"part": f"{number:06}", "cycle": 1, "position_side": side, "quantity": D(dice.randrange(1, 9)) / 1000}
    rising, falling = (price * (1000 + sign * side.sign * dice.randrange(5, 40)) // 1000 for sign in (1, -1))
    match dice.choice(("entry", "close", "stop", "target", "limit", "cancel", "price", "price", "wait")):
        case "entry":
            client.place(entry(**order, client_order_id=f"{name}E01", side=side.opening))
        case "close":
            client.place(close(**order, client_order_id=f"{name}C01", side=side.closing))
        case "limit":
            resting = {"kind": OrderKind.LIMIT, "price": Price(falling), "side": side.opening}
            client.place(entry(**order, client_order_id=f"{name}E01", **resting))
        case "stop":
            client.place_oco(stop(**order, client_order_id=f"{name}S01", sl_trigger=falling, side=side.closing))
        case "target":
            client.place_oco(target(**order, client_order_id=f"{name}T01", tp_trigger=rising, side=side.closing))
        case "cancel":
            resting = client.working_orders()
            if resting:
                client.cancel(CancelOrder("00a7k2", dice.choice(resting)))
        case "price":
            price = price * (1000 + dice.randrange(-25, 26)) // 1000
            price_of(simulator, price)
        case "wait":
            time.step(dice.choice((1, 30, 5 * 3600)))
    return price


def _agree(client: BinanceClient, simulator: SimulatorProcess) -> None:
    """What is held and what rests, as the exchange itself has it, each order once and under its parent."""
    held, told = client.positions(), client.working_orders()
    truth = simulator.state()["binance"]
    waiting = {row["client_id"] for row in truth["algos"] if row["state"] in ("NEW", "TRIGGERING", "TRIGGERED")}
    plain = {row["clOrdId"] for row in truth["orders"] if row["state"] in ("live", "partially_filled")}
    assert sorted(order.client_order_id for order in told) == sorted(waiting | plain)
    assert all(order.kind.rests_on_trigger == (order.client_order_id in waiting) for order in told)
    theirs = {(row["posSide"], abs(D(row["pos"])), int(row["cTime"])) for row in truth["positions"]}
    ours = {(one.side.value, one.contracts, int(one.opened_at.timestamp() * 1000)) for one in held}
    if theirs and next(iter(theirs))[0] == "net":
        theirs, ours = {row[1:] for row in theirs}, {row[1:] for row in ours}
    assert ours == theirs
