"""What others opened, and what is missing: adopted, assigned, ignored, booked, on the real stack and to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.domain.difference import Choice, DifferenceKind
from core.domain.errors import Misconfigured
from core.domain.intent import ExitReason, ReopenChoice, Target
from core.services.trading.differences import Adoption, DifferenceRow, Differences
from tests.monitor.invariants import nothing_left, same
from tests.stack import ACCOUNT, BTC, Stack

THERE = {"instId": "BTC-USDT-SWAP", "posSide": "long"}
RESIDUAL = f"residual/{ACCOUNT}/{BTC}/long"
FIFTY = Target(pnl_usdt=Decimal(50))
HUNDRED = Target(pnl_usdt=Decimal(-100))


@pytest.fixture
def desk(stack: Stack) -> Differences:
    return Differences(stack.store, stack.clock)


def bought(stack: Stack, contracts: object = 2) -> None:
    """A person buys at the exchange, and the bot has seen it."""
    stack.simulator.intervene("place", **THERE, side="buy", ordType="market", sz=str(contracts))
    stack.until(lambda: RESIDUAL in stack.alarms())


def rest(stack: Stack) -> list[tuple[str, ...]]:
    """What rests at the exchange, as far as it says what is guarded."""
    return [(row["algoId"], row["sz"], row["tpTriggerPx"], row["slTriggerPx"]) for row in stack.resting()]


def only(desk: Differences) -> DifferenceRow:
    (row,) = desk.list(ACCOUNT)
    return row


def adopt(stack: Stack, desk: Differences, **asked: object) -> str:
    row = only(desk)
    wish = Adoption(**{"take_profit": FIFTY, "stop_loss": HUNDRED, **asked})  # type: ignore[arg-type]
    return desk.adopt(ACCOUNT, row.id, row.mark, wish, stack.token(), "trader").part


def test_the_item_says_both_sides_since_when_and_what_can_be_done(stack: Stack, desk: Differences) -> None:
    bought(stack)
    row = only(desk)
    assert (row.kind, row.quantity) == (DifferenceKind.RESIDUAL, Decimal(2))
    assert [side.values["contracts"] for side in (row.ours, row.theirs)] == [Decimal(0), Decimal(2)]
    assert row.choices == (Choice.ADOPT, Choice.ASSIGN, Choice.IGNORE)
    assert row.price == Decimal(stack.exchange()["positions"][0]["avgPx"])
    assert row.since is not None
    assert row.since <= stack.clock.now()
    assert (row.blocks, row.answer, row.parts) == (True, None, ())


def test_adopted_it_is_guarded_and_ends_to_the_cent(stack: Stack, desk: Differences) -> None:
    bought(stack)
    opening = stack.money()["fees"]
    part = adopt(stack, desk)
    stack.until(lambda: stack.at_rest(part))
    assert (desk.list(ACCOUNT), stack.alarms()) == ((), [])
    (oco,) = stack.resting()
    average = stack.part(part).average_entry
    assert oco["sz"] == "2"
    assert abs((Decimal(oco["tpTriggerPx"]) - average) * Decimal("0.02") - 50) < Decimal("0.01")
    assert abs((Decimal(oco["slTriggerPx"]) - average) * Decimal("0.02") + 100) < Decimal("0.01")
    stack.price("103000")
    cycle = stack.ended(part)
    ledger = stack.money()
    assert cycle.reason is ExitReason.TAKE_PROFIT
    assert (cycle.contracts, cycle.number) == (Decimal(2), 1)
    assert same(cycle.realised_pnl, ledger["pnl"])
    assert same(cycle.fees, ledger["fees"] - opening)
    nothing_left(stack)


def test_adopted_beside_our_own_part_neither_touches_the_other(stack: Stack, desk: Differences) -> None:
    own = stack.opened()
    (before,) = rest(stack)
    stack.price("101000")
    bought(stack)
    stack.settle(3)
    assert rest(stack) == [before]
    part = adopt(stack, desk)
    stack.until(lambda: stack.at_rest(part) and stack.at_rest(own))
    assert stack.part(part).average_entry > 100900
    assert sorted(row["sz"] for row in stack.resting()) == ["0.99", "2"]
    assert before in rest(stack)
    stack.price("103600")  # the adopted one's target, not the own one's
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(own))
    assert stack.held() == Decimal("0.99")
    stack.price("106000")
    stack.ended(own)
    assert same(sum((cycle.realised_pnl for cycle in stack.store.history.cycles()), Decimal(0)), stack.money()["pnl"])
    nothing_left(stack)


def test_adopted_and_asked_to_it_opens_again_in_the_same_record(stack: Stack, desk: Differences) -> None:
    bought(stack)
    part = adopt(stack, desk, reopen=ReopenChoice(enabled=True))
    stack.until(lambda: stack.at_rest(part))
    stack.price("103000")
    stack.ended(part)
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    now = stack.part(part)
    assert (now.intent.cycle, now.taken_over) == (2, 0)
    assert Decimal("1.9") < now.size < Decimal("2")
    assert stack.held() == now.size


def test_a_crash_between_the_answer_and_the_next_look_changes_nothing(stack: Stack, desk: Differences) -> None:
    bought(stack)
    part = adopt(stack, desk)
    stack.crash()
    stack.until(lambda: stack.at_rest(part))
    assert [row["sz"] for row in stack.resting()] == ["2"]


def test_assigned_the_part_protects_the_whole(stack: Stack, desk: Differences) -> None:
    part = stack.opened()
    bought(stack)
    row = only(desk)
    assert row.parts == (part,)
    desk.assign(ACCOUNT, row.id, row.mark, part, stack.token(), "trader")
    stack.until(lambda: stack.at_rest(part))
    now, (oco,) = stack.part(part), stack.resting()
    assert (now.size, oco["sz"]) == (Decimal("2.99"), "2.99")
    assert abs((Decimal(oco["slTriggerPx"]) - now.average_entry) * Decimal("0.0299") + 100) < Decimal("0.01")
    stack.price("102000")
    cycle = stack.ended(part)
    assert (cycle.reason, cycle.contracts) == (ExitReason.TAKE_PROFIT, Decimal("2.99"))
    assert same(cycle.realised_pnl, stack.money()["pnl"])
    nothing_left(stack)


def test_ignored_it_is_no_alarm_and_in_nobodys_way_until_it_changes(stack: Stack, desk: Differences) -> None:
    bought(stack)
    waiting = stack.open()
    stack.settle(4)
    assert stack.held() == Decimal(2)
    assert "waits: 2 contracts here are not ours: adopt, assign or ignore them first" in stack.story()
    row = only(desk)
    desk.ignore(ACCOUNT, row.id, row.mark, stack.token(), "trader")
    stack.until(lambda: stack.at_rest(waiting))
    assert stack.alarms() == []
    assert (only(desk).answer, only(desk).blocks) == (Choice.IGNORE, False)
    stack.crash()
    stack.settle(3)
    assert stack.alarms() == []
    stack.price("106000")
    stack.ended(waiting)
    assert stack.held() == Decimal(2)
    stack.simulator.intervene("place", **THERE, side="buy", ordType="market", sz="1")
    stack.until(lambda: RESIDUAL in stack.alarms())
    assert (only(desk).answer, only(desk).quantity) == (None, Decimal(3))
    stack.until(lambda: stack.store.differences.answers(ACCOUNT) == {})


def test_ignored_gone_and_back_it_is_asked_about_again(stack: Stack, desk: Differences) -> None:
    bought(stack)
    row = only(desk)
    desk.ignore(ACCOUNT, row.id, row.mark, stack.token(), "trader")
    stack.until(lambda: stack.alarms() == [])
    stack.simulator.intervene("close", **THERE)
    stack.until(lambda: stack.store.differences.answers(ACCOUNT) == {})
    stack.look()
    assert desk.list(ACCOUNT) == ()
    bought(stack)
    assert only(desk).answer is None


def test_an_adopted_part_closed_by_hand_is_the_one_that_gives(stack: Stack, desk: Differences) -> None:
    stack.store.settings.set_all({"division": "newest"}, "test")
    own = stack.opened()
    bought(stack)
    part = adopt(stack, desk)
    stack.until(lambda: stack.at_rest(part))
    stack.step(20)
    stack.simulator.intervene("close", **THERE, sz="2")
    assert stack.ended(part).reason is ExitReason.CLOSED_BY_HAND
    stack.until(lambda: stack.at_rest(own))
    assert stack.held() == Decimal("0.99")


def test_two_pages_that_adopt_the_same_contracts_make_one_part(stack: Stack, desk: Differences) -> None:
    bought(stack)
    row = only(desk)
    wish = Adoption(FIFTY, HUNDRED)
    first = desk.adopt(ACCOUNT, row.id, row.mark, wish, "page one", "trader")
    again = desk.adopt(ACCOUNT, row.id, row.mark, wish, "page one", "trader")
    assert (again.part, again.new) == (first.part, False)
    with pytest.raises(Misconfigured, match="given to a part already"):
        desk.adopt(ACCOUNT, row.id, row.mark, wish, "page two", "another")
    stack.until(lambda: stack.at_rest(first.part))
    assert len(stack.store.parts.intents(ACCOUNT)) == 1
