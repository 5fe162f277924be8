"""Signals that arrive together: none lost, none doubled, each with its own pair, and the parts add up to the exchange.

Several strategies ask at once, from threads of their own, for the same contract and side.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from core.domain.account import Exchange
from core.domain.ids import meaning
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.money import ZERO, total
from core.services.trading.requests import Asked, Draft
from db.store import Store
from tests.monitor.invariants import nothing_left, same
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack

STRATEGIES = tuple(f"strategy-{letter}" for letter in "ABCDEF")
ETH = "ETH-USDT-PERP"


def signals(stack: Stack, drafts: Iterable[tuple[Draft, str]]) -> list[Asked]:
    """All of them at the same moment, each in a thread of its own; the answers in the order of the drafts."""
    asked = list(drafts)
    ready = Barrier(len(asked))

    def one(draft: Draft, token: str) -> Asked:
        ready.wait()
        return stack.positions.open(draft, token, "signal")

    with ThreadPoolExecutor(len(asked)) as pool:
        return [future.result() for future in [pool.submit(one, *each) for each in asked]]


def by_strategy(stack: Stack, number: int, **more: Any) -> list[tuple[Draft, str]]:
    """Signals of so many strategies, of different sizes and with different targets."""
    stack.hear()
    return [
        (
            replace(stack.draft(1000 + 100 * place, tp=20 + 10 * place, sl=-100 - place, **more), strategy=name),
            stack.token(),
        )
        for place, name in enumerate(STRATEGIES[:number])
    ]


def at_the_exchange(stack: Stack) -> Decimal:
    """Contracts held, as parts count them."""
    return stack.held(stack.held_side)


def levels(stack: Stack) -> dict[str, list[tuple[str, str]]]:
    """What rests at the exchange for each part, TP before SL, with its size; both are one order where it has an OCO."""
    resting: dict[str, list[tuple[str, str]]] = {}
    for order in stack.client.working_orders():
        said = meaning(order.client_order_id)
        assert said is not None, order
        for kind, level in (("TP", order.tp_trigger), ("SL", order.sl_trigger)):
            if level is not None:
                resting.setdefault(said.part, []).append((kind, f"{order.quantity:f}"))
    return {part: sorted(found, reverse=True) for part, found in resting.items()}


def pair(stack: Stack, name: str) -> list[tuple[str, str]]:
    """What is to rest for a part."""
    size = f"{stack.part(name).size:f}"
    return [("TP", size), ("SL", size)]


@pytest.mark.parametrize("side_by_side", [True, False], ids=["hedge", "one-way"])
def test_signals_of_many_strategies_at_once(either: Stack, side_by_side: bool) -> None:
    stack = either if side_by_side else either.one_way()
    asked = signals(stack, by_strategy(stack, 6))
    names = [one.part for one in asked]
    assert all(one.new for one in asked)
    assert len(set(names)) == 6
    stack.until(lambda: all(stack.at_rest(name) for name in names), seconds=60)

    parts = {part.name: part for part in stack.parts()}
    assert {parts[name].intent.strategy for name in names} == set(STRATEGIES)
    assert total(part.size for part in parts.values()) == at_the_exchange(stack)
    for name in names:
        part = parts[name]
        assert part.size == part.intent.contracts
        (entry,) = [order for order in part.entries if order.filled]
        assert entry.filled == part.size
        assert levels(stack)[name] == pair(stack, name)

    # each strategy's own target ends that strategy's part and no other
    targets = sorted((part.take_profit_price(), name) for name, part in parts.items())
    for left, (price, name) in zip(range(5, -1, -1), targets, strict=True):
        assert price is not None
        stack.price(price + 1, mark=price)
        assert stack.ended(name).reason is ExitReason.TAKE_PROFIT
        others = [one for _, one in targets[6 - left :]]
        stack.until(lambda others=others: all(stack.at_rest(one) for one in others))
        assert levels(stack) == {one: pair(stack, one) for one in others}
        assert at_the_exchange(stack) == total(stack.part(one).size for one in others)
    net = total(cycle.net for cycle in stack.store.history.cycles())
    assert same(net, stack.money()["all"])
    nothing_left(stack)


def test_the_same_signal_many_times_at_once_is_one_part(either: Stack) -> None:
    """A web hook that repeats itself, six times in the same instant and once more afterwards."""
    stack = either
    ((draft, token),) = by_strategy(stack, 1)
    asked = signals(stack, [(draft, token)] * 6)
    (name,) = {one.part for one in asked}
    assert sorted(one.new for one in asked) == [False] * 5 + [True]
    stack.until(lambda: stack.at_rest(name))
    again = stack.positions.open(draft, token, "signal")
    assert (again.part, again.new) == (name, False)
    stack.settle(3)
    part = stack.part(name)
    assert (at_the_exchange(stack), len(stack.store.parts.intents(stack.name))) == (part.intent.contracts, 1)


def test_signals_on_both_sides_and_two_contracts_at_once(either: Stack) -> None:
    stack = either
    stack.hear(ETH)
    pairs = [
        *by_strategy(stack, 2),
        *by_strategy(stack, 2, side=Side.SHORT),
        *by_strategy(stack, 2, symbol=ETH),
    ]
    names = [one.part for one in signals(stack, pairs)]
    assert len(set(names)) == 6
    stack.until(lambda: all(stack.at_rest(name) for name in names), seconds=60)
    parts = [stack.part(name) for name in names]
    for side, held in ((Side.LONG, stack.held("long")), (Side.SHORT, stack.held("short"))):
        ours = [part for part in parts if part.intent.key.symbol != ETH and part.side is side]
        assert total(part.size for part in ours) == abs(held)
    assert total(part.size for part in parts[4:]) == stack.held("long", "ETH-USDT-SWAP")
    assert levels(stack) == {name: pair(stack, name) for name in names}


def test_a_signal_that_comes_while_another_is_worked_on_is_not_lost(either: Stack) -> None:
    """The second asks between the first one's entry and its protection."""
    stack = either
    first, second = by_strategy(stack, 2)
    a = stack.positions.open(*first, "signal").part
    stack.until(lambda: stack.part(a).entered > ZERO or stack.acts(), each=0.1)
    b = stack.positions.open(*second, "signal").part
    stack.until(lambda: stack.at_rest(a) and stack.at_rest(b))
    assert levels(stack) == {name: pair(stack, name) for name in (a, b)}
    assert stack.part(a).size + stack.part(b).size == at_the_exchange(stack)


