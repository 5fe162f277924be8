"""Take-profit and stop-loss as two orders of their own, where the exchange has no OCO: told as stories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.decision.view import View
from core.domain.account import Level
from core.domain.action import Command, Decision, OutcomeKind, PlaceOco, Plan, Rule
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind, Division
from core.domain.intent import ExitReason, Intent, Unguarded, Wanted, WhenRefused
from core.domain.observation import Seen
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.part import Part
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
    fill,
    in_words,
    oco,
    order,
    seen,
    ticker,
)

OTHER = "000002"
LEGS = replace(FACTS, native_oco=False, can_amend_triggers=False, attaches_protection=False)
REFUSES = replace(LEGS, stop_passed_codes=frozenset({"-2021"}), target_passed_codes=frozenset({"-2021"}))


def stop(quantity: object = 10, sl: object = 900, *, name: str = "S01", **changes: Any) -> Order:
    return oco(quantity, None, sl, name=name, **{"dies_with_position": False, **changes})


def target(quantity: object = 10, tp: object = 1050, *, name: str = "T01", **changes: Any) -> Order:
    return oco(quantity, tp, None, name=name, **{"dies_with_position": False, **changes})


def filled(leg: Order, at: object, quantity: object = 10) -> Order:
    """The same leg set off and carried out."""
    which = Leg.STOP_LOSS if leg.sl_trigger is not None else Leg.TAKE_PROFIT
    done = {"status": OrderStatus.FILLED, "filled": contracts(quantity), "average_price": D(at)}
    return leg.but(**done, triggered_leg=which, updated_at=after(-2))


def look(*orders: Order, **changes: Any) -> Seen:
    return seen(*orders, **{"held": 10, "facts": LEGS, **changes})


def leg_command(identity: str, *, quantity: object = 10, ago: float = 60, **changes: Any) -> Command:
    return command(identity, quantity, **{"kind": OrderKind.CONDITIONAL, "ago": ago, **changes})


def refused(number: int, *, ago: float, code: str = "-1", **changes: Any) -> Command:
    words = {"outcome": OutcomeKind.REFUSED, "code": code, "words": "no", **changes}
    return leg_command(f"op00000101S{number:02}", ago=ago, **words)


BOTH = (stop(), target())


@pytest.mark.parametrize(
    ("story", "asked", "seen_now", "actions"),
    [
        ("bare: the stop first", begun(), look(entry()), ["place oco 10 tp - sl 900", "place oco 10 tp 1050 sl -"]),
        ("both rest: silence", begun(), look(entry(), *BOTH), []),
        ("the target is missing", begun(), look(entry(), stop()), ["place oco 10 tp 1050 sl -"]),
        ("the stop is missing", begun(), look(entry(), target()), ["place oco 10 tp - sl 900"]),
        ("only a stop was asked for", begun(take_profit=None), look(entry(), stop()), []),
        ("the target is not wanted any more", begun(take_profit=None), look(entry(), *BOTH), ["cancel T01"]),
        (
            "the stop has no answer: the target is placed all the same",
            begun(),
            look(entry(), commands=(leg_command("op00000101S01", ago=2, outcome=OutcomeKind.UNKNOWN),)),
            ["place oco 10 tp 1050 sl -"],
        ),
        (
            "too large after a partial close: new before old, for each leg",
            begun(),
            look(entry(), *BOTH, order("op00000101C01", 4, filled=4), held=6),
            ["place oco 6 tp - sl 833.5", "place oco 6 tp 1083.5 sl -"],
        ),
        (
            "the new ones rest: the old ones go",
            begun(),
            look(entry(), stop(7), stop(name="S02"), target(7), target(name="T02")),
            ["cancel S01", "cancel T01"],
        ),
        ("the stop is passed: closed at market, once", begun(), look(entry(), mark=899), ["place stop-loss 10"]),
        ("the target is passed", begun(), look(entry(), stop(), mark=1051), ["place take-profit 10"]),
        (
            "set off a moment ago: it is filling",
            begun(),
            look(entry(), stop(triggered_leg=Leg.STOP_LOSS, updated_at=after(-3)), target(), mark=899),
            [],
        ),
        (
            "set off long ago and never carried out: closed at market",
            begun(),
            look(entry(), stop(triggered_leg=Leg.STOP_LOSS, updated_at=after(-11)), target(), mark=899),
            ["alarm stuck", "place stop-loss 10"],
        ),
        (
            "the target filled: the stop goes at once, before a second look agrees",
            begun(),
            look(entry(), stop(), filled(target(), 1050), held=0, confirmed=False),
            ["cancel S01"],
        ),
        (
            "the target filled and the stop is gone: the cycle ends",
            begun(),
            look(entry(), stop(status=OrderStatus.CANCELED), filled(target(), 1050), held=0),
            ["end cycle 1: take_profit"],
        ),
        (
            "closed by hand: both go first",
            begun(),
            look(entry(), *BOTH, order("op00000101C01", 10, filled=10), held=0, confirmed=False),
            ["cancel S01", "cancel T01"],
        ),
        (
            "the target filled in part and ended: the stop is made smaller, the rest of the target closed at market",
            begun(),
            look(entry(), stop(), filled(target(), 1050, 4).but(status=OrderStatus.EXPIRED), held=6, mark=1060),
            ["place oco 6 tp - sl 833.5", "place take-profit 6"],
        ),
    ],
)
def test_each_leg_is_an_order(story: str, asked: Intent, seen_now: Seen, actions: Sequence[str]) -> None:
    if "partial close" in story or "in part" in story:  # targets stay where they were
        actions = [action.replace("833.5", "900").replace("1083.5", "1050") for action in actions]
    assert in_words(plan(desired(asked), seen_now, NOON)) == list(actions), story


@pytest.mark.parametrize(
    ("story", "parts", "held", "ago", "mark", "actions"),
    [
        ("asked for just now", 1, 10, 2, 1000, []),
        ("for five seconds: a second one", 1, 10, 6, 1000, ["place oco 10 tp - sl 900"]),
        ("and its price is passed", 1, 10, 2, 899, ["place stop-loss 10"]),
        ("a second one could close what is another's", 2, 20, 6, 1000, []),
        ("so could a close at market", 2, 20, 6, 899, []),
    ],
)
def test_a_stop_without_an_answer_is_not_waited_for_where_a_second_does_no_harm(
    story: str, parts: int, held: int, ago: float, mark: object, actions: list[str]
) -> None:
    unknown = (leg_command("op00000101S01", ago=ago, outcome=OutcomeKind.UNKNOWN),)
    theirs = (entry(part=OTHER), stop(part=OTHER, sl=800), target(part=OTHER, tp=1200))
    asked = (begun(), begun(OTHER))[:parts]
    found = look(entry(), target(), *theirs[: 3 * (parts - 1)], held=held, commands=unknown, mark=mark)
    mine = [one for one in plan(desired(*asked), found, NOON).actions if getattr(one, "part", "") == "000001"]
    assert in_words(Plan(tuple(Decision("000001", Rule.PROTECT, "", one) for one in mine))) == actions, story


def test_nobody_enters_while_two_stops_of_another_have_no_answer() -> None:
    twice = tuple(leg_command(f"op00000101S0{number}", ago=7 - number, outcome=None) for number in (1, 2))
    decided = plan(desired(begun(), begun(OTHER)), look(entry(), target(), commands=twice), NOON)
    assert not decided.actions
    assert "000001 has two protections" in because(decided, "enter")


def test_the_legs_carry_their_purpose_and_outlive_the_position() -> None:
    first, second = plan(desired(begun()), look(entry()), NOON).actions
    assert isinstance(first, PlaceOco)
    assert isinstance(second, PlaceOco)
    assert (first.purpose, first.client_order_id) == (Purpose.STOP_LOSS, "op00000101S01")
    assert (second.purpose, second.client_order_id) == (Purpose.TAKE_PROFIT, "op00000101T01")
    assert not first.dies_with_position


def test_on_a_shared_position_the_old_leg_goes_before_the_new_one_comes() -> None:
    both = (begun(), begun(OTHER))
    theirs = (entry(part=OTHER), stop(part=OTHER), target(part=OTHER))
    found = look(entry(), stop(sl=890), target(), *theirs, held=20)
    assert in_words(plan(desired(*both), found, NOON)) == ["cancel S01"]
    found = look(entry(), target(), *theirs, held=20)
    assert in_words(plan(desired(*both), found, NOON)) == ["place oco 10 tp - sl 900"]


@pytest.mark.parametrize(
    ("story", "asked", "commands", "actions"),
    [
        ("refused a moment ago", Unguarded(), (refused(1, ago=2),), []),
        ("again after a while", Unguarded(), (refused(1, ago=6),), ["alarm protection-refused", "place stop"]),
        ("only an alarm", Unguarded(WhenRefused.ALARM), (refused(1, ago=6),), ["alarm protection-refused"]),
        (
            "closed once it was bare for too long",
            Unguarded(WhenRefused.CLOSE),
            (refused(1, ago=6),),
            ["alarm protection-refused", "place close 10"],
        ),
        (
            "not yet for too long",
            Unguarded(WhenRefused.CLOSE, timedelta(seconds=30)),
            (refused(1, ago=20), refused(2, ago=12)),
            ["alarm protection-refused", "place stop"],
        ),
        ("passed, as the exchange says", Unguarded(), (refused(1, ago=1, code="-2021"),), ["place stop-loss 10"]),
    ],
)
def test_a_refused_stop(story: str, asked: Unguarded, commands: tuple[Command, ...], actions: Sequence[str]) -> None:
    found = look(entry(), target(), commands=commands, facts=REFUSES)
    said = in_words(plan(desired(begun(unguarded=asked)), found, NOON))
    assert [word.replace("place oco 10 tp - sl 900", "place stop") for word in said] == list(actions), story


# -- both legs filled ------------------------------------------------------------------------------------------

SHARED = (entry(part=OTHER), stop(part=OTHER, sl=800), target(part=OTHER, tp=1200))
GAP = (entry(), filled(stop(), 899), filled(target(), 1051).but(updated_at=after(-1)))


def gap(**changes: Any) -> Seen:
    """A and B held ten each; a gap has filled both legs of A, and with the second ten of B."""
    return look(*GAP, *SHARED, **{"held": 0, "differs_since": after(-3), **changes})


def both_parts(**changes: Any) -> Any:
    other = begun(OTHER, stop_loss=None, take_profit=None)
    return desired(begun(), other, **changes)


def test_what_both_legs_closed_is_brought_back() -> None:
    decided = plan(both_parts(), gap(), NOON)
    assert "place balance 10" in in_words(decided)
    assert "alarm both-filled" in in_words(decided)
    assert not [action for action in in_words(decided) if action.startswith("end cycle")]


def test_the_part_pays_for_the_mishap_itself() -> None:
    """Sold twice ten at 899 and 1,051, bought back ten at 990: the exit stands at 960 on average."""
    back = order("op00000101B01", 10, filled=10, at=990)
    part = Part.fold(begun(), COIN, (*GAP, back))
    assert (part.size, part.closed_beyond, part.average_exit) == (0, 0, D(960))
    assert part.realised_pnl == D("-40")  # ten contracts of 0.1 coin
    found = look(*GAP, back, *SHARED, held=10)
    assert "end cycle 1: take_profit" in in_words(plan(both_parts(), found, NOON))


@pytest.mark.parametrize(
    ("story", "found", "level"),
    [
        ("nothing may be added", gap(), Level.REDUCE_ONLY),
        ("one reading only", gap(confirmed=False), Level.RUN),
        ("no price", gap(ticker=ticker(1000, at=after(-20))), Level.RUN),
        ("refused", gap(commands=(command("op00000101B01", outcome=OutcomeKind.REFUSED),)), Level.RUN),
    ],
)
def test_it_is_not_brought_back_while(story: str, found: Seen, level: Level) -> None:
    said = in_words(plan(both_parts(level=level), found, NOON))
    assert "alarm both-filled" in said, story
    assert not [word for word in said if word.startswith(("place balance", "book", "end"))], story


def test_after_a_minute_it_is_booked_where_it_is_missing() -> None:
    decided = plan(both_parts(level=Level.REDUCE_ONLY), gap(differs_since=after(-61)), NOON)
    assert "book exit 10 at 975: closed_by_us" in in_words(decided)
    assert "not brought back: the level is reduce only" in because(decided, "totals")


# -- somebody closes some of it --------------------------------------------------------------------------------

TEN_AND_FIVE = (entry(), *BOTH, entry(5, 5, part=OTHER), stop(5, 800, part=OTHER), target(5, 1100, part=OTHER))


def reduced(rule: Division, quantity: object, origin: str = "order", *answers: DifferenceAnswer) -> list[str]:
    left = D(15) - D(quantity)
    found = look(*TEN_AND_FIVE, held=left, foreign_fills=(fill("f1", quantity, 990, origin=origin),))
    younger = begun(OTHER, contracts=contracts(5), cycle_started_at=after(-30))
    said = plan(replace(desired(begun(), younger), division=rule, answers=answers), found, NOON)
    return [word for word in in_words(said) if word.startswith(("book", "alarm"))]


@pytest.mark.parametrize(
    ("rule", "quantity", "booked"),
    [
        (Division.NEWEST, 6, ["book exit 5 at 990: closed_by_hand", "book exit 1 at 990: closed_by_hand"]),
        (Division.OLDEST, 6, ["book exit 6 at 990: closed_by_hand"]),
        (Division.PRO_RATA, 6, ["book exit 4 at 990: closed_by_hand", "book exit 2 at 990: closed_by_hand"]),
        (Division.PRO_RATA, 15, ["book exit 5 at 990: closed_by_hand", "book exit 10 at 990: closed_by_hand"]),
        (Division.ASK, 6, ["alarm reduced"]),
    ],
)
def test_what_a_person_closes_is_divided_as_chosen(rule: Division, quantity: int, booked: list[str]) -> None:
    assert sorted(reduced(rule, quantity)) == sorted(booked)


def test_what_the_exchange_takes_comes_off_all_by_their_size() -> None:
    taken = reduced(Division.NEWEST, 6, "deleveraging")
    assert taken == ["book exit 4 at 990: deleveraged", "book exit 2 at 990: deleveraged"]


def test_flatten_waits_for_no_answer() -> None:
    """What the exchange holds goes; of whose contracts the missing ones were is told afterwards."""
    found = look(*TEN_AND_FIVE, held=9, foreign_fills=(fill("f1", 6, 990),))
    younger = begun(OTHER, contracts=contracts(5), cycle_started_at=after(-30))
    asks = replace(desired(begun(), younger, level=Level.FLATTEN), division=Division.ASK)
    assert "place close 9" in in_words(plan(asks, found, NOON))
    waits = DifferenceAnswer(DifferenceKind.SHORTFALL, Choice.WAIT, "3")
    short = look(*TEN_AND_FIVE, held=12)
    told = in_words(plan(desired(begun(), younger, level=Level.FLATTEN, answers=(waits,)), short, NOON))
    assert [word for word in told if word.startswith("place")] == ["place close 10", "place close 2"]


def test_the_answer_divides() -> None:
    answer = DifferenceAnswer(DifferenceKind.REDUCED, Choice.OLDEST, "6")
    assert reduced(Division.ASK, 6, "order", answer) == ["book exit 6 at 990: closed_by_hand"]


# -- a leg that was set off and of which nothing comes ---------------------------------------------------------

STUCK = target(triggered_leg=Leg.TAKE_PROFIT, updated_at=after(-11))
CLOSED_AT_MARKET = order("op00000101T02", 10, filled=10, at=1051)


def test_a_leg_that_is_stuck_does_not_hold_up_the_end() -> None:
    said = in_words(plan(desired(begun()), look(entry(), STUCK, CLOSED_AT_MARKET, held=0), NOON))
    assert "end cycle 1: take_profit" in said
    assert "alarm stuck" in said
    assert not [word for word in said if word.startswith("cancel")]


def test_a_leg_that_has_just_been_set_off_is_asked_to_go_first() -> None:
    fresh = STUCK.but(updated_at=after(-2))
    said = in_words(plan(desired(begun()), look(entry(), fresh, CLOSED_AT_MARKET, held=0), NOON))
    assert len(said) == 1
    assert said[0].startswith("cancel")


def test_a_stuck_stop_protects_nothing_and_keeps_nobody_from_entering() -> None:
    stuck = stop(triggered_leg=Leg.STOP_LOSS, updated_at=after(-11))
    alone = plan(desired(begun()), look(entry(), stuck, target(), held=10), NOON)
    assert in_words(alone) == ["alarm stuck", "place oco 10 tp - sl 900"]
    (part,) = View.of(desired(begun()), look(entry(), stuck, target(), held=10), NOON).parts
    assert not part.protected
    beside = look(entry(), stuck, stop(name="S02"), target(), held=10)
    assert "place entry 10" in in_words(plan(desired(begun(), begun(OTHER)), beside, NOON))


def test_after_the_end_a_stuck_leg_is_told_and_left_and_nothing_is_entered_beside_it() -> None:
    ended = begun(cycle_ended_at=after(-5), exit_reason=ExitReason.TAKE_PROFIT, wanted=Wanted.CLOSED)
    waiting = begun(OTHER, cycle_started_at=None)
    decided = plan(desired(ended, waiting), look(STUCK, held=0), NOON)
    assert in_words(decided) == ["alarm stuck"]
    assert "was set off" in because(decided, "sweep")
    assert "waits: op00000101T01 was set off, never carried out" in because(decided, "enter")


def test_legs_grow_with_what_is_entered_however_lately_the_smaller_ones_were_placed() -> None:
    """Slices may come sooner than two placements of the same protection may."""
    lately = tuple(leg_command(f"op00000101{leg}01", quantity=4, ago=1) for leg in "ST")
    pieces = (entry(4, 4), entry(4, 4, number=2))
    grown = plan(desired(begun()), look(*pieces, stop(4), target(4), held=8, commands=lately), NOON)
    assert _guarded(grown.actions) == [8, 8]
    gone = [leg.but(status=OrderStatus.CANCELED) for leg in (stop(4), target(4))]  # shared: the old go first
    bare = plan(desired(begun()), look(*pieces, *gone, held=8, commands=lately), NOON)
    assert _guarded(bare.actions) == [8, 8]
    same = tuple(leg_command(f"op00000101{leg}01", quantity=8, ago=1) for leg in "ST")
    assert _guarded(plan(desired(begun()), look(*pieces, *gone, held=8, commands=same), NOON).actions) == []


def _guarded(actions: Sequence[object]) -> list[Any]:
    return [action.quantity for action in actions if isinstance(action, PlaceOco)]
