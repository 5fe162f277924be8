"""Parts and cycles: each click once, each end once, and every digit as it was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest

from core.domain.account import Level
from core.domain.action import BookExit, EndCycle, ExecutionOver, StartCycle, StartStep
from core.domain.errors import Misconfigured, Refused
from core.domain.intent import (
    Adding,
    AtEnd,
    Closing,
    ExecutionKind,
    ExecutionStyle,
    ExitReason,
    Instruction,
    Intent,
    Limits,
    Recovery,
    RecoveryChoice,
    ReopenChoice,
    ReopenRule,
    Target,
    TargetEdit,
    Wanted,
)
from core.domain.order import OrderStatus, Purpose
from core.domain.reason import text
from db.records import CycleRecord
from db.store import Store
from tests.db.values import ACCOUNT, LONG, NOON, PAPER, contracts, draft, order, price

LATER = NOON + timedelta(minutes=7)


def start(part: str, cycle: int = 1) -> StartCycle:
    return StartCycle(part, cycle, contracts("0.99"), price("100250.1"))


def end(part: str, cycle: int = 1, reason: ExitReason = ExitReason.TAKE_PROFIT) -> EndCycle:
    return EndCycle(
        part,
        cycle,
        reason,
        text("the take-profit closed it"),
        realised_pnl=Decimal("50.000000000000000000000001"),
        fees=Decimal("-1.0231"),
        entered=contracts("0.99"),
        average_entry=price("100250.1"),
        average_exit=price("105300.7"),
    )


TWAP = ExecutionStyle(
    ExecutionKind.TWAP, duration=timedelta(minutes=5), slices=20, randomness=Decimal("0.25"), passive=True
)
ICEBERG = ExecutionStyle(
    ExecutionKind.ICEBERG, at_end=AtEnd.MARKET, visible=Decimal("0.1"), refresh=timedelta(seconds=10)
)


def opened(store: Store, **changes: object) -> Intent:
    intent, _ = store.parts.open(draft(**changes), f"click-{changes}")
    return intent


def test_a_part_comes_back_as_it_went_in(store: Store) -> None:
    store.settings.set_all({"recovery_enabled": False, "reopen_enabled": False}, "ayla")
    whole = draft(
        entry=ExecutionStyle(
            ExecutionKind.LIMIT,
            price("99000.10"),
            timedelta(seconds=90, microseconds=1),
            AtEnd.MARKET,
            reprice=timedelta(seconds=3),
            follow=Decimal("0.0025"),
        ),
        take_profit=Target(price=price("123456.789012345678901234567890")),
        stop_loss=Target(percent=Decimal("-2.5")),
        own_recovery=RecoveryChoice(max_steps=3, max_loss=Decimal("300.01"), style=TWAP),
        closing=Closing(ICEBERG, NOON),
        adding=Adding(2, contracts("0.33"), NOON),
        told=Instruction("1R2", finish=True, asked_at=NOON),
        own_reopen=ReopenChoice(None, frozenset({ExitReason.STOP_LOSS}), timedelta(minutes=3), 4, Decimal("0.1")),
        edit=TargetEdit(None, Target(pnl_usdt=Decimal("-7.5")), 2),
        reopen_at=NOON,
        strategy="try1",
        leverage=Decimal("3.5"),
        asked_by="ayla",
    )
    intent, new = store.parts.open(whole, "click")
    assert new
    assert len(intent.part) == 6
    assert intent == whole.but(part=intent.part)
    assert store.parts.intent(intent.part) == intent
    assert str(store.parts.intent(intent.part).position_value) == "1000.000000000000000001"  # type: ignore[union-attr]


def test_a_second_click_finds_the_part_of_the_first(store: Store) -> None:
    first, new = store.parts.open(draft(), "click")
    second, again = store.parts.open(draft(position_value=Decimal(2)), "click")
    assert (new, again) == (True, False)
    assert second == first
    assert store.parts.intents(ACCOUNT) == [first]


def test_two_clicks_at_the_same_moment_are_one_part(store: Store) -> None:
    found: list[tuple[Intent, bool]] = []
    ready = Barrier(4)

    def click() -> None:
        ready.wait(5)
        found.append(store.parts.open(draft(), "click"))

    threads = [Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len({intent.part for intent, _ in found}) == 1
    assert sorted(new for _, new in found) == [False, False, False, True]


def test_each_part_has_a_name_of_its_own_and_the_newest_comes_first(store: Store) -> None:
    first, second = opened(store), opened(store, asked_at=LATER)
    assert first.part < second.part
    assert [intent.part for intent in store.parts.intents(ACCOUNT)] == [second.part, first.part]
    assert store.parts.intent("nobody") is None


def test_desired_holds_living_parts_by_position_with_level_and_limits(store: Store) -> None:
    long, other = opened(store), opened(store, strategy="try1")
    assert set(store.parts.desired(ACCOUNT)) == {LONG}
    store.bots.set_level(ACCOUNT, Level.REDUCE_ONLY, by="ayla", why="news")
    store.settings.set("max_order_value", Decimal("2500.50"), by="ayla")
    store.settings.set("max_leverage", 20, by="ayla")
    wanted = store.parts.desired(ACCOUNT)[LONG]
    assert {intent.part for intent in wanted.intents} == {long.part, other.part}
    assert wanted.level is Level.REDUCE_ONLY
    assert wanted.limits == Limits(max_order_value=Decimal("2500.50"), max_leverage=Decimal(20))
    assert store.parts.desired("somebody-else") == {}


def test_an_ended_part_is_desired_only_while_orders_of_it_rest(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.orders.save(ACCOUNT, [order(part)])
    store.cycles.end(ACCOUNT, end(part), Decimal(0), "", LATER)
    assert [intent.part for intent in store.parts.desired(ACCOUNT)[LONG].intents] == [part]
    assert [one.part for one in store.orders.of_interest(ACCOUNT)] == [part]
    store.orders.save(ACCOUNT, [order(part, status=OrderStatus.CANCELED)])
    store.cycles.let_go(part, 1)
    assert store.parts.desired(ACCOUNT) == {}
    assert store.orders.of_interest(ACCOUNT) == []


def test_an_ended_part_that_may_come_back_stays_desired_until_it_is_let_go(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.end(ACCOUNT, end(part), Decimal(0), "", LATER)
    assert [intent.part for intent in store.parts.desired(ACCOUNT)[LONG].intents] == [part]
    store.cycles.let_go(part, 2)
    assert store.parts.desired(ACCOUNT) != {}, "another cycle is meant"
    store.parts.change(part, "click-2", "ayla", "", wanted=Wanted.RENEWED)
    store.cycles.let_go(part, 1)
    assert store.parts.desired(ACCOUNT) != {}, "the trader has asked for it meanwhile"


def test_the_next_cycle_forgets_what_was_for_the_last_one(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.end(ACCOUNT, end(part), Decimal(0), "", LATER)
    edit = TargetEdit(None, Target(pnl_usdt=Decimal(-5)), 0)
    store.parts.change(part, "click-2", "ayla", "", wanted=Wanted.RENEWED, edit=edit, reopen_at=LATER)
    store.cycles.start(start(part, cycle=2), LATER)
    intent = store.parts.intent(part)
    assert intent is not None
    assert (intent.cycle, intent.wanted, intent.edit, intent.reopen_at) == (2, Wanted.OPEN, None, None)


def test_settings_reach_every_part_that_has_not_chosen_otherwise(store: Store) -> None:
    part = opened(store).part
    store.settings.set("recovery_enabled", True, "ayla")
    store.settings.set("recovery_tp_usdt", Decimal(77), "ayla")
    store.settings.set("reopen_enabled", True, "ayla")
    store.settings.set("reopen_delay_minutes", 7, "ayla")
    intent = store.parts.intent(part)
    assert intent is not None
    assert intent.recovery == Recovery(tp_usdt=Decimal(77))
    assert intent.reopen == ReopenRule(delay=timedelta(minutes=7))
    own = RecoveryChoice(tp_usdt=Decimal(5))
    intent = store.parts.change(part, "click-2", "ayla", "", own_recovery=own, own_reopen=ReopenChoice(enabled=False))
    assert intent.recovery == Recovery(tp_usdt=Decimal(5))
    assert intent.reopen is None


def test_a_loss_budget_knows_what_the_cycles_have_earned(store: Store) -> None:
    part = opened(store).part
    store.parts.change(part, "click-2", "ayla", "", own_reopen=ReopenChoice(enabled=True, loss_budget=Decimal(100)))
    store.cycles.start(start(part), NOON)
    store.cycles.end(ACCOUNT, end(part), Decimal("-0.25"), "", LATER)
    (cycle,) = store.history.cycles(ACCOUNT)
    intent = store.parts.intent(part)
    assert intent is not None
    assert intent.earned == cycle.net != 0


def test_a_change_is_made_once_and_told_with_its_author(store: Store) -> None:
    part = opened(store).part
    stop = Target(pnl_usdt=Decimal("-20.5"))
    changed = store.parts.change(part, "click-2", "ayla", "less risk", stop_loss=stop, take_profit=None)
    assert (changed.stop_loss, changed.take_profit, changed.version) == (stop, None, 2)
    assert store.parts.intent(part) == changed
    assert store.parts.change(part, "click-2", "ayla", "less risk", stop_loss=None) == changed
    newest = store.events.find(ACCOUNT, part)[0]
    assert (newest.rule, str(newest.because)) == ("asked", "asked by ayla: less risk")
    assert str(newest.action) == "SL -20.5 USDT, TP none"
    assert len(store.events.find(ACCOUNT, part)) == 2


def test_every_change_a_trader_may_make_comes_back(store: Store) -> None:
    part = opened(store).part
    changes = {
        "wanted": Wanted.CLOSED,
        "reduce_to": contracts("0.5"),
        "leverage": Decimal(7),
        "position_value": Decimal("5.5"),
        "own_recovery": RecoveryChoice(enabled=True, tp_usdt=Decimal("12.5")),
        "own_reopen": ReopenChoice(enabled=False),
        "edit": TargetEdit(Target(price=price("9.5")), None, 0),
        "reopen_at": NOON,
        "entry": ExecutionStyle(ExecutionKind.LIMIT, price("1.5")),
    }
    changed = store.parts.change(part, "click-2", "ayla", "", **changes)
    assert {name: getattr(changed, name) for name in changes} == changes
    assert store.parts.intent(part) == changed
    store.cycles.reduction_done(part, contracts("0.7"))
    assert store.parts.intent(part) == changed, "a newer wish is not forgotten for an older one that was reached"
    store.cycles.reduction_done(part, contracts("0.5"))
    assert store.parts.intent(part) == changed.but(reduce_to=None)


def test_a_change_of_an_unknown_part_is_refused(store: Store) -> None:
    with pytest.raises(Misconfigured, match="part '00zzzz' is not known"):
        store.parts.change("00zzzz", "click", "ayla", "", leverage=Decimal(2))


def test_a_cycle_starts_once(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.start(replace(start(part), contracts=contracts("7")), LATER)
    begun = store.parts.intent(part)
    assert begun is not None
    assert (begun.contracts, begun.cycle_started_at) == (contracts("0.99"), NOON)


def test_a_part_that_was_closed_meanwhile_does_not_start(store: Store) -> None:
    part = opened(store).part
    store.parts.change(part, "click-2", "ayla", "", wanted=Wanted.CLOSED)
    with pytest.raises(Refused, match="no longer wanted"):
        store.cycles.start(start(part), NOON)


def test_a_cycle_ends_once_and_becomes_history(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.end(ACCOUNT, end(part), Decimal("-0.0310"), "77@1", LATER)
    store.cycles.end(ACCOUNT, end(part, reason=ExitReason.STOP_LOSS), Decimal(9), "", LATER + timedelta(hours=1))
    ended = store.parts.intent(part)
    assert ended is not None
    assert (ended.cycle_ended_at, ended.exit_reason, ended.living) == (LATER, ExitReason.TAKE_PROFIT, False)
    record = CycleRecord(
        account=ACCOUNT,
        symbol=LONG.symbol,
        side=LONG.side,
        part=part,
        number=1,
        started=NOON,
        ended=LATER,
        contracts=contracts("0.99"),
        average_entry=price("100250.1"),
        average_exit=price("105300.7"),
        realised_pnl=Decimal("50.000000000000000000000001"),
        fees=Decimal("-1.0231"),
        funding=Decimal("-0.0310"),
        reason=ExitReason.TAKE_PROFIT,
        words=text("the take-profit closed it"),
        life="77@1",
    )
    assert store.history.cycles(ACCOUNT) == store.history.cycles(part=part) == [record]
    assert record.net == Decimal("48.945900000000000000000001")


def test_the_next_cycle_begins_in_the_same_row_without_the_past(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    gone = BookExit(part, 1, contracts("0.5"), price("99"), Decimal("-0.1"), ExitReason.CLOSED_BY_HAND, NOON, "f1/x")
    store.cycles.book_exit(ACCOUNT, gone)
    store.cycles.end(ACCOUNT, end(part), Decimal(0), "", LATER)
    store.cycles.start(start(part, 2), LATER)
    now = store.parts.intent(part)
    assert now is not None
    assert (now.cycle, now.cycle_started_at, now.exit_reason, now.living) == (2, LATER, None, True)
    assert now.external_exits == ()
    store.cycles.end(ACCOUNT, end(part, 2), Decimal(0), "", LATER + timedelta(minutes=1))
    assert [cycle.number for cycle in store.history.cycles()] == [2, 1]


def test_an_exit_from_outside_is_booked_once(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    share = Decimal("-0.1") / 3
    gone = BookExit(part, 1, contracts("0.3"), price("99"), share, ExitReason.LIQUIDATED, NOON, f"f1/{part}")
    store.cycles.book_exit(ACCOUNT, gone)
    store.cycles.book_exit(ACCOUNT, gone)
    intent = store.parts.desired(ACCOUNT)[LONG].intents[0]
    assert [(exit_.quantity, exit_.fee, exit_.reason) for exit_ in intent.external_exits] == [
        (contracts("0.3"), share, ExitReason.LIQUIDATED)
    ]


def test_an_account_with_living_parts_stays(store: Store) -> None:
    store.accounts.save(PAPER, b"sealed")
    part = opened(store).part
    with pytest.raises(Misconfigured, match=f"still guards {part}"):
        store.accounts.remove(ACCOUNT)
    store.cycles.end(ACCOUNT, end(part, reason=ExitReason.NOT_ENTERED), Decimal(0), "", LATER)
    store.accounts.remove(ACCOUNT)
    assert store.accounts.all() == []
    assert store.accounts.ciphertext(ACCOUNT) is None
    assert len(store.history.cycles(ACCOUNT)) == 1


def test_an_account_comes_back_and_keeps_its_keys(store: Store) -> None:
    assert store.accounts.get(ACCOUNT) is None
    store.accounts.save(PAPER, b"sealed \x00\xff")
    renamed = replace(PAPER, name="Paper", api_key_hint="zzzz")
    store.accounts.save(renamed, None)
    assert store.accounts.all() == [renamed]
    assert store.accounts.get(ACCOUNT) == renamed
    assert store.accounts.ciphertext(ACCOUNT) == b"sealed \x00\xff"


def test_ids_of_the_exchange_are_noted_beside_the_part(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.note_position(part, "77", "a1", "a1")
    store.cycles.note_position(part, "77", "a1", "a1")
    with store.one_statement() as connection:
        row = connection.exec_driver_sql("SELECT position_id, tp_order_id, sl_order_id, status FROM positions").one()
    assert tuple(row) == ("77", "a1", "a1", "open")


def test_a_click_that_changes_nothing_in_the_book_is_claimed_once(store: Store) -> None:
    assert store.parts.claim("click", ACCOUNT, "cancel order", "ayla")
    assert not store.parts.claim("click", ACCOUNT, "cancel order", "ayla")
    with pytest.raises(Misconfigured, match="used for something else"):
        store.parts.open(draft(), "click")


def test_a_click_leads_to_its_part(store: Store) -> None:
    part = store.parts.open(draft(), "click")[0].part
    assert store.parts.of_token("click") == part
    assert store.parts.of_token("another click") is None


def test_limits_are_the_settings_of_their_names(store: Store) -> None:
    assert store.parts.limits() == Limits()
    store.settings.set("max_order_value", Decimal("2500.50"), by="ayla")
    store.settings.set("max_leverage", None, by="ayla")
    store.settings.set("check_seconds", 60, by="ayla")
    assert store.parts.limits() == Limits(max_order_value=Decimal("2500.50"))


def test_a_recovery_step_in_pieces_begins_once_and_ends(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    for size, at in (("3", NOON), ("4", LATER)):
        store.cycles.start_step(StartStep(part, 1, 1, contracts(size)), at)
    assert store.parts.intent(part).adding == Adding(1, contracts("3"), NOON)  # type: ignore[union-attr]
    store.cycles.execution_over(ExecutionOver(part, 7, Purpose.RECOVERY, contracts("3")))
    assert store.parts.intent(part).adding is not None, "of another cycle"  # type: ignore[union-attr]
    store.cycles.execution_over(ExecutionOver(part, 1, Purpose.RECOVERY, contracts("3")))
    assert store.parts.intent(part).adding is None  # type: ignore[union-attr]


def test_an_entry_that_ended_short_is_the_size_of_its_cycle(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.cycles.execution_over(ExecutionOver(part, 1, Purpose.ENTRY, contracts("0.5")))
    assert store.parts.intent(part).contracts == contracts("0.5")  # type: ignore[union-attr]


def test_words_on_executions_hold_for_one_cycle(store: Store) -> None:
    part = opened(store).part
    store.cycles.start(start(part), NOON)
    store.parts.change(part, "told", "ayla", "", told=Instruction("1E", finish=False), closing=Closing(TWAP, NOON))
    store.cycles.start_step(StartStep(part, 1, 1, contracts("3")), NOON)
    store.cycles.end(ACCOUNT, end(part), Decimal(0), "life", LATER)
    store.cycles.start(start(part, 2), LATER)
    intent = store.parts.intent(part)
    assert intent is not None
    assert (intent.told, intent.closing, intent.adding) == (None, None, None)
