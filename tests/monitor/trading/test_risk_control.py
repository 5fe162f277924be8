"""The risk control and its record over the wire, on both exchanges: whoever asks, nothing gets past it."""

from __future__ import annotations

from decimal import Decimal

from core.domain.order import Purpose
from core.domain.risk_result import CheckName
from core.services.safety.risk_checks import Risk
from db.records import EventKind, EventsOnly
from tests.stack import Stack

ETH = "ETH-USDT-PERP"


def refusals(stack: Stack) -> list[tuple[str, str]]:
    """Part and check of each refusal, oldest first."""
    found = Risk(stack.store.risk_checks).checks(stack.name, passed=False).items
    return [(one.part, one.check) for one in reversed(found)]


def kinds(stack: Stack, part: str) -> list[str]:
    """The facts that are told of a part, oldest first."""
    found = [event for _, event in stack.store.pages.events(stack.name, EventsOnly(part=part), None, 200)]
    return [event.kind for event in reversed(found) if event.kind != EventKind.DECISION]


def equity(stack: Stack) -> Decimal:
    assert stack.guard.observer.state is not None
    return stack.guard.observer.state.equity


def test_an_order_that_is_let_through_is_on_record(either: Stack) -> None:
    part = either.opened()
    (kept,) = Risk(either.store.risk_checks).checks(either.name).items
    assert (kept.part, kept.purpose, kept.passed) == (part, Purpose.ENTRY, True)
    assert kept.client_order_id == f"op{part}01E01"
    assert [check.name for check in kept.checks] == list(CheckName)


def test_a_refusal_is_on_record_once_until_it_ends(either: Stack) -> None:
    part = either.open()
    either.store.settings.set_all({"max_order_value": Decimal(500)}, "trader")
    either.settle(4)
    assert either.held() == 0
    assert refusals(either) == [(part, "order_value")]
    (kept,) = Risk(either.store.risk_checks).checks(either.name).items
    assert (kept.limit, kept.repeats) == (Decimal(500), 3)
    assert kinds(either, part) == ["risk_failure"]
    either.crash()
    either.settle(2)
    assert refusals(either) == [(part, "order_value")]
    either.store.settings.set_all({"max_order_value": None}, "trader")
    either.until(lambda: either.at_rest(part))
    newest = Risk(either.store.risk_checks).checks(either.name).items[0]
    assert (newest.passed, newest.client_order_id) == (True, f"op{part}01E01")
    counts = {one.name: (one.passed, one.failed) for one in Risk(either.store.risk_checks).counts(either.name, kept.at)}
    assert counts["order_value"] == (1, 6)


def test_all_parts_of_a_position_count_together(either: Stack) -> None:
    either.opened()
    second = either.open()
    either.store.settings.set_all({"max_position_value_pct": 1500 / equity(either)}, "trader")
    either.settle(3)
    assert refusals(either) == [(second, "position_value")]
    assert "makes the position" in either.story()


def test_the_last_place_is_not_given_away_twice(either: Stack) -> None:
    first, second = either.open(), either.open(either.draft(symbol=ETH))
    either.store.settings.set_all({"max_open_parts": 1}, "trader")
    either.settle(4)
    assert refusals(either) == [(second, "open_parts")]
    either.positions.close(first, either.token(), "trader")
    either.until(lambda: either.held(symbol=_eth(either)) > 0)


def _eth(stack: Stack) -> str:
    return stack.guard.observer.instruments[ETH].exchange_symbol if stack.whole != 1 else "ETH-USDT-SWAP"


def test_after_a_bad_day_nothing_is_added(either: Stack) -> None:
    part = either.open()
    either.store.equity.add(either.name, either.clock.now(), equity(either) * Decimal("1.2"))
    either.step(6)
    either.settle(3)
    assert either.held() == 0
    assert refusals(either) == [(part, "daily_loss")]
    assert "account has lost" in either.story()


def test_what_has_come_to_risk_more_is_closed_in_part(either: Stack) -> None:
    """Ten hundredths of a coin with a stop of 100 USDT; from now on one trade may lose 50."""
    part = either.opened()
    before = either.held()
    either.store.settings.set_all({"risk_per_trade_cap": Decimal(50)}, "trader")
    either.settle(3)
    assert either.held() == before  # it is switched off
    either.store.settings.set_all({"reduce_oversized_risk": True}, "trader")
    either.until(lambda: either.at_rest(part) and either.held() < before)
    held, now = either.held(), either.part(part)
    assert 0 < held < before / 2 + 1
    assert now.intent.reduce_to is None
    assert now.protected
    assert now.stop_covered == now.size
    assert "the stop would lose" in either.story()
    assert "reduced from" in either.story()
    either.settle(40)
    assert either.held() == held  # once is enough
    assert either.alarms() == []


def test_a_life_is_told_from_its_first_order_to_its_end(either: Stack) -> None:
    part = either.opened()
    either.price(110_000)
    either.ended(part)
    told = kinds(either, part)
    assert told.count("position_opened") == told.count("position_closed") == 1
    assert told.index("order_created") < told.index("position_opened") < told.index("position_closed")
    assert told.count("fill") == len(either.store.fills.find(either.name, part=part))
    assert len(either.store.fills.find(either.name, part=part)) >= 2
