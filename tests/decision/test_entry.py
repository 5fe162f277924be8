"""The rules *resolve* and *enter*, told as stories: long 1,000 USDT at market, price 1,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.action import Attached, OutcomeKind, PlaceOrder
from core.domain.instrument import TriggerBy
from core.domain.intent import ExecutionKind, ExecutionStyle, Intent, Limits, Target, Wanted
from core.domain.observation import Seen
from core.domain.order import OrderKind, OrderStatus
from core.domain.reason import text
from tests.builders import (
    COIN,
    FACTS,
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
    intent,
    oco,
    order,
    price,
    seen,
    ticker,
)

FULL = replace(FACTS, max_conditional=200)
AT_990 = ExecutionStyle(ExecutionKind.LIMIT, price(990), timedelta(seconds=90))
OTHER = "000002"


def unanswered(identity: str = "op00000101E01", **changes: Any) -> Any:
    return command(identity, **{"ago": 1, "outcome": OutcomeKind.UNKNOWN, **changes})


def limit(filled: object = 0, **changes: Any) -> Any:
    return entry(filled, kind=OrderKind.LIMIT, price=price(990), **changes)


@pytest.mark.parametrize(
    ("story", "asked", "look", "actions"),
    [
        ("asked for: fix the size, send the order", intent(), seen(), ["start cycle 1 of 9.9", "place entry 9.9"]),
        ("the size is fixed once", begun(), seen(), ["place entry 10"]),
        ("sent and no answer, so ask and send nothing", begun(), seen(commands=(unanswered(),)), []),
        ("a crash before the answer: the same", begun(), seen(commands=(unanswered(outcome=None),)), []),
        (
            "never arrived long ago: the same id again",
            begun(),
            seen(commands=(command("op00000101E01", outcome=OutcomeKind.LOST),)),
            ["place entry 10"],
        ),
        (
            "never arrived just now: a short pause",
            begun(),
            seen(commands=(command("op00000101E01", ago=0.5, outcome=OutcomeKind.LOST),)),
            [],
        ),
        ("it is filling: wait", begun(), seen(entry(0)), []),
        (
            "cut short: what is missing is ordered again",
            begun(),
            seen(entry(4, status=OrderStatus.CANCELED), oco(4), held=4),
            ["place entry 6"],
        ),
        ("entered and guarded: done", begun(), seen(entry(), oco(), held=10), []),
        (
            "an exit has begun: nothing is added",
            begun(),
            seen(entry(4, status=OrderStatus.CANCELED), oco(3), order("op00000101C01", 1, filled=1), held=3),
            ["execution over entry 4"],
        ),
        ("an older order of ours still rests: it goes first", intent(cycle=2), seen(oco()), ["cancel P01"]),
        ("a limit entry is placed", begun(entry=AT_990), seen(), ["place entry 10 at 990"]),
        ("it rests", begun(entry=AT_990), seen(limit()), []),
        (
            "its time is over: withdraw it",
            begun(entry=AT_990, cycle_started_at=after(-91)),
            seen(limit()),
            ["cancel E01"],
        ),
        (
            "a person took the limit entry away: not again",
            begun(entry=AT_990),
            seen(limit(4, status=OrderStatus.CANCELED), oco(4), held=4),
            ["execution over entry 4"],
        ),
        (
            "the exchange refused it: not entered",
            begun(),
            seen(commands=(command("op00000101E01", outcome=OutcomeKind.REFUSED, words="no margin"),)),
            ["end cycle 1: not_entered"],
        ),
        (
            "the stop is passed before it began: not entered",
            begun(stop_loss=Target(price=price(1001))),
            seen(),
            [
                "end cycle 1: not_entered",
            ],
        ),
        (
            "the target is passed before it began: not entered",
            begun(take_profit=Target(price=price(999))),
            seen(),
            [
                "end cycle 1: not_entered",
            ],
        ),
        (
            "too little money for the smallest order: not entered",
            intent(position_value=D(5)),
            seen(),
            [
                "start cycle 1 of 0",
            ],
        ),
        (
            "and then it is over",
            begun(position_value=D(5), contracts=contracts(0)),
            seen(),
            ["end cycle 1: not_entered"],
        ),
        ("closed before it was entered", begun(wanted=Wanted.CLOSED), seen(), ["end cycle 1: not_entered"]),
        (
            "closed while its limit rests: withdraw first",
            begun(entry=AT_990, wanted=Wanted.CLOSED),
            seen(limit()),
            [
                "cancel E01",
            ],
        ),
    ],
)
def test_enter(story: str, asked: Intent, look: Seen, actions: Sequence[str]) -> None:
    assert in_words(plan(desired(asked), look, NOON)) == list(actions), story


@pytest.mark.parametrize(
    ("story", "look", "level", "limits", "words"),
    [
        ("the level", seen(), Level.NO_NEW_ENTRIES, None, "the level is no new entries"),
        ("the level", seen(), Level.REDUCE_ONLY, None, "the level is reduce only"),
        ("maintenance", seen(healthy=False), Level.RUN, None, "not healthy"),
        ("one-way mode", seen(other_side=text("it holds short")), Level.RUN, None, "it holds short; both sides"),
        ("200 legs rest", seen(facts=FULL, conditional_orders=199), Level.RUN, None, "199 of at most 200 conditional"),
        ("suspended", seen(instrument=replace(COIN, tradable=False)), Level.RUN, None, "cannot be traded now"),
        ("no price", seen(ticker=None), Level.RUN, None, "no fresh price"),
        ("an old price", seen(ticker=ticker(1000, at=after(-11))), Level.RUN, None, "no fresh price"),
        ("an order vanished", seen(settled=False), Level.RUN, None, "smaller than our parts"),
        ("balance unknown", seen(available=None), Level.RUN, None, "free balance is not known"),
        ("no money", seen(available=D(50)), Level.RUN, None, "needs 100.55 USDT of margin and fee: 50.00 USDT is free"),
        ("too large", seen(), Level.RUN, Limits(max_order_value=D(999)), "above your limit: 999.00 USDT at most"),
        ("too small", seen(), Level.RUN, Limits(min_order_value=D(1001)), "below your limit: 1,001.00 USDT at least"),
        ("leverage", seen(), Level.RUN, Limits(max_leverage=D(5)), "leverage 10 is out of range: 1 to 5 is allowed"),
        (
            "more than one trade may lose of the equity",
            seen(equity=D(300)),
            Level.RUN,
            None,
            "stop-loss would lose 100.95 USDT with fees: one trade may lose 90.00 USDT at most",
        ),
        ("and in USDT", seen(), Level.RUN, Limits(risk_per_trade_cap=D(100)), "one trade may lose 100.00 USDT at most"),
        ("a thin book", seen(ticker=ticker(1000, spread=200)), Level.RUN, None, "10.0 % away from the mark"),
    ],
)
def test_why_nothing_is_opened(story: str, look: Seen, level: Level, limits: Limits | None, words: str) -> None:
    decided = plan(desired(begun(), level=level, limits=limits), look, NOON)
    assert in_words(decided) == [], story
    assert words in because(decided, "enter"), story


def test_an_unanswered_command_of_one_part_does_not_hold_up_another() -> None:
    look = seen(commands=(unanswered(),))
    assert in_words(plan(desired(begun(), begun(OTHER)), look, NOON)) == ["place entry 10"]


@pytest.mark.parametrize(
    ("story", "rest", "elsewhere", "actions"),
    [
        ("room for one pair: the first", 198, 0, ["place entry 10"]),
        ("room for two", 196, 0, ["place entry 10", "place entry 10"]),
        ("room that another position needs", 194, 4, ["place entry 10"]),
        ("room for none", 199, 0, []),
    ],
)
def test_signals_together_enter_as_far_as_their_legs_find_room(
    story: str, rest: int, elsewhere: int, actions: list[str]
) -> None:
    look = seen(facts=FULL, conditional_orders=rest, legs_elsewhere=elsewhere)
    assert in_words(plan(desired(begun(), begun(OTHER)), look, NOON)) == actions, story


def test_room_is_kept_for_the_legs_of_what_is_held_without_any() -> None:
    look = seen(entry(part=OTHER), held=10, facts=FULL, conditional_orders=197)
    assert "place entry 10" not in in_words(plan(desired(begun(), begun(OTHER)), look, NOON))


def test_nobody_enters_while_another_part_has_two_protections() -> None:
    look = seen(entry(), oco(), oco(name="P02"), held=10)
    decided = plan(desired(begun(), begun(OTHER)), look, NOON)
    assert in_words(decided) == ["cancel P02"]
    assert "two protections" in because(decided, "enter")


def test_an_entry_that_ends_is_not_placed_in_the_same_plan() -> None:
    decided = plan(desired(begun(stop_loss=Target(price=price(1001)))), seen(), NOON)
    assert not [action for action in decided.actions if isinstance(action, PlaceOrder)]


def test_an_entry_carries_its_protection_and_leverage() -> None:
    placed = plan(desired(begun()), seen(), NOON).actions[0]
    assert isinstance(placed, PlaceOrder)
    assert placed.leverage == 10
    assert placed.attached == Attached("op00000101N01", price("1050.5"), price("900.5"), TriggerBy.MARK)
    bare = plan(desired(begun()), seen(facts=replace(FACTS, attaches_protection=False)), NOON).actions[0]
    assert isinstance(bare, PlaceOrder)
    assert bare.attached is None


def test_a_large_entry_goes_in_slices() -> None:
    look = seen(instrument=replace(COIN, max_market_quantity=contracts(4)))
    assert in_words(plan(desired(begun()), look, NOON)) == ["place entry 4"]


def test_every_unanswered_command_is_named() -> None:
    decided = plan(desired(begun()), seen(commands=(unanswered(),)), NOON)
    assert because(decided, "resolve") == "op00000101E01 was sent 1.0 s ago and has no answer; asking under its id"
    assert decided.look_again == timedelta(seconds=1)
