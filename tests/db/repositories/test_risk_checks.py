"""What the risk control said is kept once each; a refusal that goes on is counted, not repeated."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.domain.order import Purpose
from core.domain.reason import text
from core.domain.risk_result import Check, CheckName, Verdict
from core.monitor import retention
from db.recorder import TradeRecorder
from db.records import Event, EventKind, EventsOnly
from db.repositories.risk_checks import CheckCount
from db.store import Store
from tests.db.values import ACCOUNT, BTC, NOON, draft, fill, order

PART = "00a7k2"
LEVERAGE = Check(CheckName.LEVERAGE, Decimal(10), Decimal(100), "x")
BALANCE = Check(CheckName.BALANCE, Decimal("100.500000000000000001"), Decimal(1000), "USDT")
POOR = Check(CheckName.BALANCE, Decimal("100.5"), Decimal(50), "USDT", text("position value 1000 USDT needs more"))
PASSED = Verdict(Purpose.ENTRY, (LEVERAGE, BALANCE))
REFUSED = Verdict(Purpose.ENTRY, (LEVERAGE, POOR))


def at(seconds: float):  # type: ignore[no-untyped-def]
    return NOON + timedelta(seconds=seconds)


def note(store: Store, verdict: Verdict, seconds: float, name: str = "", part: str = PART) -> None:
    store.risk_checks.add(ACCOUNT, BTC, part, verdict, name, at(seconds))


def test_an_order_that_passed_is_one_row_with_every_check(store: Store) -> None:
    note(store, PASSED, 0, "op00a7k201E01")
    (kept,) = store.risk_checks.find(ACCOUNT)
    assert (kept.at, kept.symbol, kept.part, kept.purpose) == (NOON, BTC, PART, Purpose.ENTRY)
    assert (kept.client_order_id, kept.passed, kept.check, kept.words) == ("op00a7k201E01", True, "", None)
    assert kept.checks == PASSED.checks
    assert (kept.value, kept.limit, kept.repeats) == (None, None, 0)


def test_the_same_refusal_again_only_counts_up(store: Store) -> None:
    for seconds in (0, 2, 4):
        note(store, REFUSED, seconds)
    (kept,) = store.risk_checks.find(ACCOUNT)
    assert (kept.passed, kept.check, kept.repeats) == (False, "balance", 2)
    assert (kept.at, kept.repeated_at) == (NOON, at(4))
    assert (kept.value, kept.limit, kept.unit, kept.words) == (Decimal("100.5"), Decimal(50), "USDT", POOR.refusal)


def test_another_word_begins_a_new_row(store: Store) -> None:
    other = Verdict(Purpose.ENTRY, (Check(CheckName.LEVERAGE, Decimal(10), Decimal(5), "x", text("leverage 10")), POOR))
    recovery = Verdict(Purpose.RECOVERY, REFUSED.checks)
    for number, verdict in enumerate((REFUSED, other, REFUSED, PASSED, REFUSED, recovery, REFUSED)):
        note(store, verdict, number)
    note(store, REFUSED, 9, part="00a7k3")
    told = [(one.part[-1], one.purpose, one.check, one.repeats) for one in reversed(store.risk_checks.find(ACCOUNT))]
    assert told == [
        ("2", "E", "balance", 0),
        ("2", "E", "leverage", 0),
        ("2", "E", "balance", 0),
        ("2", "E", "", 0),
        ("2", "E", "balance", 1),
        ("2", "R", "balance", 0),
        ("3", "E", "balance", 0),
    ]


def test_every_check_is_counted(store: Store) -> None:
    for seconds in (0, 2, 4):
        note(store, REFUSED, seconds)
    note(store, PASSED, 6, "op00a7k201E01")
    assert store.risk_checks.counts(ACCOUNT, NOON) == [CheckCount("balance", 1, 3), CheckCount("leverage", 4, 0)]
    assert store.risk_checks.counts(ACCOUNT, at(5)) == [CheckCount("balance", 1, 0), CheckCount("leverage", 1, 0)]
    assert store.risk_checks.counts("demo", NOON) == []


def test_what_is_asked_for_is_found(store: Store) -> None:
    note(store, PASSED, 0, "op00a7k201E01")
    note(store, REFUSED, 1)
    note(store, REFUSED, 2, part="00a7k3")
    newest = store.risk_checks.find(ACCOUNT)
    assert [one.part for one in newest] == ["00a7k3", PART, PART]
    assert store.risk_checks.find(ACCOUNT, part=PART) == newest[1:]
    assert store.risk_checks.find(ACCOUNT, passed=True) == newest[2:]
    assert store.risk_checks.find(ACCOUNT, check="balance", passed=False) == newest[:2]
    assert store.risk_checks.find(ACCOUNT, before=newest[0].number, limit=1) == newest[1:2]
    assert store.risk_checks.find("demo") == []


def test_a_refusal_is_an_event_once(store: Store) -> None:
    note(store, REFUSED, 0)
    note(store, REFUSED, 2)
    note(store, PASSED, 4, "op00a7k201E01")
    (event,) = [event for _, event in store.pages.events(ACCOUNT, EventsOnly(kind=EventKind.RISK_FAILURE), None, 10)]
    assert (event.part, event.because, event.outcome) == (PART, POOR.refusal, "refused")
    assert str(event.action) == "balance"


# -- how long it is kept ---------------------------------------------------------------------------------------


def test_what_was_told_long_ago_goes_and_facts_stay(store: Store) -> None:
    intent, _ = store.parts.open(draft(asked_at=at(-100 * 86_400)), "click")
    old, young = at(-91 * 86_400), at(-89 * 86_400)
    for when in (old, young):
        store.events.add(ACCOUNT, [
            Event(when, ACCOUNT, intent.part, "recover", text("waits"), None, None),
            Event(when, ACCOUNT, intent.part, "sweep", text("removed"), text("cancel order"), "done"),
            Event(when, ACCOUNT, intent.part, "protect", text("amended"), text("amend order tp 1 to 2"), "done"),
        ])  # fmt: skip
        store.risk_checks.add(ACCOUNT, BTC, intent.part, PASSED, "op00a7k201E01", when)
    store.orders.save(ACCOUNT, [order(intent.part, created_at=old, updated_at=old)])
    TradeRecorder(store).record_fills(ACCOUNT, [fill(1, "o1", at=old)])
    assert retention.sweep(store, NOON, batch=1) == 4  # explanation, order created, fill, verdict
    assert retention.sweep(store, NOON) == 0
    told = [(event.rule, event.at) for event in store.events.find(ACCOUNT, limit=50)]
    assert told.count(("recover", old)) == 0
    assert [rule for rule, when in told if when == old] == ["protect", "sweep"]
    assert [rule for rule, when in told if when == young] == ["protect", "sweep", "recover"]
    assert ("asked", at(-100 * 86_400)) in told
    assert [one.at for one in store.risk_checks.find(ACCOUNT)] == [young]
    assert len(store.fills.find(ACCOUNT)) == 1
    assert len(store.orders.of_interest(ACCOUNT)) == 1


def test_how_long_is_a_setting(store: Store) -> None:
    store.risk_checks.add(ACCOUNT, BTC, PART, PASSED, "op00a7k201E01", at(-8 * 86_400))
    assert retention.sweep(store, NOON) == 0
    store.settings.set_all({"events_keep_days": 7}, "ayla")
    assert retention.sweep(store, NOON) == 1
