"""Averaging down: due under the trigger, one step at a time, guarded throughout, and a reason whenever it waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.action import Decision, OutcomeKind, PlaceOrder, Rule
from core.domain.intent import Recovery, Target, TargetEdit, Wanted
from core.domain.order import OrderKind, OrderStatus, Purpose
from core.domain.part import Part
from tests.builders import (
    COIN,
    NOON,
    PART,
    D,
    after,
    begun,
    command,
    contracts,
    desired,
    entry,
    oco,
    order,
    price,
    seen,
)

RULE = Recovery()
#: ten contracts of 0.1 coin at 1,000; at 940 they have lost 60 USDT
LOST_60 = 940


def step(number: int = 1, filled: object = 1, at: object = LOST_60, **changes: Any) -> Any:
    """A recovery order that added one contract at 940."""
    facts = {"at": at, "created_at": after(-30), "updated_at": after(-30), **changes}
    return order(f"op{PART}01R{number:02}", 1, filled=filled, **facts)


def told(
    *orders: Any, mark: object = LOST_60, held: object = 10, level: Level = Level.RUN, **changes: Any
) -> list[Decision]:
    """What the rule says of one part that is long ten contracts with everything in place."""
    rule = changes.pop("rule", RULE)
    intent = begun(recovery=rule, **changes.pop("intent", {}))
    look = seen(entry(), *(orders or (oco(),)), held=held, mark=mark, **changes)
    decided = plan(desired(intent, level=level), look, NOON)
    return [decision for decision in decided.decisions if decision.rule is Rule.RECOVER]


def words(*orders: Any, **changes: Any) -> str:
    (decision,) = told(*orders, **changes)
    assert decision.action is None
    return str(decision.because)


def test_a_step_is_taken_under_the_trigger() -> None:
    (decision,) = told()
    action = decision.action
    assert isinstance(action, PlaceOrder)
    assert (action.purpose, action.kind, action.reduce_only) == (Purpose.RECOVERY, OrderKind.MARKET, False)
    assert action.quantity == contracts("1"), "100 USDT at 940.5 are 1.06 contracts, in steps of 0.1"
    assert action.leverage == D(10)
    assert "recovery step 1: PnL -60.00 USDT is under -50.00 USDT" in str(decision.because)


def test_its_own_stop_and_target_travel_with_it_where_the_part_has_them_now() -> None:
    (decision,) = told()
    assert isinstance(decision.action, PlaceOrder)
    net = decision.action.attached
    assert net is not None
    assert (net.client_order_id, net.tp_trigger, net.sl_trigger) == (f"op{PART}01N101", 1050, 900)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("PnL -49.00 USDT, trigger -50.00 USDT", {"mark": 951}),
        ("PnL -50.00 USDT, trigger -50.00 USDT", {"mark": 950}),
        ("the level is reduce only", {"level": Level.REDUCE_ONLY}),
        ("the level is no added risk", {"level": Level.NO_ADDED_RISK}),
        ("the exchange is not healthy", {"healthy": False}),
        ("no fresh price", {"ticker": None}),
        ("0 of at most 0 steps are taken", {"rule": Recovery(max_steps=0)}),
        ("the loss has reached the limit of 55 USDT", {"rule": Recovery(max_loss=D(55))}),
        ("a close is under way", {"intent": {"reduce_to": contracts(4)}}),
        ("USDT of margin and fee: 5.00 USDT is free", {"available": D(5)}),
        ("is less than the smallest order", {"rule": Recovery(add_notional=D(3))}),
        ("has no answer yet", {"commands": (command(f"op{PART}01P02", outcome=OutcomeKind.UNKNOWN),)}),
    ],
)
def test_it_waits_and_says_why(reason: str, changes: dict[str, Any]) -> None:
    assert reason in words(**changes)


def test_pausing_entries_does_not_pause_recovery() -> None:
    (decision,) = told(level=Level.NO_NEW_ENTRIES)
    assert decision.action is not None


def test_nothing_is_said_where_recovery_is_off_or_the_part_is_closing() -> None:
    assert told(rule=None) == []
    assert told(intent={"wanted": Wanted.CLOSED}) == []


def test_the_stop_is_put_right_first() -> None:
    (decision,) = told(oco(quantity=8))
    assert "its stop-loss is put right first" in str(decision.because)


def test_nothing_is_added_where_the_stop_belongs_on_the_wrong_side_of_the_price() -> None:
    """A stop edited to where it is passed is not taken over; an order that carried it would be refused for ever."""
    assert "which is passed already" in words(intent={"stop_loss": Target(price=price(980))})


def test_one_step_at_a_time() -> None:
    assert "is filling" in words(oco(), step(filled=0, status=OrderStatus.WORKING))


def test_after_a_step_the_pause_is_kept_and_then_the_next_one_is_due() -> None:
    part = Part.fold(begun(recovery=RULE), COIN, (entry(), step()))
    right = oco(11, part.take_profit_price(), part.stop_price())
    recent = (command(f"op{PART}01R01", 1, ago=4),)
    assert "the last step was 4.0 s ago, 15.0 s lie between two" in words(step(), right, held=11, commands=recent)
    old = (command(f"op{PART}01R01", 1, ago=20),)
    (decision,) = told(step(), right, held=11, commands=old)
    assert isinstance(decision.action, PlaceOrder)
    assert decision.action.client_order_id == f"op{PART}01R02"


def test_a_refused_step_is_tried_again_after_the_pause_under_a_new_id() -> None:
    refused = command(f"op{PART}01R01", 1, ago=20, outcome=OutcomeKind.REFUSED, words="no money")
    (decision,) = told(commands=(refused,))
    assert isinstance(decision.action, PlaceOrder)
    assert decision.action.client_order_id == f"op{PART}01R02"


class TestWhereTargetsGo:
    def part(self, *orders: Any, **changes: Any) -> Part:
        return Part.fold(begun(recovery=RULE, **changes), COIN, (entry(), *orders))

    def test_the_whole_aims_at_the_recovery_targets_from_its_new_average(self) -> None:
        part = self.part(step())
        assert part.average_entry is not None
        assert part.average_entry == (D(10_000) + 940) / 11
        # 50 USDT over 11 contracts of 0.1 coin are 45.45 above, 100 USDT are 90.91 below, to half a dollar
        assert (part.take_profit_price(), part.stop_price()) == (price("1040.0"), price("904.0"))

    def test_before_any_step_the_original_ones_hold(self) -> None:
        assert (self.part().take_profit_price(), self.part().stop_price()) == (1050, 900)

    def test_settings_reach_a_part_that_has_been_averaged_down_already(self) -> None:
        part = Part.fold(begun(recovery=Recovery(tp_usdt=D(11), sl_usdt=D(22))), COIN, (entry(), step()))
        assert part.targets[0] == Target(pnl_usdt=D(11))
        assert part.targets[1] == Target(pnl_usdt=D(-22))

    def test_an_edit_by_hand_holds_until_the_next_step(self) -> None:
        edit = TargetEdit(Target(price=price(1100)), Target(price=price(930)), step=1)
        assert self.part(step(), edit=edit).take_profit_price() == 1100
        assert self.part(step(), step(2), edit=edit).take_profit_price() != 1100

    def test_a_partial_close_before_a_step_counts_and_one_after_it_does_not(self) -> None:
        early = order(f"op{PART}01C01", 4, filled=4, at=990, created_at=after(-50), updated_at=after(-50))
        late = order(f"op{PART}01C02", 3, filled=3, at=990, created_at=after(-5), updated_at=after(-5))
        assert self.part(early, step()).target_base == 7
        assert self.part(early, step(), late).target_base == 7


def test_the_look_comes_back_when_the_pause_ends() -> None:
    part = Part.fold(begun(recovery=RULE), COIN, (entry(), step()))
    right = oco(11, part.take_profit_price(), part.stop_price())
    look = seen(entry(), step(), right, held=11, mark=LOST_60, commands=(command(f"op{PART}01R01", 1, ago=4),))
    assert plan(desired(begun(recovery=RULE)), look, NOON).look_again == timedelta(seconds=11)
