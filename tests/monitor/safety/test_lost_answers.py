"""Requests without an answer, and processes that die in the middle: never a second position, never a lost one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core.domain.account import Exchange
from core.domain.action import OutcomeKind
from core.domain.intent import ExitReason, Target
from tests.monitor.invariants import agrees, nothing_left
from tests.stack import Stack

ORDER, ALGO = "trade/order", "trade/order-algo"
HELD = Decimal("0.99")
ORDERS = {Exchange.OKX: ORDER, Exchange.BINANCE: "v1/order"}
ENTERED = {Exchange.OKX: HELD, Exchange.BINANCE: Decimal("0.009")}


class Died(BaseException):
    """The process is gone at this very point."""


def lose(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "match": {"method": "POST", "path": path}, "count": 1, **more}


SILENCES = (
    lose("lost_after", ORDER),
    lose("lost_before", ORDER),
    lose("late", ORDER, seconds=2),
    lose("late", ORDER, seconds=30),
    lose("reset", ORDER),
    lose("html_502", ORDER, executed=True),
    lose("html_502", ORDER, executed=False),
    lose("code", ORDER, code="50004", http=200, executed=True),
    lose("code", ORDER, code="50026", http=200, executed=False),
    lose("code", ORDER, code="50011", http=429, executed=False),
)


def in_short(fault: dict[str, Any]) -> str:
    return "-".join(str(fault[name]) for name in ("kind", "code", "seconds", "executed") if name in fault)


@pytest.mark.parametrize("fault", SILENCES, ids=in_short)
def test_an_entry_without_an_answer_is_one_position_in_the_end(stack: Stack, fault: dict[str, Any]) -> None:
    stack.simulator.faults(fault)
    part = stack.open()
    stack.until(lambda: stack.at_rest(part), seconds=90)
    assert stack.simulator.fault_hits() == [1]
    entries = [row for row in stack.exchange()["orders"] if row["side"] == "buy"]
    assert [row["accFillSz"] for row in entries] == [str(HELD)]
    assert stack.held() == HELD
    assert [row["sz"] for row in stack.resting()] == [str(HELD)]
    stack.price("106000")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    agrees(stack, part)
    nothing_left(stack)


@pytest.mark.parametrize("kind", ["lost_after", "lost_before", "late"])
def test_protection_without_an_answer_is_one_protection_in_the_end(stack: Stack, kind: str) -> None:
    stack.simulator.faults(lose(kind, ALGO, **({"seconds": 2} if kind == "late" else {})))
    part = stack.open()
    stack.until(lambda: stack.simulator.fault_hits() == [1] and stack.at_rest(part), seconds=90)
    covered = [row for row in stack.resting() if row["slTriggerPx"]]
    assert [row["sz"] for row in covered] == [str(HELD)]
    stack.price("89000")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


@pytest.mark.parametrize("kind", ["lost_after", "lost_before"])
def test_a_close_without_an_answer_closes_once(stack: Stack, kind: str) -> None:
    part = stack.opened()
    stack.simulator.intervene("place", instId="BTC-USDT-SWAP", posSide="long", side="buy", ordType="market", sz="2")
    stack.settle(2)
    stack.simulator.faults(lose(kind, ORDER))
    stack.positions.close(part, stack.token(), "trader")
    assert stack.ended(part).reason is ExitReason.CLOSED_BY_US
    stack.settle(3)
    assert stack.held() == 2
    assert stack.resting() == []


@pytest.mark.parametrize("kind", ["lost_after", "lost_before"])
def test_an_amendment_without_an_answer_gets_there(stack: Stack, kind: str) -> None:
    part = stack.opened()
    stack.simulator.faults(lose(kind, "trade/amend-algos"))
    stack.hear()
    stack.positions.close(part, stack.token(), "trader", Decimal("0.5"))
    stack.until(lambda: stack.at_rest(part) and [row["sz"] for row in stack.resting()] == ["0.49"])
    assert stack.held() == Decimal("0.49")


def test_an_order_that_the_exchange_does_not_show_at_first_is_not_sent_again(stack: Stack) -> None:
    stack.simulator.faults(
        lose("lost_after", ORDER), {"kind": "not_found", "seconds": 8, "match": {"clOrdId": "op"}, "count": 1}
    )
    part = stack.open()
    stack.until(lambda: stack.at_rest(part), seconds=90)
    assert stack.held() == HELD


@pytest.mark.parametrize("leg", ["S01", "T01"])
@pytest.mark.parametrize("kind", ["lost_after", "lost_before", "late"])
def test_a_leg_without_an_answer_is_one_leg_in_the_end(on_binance: Stack, kind: str, leg: str) -> None:
    stack = on_binance
    part = stack.open()
    fault = lose(kind, "v1/algoOrder", **({"seconds": 2} if kind == "late" else {}))
    stack.simulator.faults(fault | {"match": {**fault["match"], "clOrdId": f"op{part}01{leg}"}})
    stack.until(lambda: stack.at_rest(part) and len(stack.resting()) == 2, seconds=90)
    stack.settle(20)
    assert stack.simulator.fault_hits() == [1]
    assert sorted(row["algoClOrdId"][-3] for row in stack.resting()) == ["S", "T"]
    assert sum(stack.guard.bare_seconds.values()) < 8, "alone, its stop is not waited for until it is surely lost"
    stack.price("88000")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


@pytest.mark.parametrize("seconds", [5, 30, 90])
@pytest.mark.parametrize("leg", ["S01", "T01"])
def test_a_leg_that_the_exchange_shows_late_is_one_leg_in_the_end(on_binance: Stack, leg: str, seconds: int) -> None:
    """Given up after a minute and placed again; the first one shows up then after all, and one of the two goes."""
    stack = on_binance
    part = stack.open()
    stack.simulator.faults(
        {"kind": "not_found", "seconds": seconds, "match": {"clOrdId": f"op{part}01{leg}"}, "count": 1}
    )
    stack.settle(42, seconds=2.5)
    assert stack.simulator.fault_hits() == [1]
    assert sorted(row["algoClOrdId"][-3] for row in stack.resting()) == ["S", "T"]
    assert stack.at_rest(part)
    stack.price("88000")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


# -- the process dies --------------------------------------------------------------------------------------------


def dying(call: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The same call, in whose middle the process ends: before it has happened, or just after."""

    def dies(*arguments: Any, **named: Any) -> Any:
        if after:
            call(*arguments, **named)
        raise Died

    return dies


