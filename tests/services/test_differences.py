"""Answers to differences: checked against the newest look, written once, refused in sentences and without a trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.clock import SteppedClock
from core.domain.account import PositionKey
from core.domain.difference import Choice, DifferenceKind
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Side
from core.domain.intent import ExecutionStyle, RecoveryChoice, Target
from core.domain.money import Price
from core.domain.reason import text
from core.services.trading.differences import Adoption, Differences
from db.store import Store
from tests.pages.samples.snapshot import difference, sample_snapshot, ticker
from tests.services.conftest import BTC, PAPER, open_part, start_cycle
from tests.services.test_positions import RULES

RESIDUAL, SHORTFALL = f"residual/{BTC}/long", f"shortfall/{BTC}/short"
KEY = PositionKey(PAPER.id, BTC, Side.LONG)
WISH = Adoption(Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-100)))


@pytest.fixture
def desk(store: Store, clock: SteppedClock) -> Differences:
    show(store, clock)
    return Differences(store, clock)


def show(store: Store, clock: SteppedClock, mark: str = "2", **changes: Any) -> None:
    """BTC at 100,000; two contracts there are not ours, two of the short side are missing."""
    sample = sample_snapshot()
    choices = ["adopt", "assign", "ignore"]
    sizes = {"mark": mark, "quantity": mark, "ours": text("0"), "theirs": text(mark)}
    store.snapshots.put(
        replace(
            sample,
            as_of=clock.now(),
            tickers={BTC: replace(ticker(BTC, "100000", "100000", "99999.9"), at=clock.now())},
            instruments={name: replace(rules, **RULES) for name, rules in sample.instruments.items()},
            differences=(
                difference("shortfall", side="short", mark="2", quantity="2", choices=["book", "wait"]),
                difference("residual", **{**sizes, "price": "99000", "choices": choices, **changes}),
            ),
        )
    )


def test_listed_with_what_is_in_the_way_first(desk: Differences) -> None:
    first, second = desk.list(PAPER.id)
    assert (first.id, first.kind, first.quantity, first.price) == (RESIDUAL, DifferenceKind.RESIDUAL, 2, 99000)
    assert (second.id, second.choices) == (SHORTFALL, (Choice.BOOK, Choice.WAIT))
    assert first.blocks
    assert second.blocks
    assert desk.list("nobody") is None


def test_adopted_as_it_was_seen(desk: Differences, store: Store, clock: SteppedClock) -> None:
    asked = desk.adopt(PAPER.id, RESIDUAL, "2", WISH, "click", "ayla")
    intent = store.parts.intent(asked.part)
    assert intent is not None
    assert (intent.key, intent.strategy, intent.asked_by) == (KEY, "adopted", "ayla")
    assert (intent.position_value, intent.leverage, intent.contracts) == (Decimal(1980), Decimal(10), Decimal(2))
    assert (intent.take_profit, intent.stop_loss) == (WISH.take_profit, WISH.stop_loss)
    assert (intent.recovery, intent.reopen) == (None, None)
    (entry,) = intent.external_entries
    assert (entry.quantity, entry.price, entry.at) == (Decimal(2), Decimal(99000), clock.now())
    assert asked.words.code == "trade.done_once_started"
    assert "once the bot is started" in str(asked.words)
    again = desk.adopt(PAPER.id, RESIDUAL, "2", WISH, "click", "ayla")
    assert (again.part, again.new) == (asked.part, False)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Adoption(Target(pnl_usdt=Decimal(-5)), None), "take-profit -5 USDT is not a profit"),
        (Adoption(None, Target(pnl_usdt=Decimal(5))), "stop-loss 5 USDT is not a loss"),
        (Adoption(None, Target(price=Price(Decimal(100500)))), "stop-loss 100500 has been passed already"),
        (Adoption(Target(pnl_usdt=Decimal(10)), None), "take-profit 99500 has been passed already"),
        (Adoption(None, None, " "), "strategy: a name of 1 to 40 letters is allowed"),
        (
            Adoption(None, None, recovery=RecoveryChoice(trigger_pnl=Decimal(5))),
            "recovery trigger 5 USDT",
        ),
    ],
)
def test_what_cannot_be_is_said_and_leaves_no_trace(
    desk: Differences, store: Store, wish: Adoption, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        desk.adopt(PAPER.id, RESIDUAL, "2", wish, "click", "ayla")
    assert store.parts.intents(PAPER.id) == []
    assert store.parts.of_token("click") is None


def test_a_stop_that_locks_in_profit_may_lie_beyond_the_entry(desk: Differences) -> None:
    asked = desk.adopt(PAPER.id, RESIDUAL, "2", Adoption(None, Target(price=Price(Decimal(99500)))), "click", "ayla")
    assert asked.new


def test_what_is_too_small_to_be_guarded_is_not_adopted(desk: Differences, store: Store, clock: SteppedClock) -> None:
    show(store, clock, mark="0.005")
    with pytest.raises(Misconfigured, match=r"0\.005 contracts cannot be guarded"):
        desk.adopt(PAPER.id, RESIDUAL, "0.005", WISH, "click", "ayla")


def test_what_has_changed_meanwhile_is_to_be_looked_at_again(
    desk: Differences, store: Store, clock: SteppedClock
) -> None:
    show(store, clock, mark="3")
    with pytest.raises(Misconfigured, match="has changed meanwhile"):
        desk.adopt(PAPER.id, RESIDUAL, "2", WISH, "click", "ayla")
    with pytest.raises(Misconfigured, match="no longer there"):
        desk.ignore(PAPER.id, f"residual/{BTC}/short", "2", "click", "ayla")
    with pytest.raises(Misconfigured, match="book is no answer to this: adopt, assign, ignore"):
        desk.book(PAPER.id, RESIDUAL, "3", "click", "ayla")


def test_an_old_look_is_not_answered_by(desk: Differences, clock: SteppedClock) -> None:
    clock.advance(31)
    with pytest.raises(Unavailable, match="too old to answer by"):
        desk.ignore(PAPER.id, RESIDUAL, "2", "click", "ayla")


def test_assigned_to_one_of_the_parts_that_are_offered(desk: Differences, store: Store, clock: SteppedClock) -> None:
    part = open_part(store, ExecutionStyle())
    start_cycle(store, part)
    with pytest.raises(Misconfigured, match="one of none just now"):
        desk.assign(PAPER.id, RESIDUAL, "2", part, "click", "ayla")
    show(store, clock, parts=[part])
    assert desk.assign(PAPER.id, RESIDUAL, "2", part, "click", "ayla").new
    assert not desk.assign(PAPER.id, RESIDUAL, "2", part, "click", "ayla").new
    intent = store.parts.intent(part)
    assert intent is not None
    assert (intent.contracts, sum(entry.quantity for entry in intent.external_entries)) == (12, 2)


def test_the_other_answers_are_kept_for_the_bot(desk: Differences, store: Store, clock: SteppedClock) -> None:
    assert desk.ignore(PAPER.id, RESIDUAL, "2", "one", "ayla").new
    assert desk.wait(PAPER.id, SHORTFALL, "2", "two", "ayla").new
    assert desk.book(PAPER.id, SHORTFALL, "2", "three", "ayla").new
    assert not desk.book(PAPER.id, SHORTFALL, "2", "three", "ayla").new
    short = PositionKey(PAPER.id, BTC, Side.SHORT)
    assert store.differences.answers(PAPER.id) == {
        KEY: {DifferenceKind.RESIDUAL: Choice.IGNORE},
        short: {DifferenceKind.SHORTFALL: Choice.BOOK},
    }
    said = [(str(event.action), str(event.because)) for event in store.events.find(PAPER.id)]
    assert said[-1] == (f"ignore residual of long {BTC}: 2", "asked by ayla")
    assert clock.now() - desk.list(PAPER.id)[0].seen_at == timedelta()
