"""Executions piece by piece, told as stories: what an entry, a recovery step and a close become under `plan`.

What a style wants by itself is told in tests/execution; here is what the rules around it make of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.decision.executions import under_way
from core.decision.plan import plan
from core.decision.view import View
from core.domain.account import Level
from core.domain.action import ExecutionOver, OutcomeKind, PlaceOrder, StartStep
from core.domain.intent import (
    Adding,
    AtEnd,
    Closing,
    ExecutionKind,
    ExecutionStyle,
    Instruction,
    Intent,
    Recovery,
    Wanted,
)
from core.domain.observation import Seen
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.part import Part
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
    oco,
    order,
    price,
    seen,
    ticker,
)

TWAP = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=100), slices=10)
ICEBERG = ExecutionStyle(ExecutionKind.ICEBERG, visible=D("0.2"), refresh=timedelta(seconds=30))
LOSING = Recovery(D(-20), D(2000), D(50), D(100), style=TWAP)


def slow(intent: Intent | None = None, **changes: Any) -> Intent:
    """Ten contracts by TWAP, begun at noon."""
    return (intent or begun()).but(**{"entry": TWAP, "cycle_started_at": NOON, **changes})


def slices(number: int) -> list[Order]:
    return [
        order(f"op00000101E{n:02}", 1, filled=1, created_at=after(0), updated_at=after(0)) for n in range(1, number + 1)
    ]


def sent(number: int, purpose: str = "E", ago: float = 0) -> tuple[Any, ...]:
    return tuple(command(f"op00000101{purpose}{n:02}", 1, ago=ago) for n in range(1, number + 1))


def pieces(number: int, step: int = 1, filled: object = 1) -> list[Order]:
    names = (f"op00000101R{step * 100_000 + n}" for n in range(1, number + 1))
    return [order(name, 1, filled=filled, at=900, created_at=after(0), updated_at=after(0)) for name in names]


# -- entry ----------------------------------------------------------------------------------------------------


def test_a_slice_is_sent_when_it_is_due_and_not_before() -> None:
    first = plan(desired(slow()), seen(), NOON)
    assert in_words(first) == ["place entry 1"]
    (placed,) = first.actions
    assert isinstance(placed, PlaceOrder)
    assert placed.reference == price("1000.5"), "the arrival price: what the first slice would have paid"
    look = seen(*slices(1), oco(1), held=1, commands=sent(1))
    waiting = plan(desired(slow()), look, after(1))
    assert not waiting.actions
    assert waiting.look_again is not None
    assert waiting.look_again <= timedelta(seconds=9)
    later = seen(*slices(1), oco(1), held=1, commands=sent(1, ago=0), as_of=after(10))
    assert in_words(plan(desired(slow()), later, after(10))) == ["place entry 1"]


def test_the_stop_lies_where_the_whole_entry_wants_it_while_it_is_entered() -> None:
    one = Part.fold(slow(), COIN, slices(1))
    assert (one.take_profit_price(), one.stop_price()) == (price(1050), price(900))


def test_an_entry_that_ended_short_is_the_whole_from_then_on() -> None:
    look = seen(*slices(4), oco(4, 1050, 900), held=4, commands=sent(4), as_of=after(101))
    decided = plan(desired(slow()), look, after(101))
    assert ExecutionOver("000001", 1, Purpose.ENTRY, contracts(4)) in decided.actions
    settled = Part.fold(slow(contracts=contracts(4)), COIN, slices(4))
    assert (settled.take_profit_price(), settled.stop_price()) == (price(1125), price(750))
    after_that = plan(desired(slow(contracts=contracts(4))), seen(*look.orders, held=4, commands=sent(4)), after(101))
    assert "execution over" not in " ".join(in_words(after_that))


def test_the_rest_of_an_entry_is_taken_back_or_hurried() -> None:
    look = seen(*slices(2), oco(2, 1050, 900), held=2, commands=sent(2), ticker=ticker(at=after(15)))
    back = plan(desired(slow(told=Instruction("1E", finish=False))), look, after(15))
    assert in_words(back) == ["execution over entry 2"]
    now = plan(desired(slow(told=Instruction("1E", finish=True))), look, after(15))
    assert in_words(now) == ["place entry 8"]
    of_another_cycle = plan(desired(slow(told=Instruction("7E", finish=True))), look, after(15))
    assert in_words(of_another_cycle) != ["place entry 8"]


def test_a_slice_waits_for_the_answer_to_the_one_before() -> None:
    lost = (*sent(1), command("op00000101E02", 1, ago=0, outcome=None))
    look = seen(*slices(1), oco(1, 1050, 900), held=1, commands=lost, as_of=after(10))
    assert not plan(desired(slow()), look, after(10)).actions


def test_slices_beyond_ninety_nine_keep_their_order() -> None:
    many = Part.fold(slow(), COIN, [order(f"op00000101E{n:02}", 1, filled=1) for n in (100, 2, 99, 1)])
    assert [one.client_order_id[-3:] for one in many.entries] == ["E01", "E02", "E99", "100"]


# -- recovery -------------------------------------------------------------------------------------------------


def losing(intent: Intent, *orders: Order, held: object = 10, **changes: Any) -> tuple[Intent, Seen]:
    return intent, seen(entry(), oco(held), *orders, **{"held": held, "mark": 900.5, **changes})


def test_a_step_by_twap_fixes_its_size_and_begins() -> None:
    asked, look = losing(begun(recovery=LOSING))
    decided = plan(desired(asked), look, NOON)
    step, placed = decided.actions
    assert step == StartStep("000001", 1, 1, contracts("22.1"))
    assert isinstance(placed, PlaceOrder)
    assert placed.client_order_id == "op00000101R100001"
    assert placed.quantity < contracts(22)


def test_a_step_that_brought_nothing_and_is_begun_again_does_not_end_by_what_was_before() -> None:
    rule = Recovery(D(-20), D(2000), D(50), D(100), style=ICEBERG)
    gone = order("op00000101R100001", 4, kind=OrderKind.LIMIT, price=price(900), status=OrderStatus.CANCELED)
    before = command("op00000101R100001", 4, ago=60)
    asked, look = losing(begun(recovery=rule, adding=Adding(1, contracts(20), after(-1))), gone, commands=(before,))
    (placed,) = plan(desired(asked), look, NOON).actions
    assert isinstance(placed, PlaceOrder)
    assert (placed.client_order_id, placed.quantity) == ("op00000101R100002", contracts(4))


def test_pieces_are_one_step_and_the_next_is_numbered_behind_them() -> None:
    adding = Adding(1, contracts(3), NOON)
    part = Part.fold(begun(recovery=LOSING, adding=adding), COIN, [entry(), *pieces(3)])
    assert len(part.steps) == 1
    done, look = losing(part.intent, *pieces(3), held=13)
    assert in_words(plan(desired(done), look, NOON))[-1] == "execution over recovery 3"
    at_market = begun(recovery=Recovery(D(-20), D(2000), D(50), D(100)))
    commands = [command(one.client_order_id, 1, ago=60) for one in pieces(3)]
    guarded = oco(13, 980, 970)
    look = seen(entry(), *pieces(3), guarded, held=13, mark=900, commands=tuple(commands))
    names = [a.client_order_id for a in plan(desired(at_market), look, NOON).actions if isinstance(a, PlaceOrder)]
    assert all(name.endswith("R200001") for name in names)


def test_a_step_under_way_gives_way_to_a_close() -> None:
    adding = Adding(1, contracts(9), NOON)
    asked = begun(recovery=LOSING, adding=adding, reduce_to=contracts(5))
    resting = order("op00000101R100001", 1, kind=OrderKind.LIMIT, price=price(899))
    look = losing(asked, resting)[1]
    assert "cancel R100001" in in_words(plan(desired(asked), look, NOON))


def test_a_step_is_not_gone_on_with_where_nothing_may_be_added() -> None:
    adding = Adding(1, contracts(9), NOON)
    asked, look = losing(begun(recovery=LOSING, adding=adding))
    quiet = plan(desired(asked, level=Level.NO_ADDED_RISK), look, NOON)
    assert not [action for action in quiet.actions if isinstance(action, PlaceOrder)]
    assert "goes on later: the level is" in because(quiet, "recover")


# -- close ----------------------------------------------------------------------------------------------------


def closing(style: ExecutionStyle, **changes: Any) -> Intent:
    return begun(**{"wanted": Wanted.CLOSED, "closing": Closing(style, NOON), **changes})


def resting_close(filled: object = 0, **changes: Any) -> Order:
    facts: dict[str, Any] = {"kind": OrderKind.LIMIT, "price": price("1000.5"), "at": 1000.5}
    return order(
        "op00000101C01", 2, filled=filled, **{**facts, "created_at": after(0), "updated_at": after(0), **changes}
    )


CLOSE_SENT = (command("op00000101C01", 2, ago=0, kind=OrderKind.LIMIT),)


def test_an_iceberg_close_shows_a_part_of_it_and_the_stop_stays() -> None:
    decided = plan(desired(closing(ICEBERG)), seen(entry(), oco(), held=10), NOON)
    assert in_words(decided) == ["place close 2 at 1000.5"]
    (placed,) = decided.actions
    assert isinstance(placed, PlaceOrder)
    assert placed.reduce_only


def test_protection_follows_what_a_resting_close_has_filled() -> None:
    partial = closing(ICEBERG, wanted=Wanted.OPEN, reduce_to=contracts(4))
    look = seen(entry(), oco(), resting_close(filled=1), held=9, commands=CLOSE_SENT)
    assert in_words(plan(desired(partial), look, after(1))) == ["amend P01 to 9"]


def test_a_close_that_is_taken_back_leaves_nothing_resting() -> None:
    look = seen(entry(), oco(), resting_close(), held=10, commands=CLOSE_SENT)
    assert in_words(plan(desired(begun()), look, after(1))) == ["cancel C01"]


def test_flatten_and_hurry_do_not_wait_for_a_limit() -> None:
    look = seen(entry(), oco(), resting_close(), held=10, commands=CLOSE_SENT)
    for asked, level in (
        (closing(ICEBERG), Level.FLATTEN),
        (closing(ICEBERG, told=Instruction("1C", True)), Level.RUN),
    ):
        assert in_words(plan(desired(asked, level=level), look, after(1))) == ["cancel C01"]
        gone = resting_close(status=OrderStatus.CANCELED)
        then = seen(entry(), oco(), gone, held=10, commands=CLOSE_SENT)
        assert in_words(plan(desired(asked, level=level), then, after(1))) == ["place close 10"]


def test_what_a_style_leaves_over_is_closed_at_market() -> None:
    style = ExecutionStyle(ExecutionKind.LIMIT, price(1200), timedelta(seconds=5), AtEnd.STOP)
    gone = resting_close(status=OrderStatus.CANCELED, updated_at=after(5))
    look = seen(entry(), oco(), gone, held=10, commands=CLOSE_SENT, as_of=after(6))
    assert in_words(plan(desired(closing(style)), look, after(6))) == ["place close 10"]


def test_a_stop_that_was_passed_takes_the_resting_close_away_before_it_closes_at_market() -> None:
    look = seen(entry(), resting_close(), held=10, mark=880, commands=CLOSE_SENT)
    asked = begun(reduce_to=contracts(4), closing=Closing(ICEBERG, NOON))
    decided = plan(desired(asked), look, after(1))
    assert "cancel C01" in in_words(decided)
    assert not [action for action in decided.actions if isinstance(action, PlaceOrder)]


def test_a_close_asked_for_again_counts_only_its_own_orders() -> None:
    asked = closing(ICEBERG, closing=Closing(ICEBERG, after(30)))
    look = seen(entry(), oco(8), resting_close(filled=2), held=8, commands=CLOSE_SENT)
    view = View.of(desired(asked), look, after(31))
    (run,) = under_way(view.parts[0], view)
    assert (run.run.progress.planned, run.run.progress.filled) == (contracts(8), contracts(0))


@pytest.mark.parametrize("outcome", [OutcomeKind.REFUSED, OutcomeKind.LOST])
def test_a_refused_slice_is_not_sent_twice_in_one_breath(outcome: OutcomeKind) -> None:
    said = (*sent(1, ago=0), command("op00000101E02", 1, ago=-10, outcome=outcome, words="no margin"))
    look = seen(*slices(1), oco(1, 1050, 900), held=1, commands=said, as_of=after(10.2))
    assert not plan(desired(slow()), look, after(10.2)).actions


def test_a_stop_that_the_exchange_refused_when_it_was_set_off_is_carried_out_at_market() -> None:
    """A resting close holds the contracts that the stop wants to sell (Binance: Reduce Only reject)."""
    leg = oco(10, None, 900, status=OrderStatus.REFUSED, triggered_leg=Leg.STOP_LOSS, failure="Reduce Only reject")
    look = seen(entry(), leg, resting_close(), held=10, mark=880, commands=CLOSE_SENT)
    assert in_words(plan(desired(closing(ICEBERG)), look, after(1))) == ["cancel C01"]
    gone = resting_close(status=OrderStatus.CANCELED)
    then = seen(entry(), leg, gone, held=10, mark=880, commands=CLOSE_SENT)
    assert in_words(plan(desired(closing(ICEBERG)), then, after(1))) == ["place stop-loss 10"]


@pytest.mark.parametrize("done", [0, 1], ids=["nothing had filled", "some had filled"])
def test_a_step_taken_back_by_hand_is_not_begun_again_in_the_same_cycle(done: int) -> None:
    asked = begun(recovery=LOSING, told=Instruction("1R1", finish=False))
    look = seen(entry(), *pieces(done), oco(10 + done), held=10 + done, mark=950)
    decided = plan(desired(asked), look, NOON)
    assert not [a for a in decided.actions if isinstance(a, StartStep | PlaceOrder)]
    assert "was taken back by hand" in because(decided, "recover")
    assert any(isinstance(a, StartStep) for a in plan(desired(asked.but(told=None)), look, NOON).actions) is (done == 0)


# -- an entry that is left ------------------------------------------------------------------------------------

RESTS = ExecutionStyle(ExecutionKind.LIMIT, price(990), timedelta(seconds=90))
HALF_IN = entry(4, kind=OrderKind.LIMIT, price=price(990))  #: four of ten are in, six rest
SOLD = order("op00000101C01", 1, filled=1)


def test_what_rests_of_an_entry_goes_once_something_of_it_was_closed() -> None:
    late = begun(entry=RESTS, cycle_started_at=after(-3600))
    look = seen(HALF_IN, SOLD, oco(3), held=3)
    assert "cancel E01" in in_words(plan(desired(late), look, NOON))
    gone = seen(HALF_IN.but(status=OrderStatus.CANCELED), SOLD, oco(3), held=3)
    assert "execution over entry 4" in in_words(plan(desired(late), gone, NOON))


def test_a_partial_close_that_is_asked_for_ends_the_entry() -> None:
    resting = seen(HALF_IN, oco(4), held=4)
    asked = begun(entry=RESTS, reduce_to=contracts(3))
    assert "cancel E01" in in_words(plan(desired(asked), resting, NOON))
    assert "place entry 1" not in in_words(plan(desired(slow(reduce_to=contracts(1))), seen(*slices(2), oco(2), held=2,
        commands=sent(2), ticker=ticker(at=after(20))), after(20)))  # fmt: skip


def test_an_entry_is_withdrawn_at_its_time_whatever_has_no_answer() -> None:
    asked = begun(entry=RESTS, cycle_started_at=after(-91))
    unknown = (command("op00000101P02", 4, ago=2, outcome=OutcomeKind.UNKNOWN),)
    for level, intent in ((Level.RUN, asked), (Level.REDUCE_ONLY, begun(entry=RESTS))):
        decided = plan(desired(intent, level=level), seen(HALF_IN, oco(4), held=4, commands=unknown), NOON)
        assert in_words(decided) == ["cancel E01"]


def test_targets_stay_while_a_limit_order_moves_with_the_price() -> None:
    """Withdrawn to be placed anew, nothing works for a moment; the part wants the same levels."""
    moving = begun(entry=ExecutionStyle(ExecutionKind.LIMIT, price(990), reprice=timedelta(seconds=5)))
    gone = HALF_IN.but(status=OrderStatus.CANCELED, updated_at=after(-1))
    look = seen(gone, oco(4), held=4, commands=(command("op00000101E01", kind=OrderKind.LIMIT, ago=60),))
    assert in_words(plan(desired(moving), look, NOON)) == ["place entry 6 at 999.5"]


# -- a recovery step that is left -----------------------------------------------------------------------------

WORKED = Adding(1, contracts(9), NOON)
RESTING = order("op00000101R100001", 1, kind=OrderKind.LIMIT, price=price(899))


@pytest.mark.parametrize(
    ("story", "changes"),
    [
        ("it is to be closed", {"wanted": Wanted.CLOSED}),
        ("and at a limit", {"wanted": Wanted.CLOSED, "closing": Closing(ICEBERG, NOON)}),
        ("recovery was switched off", {"recovery": None}),
        ("it has lost as much as recovery may", {"recovery": replace(LOSING, max_loss=D(99))}),
    ],
)
def test_a_step_under_way_ends_with_what_it_was_for(story: str, changes: dict[str, Any]) -> None:
    asked, look = losing(begun(**{"recovery": LOSING, "adding": WORKED, **changes}), RESTING)
    assert in_words(plan(desired(asked), look, NOON)).count("cancel R100001") == 1, story
    gone = losing(asked, RESTING.but(status=OrderStatus.CANCELED))[1]
    assert "execution over recovery 0" in in_words(plan(desired(asked), gone, NOON)), story


def test_a_step_under_way_waits_while_its_stop_belongs_where_the_price_has_been() -> None:
    """After its first piece the stop belongs nearer, and is passed at once: the old one stays, nothing is added."""
    asked = begun(recovery=replace(LOSING, sl_usdt=D(10)), adding=WORKED)
    now, guarded = after(20), oco(11, "1036.5", 900)
    look = seen(entry(), *pieces(1), guarded, held=11, mark=950, ticker=ticker(950, at=now), as_of=now)
    decided = plan(desired(asked), look, after(20))
    assert not [action for action in decided.actions if isinstance(action, PlaceOrder)]
    assert "goes on later: its stop-loss belongs at 982, which is passed already" in because(decided, "recover")


def test_a_step_below_the_smallest_value_is_not_begun() -> None:
    for style in (TWAP, ExecutionStyle()):
        rule = Recovery(D(-20), D(149), D(50), D(100), style=style)
        asked, look = losing(begun(recovery=rule), instrument=replace(COIN, min_notional=D(150)))
        decided = plan(desired(asked), look, NOON)
        assert not decided.actions
        assert "149 USDT is less than the smallest order of 153.17 USDT" in because(decided, "recover")
