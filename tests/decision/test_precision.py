"""Sizes and prices that the contract's own rules refuse: computed anew once, then shown to a person, never hammered."""

from __future__ import annotations

from dataclasses import replace

from core.decision.plan import plan
from core.domain.action import Command, OutcomeKind
from tests.builders import (
    COIN,
    NOON,
    OFF_GRID,
    D,
    because,
    begun,
    command,
    contracts,
    desired,
    entry,
    in_words,
    net,
    seen,
)


def refused(number: int, ago: float, code: str = OFF_GRID, quantity: object = 10) -> Command:
    words = "Order quantity must be a multiple of the lot size."
    return command(f"op00000101P{number:02}", quantity, ago=ago, outcome=OutcomeKind.REFUSED, code=code, words=words)


def test_after_the_first_refusal_it_is_computed_anew_with_the_rules_of_now() -> None:
    coarse = replace(COIN, price_tick=D(7), quantity_step=D(3), min_quantity=contracts(3))
    look = seen(entry(), held=10, commands=(refused(1, ago=6),), instrument=coarse)
    assert in_words(plan(desired(begun()), look, NOON)) == ["alarm protection-refused", "place oco 9 tp 1050 sl 903"]


def test_within_the_debounce_it_waits() -> None:
    look = seen(entry(), held=10, commands=(refused(1, ago=1),))
    assert in_words(plan(desired(begun()), look, NOON)) == []


def test_after_the_second_it_is_shown_and_not_sent_again() -> None:
    look = seen(entry(), held=10, commands=(refused(1, ago=20), refused(2, ago=14)))
    decided = plan(desired(begun()), look, NOON)
    assert in_words(decided) == ["alarm protection-refused"]
    assert "it needs a person" in because(decided, "protect")


def test_another_size_is_another_question() -> None:
    look = seen(entry(), held=10, commands=(refused(1, 20, quantity=9), refused(2, 14, quantity=9)))
    assert "place oco 10 tp 1050 sl 900" in in_words(plan(desired(begun()), look, NOON))


def test_another_refusal_is_tried_again() -> None:
    look = seen(entry(), held=10, commands=(refused(1, 20, "50000"), refused(2, 14, "50000")))
    assert "place oco 10 tp 1050 sl 900" in in_words(plan(desired(begun()), look, NOON))


def test_it_is_asked_once_more_after_five_minutes_because_bare_is_worse() -> None:
    look = seen(entry(), held=10, commands=(refused(1, 320), refused(2, 310)))
    assert "place oco 10 tp 1050 sl 900" in in_words(plan(desired(begun()), look, NOON))


def test_what_rests_already_is_not_exchanged_a_third_time_either() -> None:
    look = seen(entry(), net(), held=10, commands=(refused(1, ago=20), refused(2, ago=14)))
    decided = plan(desired(begun()), look, NOON)
    assert in_words(decided) == []
    assert "refused again: Order quantity must be" in because(decided, "protect")


# -- partial closes below the exchange's smallest order ---------------------------------------------------------

COARSE = replace(COIN, min_quantity=contracts(2))


def test_what_a_partial_close_would_leave_below_the_minimum_is_closed_along() -> None:
    look = seen(entry(), held=10, instrument=COARSE)
    decided = plan(desired(begun(reduce_to=contracts(1))), look, NOON)
    assert "place close 10" in in_words(decided)
    assert "with them the last 1: fewer than the exchange's smallest order" in because(decided, "close")


def test_a_partial_close_below_the_minimum_is_skipped_with_the_reason() -> None:
    look = seen(entry(), held=10, instrument=COARSE)
    decided = plan(desired(begun(reduce_to=contracts(9))), look, NOON)
    assert "reduction done" in in_words(decided)
    assert "the last 1 are fewer than the exchange's smallest order of 2" in because(decided, "close")
