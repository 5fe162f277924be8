"""The steps of a cycle told from its facts: each with what was held and what rested before and after."""

from __future__ import annotations

from itertools import permutations

from core.domain.action import AmendOrder, CancelOrder, describe
from core.domain.history.holding import (
    Edit,
    Holding,
    ProtectionLevels,
    StepKind,
    levels_of,
    moved_by_hand,
    steps,
)
from core.domain.intent import ExitReason, ExternalEntry, ExternalExit
from core.domain.order import Leg, OrderKind, OrderStatus
from tests.builders import D, after, contracts, order, price

DONE = {"status": OrderStatus.FILLED}
ENTRY = order("op00000101E01", 10, filled=10, at=1000, fee=D("-5"), updated_at=after(0), **DONE)
RECOVERY = order("op00000101R01", 5, filled=5, at=940, fee=D("-2.35"), updated_at=after(60), **DONE)
TARGET = order(
    "op00000101P01", 15, filled=15, at=1020, kind=OrderKind.OCO, triggered_leg=Leg.TAKE_PROFIT, fee=D("-7.65"),
    updated_at=after(120), **DONE,
)  # fmt: skip
NET = ProtectionLevels(after(-1), "op00000101N01", (price(1050), price(900)))
OCO = ProtectionLevels(after(1), "op00000101P01", (price(1050), price(900)))
RAISED = ProtectionLevels(after(61), "op00000101P01", (price(1014), price(914)), (price(1050), price(900)))


def told(*facts, **more):
    return [(step.kind, step.quantity, step.before, step.after) for step in steps(*facts, **more)]


def held(size, average, tp, sl):
    return Holding(contracts(size), price(average), price(tp), price(sl))


def test_a_cycle_with_one_recovery_before_and_after():
    whole = held(15, 980, 1014, 914)
    assert told([ENTRY, RECOVERY, TARGET], levels=[NET, OCO, RAISED]) == [
        (StepKind.ENTRY, 10, Holding(), held(10, 1000, 1050, 900)),
        (StepKind.RECOVERY, 5, held(10, 1000, 1050, 900), whole),
        (StepKind.EXIT, -15, whole, held(0, 980, 1014, 914)),
    ]


def test_facts_in_any_order_tell_the_same():
    first = steps([ENTRY, RECOVERY, TARGET], levels=[NET, OCO, RAISED])
    for orders in permutations([ENTRY, RECOVERY, TARGET]):
        assert steps(orders, levels=[RAISED, NET, OCO]) == first


def test_what_recovery_brings_along_for_itself_is_not_taken_for_the_whole():
    own = ProtectionLevels(after(59), "op00000101N101", (price(1100), price(800)), whole=False)
    assert steps([ENTRY, RECOVERY], levels=[OCO, own])[1].after == held(15, 980, 1050, 900)


def test_an_edit_and_a_partial_close():
    part_closed = order("op00000101C01", 4, filled=4, at=1010, updated_at=after(40), **DONE)
    moved = ProtectionLevels(after(31), "op00000101P01", (price(1100), price(950)), (price(1050), price(900)))
    edit, close = steps([ENTRY, part_closed], levels=[OCO, moved], edits=[Edit(after(30), "TP at 1100")])[1:]
    assert (edit.kind, edit.quantity, edit.words) == (StepKind.EDIT, 0, "TP at 1100")
    assert (edit.before, edit.after) == (held(10, 1000, 1050, 900), held(10, 1000, 1100, 950))
    assert (close.kind, close.quantity, close.after.size) == (StepKind.REDUCTION, -4, 6)


def test_closed_from_outside_and_taken_over_from_outside():
    taken = ExternalEntry(contracts(10), price(900), after(20), "x")
    gone = ExternalExit(contracts(20), price(1000), D("-1"), ExitReason.CLOSED_BY_HAND, after(50), "f1")
    over, out = steps([ENTRY], [gone], entries=[taken])[1:]
    assert (over.kind, over.after.size, over.after.average) == (StepKind.TAKEN_OVER, 20, 950)
    assert (out.kind, out.price, out.fee, out.words) == (StepKind.EXIT, 1000, D("-1"), "closed_by_hand")


def test_a_hand_at_the_exchange_is_a_step_of_its_own():
    put_back = ProtectionLevels(after(30), "op00000101P01", (price(1050), price(900)), (price(1050), price(850)))
    hand = steps([ENTRY], levels=[OCO, put_back])[1]
    assert (hand.kind, hand.before.stop_loss, hand.after.stop_loss) == (StepKind.BY_HAND, 900, 850)
    assert moved_by_hand([OCO, put_back]) == put_back


def test_an_amendment_without_an_answer_is_no_strange_hand():
    unheard = ProtectionLevels(
        after(20), "op00000101P01", (price(1060), price(900)), (price(1050), price(900)), certain=False
    )
    again = ProtectionLevels(after(30), "op00000101P01", (price(1070), price(900)), (price(1060), price(900)))
    assert moved_by_hand([OCO, unheard, again]) is None


def test_nothing_filled_has_no_steps():
    assert steps([order("op00000101E01", 10, status=OrderStatus.CANCELED)], levels=[NET]) == ()


def test_the_levels_of_an_amendment_are_those_of_its_values():
    oco = order("op00000101P01", 10, kind=OrderKind.OCO, tp_trigger=price("1050.50"), sl_trigger=None)
    amended = describe(AmendOrder("000001", oco, quantity=contracts(6), tp_trigger=price(1100)))
    assert levels_of(after(0), amended, certain=True) == ProtectionLevels(
        after(0), "op00000101P01", (price(1100), None), (price("1050.5"), None)
    )
    limit = order("op00000101E01", 10)
    assert levels_of(after(0), describe(AmendOrder("000001", limit, price=price(1))), certain=True) is None
    assert levels_of(after(0), describe(CancelOrder("000001", oco)), certain=True) is None
