"""What the trader says to differences is in the book once, in one transaction, and leaves it again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.action import StartCycle
from core.domain.asked import asked_by
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind
from core.domain.errors import Misconfigured
from core.domain.instrument import Side
from core.domain.intent import ExternalEntry, Intent, Wanted
from core.domain.order import Funding
from db.recorder import TradeRecorder
from db.store import Store
from tests.db.values import ACCOUNT, BTC, LONG, NOON, contracts, draft, fill, price

IGNORED = DifferenceAnswer(DifferenceKind.RESIDUAL, Choice.IGNORE, "2")


def entry(name: str = "since-noon", quantity: str = "2", at: str = "100250.123456789012345") -> ExternalEntry:
    return ExternalEntry(contracts(quantity), price(at), NOON, name)


def adopted(store: Store, token: str = "click", **changes: object) -> tuple[Intent, bool]:
    wish = draft(contracts=contracts("2"), cycle_started_at=NOON, strategy="adopted", **changes)
    return store.differences.adopt(wish, entry(), token)


def test_an_adopted_part_comes_back_with_what_it_took_over(store: Store) -> None:
    intent, new = adopted(store)
    assert new
    assert intent.external_entries == (entry(),)
    found = store.parts.intent(intent.part)
    assert found is not None
    assert (found.external_entries, found.contracts, found.cycle_started_at) == ((entry(),), Decimal(2), NOON)
    assert store.parts.desired(ACCOUNT)[LONG].intents == (found,)


def test_the_same_click_adopts_once_and_another_click_is_refused(store: Store) -> None:
    intent, _ = adopted(store)
    again, new = adopted(store)
    assert (again.part, new) == (intent.part, False)
    with pytest.raises(Misconfigured, match="given to a part already"):
        adopted(store, "another click")
    assert [one.part for one in store.parts.intents(ACCOUNT)] == [intent.part]


def test_assigned_contracts_enlarge_a_living_part_once(store: Store) -> None:
    part = store.parts.open(draft(), "open")[0].part
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100000")), NOON)
    changed, new = store.differences.assign(part, entry(), "click", "ayla")
    assert new
    assert (changed.contracts, changed.external_entries) == (Decimal("2.99"), (entry(),))
    assert store.differences.assign(part, entry(), "click", "ayla")[1] is False
    with pytest.raises(Misconfigured, match="given to a part already"):
        store.differences.assign(part, entry(), "another click", "ayla")
    found = store.parts.intent(part)
    assert found is not None
    assert found.contracts == Decimal("2.99")
    assert store.events.find(part=part)[0].because == asked_by("ayla")


def test_nothing_is_assigned_to_a_part_that_is_to_be_closed(store: Store) -> None:
    part = store.parts.open(draft(), "open")[0].part
    store.parts.change(part, "close", "ayla", "", wanted=Wanted.CLOSED)
    with pytest.raises(Misconfigured, match="is not open"):
        store.differences.assign(part, entry(), "click", "ayla")
    assert store.parts.of_token("click") is None


def test_a_part_takes_over_in_one_cycle_only(store: Store) -> None:
    intent, _ = adopted(store)
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE positions SET cycle_ended_at = now(), reopen_at = now()")
    store.cycles.start(StartCycle(intent.part, 2, contracts("1.9"), price("100000")), NOON)
    found = store.parts.intent(intent.part)
    assert found is not None
    assert (found.cycle, found.external_entries) == (2, ())


def test_an_answer_stands_where_nothing_else_is_wanted_and_is_forgotten_by_its_mark(store: Store) -> None:
    assert store.differences.answer(LONG, IGNORED, "click", "ayla")
    assert not store.differences.answer(LONG, IGNORED, "click", "ayla")
    wanted = store.parts.desired(ACCOUNT)[LONG]
    assert (wanted.intents, wanted.answers) == ((), (IGNORED,))
    assert wanted.answered(DifferenceKind.RESIDUAL, "2") is Choice.IGNORE
    assert wanted.answered(DifferenceKind.RESIDUAL, "3") is None
    store.differences.forget_answer(LONG, DifferenceKind.RESIDUAL, "3")
    assert store.differences.answers(ACCOUNT) == {LONG: {DifferenceKind.RESIDUAL: Choice.IGNORE}}
    store.differences.forget_answer(LONG, DifferenceKind.RESIDUAL, "2")
    assert store.parts.desired(ACCOUNT) == {}


def test_a_newer_answer_takes_the_place_of_the_older(store: Store) -> None:
    store.differences.answer(LONG, IGNORED, "one", "ayla")
    store.differences.answer(LONG, DifferenceAnswer(DifferenceKind.RESIDUAL, Choice.IGNORE, "3"), "two", "ayla")
    assert [answer.mark for answer in store.parts.desired(ACCOUNT)[LONG].answers] == ["3"]
    (event, _) = store.events.find(ACCOUNT)
    assert str(event.action) == f"ignore residual of long {BTC}: 3"


def test_funding_is_shared_with_what_was_taken_over(store: Store) -> None:
    intent, _ = adopted(store)
    recorder = TradeRecorder(store)
    theirs = fill(1, "1", quantity=contracts("2"), at=NOON - timedelta(hours=1))
    others = fill(2, "2", quantity=contracts("6"), at=NOON - timedelta(hours=1))
    recorder.record_fills(ACCOUNT, [theirs, others])
    recorder.record_funding(ACCOUNT, [Funding(BTC, Side.LONG, Decimal(-4), NOON + timedelta(hours=1), "f1")])
    end = NOON + timedelta(hours=2)
    assert store.fills.funding_of(ACCOUNT, BTC, Side.LONG, intent.part, 1, NOON, end) == Decimal(-1)