def test_an_answer_that_is_lost_delays_its_own_signal_and_doubles_nothing(either: Stack) -> None:
    stack = either
    path = "trade/order" if stack.wire is Exchange.OKX else "v1/order"
    stack.simulator.faults({"match": {"path": path, "method": "POST"}, "kind": "lost_after", "count": 2})
    names = [one.part for one in signals(stack, by_strategy(stack, 4))]
    stack.until(lambda: all(stack.at_rest(name) for name in names), seconds=120)
    assert total(stack.part(name).size for name in names) == at_the_exchange(stack)
    assert all(len([order for order in stack.part(name).entries if order.filled]) == 1 for name in names)


def foreign_stops(stack: Stack, number: int) -> None:
    """Somebody else's conditional orders, far away."""
    for _ in range(number):
        stack.simulator.intervene(
            "place_algo", account="binance", symbol="ETHUSDT", side="SELL", positionSide="LONG", algoType="CONDITIONAL",
            type="STOP_MARKET", quantity="0.1", triggerPrice="1000",
        )  # fmt: skip


def test_signals_for_which_no_protection_is_left_wait_and_say_why(store: Store, exchange: SimulatorProcess) -> None:
    """196 of the 200 conditional orders of the account are somebody else's: two pairs fit, and four want one."""
    stack = Stack(store, fresh(exchange), Exchange.BINANCE)
    stack.look()
    foreign_stops(stack, 196)
    stack.step(10)  # contracts without anything of ours are looked at so often
    stack.look()
    names = [one.part for one in signals(stack, [*by_strategy(stack, 2), *by_strategy(stack, 2, side=Side.SHORT)])]
    stack.settle(20)
    entered = [name for name in names if stack.at_rest(name)]
    waiting = [name for name in names if name not in entered]
    assert len(entered) == 2, stack.story()
    assert [stack.part(name).entered for name in waiting] == [0, 0]
    assert len(stack.resting()) == 200
    for name in waiting:
        assert f"{name} enter: refused by the limits: 200 of at most 200 conditional orders" in stack.story()

    stack.positions.close(entered[0], stack.token(), "trader")  # and the next one takes its place
    stack.until(lambda: sum(map(stack.at_rest, waiting)) == 1, seconds=60)
    assert len(stack.resting()) == 200


def test_where_the_exchange_takes_fewer_than_it_tells_nobody_stays_bare(
    store: Store, exchange: SimulatorProcess
) -> None:
    """Two conditional orders are all it takes: one pair rests, and the part whose stop is refused is closed again."""
    stack = Stack(store, fresh(exchange), Exchange.BINANCE)
    stack.look()
    stack.simulator.switches(binance_max_conditional=2)
    stack.store.settings.set_all({"when_refused": "close"}, "test")
    names = [one.part for one in signals(stack, by_strategy(stack, 2))]
    stack.until(lambda: len(stack.store.history.cycles(stack.name)) == 1 and any(map(stack.at_rest, names)), seconds=60)
    (ended,) = stack.store.history.cycles(stack.name)
    assert ended.reason is ExitReason.CLOSED_BY_US
    (left,) = [name for name in names if name != ended.part]
    assert levels(stack) == {left: pair(stack, left)}
    assert at_the_exchange(stack) == stack.part(left).size
    assert "Reach max stop order limit." in stack.story()
