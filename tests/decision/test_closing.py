"""The rules *close* and *finish*, told as stories: ten contracts long, guarded, unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.action import EndCycle, OutcomeKind
from core.domain.intent import ExitReason, ExternalExit, Intent, Wanted
from core.domain.observation import Seen
from core.domain.order import Leg, Order, OrderKind, OrderStatus
from core.domain.reason import Reason
from tests.builders import (
    COIN,
    NOON,
    D,
    after,
    because,
    begun,
    command,
    contracts,
    desired,
    entry,
    in_words,
    net,
    oco,
    order,
    price,
    seen,
)

CLOSING = begun(wanted=Wanted.CLOSED)
HALF = begun(reduce_to=contracts(5))
CLOSED = order("op00000101C01", 10, filled=10, at=1010, fee=D("-0.5"), updated_at=after(-1))


def held(*orders: Order, **changes: Any) -> Seen:
    return seen(entry(), oco(), *orders, **{"held": 10, **changes})


def flat(*orders: Order, **changes: Any) -> Seen:
    return seen(entry(fee=D("-0.5")), *orders, **{"held": 0, **changes})


def said(outcome: OutcomeKind | None, ago: float = 1) -> tuple[Any, ...]:
    return (command("op00000101C01", ago=ago, outcome=outcome, words="busy"),)


@pytest.mark.parametrize(
    ("story", "asked", "look", "actions"),
    [
        ("asked to close: at market, the stop stays", CLOSING, held(), ["place close 10"]),
        ("it is filling: wait", CLOSING, held(order("op00000101C01", 10, filled=4), held=6), []),
        (
            "cut short: the rest follows",
            CLOSING,
            held(order("op00000101C01", 10, filled=4, status=OrderStatus.CANCELED), held=6),
            ["place close 6"],
        ),
        ("sent and no answer: nothing more", CLOSING, held(commands=said(OutcomeKind.UNKNOWN)), []),
        (
            "sent, no answer and bare: guard it meanwhile",
            CLOSING,
            seen(entry(), held=10, commands=said(OutcomeKind.UNKNOWN)),
            ["place oco 10 tp 1050 sl 900"],
        ),
        (
            "refused and bare: guard it until it is not",
            CLOSING,
            seen(entry(), held=10, commands=said(OutcomeKind.REFUSED)),
            ["place oco 10 tp 1050 sl 900"],
        ),
        ("refused just now: a pause", CLOSING, held(commands=said(OutcomeKind.REFUSED)), []),
        ("refused a while ago: again", CLOSING, held(commands=said(OutcomeKind.REFUSED, ago=6)), ["place close 10"]),
        (
            "its stop has been set off: that closes it",
            CLOSING,
            seen(entry(), oco(triggered_leg=Leg.STOP_LOSS, filled=4), held=6),
            [],
        ),
        ("a person closed some: find out first", CLOSING, held(held=7), []),
        ("an order vanished: find out first", CLOSING, held(settled=False), []),
        (
            "too little for any order: say so",
            CLOSING,
            seen(entry("0.05", quantity="0.05"), held="0.05"),
            ["alarm too-small", "alarm too-small"],
        ),
        ("asked to halve: at market", HALF, held(), ["place close 5"]),
        (
            "halved: the OCO follows, the wish is done",
            HALF,
            held(order("op00000101C01", 5, filled=5), held=5),
            ["amend P01 to 5", "reduction done"],
        ),
        ("nothing is left to halve", HALF, flat(CLOSED), ["end cycle 1: closed_by_us", "reduction done"]),
        ("flat and confirmed: the OCO goes", CLOSING, flat(oco(), CLOSED), ["cancel P01"]),
        ("and then the cycle ends", CLOSING, flat(CLOSED), ["end cycle 1: closed_by_us"]),
        ("flat, but seen only once", CLOSING, flat(CLOSED, confirmed=False), []),
        (
            "flat, but something is unanswered",
            CLOSING,
            flat(CLOSED, commands=(command("op00000101P02", ago=1, outcome=OutcomeKind.UNKNOWN),)),
            [],
        ),
        (
            "the take-profit closed it: the exchange dropped its sibling",
            begun(),
            flat(oco(filled=10, at=1050, triggered_leg=Leg.TAKE_PROFIT)),
            ["end cycle 1: take_profit"],
        ),
        (
            "the stop closed it: the net that was left goes",
            begun(),
            flat(net(filled=0), oco(filled=10, at=900, triggered_leg=Leg.STOP_LOSS)),
            ["cancel N01"],
        ),
        (
            "closed by hand: its exit was booked",
            begun(
                external_exits=(ExternalExit(contracts(10), price(990), D(0), ExitReason.CLOSED_BY_HAND, NOON, "f1/1"),)
            ),
            flat(oco(status=OrderStatus.CANCELED)),
            ["end cycle 1: closed_by_hand"],
        ),
        ("ended for good: nothing more", begun(cycle_ended_at=NOON, wanted=Wanted.CLOSED), flat(CLOSED), []),
    ],
)
def test_close(story: str, asked: Intent, look: Seen, actions: Sequence[str]) -> None:
    assert in_words(plan(desired(asked), look, NOON)) == list(actions), story


def test_flatten_closes_every_part_and_enters_none() -> None:
    other = begun("000002")
    decided = plan(desired(begun(), other, level=Level.FLATTEN), held(), NOON)
    assert in_words(decided) == ["end cycle 1: not_entered", "place close 10"]


def test_flatten_withdraws_entries_first() -> None:
    working = entry(4, kind=OrderKind.LIMIT, price=price(990))
    decided = plan(desired(begun(), level=Level.FLATTEN), seen(working, oco(4), held=4), NOON)
    assert in_words(decided) == ["cancel E01"]


def test_a_large_close_goes_in_slices() -> None:
    look = held(instrument=replace(COIN, max_market_quantity=contracts(4)))
    assert in_words(plan(desired(CLOSING), look, NOON)) == ["place close 4"]


def test_a_passed_stop_and_a_wish_to_halve_send_one_order() -> None:
    decided = plan(desired(HALF), seen(entry(), held=10, mark=899), NOON)
    assert in_words(decided) == ["place stop-loss 10"]


def test_the_end_of_a_cycle_tells_the_money() -> None:
    ended = plan(desired(CLOSING), flat(CLOSED), NOON).actions[0]
    assert ended == EndCycle(
        part="000001",
        cycle=1,
        reason=ExitReason.CLOSED_BY_US,
        words=Reason("finish.closed_by_us"),
        realised_pnl=D(10),
        fees=D(-1),
        entered=contracts(10),
        average_entry=price(1000),
        average_exit=price(1010),
    )


def test_the_reason_is_told_in_words() -> None:
    assert because(plan(desired(CLOSING), held(), NOON), "close") == "closes 10 of 10 contracts at market, as asked"
    assert "finding out why" in because(plan(desired(CLOSING), held(held=7), NOON), "close")
