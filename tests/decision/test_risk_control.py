"""The risk control: each check with its value and its limit, for orders whole and in pieces, whoever asks for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.decision.risk_control import ExecutionRiskControl
from core.decision.view import View
from core.domain.action import OutcomeKind, PlaceOrder
from core.domain.intent import Adding, ExecutionKind, ExecutionStyle, ExitReason, Limits, Recovery, ReopenRule, Wanted
from core.domain.order import OrderKind, Purpose
from core.domain.risk_result import Check, CheckName, Verdict
from tests.builders import (
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
    net,
    oco,
    order,
    price,
    seen,
    ticker,
)

OTHER = "000000"
NONE = Limits(risk_per_trade_cap=None, risk_per_trade_pct=None, max_daily_loss=None)
TWAP = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(minutes=10), slices=5)


def judged(
    look: Any,
    *intents: Any,
    limits: Limits = NONE,
    quantity: object = 10,
    at: object = 1000,
    **more: Any,
) -> Verdict:
    """What the control says to an order of the first part."""
    view = View.of(desired(*intents, limits=limits), look, NOON)
    part = next(part for part in view.parts if part.name == intents[0].part)
    return ExecutionRiskControl(limits).check(part, contracts(quantity), price(at), view, **more)


def of(verdict: Verdict, name: CheckName) -> Check:
    return next(check for check in verdict.checks if check.name is name)


def test_every_check_is_made_in_its_order_and_says_its_value_and_limit() -> None:
    limits = Limits(
        min_order_size=D(1),
        max_order_size=D(50),
        min_order_value=D(100),
        max_order_value=D(5000),
        max_position_value_pct=D(2),
        max_leverage=D(20),
        max_open_parts=3,
    )
    look = seen(equity=D(1000), day_start=D(1050), facts=replace(FACTS, max_conditional=200), conditional_orders=7)
    verdict = judged(look, begun(), limits=limits)
    assert [check.name for check in verdict.checks] == list(CheckName)
    assert verdict.passed
    assert verdict.refusal is None
    assert verdict.failed is None
    told = {str(check.name): (check.value, check.limit, check.unit) for check in verdict.checks}
    assert told == {
        "duplicate": (D(0), D(0), "orders"),
        "leverage": (D(10), D(20), "x"),
        "order_size": (D(10), D(50), "contracts"),
        "order_value": (D(1000), D(5000), "USDT"),
        "price_deviation": (D(0), D(5), "%"),
        "position_value": (D(1000), D(2000), "USDT"),
        "balance": (D("100.5"), D(100_000), "USDT"),
        "risk_per_trade": (D("100.95"), D(300), "USDT"),
        "daily_loss": (D(50) / D(1050) * 100, D(10), "%"),
        "open_parts": (D(1), D(3), "parts"),
        "conditional_orders": (D(9), D(200), "orders"),
    }


@pytest.mark.parametrize(
    ("limits", "look", "name", "words"),
    [
        (Limits(max_leverage=D(5)), {}, "leverage", "leverage 10 is out of range: 1 to 5 is allowed"),
        (Limits(max_order_size=D("9.9")), {}, "order_size", "10 contracts, above your limit: 9.9 contracts at most"),
        (Limits(min_order_size=D(11)), {}, "order_size", "10 contracts, below your limit: 11 contracts at least"),
        (Limits(max_order_value=D(999)), {}, "order_value", "above your limit: 999.00 USDT at most"),
        (Limits(min_order_value=D(1001)), {}, "order_value", "below your limit: 1,001.00 USDT at least"),
        (
            Limits(),
            {"ticker": ticker(1000, mark=price(1060))},
            "price_deviation",
            "entered at 1000, 5.7 % away from the mark price 1060",
        ),
        (
            Limits(max_position_value_pct=D("0.5")),
            {"equity": D(1999)},
            "position_value",
            "makes the position 1,000.00 USDT: 999.50 USDT (50% of the equity) at most",
        ),
        (Limits(), {"available": D(100)}, "balance", "needs 100.50 USDT of margin and fee: 100.00 USDT is free"),
        (Limits(), {"available": None}, "balance", "the free balance is not known"),
        (Limits(), {"equity": D(300)}, "risk_per_trade", "would lose 100.95 USDT with fees: one trade may lose 90.00"),
        (
            Limits(risk_per_trade_pct=None),
            {"equity": D(900), "day_start": D(1000)},
            "daily_loss",
            "account has lost 10.0 % of the day's 1,000.00 USDT: less than 10.0 % is allowed",
        ),
        (Limits(max_open_parts=2), {"parts_elsewhere": 2}, "open_parts", "account has 2 open parts: 2 at most"),
        (
            Limits(),
            {"facts": replace(FACTS, max_conditional=8), "conditional_orders": 6, "legs_elsewhere": 1},
            "conditional_orders",
            "7 of at most 8 conditional orders rest",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_the_check_that_fails_says_so_in_numbers(limits: Limits, look: dict[str, Any], name: str, words: str) -> None:
    verdict = judged(seen(**look), begun(), limits=limits)
    assert verdict.failed is not None
    assert verdict.failed.name == name
    assert words in str(verdict.refusal)
    decided = plan(desired(begun(), limits=limits), seen(**look), NOON)
    assert not any(isinstance(action, PlaceOrder) for action in decided.actions)


def test_a_value_at_its_limit_passes() -> None:
    limits = Limits(
        max_order_size=D(10), max_order_value=D(1000), max_position_value_pct=D(1), risk_per_trade_cap=D("100.95")
    )
    assert judged(seen(equity=D(1000), available=D("100.5")), begun(), limits=limits).passed


# -- prices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "at", "resting", "passes"),
    [
        ("a limit far below rests and costs nothing", 700, True, True),
        ("a limit above the mark buys at once, and dear", 1060, True, False),
        ("a limit a little above", 1040, True, True),
        ("at market, dear", 1060, False, False),
        ("at market, far below: book and mark do not belong together", 940, False, False),
        ("at market, near", 1004, False, True),
    ],
)
def test_how_far_from_the_mark(story: str, at: object, resting: bool, passes: bool) -> None:
    verdict = judged(seen(), begun(), at=at, resting=resting)
    assert of(verdict, CheckName.PRICE_DEVIATION).passed is passes, story


# -- what the position holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "look", "others", "value"),
    [
        ("nothing else", seen(), (), 1000),
        ("another part's ten", seen(entry(part=OTHER), held=10), (begun(OTHER),), 2000),
        ("more is held than ours", seen(entry(part=OTHER), held=14), (begun(OTHER),), 2400),
        ("and what still works", seen(entry(4, part=OTHER), held=4), (begun(OTHER),), 2000),
        (
            "and what has no answer yet",
            seen(commands=(command(f"op{OTHER}01E01", outcome=OutcomeKind.UNKNOWN),)),
            (begun(OTHER),),
            2000,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_value_of_the_whole_position_counts(story: str, look: Any, others: tuple[Any, ...], value: object) -> None:
    verdict = judged(look, begun(), *others)
    assert of(verdict, CheckName.POSITION_VALUE).value == D(value), story


# -- executions in pieces --------------------------------------------------------------------------------------


def sliced(*, filled: object = 0, **changes: Any) -> tuple[Any, Any]:
    """A TWAP of ten contracts, of which so many have filled."""
    part = begun(entry=TWAP, **changes)
    look = seen(entry(filled, filled), net(filled), held=filled) if D(filled) else seen()
    return part, look


@pytest.mark.parametrize("filled", [0, 2, 8])
def test_a_slice_is_measured_by_the_whole(filled: int) -> None:
    """Its own value and its own loss would pass each of these limits."""
    part, look = sliced(filled=filled)
    more: dict[str, Any] = {"quantity": 2, "parent": contracts(10), "filled": contracts(filled)}
    verdict = judged(look, part, **more)
    assert (of(verdict, CheckName.ORDER_SIZE).value, of(verdict, CheckName.ORDER_VALUE).value) == (D(10), D(1000))
    assert of(verdict, CheckName.POSITION_VALUE).value == D(1000)
    assert of(verdict, CheckName.RISK_PER_TRADE).value == D("100.95")
    for limits in (Limits(max_order_value=D(999)), Limits(max_order_size=D(9)), Limits(risk_per_trade_cap=D(100))):
        assert not judged(look, part, limits=limits, **more).passed


def test_a_small_last_slice_is_not_below_the_smallest_order() -> None:
    part, look = sliced(filled=9)
    limits = Limits(min_order_value=D(500), min_order_size=D(5))
    assert judged(look, part, limits=limits, quantity=1, parent=contracts(10), filled=contracts(9)).passed


def test_an_execution_begins_only_where_all_of_it_can_be_paid_for() -> None:
    part, look = sliced()
    poor = replace(look, available=D(60))
    assert judged(poor, part, quantity=2, parent=contracts(10)).failed is not None
    part, look = sliced(filled=4)
    poor = replace(look, available=D(25))
    assert judged(poor, part, quantity=2, parent=contracts(10), filled=contracts(4)).passed


def test_a_slice_is_refused_on_its_way_too() -> None:
    """Two of ten have filled; meanwhile the trader allows less."""
    part = begun(entry=TWAP, cycle_started_at=after(-300))
    look = seen(entry(2, 2), oco(2, 1050, 900), held=2)
    assert any(isinstance(action, PlaceOrder) for action in plan(desired(part), look, NOON).actions)
    decided = plan(desired(part, limits=Limits(risk_per_trade_cap=D(90))), look, NOON)
    assert not any(isinstance(action, PlaceOrder) for action in decided.actions)
    assert "stop-loss would lose 100.85 USDT" in because(decided, "enter")


# -- entry, recovery and reopen come through it ----------------------------------------------------------------


def verdicts(decided: Any) -> list[tuple[str, Purpose, bool]]:
    return [
        (str(one.rule), one.verdict.purpose, one.verdict.passed) for one in decided.decisions if one.verdict is not None
    ]


def test_what_is_refused_does_not_even_begin() -> None:
    decided = plan(desired(intent(), limits=Limits(max_order_value=D(500))), seen(), NOON)
    assert in_words(decided) == []
    assert verdicts(decided) == [("enter", Purpose.ENTRY, False)]
    assert "refused by the limits: position value 1000 USDT is above your limit" in because(decided, "enter")


def test_an_entry_carries_its_verdict() -> None:
    assert verdicts(plan(desired(intent()), seen(), NOON)) == [("enter", Purpose.ENTRY, True)]


LOSING = begun(recovery=Recovery(style=ExecutionStyle()))
UNDER_WATER = seen(entry(), oco(), held=10, mark=940)


@pytest.mark.parametrize(
    ("limits", "changes", "name"),
    [
        (Limits(), {}, ""),
        (Limits(max_order_value=D(90)), {}, "order_value"),
        (Limits(max_position_value_pct=D(1)), {"equity": D(1030)}, "position_value"),
        (Limits(risk_per_trade_cap=D(100)), {}, "risk_per_trade"),
        (Limits(), {"equity": D(4000), "day_start": D(5000)}, "daily_loss"),
        (Limits(max_open_parts=1), {}, ""),
    ],
    ids=str,
)
def test_a_recovery_step_is_checked(limits: Limits, changes: dict[str, Any], name: str) -> None:
    """It adds 100 USDT and leaves a stop of 100 USDT behind; its part is open already."""
    decided = plan(desired(LOSING, limits=limits), replace(UNDER_WATER, **changes), NOON)
    (found,) = [one for one in decided.decisions if one.verdict is not None]
    assert found.verdict is not None
    assert (str(found.rule), found.verdict.purpose) == ("recover", Purpose.RECOVERY)
    assert (found.verdict.failed.name if found.verdict.failed else "") == name
    assert (found.action is None) is bool(name)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(), ""),
        (Limits(max_order_value=D(190)), "order_value"),
        (Limits(min_order_value=D(150)), ""),
        (Limits(max_order_size=D("2")), "order_size"),
    ],
    ids=str,
)
def test_a_piece_of_a_step_is_measured_by_the_whole_step(limits: Limits, name: str) -> None:
    """A step of 200 USDT over ten minutes: a piece is worth 40."""
    rule = Recovery(add_notional=D(200), style=TWAP)
    asked = begun(recovery=rule, adding=Adding(1, contracts("2.1"), after(-1)))
    decided = plan(desired(asked, limits=limits), UNDER_WATER, NOON)
    (found,) = [one for one in decided.decisions if one.verdict is not None]
    assert found.verdict is not None
    assert (str(found.rule), of(found.verdict, CheckName.ORDER_SIZE).value) == ("recover", D("2.1"))
    assert (found.verdict.failed.name if found.verdict.failed else "") == name
    placed = [action for action in decided.actions if isinstance(action, PlaceOrder)]
    assert [action.quantity < D("2.1") for action in placed] == ([] if name else [True])


def test_the_loss_a_step_leaves_behind_is_that_of_the_whole_part() -> None:
    decided = plan(desired(LOSING), UNDER_WATER, NOON)
    (verdict,) = [one.verdict for one in decided.decisions if one.verdict is not None]
    lost = of(verdict, CheckName.RISK_PER_TRADE).value
    assert lost is not None
    assert D(100) < lost < D(102)  # the stop of 100 USDT, and the fees of eleven contracts


def test_a_reopen_is_checked_as_if_nothing_had_been_before() -> None:
    ended = begun(
        wanted=Wanted.OPEN,
        cycle_started_at=after(-900),
        cycle_ended_at=after(-600),
        exit_reason=ExitReason.TAKE_PROFIT,
        reopen=ReopenRule(),
    )
    closed = order("op00000101T01", 10, filled=10, at=1050, kind=OrderKind.MARKET, updated_at=after(-600))
    look = seen(entry(updated_at=after(-890)), closed)
    assert in_words(plan(desired(ended), look, NOON)) == ["start cycle 2 of 9.9"]
    decided = plan(desired(ended, limits=Limits(risk_per_trade_cap=D(90))), look, NOON)
    assert in_words(decided) == []
    assert verdicts(decided) == [("reopen", Purpose.ENTRY, False)]
    assert "due to open again, but the limits refuse it: stop-loss would lose" in because(decided, "reopen")


def test_the_same_request_without_an_answer_is_a_duplicate() -> None:
    verdict = judged(seen(commands=(command("op00000101E01", outcome=OutcomeKind.UNKNOWN),)), begun())
    assert verdict.failed is not None
    assert verdict.failed.name is CheckName.DUPLICATE
    assert "op00000101E01" in str(verdict.refusal)


@pytest.mark.parametrize(
    ("story", "others", "open_parts"),
    [
        ("alone", (), 1),
        ("one holds something", (begun("000009"),), 2),
        ("one was asked for before it", (intent(OTHER),), 2),
        ("one was asked for after it", (intent("000009"),), 1),
        ("one is asked to close and has not begun", (intent(OTHER, wanted=Wanted.CLOSED),), 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_which_parts_count_as_open(story: str, others: tuple[Any, ...], open_parts: int) -> None:
    assert of(judged(seen(), intent(), *others), CheckName.OPEN_PARTS).value == D(open_parts), story


def test_two_that_ask_together_do_not_both_take_the_last_place() -> None:
    decided = plan(desired(intent(OTHER), intent(), limits=Limits(max_open_parts=1)), seen(), NOON)
    assert in_words(decided) == ["start cycle 1 of 9.9", "place entry 9.9"]
    (start, _) = decided.actions
    assert getattr(start, "part", "") == OTHER