@pytest.mark.parametrize(("where", "after"), [
    ("record", True),  # written down, never sent
    ("place", False),
    ("place", True),  # executed, its answer unread
    ("save", False),  # answered, not written down
    ("settle", False),  # the order is saved, the command still open
])  # fmt: skip
def test_killed_while_entering(either: Stack, monkeypatch: pytest.MonkeyPatch, where: str, after: bool) -> None:
    part = either.open()
    with monkeypatch.context() as dying_here:
        owner, name = {
            "record": (either.store.orders, "record"),
            "place": (either.client, "place"),
            "save": (either.store.orders, "save"),
            "settle": (either.store.orders, "settle"),
        }[where]
        dying_here.setattr(owner, name, dying(getattr(owner, name), after=after))
        with pytest.raises(Died):
            either.look()
    executed = where in ("save", "settle") or (where, after) == ("place", True)
    held = ENTERED[either.wire]
    assert either.held() == (held if executed else 0)

    either.crash()
    either.until(lambda: either.at_rest(part), seconds=60)
    assert either.held() == held
    assert {row["sz"] for row in either.resting()} == {str(held)}
    either.price("106000")
    assert either.ended(part).reason is ExitReason.TAKE_PROFIT
    agrees(either, part)
    nothing_left(either)


def test_killed_after_the_fill_and_before_its_protection(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The net that travelled with the entry holds until the next process puts its own protection in place."""
    part = stack.open()
    stack.look()
    stack.step(1)
    with monkeypatch.context() as dying_here:
        dying_here.setattr(stack.client, "place_oco", dying(stack.client.place_oco, after=False))
        with pytest.raises(Died):
            stack.look()
    assert [row["sz"] for row in stack.resting()] == [str(HELD)]
    stack.step(3600)
    stack.crash()
    stack.until(lambda: stack.at_rest(part), seconds=60)
    assert [row["algoClOrdId"] for row in stack.resting()] == [f"op{part}01P01"]


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_closing(either: Stack, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    part = either.opened()
    either.positions.close(part, either.token(), "trader")
    with monkeypatch.context() as dying_here:
        dying_here.setattr(either.client, "place", dying(either.client.place, after=after))
        with pytest.raises(Died):
            either.look()
    either.step(1)
    either.crash()
    assert either.ended(part).reason is ExitReason.CLOSED_BY_US
    agrees(either, part)
    nothing_left(either)


def test_killed_while_the_cycle_was_being_ended(either: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    part = either.opened()
    either.price("106000")
    with monkeypatch.context() as dying_here:
        dying_here.setattr(either.store.cycles, "end", dying(either.store.cycles.end, after=False))
        with pytest.raises(Died):
            either.settle(5)
    either.crash()
    either.ended(part)
    agrees(either, part)
    nothing_left(either)


def test_restarted_while_the_fate_of_an_order_is_open(either: Stack) -> None:
    either.simulator.faults(lose("lost_before", ORDERS[either.wire]))
    part = either.open()
    either.look()
    (command,) = either.store.orders.commands(either.account.id)
    assert command.outcome is OutcomeKind.UNKNOWN
    for _ in range(3):
        either.step(1)
        either.crash()
        either.look()
        assert either.held() == 0
    either.until(lambda: either.at_rest(part), seconds=60)
    assert either.held() == ENTERED[either.wire]
    (command,) = [one for one in either.store.orders.commands(either.account.id) if one.purpose.adds_risk]
    assert command.outcome is OutcomeKind.DONE


def test_what_is_refused_twice_in_a_row_is_not_sent_more_often_than_every_five_seconds(stack: Stack) -> None:
    part = stack.opened()
    stack.simulator.faults(
        {"kind": "code", "match": {"method": "POST", "path": "trade/amend-algos"}, "count": 9, "code": "51527"}
    )
    stack.positions.edit_targets(part, Target(pnl_usdt=Decimal(80)), Target(pnl_usdt=Decimal(-100)), "edit", "trader")
    first, second = stack.look(), stack.look()
    assert first is not None
    assert first.total_seconds() < 1
    assert second is not None
    assert second.total_seconds() == 5
    assert stack.part(part).protected
