"""The exchange's history brought home on the real stack: every life matched to our cycles, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from core.domain.errors import Misconfigured, Unavailable
from core.domain.history.holding import StepKind
from core.domain.history.position_history import LastClose
from core.domain.instrument import Side
from core.domain.order import Leg
from core.monitor.history import OVERLAP, WINDOW, bring_home, windows
from core.services.reporting.history import Agreement, History, Only
from core.services.trading.orders import OrderManager
from tests.builders import NOON
from tests.monitor.invariants import same
from tests.stack import ACCOUNT, Stack

ALL = Only()
LAST_WINDOW = "account/bills"  #: older funding is in another list


@pytest.fixture
def history(stack: Stack) -> History:
    return History(stack.store.history, stack.store.fills, stack.clock)


def three_cycles(stack: Stack) -> list[str]:
    """A target, a stop over a funding time, and a recovery that ends by its own target; the parts."""
    target = stack.opened()
    stack.price("106000")
    stack.ended(target)
    stop = stack.opened(stack.draft(side=Side.SHORT, tp=50, sl=-50))
    stack.step(8 * 3600)
    stack.look()
    stack.price("112000")
    stack.ended(stop)
    stack.price("100000")
    stack.store.settings.set("recovery_enabled", True, "test")
    recovered = stack.opened()
    stack.price("94800")
    stack.until(lambda: len(stack.part(recovered).steps) == 1 and stack.at_rest(recovered), seconds=60)
    stack.price("106000")
    stack.ended(recovered)
    return [target, stop, recovered]


def test_three_cycles_are_told_matched_and_equal_to_the_exchanges_ledger(stack: Stack, history: History) -> None:
    parts = three_cycles(stack)
    stack.step(5)
    bring_home(stack.guard)
    matched = history.matched(ACCOUNT, ALL, 100)
    assert [(one.agreement, one.difference is not None) for one in matched] == [(Agreement.AGREES, True)] * 3
    assert [one.cycles[0].part for one in reversed(matched)] == parts
    assert all(one.theirs is not None and one.theirs.last_close is LastClose.FULL for one in matched)
    ledger = stack.money()
    assert same(sum((one.theirs.realised for one in matched if one.theirs), Decimal(0)), ledger["all"])
    assert same(sum((one.net for one in matched), Decimal(0)), ledger["all"])
    assert ledger["funding"] != 0
    found = history.performance(ACCOUNT, ALL)
    assert same(found.whole.net, ledger["all"])
    assert (found.whole.cycles, found.whole.won) == (3, 2)
    assert found.groups["recovery"]["with"].cycles == 1
    assert [cycle.part for cycle in history.cycles(ACCOUNT, Only(recovered=True), 10)] == [parts[2]]
    assert [cycle.part for cycle in history.cycles(ACCOUNT, Only(side=Side.SHORT), 10)] == [parts[1]]
    assert history.cycles(ACCOUNT, Only(strategy="try1"), 10) == []


def test_the_steps_of_a_past_cycle_with_recovery(stack: Stack, history: History) -> None:
    part = three_cycles(stack)[2]
    entry, recovery, leave = history.steps(part, 1)
    assert [step.kind for step in (entry, recovery, leave)] == [StepKind.ENTRY, StepKind.RECOVERY, StepKind.EXIT]
    assert (entry.before.size, entry.after.size) == (0, entry.quantity)
    assert recovery.before == entry.after
    assert recovery.after.size == entry.quantity + recovery.quantity == -leave.quantity
    assert entry.after.average > recovery.after.average > recovery.price
    coins = recovery.after.size * Decimal("0.01")
    assert abs((recovery.after.take_profit - recovery.after.average) * coins - 50) < Decimal("0.01")
    assert abs((recovery.after.stop_loss - recovery.after.average) * coins + 100) < Decimal("0.01")
    assert (leave.after.size, leave.before) == (0, recovery.after)
    (cycle,) = stack.store.history.cycles(ACCOUNT, part)
    assert same(entry.fee + recovery.fee + leave.fee, cycle.fees)


def test_a_second_run_reads_little_and_keeps_nothing_twice(stack: Stack, history: History) -> None:
    stack.opened()
    stack.price("106000")
    stack.until(lambda: stack.store.history.cycles(ACCOUNT))
    bring_home(stack.guard)
    first = history.sync_state(ACCOUNT)
    assert (first.done, first.of) == (13, 13)
    fills = len(stack.store.fills.find(ACCOUNT))
    stack.step(60)
    bring_home(stack.guard)
    second = history.sync_state(ACCOUNT)
    assert (second.done, second.of, second.trouble) == (1, 1, None)
    assert second.reached == stack.clock.now()
    assert (len(history.matched(ACCOUNT, ALL, 9)), len(stack.store.fills.find(ACCOUNT))) == (1, fills)


def test_an_end_in_the_middle_goes_on_where_it_was(stack: Stack, history: History) -> None:
    stack.simulator.faults({"kind": "html_502", "match": {"path": LAST_WINDOW}, "count": 3})
    with pytest.raises(Unavailable):
        bring_home(stack.guard)
    broken = history.sync_state(ACCOUNT)
    assert broken.done == 12
    assert "funding" in str(broken.trouble)
    stack.simulator.faults()
    bring_home(stack.guard)
    whole = history.sync_state(ACCOUNT)
    assert (whole.of, whole.trouble, whole.reached) == (1, None, stack.clock.now())


def test_what_is_held_and_what_is_not_ours_is_told_as_such(stack: Stack, history: History) -> None:
    part = stack.opened()
    stack.hear()
    stack.positions.close(part, stack.token(), "trader", contracts=Decimal("0.5"))
    stack.until(lambda: stack.part(part).size == Decimal("0.49"))
    bring_home(stack.guard)
    (held,) = history.matched(ACCOUNT, ALL, 9)
    assert (held.agreement, held.difference) == (Agreement.HELD, None)
    stack.simulator.intervene("close", instId="BTC-USDT-SWAP", posSide="long")
    stack.ended(part)
    bring_home(stack.guard)
    (over,) = history.matched(ACCOUNT, ALL, 9)
    assert over.agreement is Agreement.AGREES


def test_a_hand_at_the_exchange_can_be_kept_and_given_up_again(stack: Stack) -> None:
    orders, part = OrderManager(stack.store, stack.clock), stack.opened()
    wanted = orders.by_hand(part)
    assert (wanted.edited, wanted.at_exchange) == (False, None)
    (resting,) = stack.resting()
    stack.simulator.intervene("amend_algo", algoId=resting["algoId"], newSlTriggerPx="91000")
    stack.until(lambda: "amended in place" in stack.story())
    stack.settle(2)
    found = orders.by_hand(part)
    assert (found.stop_loss, found.at_exchange) == (wanted.stop_loss, (wanted.take_profit, Decimal(91000)))
    assert stack.resting()[0]["slTriggerPx"] == str(wanted.stop_loss)
    orders.keep_levels(part, stack.token(), "trader")
    stack.settle(3)
    assert stack.resting()[0]["slTriggerPx"] == "91000"
    assert (orders.by_hand(part).edited, orders.by_hand(part).stop_loss) == (True, Decimal(91000))
    orders.to_automatic(part, stack.token(), "trader")
    stack.settle(3)
    assert stack.resting()[0]["slTriggerPx"] == str(wanted.stop_loss)
    assert not orders.by_hand(part).edited


def test_legs_taken_away_by_hand_stay_away_and_come_back_with_automatic(stack: Stack) -> None:
    orders, part = OrderManager(stack.store, stack.clock), stack.opened()
    (before,) = stack.resting()
    orders.remove_leg(part, Leg.TAKE_PROFIT, stack.token(), "trader")
    stack.settle(8)
    (stop,) = stack.resting()
    assert (stop["tpTriggerPx"], stop["slTriggerPx"]) == ("", before["slTriggerPx"])
    with pytest.raises(Misconfigured, match="no take-profit to take away"):
        orders.remove_leg(part, Leg.TAKE_PROFIT, stack.token(), "trader")
    orders.remove_leg(part, Leg.STOP_LOSS, stack.token(), "trader")
    stack.settle(8)
    assert stack.resting() == []
    assert (stack.held(), stack.alarms()) == (Decimal("0.99"), [])
    orders.to_automatic(part, stack.token(), "trader")
    stack.until(lambda: stack.at_rest(part))
    (after,) = stack.resting()
    assert (after["tpTriggerPx"], after["slTriggerPx"]) == (before["tpTriggerPx"], before["slTriggerPx"])


def test_nobody_moved_anything_so_there_is_nothing_to_keep(stack: Stack) -> None:
    orders, part = OrderManager(stack.store, stack.clock), stack.opened()
    with pytest.raises(Misconfigured, match="nobody has moved TP or SL"):
        orders.keep_levels(part, stack.token(), "trader")
    stack.price("106000")
    stack.ended(part)
    for call in (orders.keep_levels, orders.to_automatic):
        with pytest.raises(Misconfigured, match="has ended already"):
            call(part, stack.token(), "trader")
    with pytest.raises(Misconfigured, match="is not known"):
        orders.by_hand("zzzzzz")


def test_a_hand_is_seen_also_while_the_bot_is_stopped(stack: Stack) -> None:
    orders, part = OrderManager(stack.store, stack.clock), stack.opened()
    stack.guard.running = False
    (resting,) = stack.resting()
    stack.simulator.intervene("amend_algo", algoId=resting["algoId"], newTpTriggerPx="107000")
    stack.settle(3)
    found = orders.by_hand(part)
    assert found.at_exchange == (Decimal(107000), Decimal(resting["slTriggerPx"]))
    assert found.take_profit == Decimal(resting["tpTriggerPx"])


def test_windows_reach_three_months_back_and_then_go_on_from_the_cursor() -> None:
    first = list(windows(None, NOON))
    assert first[0][0] == NOON - timedelta(days=89)
    assert (len(first), first[-1][1]) == (13, None)
    assert all(before[1] == after[0] for before, after in pairwise(first))
    assert list(windows(NOON - timedelta(minutes=10), NOON)) == [(NOON - timedelta(minutes=10) - OVERLAP, None)]
    assert len(list(windows(NOON - WINDOW, NOON))) == 2
    assert next(windows(NOON - timedelta(days=400), NOON))[0] == NOON - timedelta(days=89)
