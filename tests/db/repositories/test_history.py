"""The past in the database: cycles narrowed, facts of one cycle, the exchange's lives, the cursor of the sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.action import EndCycle, OutcomeKind, PlaceOco, StartCycle
from core.domain.history.holding import StepKind, steps
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExitReason, Target, TargetEdit
from core.domain.order import OrderKind, OrderStatus
from core.domain.reason import Reason, text
from db.records import Event, Only
from tests.builders import order
from tests.db.values import ACCOUNT, BTC, NOON, contracts, draft, price

HOUR = timedelta(hours=1)
LIFE = ClosedPosition(
    BTC, Side.LONG, "8812", NOON, NOON + HOUR, LastClose.PARTIAL, contracts("1"), contracts("2"), price("100"),
    price("101"), Decimal("1.1"), Decimal("-0.1"), Decimal(0), Decimal(0), Decimal(1), Decimal(10),
)  # fmt: skip


def ended(store, token: str, ended_at, reason=ExitReason.TAKE_PROFIT, steps=0, **changes) -> str:
    """A part whose first cycle has ended; its name."""
    part = store.parts.open(draft(**changes), token)[0].part
    store.cycles.start(StartCycle(part, 1, contracts("1"), price("100")), NOON)
    for number in range(1, steps + 1):
        name = f"op{part}01R{number:02}"
        store.orders.save(ACCOUNT, [order(name, 1, filled=1, at=90, status=OrderStatus.FILLED, symbol=BTC)])
    end = EndCycle(part, 1, reason, text(""), Decimal(5), Decimal(-1), contracts("1"), price("100"), price("105"))
    store.cycles.end(ACCOUNT, end, Decimal("-0.5"), LIFE.life, ended_at)
    return part


@pytest.fixture
def three(store) -> list[str]:
    return [
        ended(store, "a", NOON + HOUR),
        ended(store, "b", NOON + 2 * HOUR, ExitReason.STOP_LOSS, strategy="try1"),
        ended(store, "c", NOON + 3 * HOUR, steps=2),
    ]


@pytest.mark.parametrize(("only", "found"), [
    (Only(), "cba"),
    (Only(symbol=BTC, side=Side.LONG), "cba"),
    (Only(side=Side.SHORT), ""),
    (Only(strategy="try1"), "b"),
    (Only(reason=ExitReason.TAKE_PROFIT), "ca"),
    (Only(recovered=True), "c"),
    (Only(recovered=False), "ba"),
    (Only(since=NOON + 2 * HOUR), "cb"),
    (Only(until=NOON + 2 * HOUR), "a"),
    (Only(since=NOON + 2 * HOUR, until=NOON + 3 * HOUR, recovered=False), "b"),
])  # fmt: skip
def test_cycles_are_narrowed(store, three, only, found):
    wanted = [three["abc".index(letter)] for letter in found]
    assert [cycle.part for cycle in store.history.cycles(ACCOUNT, only=only)] == wanted


def test_a_cycle_knows_its_strategy_and_its_recoveries(store, three):
    newest, middle, _ = store.history.cycles(ACCOUNT)
    assert (newest.recoveries, newest.strategy) == (2, "manual")
    assert (middle.recoveries, middle.strategy) == (0, "try1")
    assert store.history.traded(ACCOUNT) == ([BTC], ["manual", "try1"])
    assert store.history.traded("demo") == ([], [])
    assert len(store.history.cycles_of_lives(ACCOUNT, [LIFE.life, "other"])) == 3


@pytest.mark.parametrize("older", [False, True], ids=["by code", "as an older version wrote it"])
def test_the_facts_of_a_past_cycle_stay_apart_from_the_next(store, older: bool):
    part = store.parts.open(draft(), "a")[0].part
    store.cycles.start(StartCycle(part, 1, contracts("10"), price("100")), NOON)
    name = f"op{part}01P01"
    epoch = store.leases.acquire(ACCOUNT, "me", 10)
    oco = PlaceOco(
        part, 1, name, BTC, Side.LONG, OrderSide.SELL, contracts("10"), price("105"), price("90"), TriggerBy.MARK
    )
    store.orders.record(ACCOUNT, draft().key, oco, epoch, NOON)
    store.orders.settle(name, OutcomeKind.DONE, now=NOON)
    entry = order(f"op{part}01E01", 10, filled=10, at=100, symbol=BTC, updated_at=NOON - HOUR)
    leave = order(f"op{part}01C01", 10, filled=10, at=104, symbol=BTC, updated_at=NOON + 2 * HOUR)
    store.orders.save(ACCOUNT, [entry, leave, order(f"op{part}02E01", 9, kind=OrderKind.LIMIT, symbol=BTC)])
    levels = {"tp_was": Decimal(105), "tp": Decimal(110), "sl_was": Decimal(90), "sl": Decimal(95)}
    amended = Reason("action.amend_order", client_order_id=name, quantity=Decimal(10), **levels)
    if older:
        amended = text(f"amend order {name} TP 105 to 110, SL 90 to 95")
    said = [(NOON + HOUR, amended, "done"), (NOON + HOUR, amended, None), (NOON + 9 * HOUR, amended, "done")]
    store.events.add(ACCOUNT, [Event(at, ACCOUNT, part, "protect", text(""), action, how) for at, action, how in said])
    end = EndCycle(part, 1, ExitReason.CLOSED_BY_US, text(""), Decimal(4), Decimal(0), contracts("10"), None, None)
    store.cycles.end(ACCOUNT, end, Decimal(0), "", NOON + 3 * HOUR)
    facts = store.history.cycle_facts(part, 1)
    assert [one.client_order_id for one in facts.orders] == [leave.client_order_id, entry.client_order_id]
    assert [(one.was, one.to) for one in facts.levels] == [(None, (105, 90)), ((105, 90), (110, 95))]
    told = steps(facts.orders, facts.exits, facts.levels, facts.edits, facts.entries)
    assert [(step.kind, step.after.stop_loss) for step in told] == [(StepKind.ENTRY, 95), (StepKind.EXIT, 95)]


def test_a_traders_edit_is_told_in_words(store):
    part = store.parts.open(draft(), "a")[0].part
    edit = TargetEdit(None, Target(price=price("95000")), 0)
    store.parts.change(part, "b", "operator", "moved", edit=edit)
    assert str(store.events.find(ACCOUNT, part)[0].action) == "edit TP none, SL at 95000"
    store.parts.change(part, "c", "operator", "given up", edit=None)
    assert str(store.events.find(ACCOUNT, part)[0].action) == "edit none"
    store.cycles.start(StartCycle(part, 1, contracts("1"), price("100")), NOON)
    assert [edit.words for edit in store.history.cycle_facts(part, 1).edits] == ["TP none, SL at 95000", "none"]


def test_the_newest_word_on_a_life_stays(store):
    assert store.history.record_lives(ACCOUNT, [LIFE]) == 1
    assert store.history.record_lives(ACCOUNT, [LIFE]) == 0
    over = replace(LIFE, last_close=LastClose.FULL, updated_at=NOON + 2 * HOUR, realised=Decimal("2.25"))
    assert store.history.record_lives(ACCOUNT, [over, LIFE]) == 1
    assert store.history.record_lives(ACCOUNT, []) == 0
    assert store.history.lives(ACCOUNT) == [over]
    assert store.history.lives(ACCOUNT, Only(side=Side.SHORT)) == []
    assert store.history.lives(ACCOUNT, Only(since=NOON + 3 * HOUR)) == []
    assert store.history.lives(ACCOUNT, Only(until=NOON + 3 * HOUR)) == [over]
    assert store.history.lives("demo") == []


def test_the_cursor_and_the_progress_of_a_sync(store):
    assert store.history.sync_state(ACCOUNT).reached is None
    store.history.note_sync(ACCOUNT, began_at=NOON, done=0, of=13, trouble=None)
    store.history.note_sync(ACCOUNT, done=4, reached=NOON - HOUR)
    row = store.history.sync_state(ACCOUNT)
    assert (row.done, row.of, row.reached, row.under_way, row.waiting) == (4, 13, NOON - HOUR, True, False)
    store.history.note_sync(ACCOUNT, trouble=text("funding: HTTP 502"))
    assert not store.history.sync_state(ACCOUNT).under_way


def test_a_double_click_asks_for_one_sync(store):
    assert store.history.ask_for_sync(ACCOUNT, "click", "operator")
    assert not store.history.ask_for_sync(ACCOUNT, "click", "operator")
    assert store.history.sync_state(ACCOUNT).waiting
    assert [str(event.action) for event in store.events.find(ACCOUNT)] == ["sync the exchange's history"]


def test_an_equity_curve_is_thinned_to_the_last_of_each_span(store):
    for minute in range(10):
        store.equity.add(ACCOUNT, NOON + timedelta(minutes=minute), Decimal(10_000 + minute))
    points = store.history.equity_curve(ACCOUNT, NOON + timedelta(minutes=1), 300)
    assert [int(equity) for _, equity in points] == [10_004, 10_009]
    assert len(store.history.equity_curve(ACCOUNT, NOON, 60)) == 10
    assert store.history.equity_curve("demo", NOON, 60) == []
