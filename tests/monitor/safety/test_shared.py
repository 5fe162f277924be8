"""Several parts on one position, on both sides of a contract, and on several contracts; each pays what is its own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.instrument import Side
from core.domain.intent import ExitReason
from tests.monitor.invariants import nothing_left, same
from tests.stack import ACCOUNT, Stack

ETH = "ETH-USDT-PERP"


def test_two_parts_on_one_position_have_a_protection_each(stack: Stack) -> None:
    near, far = stack.opened(stack.draft(tp=20)), stack.opened(stack.draft(value=2000, tp=200))
    assert stack.held() == Decimal("0.99") + Decimal("1.99")
    assert sorted(row["sz"] for row in stack.resting()) == ["0.99", "1.99"]
    stack.price("102100")
    cycle = stack.ended(near)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(far))
    assert stack.held() == Decimal("1.99")
    assert [(row["sz"], row["algoClOrdId"][2:8]) for row in stack.resting()] == [("1.99", far)]
    stack.price("80000")
    assert stack.ended(far).reason is ExitReason.STOP_LOSS
    stack.settle(2)
    ended = stack.store.history.cycles(stack.account.id)
    ledger = stack.money()
    assert same(sum((one.net for one in ended), Decimal(0)), ledger["all"])
    nothing_left(stack)


def test_long_and_short_of_one_contract_live_side_by_side(stack: Stack) -> None:
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT))
    assert (stack.held("long"), stack.held("short")) == (Decimal("0.99"), Decimal("1"))
    stack.price("105200")
    assert stack.ended(long).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(short))
    stack.price("111000")
    assert stack.ended(short).reason is ExitReason.STOP_LOSS
    ended = stack.store.history.cycles(stack.account.id)
    assert same(sum((one.net for one in ended), Decimal(0)), stack.money()["all"])
    nothing_left(stack)


def test_parts_on_different_contracts(stack: Stack) -> None:
    btc, eth = stack.opened(), stack.opened(stack.draft(symbol=ETH))
    stack.price("3700", symbol="ETH-USDT-SWAP")
    assert stack.ended(eth).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(btc))


def test_funding_of_a_shared_position_is_shared_by_size(stack: Stack) -> None:
    first = stack.opened()
    stack.step(9 * 3600)
    second = stack.opened(stack.draft(value=3000))
    stack.step(8 * 3600)
    stack.settle(2)
    stack.price("89000")
    stack.ended(first)
    stack.ended(second)
    ended = {cycle.part: cycle for cycle in stack.store.history.cycles()}
    assert same(ended[first].funding + ended[second].funding, stack.money()["funding"])
    early, late = sorted((Decimal(row["balChg"]) for row in funding_bills(stack)), key=abs)
    assert same(ended[first].funding, early + late * Decimal("0.99") / Decimal("3.98"))


def test_funding_of_long_and_short_goes_to_the_one_that_paid_it(stack: Stack) -> None:
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT, value=3000))
    stack.step(9 * 3600)
    stack.settle(2)
    for part in (long, short):
        stack.positions.close(part, stack.token(), "trader")
    ended = {part: stack.ended(part) for part in (long, short)}
    paid = {row["sz"]: Decimal(row["balChg"]) for row in funding_bills(stack)}
    assert same(ended[long].funding, paid["0.99"])
    assert same(ended[short].funding, paid["3"])


def funding_bills(stack: Stack) -> list[dict[str, str]]:
    return [row for row in stack.exchange()["ledger"] if row["type"] == "8"]


@pytest.mark.parametrize("later", [0, 1])
def test_what_ends_in_the_instant_of_a_payment_has_still_paid_it(stack: Stack, later: int) -> None:
    for value, side in ((3000, Side.LONG), (1000, Side.SHORT)):
        stack.opened(stack.draft(value, side=side))
    now = stack.clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    stack.step((midnight + timedelta(days=1) - now).total_seconds() + later)
    stack.price("120000")
    stack.until(lambda: len(stack.store.history.cycles(ACCOUNT)) == 2, seconds=60)
    ours = sum((cycle.funding for cycle in stack.store.history.cycles(ACCOUNT)), Decimal(0))
    assert ours
    assert same(ours, stack.money()["funding"])
