"""The rule *protect*, told as stories: long ten contracts at 1,000, TP at 1,050, SL at 900 unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.action import OutcomeKind
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import Intent, Target, TargetEdit, Wanted
from core.domain.observation import Seen
from core.domain.order import Leg, Order, OrderStatus
from tests.builders import (
    FACTS,
    NOON,
    SHORT,
    STOP_PASSED,
    TARGET_PASSED,
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
    position,
    price,
    seen,
    ticker,
)

OTHER = "000002"
SENT = command("op00000101P01", ago=1, outcome=OutcomeKind.UNKNOWN)
RECOVERY_SENT = command("op00000101R01", 3, ago=1, outcome=OutcomeKind.UNKNOWN)
REFUSED = command("op00000101P01", ago=6, outcome=OutcomeKind.REFUSED, words="not now")


def refused(code: str) -> Any:
    return command("op00000101P01", ago=6, outcome=OutcomeKind.REFUSED, code=code)


def at(level: object) -> Target:
    return Target(price=price(level))


def shared(*orders: Order, **changes: Any) -> Seen:
    """The position holds ten contracts of another part too, well guarded."""
    return seen(entry(), *orders, entry(part=OTHER), oco(part=OTHER), held=20, **changes)


@pytest.mark.parametrize(
    ("story", "look", "actions"),
    [
        ("entered and bare, so TP and SL are placed", seen(entry(), held=10), ["place oco 10 tp 1050 sl 900"]),
        ("all in place, so nothing is done", seen(entry(), oco(), held=10), []),
        (
            "a part of the entry filled: guard what there is",
            seen(entry(4), held=4, commands=(command("op00000101E01"),)),
            [
                "place oco 4 tp 1050 sl 900",
            ],
        ),
        ("sent and no answer, so ask and send nothing", seen(entry(), held=10, commands=(SENT,)), []),
        (
            "never arrived, so the same id again",
            seen(entry(), held=10, commands=(command("op00000101P01", outcome=OutcomeKind.LOST),)),
            ["place oco 10 tp 1050 sl 900"],
        ),
        (
            "refused a moment ago: a pause first",
            seen(entry(), held=10, commands=(command("op00000101P01", ago=2, outcome=OutcomeKind.REFUSED),)),
            [],
        ),
        (
            "refused a while ago: alarm, and another try",
            seen(entry(), held=10, commands=(REFUSED,)),
            [
                "alarm protection-refused",
                "place oco 10 tp 1050 sl 900",
            ],
        ),
        ("bare and the stop is passed: close at market", seen(entry(), held=10, mark=899), ["place stop-loss 10"]),
        ("bare and the target is passed: take it", seen(entry(), held=10, mark=1051), ["place take-profit 10"]),
        (
            "the exchange says the stop is passed",
            seen(entry(), held=10, commands=(refused(STOP_PASSED),)),
            [
                "place stop-loss 10",
            ],
        ),
        (
            "the exchange says the target is passed",
            seen(entry(), held=10, commands=(refused(TARGET_PASSED),)),
            [
                "place take-profit 10",
            ],
        ),
        (
            "the closing order has no answer: not a second one",
            seen(entry(), held=10, mark=899, commands=(command("op00000101S01", ago=1, outcome=OutcomeKind.UNKNOWN),)),
            [],
        ),
        (
            "set off and filling: hands off",
            seen(entry(), oco(triggered_leg=Leg.STOP_LOSS, filled=4), held=6, mark=899, settled=False),
            [],
        ),
        ("quantity wrong: amend in place", seen(entry(), oco(7), held=10), ["amend P01 to 10"]),
        ("a level wrong: amend that leg", seen(entry(), oco(sl=880), held=10), ["amend P01 sl 900"]),
        ("two protections: the second goes", seen(entry(), oco(), oco(name="P02"), held=10), ["cancel P02"]),
        ("the right one of two stays", seen(entry(), oco(7), oco(name="P02"), held=10), ["cancel P01"]),
        (
            "the net is exchanged for an OCO that ends with the position",
            seen(entry(), net(), held=10),
            [
                "place oco 10 tp 1050 sl 900",
            ],
        ),
        ("and once that rests the net goes", seen(entry(), net(), oco(), held=10), ["cancel N01"]),
        ("the exchange of the net has no answer yet", seen(entry(), net(), held=10, commands=(SENT,)), []),
        (
            "a recovery without an answer: what came with it guards what it may have filled",
            seen(entry(), oco(), net(3, name="N101"), held=13, commands=(RECOVERY_SENT,)),
            [],
        ),
        (
            "and once it is known to be filled, one protection for the whole",
            seen(entry(13, 13), oco(13, 1038.5, 923.5), net(3, name="N101"), held=13),
            ["cancel N101"],
        ),
        (
            "less is held than we think: guard what is surely there",
            seen(entry(), held=6),
            ["place oco 6 tp 1050 sl 900"],
        ),
        ("nothing is held though we think so: find out first", seen(entry(), held=0), []),
    ],
)
def test_protect(story: str, look: Seen, actions: Sequence[str]) -> None:
    assert in_words(plan(desired(begun()), look, NOON)) == list(actions), story


@pytest.mark.parametrize(
    ("story", "asked", "look", "actions"),
    [
        ("no stop was asked for", begun(stop_loss=None), seen(entry(), held=10), ["place oco 10 tp 1050 sl -"]),
        ("no target was asked for", begun(take_profit=None), seen(entry(), held=10), ["place oco 10 tp - sl 900"]),
        ("neither was asked for", begun(take_profit=None, stop_loss=None), seen(entry(), held=10), []),
        (
            "both were taken away by hand: what rests goes",
            begun(edit=TargetEdit(None, None, 0)),
            seen(entry(), oco(), held=10),
            ["cancel P01"],
        ),
        (
            "taken away before a recovery step, which has brought its own",
            begun(edit=TargetEdit(None, None, 1)),
            seen(entry(), oco(), held=10),
            [],
        ),
        (
            "taken away while the target fills: it is left to fill",
            begun(edit=TargetEdit(None, None, 0)),
            seen(entry(), oco(triggered_leg=Leg.TAKE_PROFIT), held=10),
            [],
        ),
        (
            "the stop is taken away: new first, then the old goes",
            begun(stop_loss=None),
            seen(entry(), oco(), held=10),
            [
                "place oco 10 tp 1050 sl -",
            ],
        ),
        (
            "then the old goes",
            begun(stop_loss=None),
            seen(entry(), oco(), oco(sl=None, name="P02"), held=10),
            ["cancel P01"],
        ),
        ("an edited stop is moved", begun(stop_loss=at(950)), seen(entry(), oco(), held=10), ["amend P01 sl 950"]),
        (
            "a stop edited to where it is passed: the old one stays",
            begun(stop_loss=at(1001)),
            seen(entry(), oco(), held=10),
            ["alarm stop-passed"],
        ),
        (
            "and the rest is still put right",
            begun(stop_loss=at(1001)),
            seen(entry(), oco(7, tp=1040), held=10),
            [
                "alarm stop-passed",
                "amend P01 to 10 tp 1050",
            ],
        ),
        (
            "a target edited to where it is passed: the old one stays",
            begun(take_profit=at(999)),
            seen(entry(), oco(), held=10),
            ["alarm target-passed"],
        ),
        (
            "a stop that never rested and is passed is done at market",
            begun(stop_loss=at(1001)),
            seen(entry(), oco(sl=None), held=10),
            ["place stop-loss 10"],
        ),
        (
            "it is being closed: the OCO stays as it is",
            begun(wanted=Wanted.CLOSED),
            seen(entry(), oco(7), order("op00000101C01", 10, filled=3), held=7),
            [],
        ),
        (
            "below the smallest order: say so",
            begun(),
            seen(
                entry("0.05", quantity="0.05"),
                held="0.05",
                commands=(command("op00000101E01", outcome=OutcomeKind.REFUSED, words="enough"),),
            ),
            ["alarm too-small", "execution over entry 0.05"],
        ),
    ],
)
def test_protect_as_asked(story: str, asked: Intent, look: Seen, actions: Sequence[str]) -> None:
    assert in_words(plan(desired(asked), look, NOON)) == list(actions), story


@pytest.mark.parametrize(
    ("story", "asked", "look", "actions"),
    [
        ("bare: placed for its own size only", begun(), shared(), ["place oco 10 tp 1050 sl 900"]),
        ("quantity wrong: amended in place, never doubled", begun(), shared(oco(7)), ["amend P01 to 10"]),
        ("the net stays, it cannot be exchanged without doubling", begun(), shared(net()), []),
        (
            "a second one goes before the first is amended",
            begun(),
            shared(oco(7), oco(7, name="P02")),
            [
                "cancel P02",
                "amend P01 to 10",
            ],
        ),
        ("the legs change: old away first", begun(stop_loss=None), shared(oco()), ["cancel P01"]),
        (
            "triggers cannot be amended: old away first",
            begun(),
            shared(oco(7), facts=replace(FACTS, can_amend_triggers=False)),
            ["cancel P01"],
        ),
        (
            "the stop is passed and contracts are missing: only what is surely ours",
            begun(),
            seen(entry(), entry(part=OTHER), oco(part=OTHER, sl=800), held=16, mark=899),
            ["place stop-loss 6"],
        ),
    ],
)
def test_protect_on_a_shared_position(story: str, asked: Intent, look: Seen, actions: Sequence[str]) -> None:
    other = begun(OTHER, stop_loss=at(800)) if "missing" in story else begun(OTHER)
    assert in_words(plan(desired(other, asked), look, NOON)) == list(actions), story


def test_a_short_is_guarded_on_its_own_side() -> None:
    asked = begun(key=SHORT)
    sold = entry(side=OrderSide.SELL, position_side=Side.SHORT)
    look = seen(sold, key=SHORT, position=position(10, side=Side.SHORT))
    placed = plan(desired(asked), look, NOON).actions
    assert in_words(plan(desired(asked), look, NOON)) == ["place oco 10 tp 950 sl 1100"]
    assert [action.side for action in placed] == [OrderSide.BUY]  # type: ignore[union-attr]


def test_an_id_that_never_arrived_is_used_again_and_any_other_is_new() -> None:
    lost = command("op00000101P01", outcome=OutcomeKind.LOST)
    same = plan(desired(begun()), seen(entry(), held=10, commands=(lost,)), NOON).actions
    changed = plan(desired(begun()), seen(entry(6, 6), held=6, commands=(lost,)), NOON).actions
    assert [action.client_order_id for action in same] == ["op00000101P01"]  # type: ignore[union-attr]
    assert "op00000101P02" in [getattr(action, "client_order_id", "") for action in changed]


def test_closing_at_market_is_split_by_the_largest_order() -> None:
    look = seen(entry(), held=10, mark=899)
    look = replace(look, instrument=replace(look.instrument, max_market_quantity=contracts(4)))
    assert in_words(plan(desired(begun()), look, NOON)) == ["place stop-loss 4"]


def test_flatten_leaves_the_stop_until_the_close_has_filled() -> None:
    look = seen(entry(), oco(), held=10)
    assert in_words(plan(desired(begun(), level=Level.FLATTEN), look, NOON)) == ["place close 10"]


def test_a_stop_watches_the_price_it_was_asked_to_watch() -> None:
    by_last = Target(pnl_usdt=D(-100), trigger_by=TriggerBy.LAST)
    look = seen(entry(), held=10, ticker=ticker(1000, last=price(899)))
    assert in_words(plan(desired(begun(stop_loss=by_last)), look, NOON)) == ["place stop-loss 10"]
    assert in_words(plan(desired(begun()), look, NOON)) == ["place oco 10 tp 1050 sl 900"]


def test_the_reason_is_told_in_words() -> None:
    decided = plan(desired(begun()), seen(entry(), oco(), held=10), after(0))
    assert because(decided, "protect") == "in place: TP 1050, SL 900 for 10 contracts"
    filled = oco(10, status=OrderStatus.WORKING, triggered_leg=Leg.STOP_LOSS)
    assert "set off" in because(plan(desired(begun()), seen(entry(), filled, held=10), NOON), "protect")
