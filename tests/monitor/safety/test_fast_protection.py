"""A pushed fill without protection gets its stop and target before anything is read, once, and only where needed."""

from __future__ import annotations

from dataclasses import replace

from core.domain.action import Action, OutcomeKind, PlaceOco, StartCycle
from core.domain.order import OrderStatus
from core.monitor.fast_protection import Remembered
from tests.builders import (
    FACTS,
    NOON,
    PART,
    after,
    begun,
    command,
    contracts,
    desired,
    entry,
    intent,
    price,
    seen,
    ticker,
)

OTHER = "000002"
BARE = replace(FACTS, attaches_protection=False)


def placed(remembered: Remembered, level: object = 1000) -> list[Action | None]:
    return [decision.action for decision in remembered.first_aid(ticker(level), NOON)]


def sent() -> Remembered:
    """The last look, and an entry sent since whose fill has not been heard of."""
    look = seen(entry(0, status=OrderStatus.WORKING), commands=(command("op00000101E01"),), facts=BARE)
    return Remembered(desired(begun()), look)


def test_a_fill_is_protected_for_what_it_filled() -> None:
    (action,) = placed(sent().with_orders([entry(10, at=1000)]))
    assert isinstance(action, PlaceOco)
    assert (action.quantity, action.tp_trigger, action.sl_trigger) == (10, 1050, 900)


def test_nothing_is_placed_while_nothing_has_filled() -> None:
    assert placed(sent()) == []


def test_nothing_is_placed_where_protection_travels_with_the_entry() -> None:
    look = sent().with_orders([entry(10)])
    assert placed(Remembered(look.desired, replace(look.seen, facts=FACTS))) == []


def test_a_second_push_places_nothing_while_the_first_placement_has_no_answer() -> None:
    remembered = sent().with_orders([entry(4, status=OrderStatus.WORKING)])
    (action,) = placed(remembered)
    assert isinstance(action, PlaceOco)
    remembered = remembered.after([(action, OutcomeKind.UNKNOWN)], NOON).with_orders([entry(10)])
    assert placed(remembered) == []


def test_a_cycle_begun_since_the_look_is_remembered() -> None:
    """The size of the cycle is fixed by our own act, so the targets of a first part of the fill are right."""
    remembered = Remembered(desired(intent()), seen(facts=BARE))
    remembered = remembered.after([(StartCycle(PART, 1, contracts(10), price(1000)), OutcomeKind.DONE)], NOON)
    (action,) = placed(remembered.with_orders([entry(4, status=OrderStatus.WORKING)]))
    assert isinstance(action, PlaceOco)
    assert (action.quantity, action.tp_trigger, action.sl_trigger) == (4, 1050, 900)


def test_an_old_look_decides_nothing() -> None:
    remembered = sent().with_orders([entry(10)])
    assert remembered.first_aid(ticker(1000), after(11)) == []


def test_a_passed_stop_is_left_to_the_full_look() -> None:
    assert placed(sent().with_orders([entry(10, at=1000)]), level=850) == []


def test_what_a_push_is_about_is_decided_without_the_other_parts() -> None:
    """Two legs for each of many parts: the answer to one fill costs what one part costs."""
    legs = replace(BARE, native_oco=False, can_amend_triggers=False)
    look = seen(entry(0, status=OrderStatus.WORKING), entry(10, part=OTHER), held=10, facts=legs)
    remembered = Remembered(desired(begun(), begun(OTHER)), look).with_orders([entry(10, at=1000)])
    alone = remembered.about([PART])
    assert {intent.part for intent in alone.desired.intents} == {order.part for order in alone.seen.orders} == {PART}
    stop, target = placed(alone)
    assert isinstance(stop, PlaceOco)
    assert isinstance(target, PlaceOco)
    assert (stop.part, stop.quantity, stop.sl_trigger, stop.tp_trigger) == (PART, 10, 900, None)
    assert (target.part, target.quantity, target.tp_trigger) == (PART, 10, 1050)
    assert [action for action in placed(remembered) if action and action.part == PART] == [stop, target]
