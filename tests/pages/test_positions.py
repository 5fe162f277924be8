"""The words and numbers of the dashboard, read as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.domain.instrument import Side, TriggerBy
from core.domain.intent import Target
from core.domain.reason import Reason
from core.domain.settings.trader import TraderSettings
from core.domain.snapshot import ProtectionSnapshot, RequestUsage
from core.ui.presenters import charts, forms, orders, parts, positions, records
from core.ui.presenters import format as formats
from core.ui.presenters.forms import FormContext, SizeUnit
from tests.pages.samples.services import full
from tests.pages.samples.snapshot import BTC, empty_snapshot, foreign_order, order, part, sample_snapshot

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG = FormContext(Side.LONG, Decimal(100000), Decimal("0.01"), Decimal("0.1"))
SHORT = FormContext(Side.SHORT, Decimal(100000), Decimal("0.01"), Decimal("0.1"))


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (formats.usdt("1234.5"), "1,234.50"),
        (formats.usdt(None), "–"),
        (formats.signed("12.345"), "+12.34"),
        (formats.signed("-0.001"), "0.00"),
        (formats.signed(0), "0.00"),
        (formats.percent("-10.22"), "-10.22 %"),
        (formats.price("60123.5", "0.1"), "60,123.5"),
        (formats.price("100250.0999999999", "0.1"), "100,250.1"),
        (formats.price("0.000012345", "0.000000001"), "0.000012345"),
        (formats.price("90149.1"), "90,149.1"),
        (formats.quantity("1250.500"), "1,250.5"),
        (formats.quantity("1000"), "1,000"),
        (formats.pnl("3.2", "USDT"), ":green[+3.20 USDT]"),
        (formats.pnl("-3.2"), ":red[-3.20]"),
        (formats.pnl("0.001"), "0.00"),
        (formats.pnl("-3.2", stale=True), ":gray[-3.20]"),
        (formats.age(timedelta(seconds=59)), "59 s"),
        (formats.age(timedelta(seconds=61)), "1 min"),
        (formats.age(timedelta(hours=5)), "5 h"),
        (formats.age(timedelta(days=3)), "3 d"),
        (formats.age(timedelta(seconds=-2)), "0 s"),
        (formats.ago(NOON - timedelta(seconds=2), NOON), "2 s ago"),
        (formats.ago(None, NOON), "never"),
    ],
)
def test_numbers_read_the_same_everywhere(shown, text):
    assert shown == text


@pytest.mark.parametrize(
    ("value", "unit", "stop", "meant"),
    [
        (50.0, SizeUnit.USDT, False, Target(pnl_usdt=Decimal(50))),
        (100.0, SizeUnit.USDT, True, Target(pnl_usdt=Decimal(-100))),
        (-100.0, SizeUnit.USDT, True, Target(pnl_usdt=Decimal(-100))),
        (2.5, SizeUnit.PERCENT, True, Target(percent=Decimal("-2.5"))),
        (90149.1, SizeUnit.PRICE, True, Target(price=Decimal("90149.1"))),
        (None, SizeUnit.USDT, True, None),
    ],
)
def test_a_field_is_read_as_it_is_meant(value, unit, stop, meant):
    assert forms.target(value, unit, TriggerBy.MARK, stop=stop) == meant


@pytest.mark.parametrize(
    ("story", "value", "old", "new", "ground", "stop", "shown"),
    [
        ("fifty USDT on a long is 5,000 above", 50.0, SizeUnit.USDT, SizeUnit.PRICE, LONG, False, 105000.0),
        ("fifty USDT on a short is 5,000 below", 50.0, SizeUnit.USDT, SizeUnit.PRICE, SHORT, False, 95000.0),
        ("a stop typed without its minus", 100.0, SizeUnit.USDT, SizeUnit.PRICE, LONG, True, 90000.0),
        ("a short's stop lies above", -100.0, SizeUnit.USDT, SizeUnit.PRICE, SHORT, True, 110000.0),
        ("a price in percent", 90000.0, SizeUnit.PRICE, SizeUnit.PERCENT, LONG, True, -10.0),
        ("a price in USDT", 90000.0, SizeUnit.PRICE, SizeUnit.USDT, SHORT, False, 100.0),
        ("percent in USDT", 5.0, SizeUnit.PERCENT, SizeUnit.USDT, LONG, False, 50.0),
        ("nothing typed", None, SizeUnit.USDT, SizeUnit.PRICE, LONG, False, None),
        ("no size yet", 50.0, SizeUnit.USDT, SizeUnit.PRICE, None, False, None),
    ],
)
def test_a_target_means_the_same_in_another_unit(story, value, old, new, ground, stop, shown):
    assert forms.convert(value, old, new, ground, stop=stop) == shown, story


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        (Reason("close.nothing_held", field=Reason("field.contracts")), "value"),
        (Reason("target.not_above_zero", field=Reason("field.take_profit"), level=Decimal(-1)), "tp"),
        (Reason("target.not_above_zero", field=Reason("field.stop_loss"), level=Decimal(-1)), "sl"),
        (Reason("style.not_positive", field=Reason("field.limit_price"), value=Decimal(-1)), "price"),
        (Reason("style.number_range", field=Reason("field.slices"), least=2, most=500, value=600), "slices"),
        (Reason("style.slices_too_few", field=Reason("field.slices"), least=9, most=2), "slices"),
        (Reason("snapshot.none", account="demo-okx"), ""),
        (Reason("range.too_long", field=Reason("field.name"), n=41, most=40), ""),
    ],
)
def test_a_problem_stands_beside_the_field_that_it_is_about(problem, field):
    assert forms.problems_by_field([problem]) == {field: [problem]}


@pytest.mark.parametrize(
    ("value", "key", "stored"),
    [
        (60.0, "check_seconds", 60),
        (62.5, "check_seconds", Decimal("62.5")),
        (-50.0, "recovery_trigger_pnl", Decimal(-50)),
        (None, "max_leverage", None),
        (True, "recovery_enabled", True),
        ("flatten", "guard_level", "flatten"),
        (["take_profit", "liquidated"], "reopen_after", ("liquidated", "take_profit")),
    ],
)
def test_a_setting_is_stored_exactly(value, key, stored):
    found = forms.setting(value, TraderSettings.definitions[key])
    assert found == stored
    assert not isinstance(found, float)


def test_positions_name_what_is_not_ours():
    bitcoin, ether = positions.position_rows(sample_snapshot())
    assert (bitcoin["Not ours"], ether["Not ours"]) == ("1", "–")
    assert bitcoin["PnL, USDT"] == "+1.61"
    assert ether["Side"] == "Short 5x"


def test_a_part_says_what_rests_on_the_exchange_and_how_long_ago_it_was_seen():
    row = part("00a7k2", protection_seen_at=NOON - timedelta(seconds=2))
    shown = {figure.label: figure for figure in positions.part_figures(row, sample_snapshot(), NOON)}
    assert shown["Stop-loss"].value == "90,149.1"
    assert shown["Stop-loss"].note == "-10.22 % · -100.00 USDT"
    assert shown["On the exchange"].value == "Stop and target"
    assert shown["On the exchange"].note == "seen 2 s ago"


@pytest.mark.parametrize(
    ("story", "changes", "words"),
    [
        ("nothing rests", {"protected": False, "stop_loss_covered": "0"}, "No stop"),
        ("half rests", {"protected": False, "stop_loss_covered": "0.5"}, "Stop for 0.5 of 0.99"),
        ("only a stop was wanted", {"take_profit_wanted": None}, "Stop"),
        ("nothing is held", {"size": "0"}, "–"),
    ],
)
def test_protection_in_words(story, changes, words):
    shown = positions.part_figures(part("00a7k2", **changes), sample_snapshot(), NOON)
    assert next(figure.value for figure in shown if figure.label == "On the exchange") == words, story


def test_what_needs_guarding_comes_first():
    assert [part.name for part in positions.parts_in_order(sample_snapshot())] == ["00a7k2", "00a7k3", "00a7k4"]


def test_orders_are_sorted_to_where_a_trader_looks():
    groups = orders.order_groups(empty_snapshot(orders=(order("a"), order("b", kind="limit"), foreign_order())))
    assert {name: len(found) for name, found in groups.items()} == {"working": 1, "conditional": 1, "foreign": 1}


@pytest.mark.parametrize(
    ("parts", "protected", "words"),
    [
        (0, 0, "Nothing is held, so nothing is left unwatched."),
        (1, 1, "1 open position will rest on its stop and target at the exchange alone."),
        (3, 3, "3 open positions will rest on their stops and targets at the exchange alone."),
        (1, 0, "1 part has no stop at the exchange: after the stop nothing guards it."),
    ],
)
def test_stopping_in_words(parts, protected, words):
    assert positions.stop_words(parts, protected) == words


def test_the_pill_counts_what_is_protected():
    assert positions.protection_badge(sample_snapshot()) == ":orange-badge[:material/gpp_maybe: 1/2 protected]"
    assert (
        positions.protection_badge(sample_snapshot(), "27 s")
        == ":orange-badge[:material/gpp_maybe: 1/2 protected 27 s ago]"
    )
    whole = empty_snapshot(protection=ProtectionSnapshot(2, 2, Decimal(0)))
    assert positions.protection_badge(whole) == ":blue-badge[:material/shield: 2/2 protected]"
    assert positions.protection_badge(whole, "27 s") == ":gray-badge[:material/schedule: 2/2 protected 27 s ago]"
    assert positions.protection_badge(None) == ":gray-badge[:material/shield: 0/0 protected]"


def test_history_adds_up_and_keeps_every_digit():
    cycles = full().reports.cycles("paper-okx", 10)
    found = records.sums(cycles)
    assert (found.cycles, found.won) == (6, 4)
    assert found.net == found.realised + found.fees + found.funding == Decimal("72.5354")
    text = records.as_csv(records.cycle_records(cycles, ZoneInfo("Europe/Istanbul")))
    assert text.splitlines()[0].startswith("Ended,Contract,Side,Part,Cycle")
    assert "-1.0231" in text
    assert records.as_csv([]) == ""
    cunning = {"Strategy": "=2+3", "Order id": "-A1", "Net": Decimal("-1.50"), "Exit": None}
    assert records.as_csv([cunning]).splitlines()[1] == "'=2+3,'-A1,-1.5,", "words stay words, and numbers numbers"


def test_a_cycle_that_was_never_entered_is_neither_won_nor_lost():
    (first, *_) = cycles = full().reports.cycles("paper-okx", 10)
    refused = replace(first, reason="not_entered", realised_pnl=Decimal(0), fees=Decimal(0), funding=Decimal(0))
    assert records.sums([refused, *cycles]) == records.sums(cycles)


def test_a_level_far_away_does_not_flatten_the_candles():
    bars = [{"t": "1795262400000", "o": "100", "h": "101", "l": "99", "c": "100.5", "v": "1"}]
    option = charts.candles(bars, {"near": Decimal(102), "far": Decimal(150)}, ZoneInfo("UTC"), 1)
    assert option["yAxis"]["max"] < 103
    (line,) = option["series"][0]["markLine"]["data"]
    assert line["yAxis"] == 102.0


def test_request_limits_are_listed_with_the_fullest_first() -> None:
    named = {"orders": RequestUsage(2, 60), "account": RequestUsage(3, 10), "time": RequestUsage(0, 10)}
    health = replace(sample_snapshot().health, requests=named)
    assert [tuple(row.values()) for row in positions.request_rows(empty_snapshot(health=health))] == [
        ("account", "3", "10"),
        ("orders", "2", "60"),
        ("time", "0", "10"),
    ]


def test_parts_that_share_a_level_share_a_line_and_a_chart_holds_only_the_nearest():
    few = empty_snapshot(parts=(part("00a7k1"), part("00a7k2"), part("00a7k3", stop_loss_price="90000")))
    levels, _colours = parts.chart_levels(few, BTC)
    assert levels["3 parts: entry"] == Decimal("100250.1")
    assert levels["2 parts: SL"] == Decimal("90149.1")
    assert levels["00a7k3 SL"] == Decimal(90000)
    many = tuple(part(f"00b{number:03}", average_entry=f"{100000 + number}") for number in range(100))
    levels, colours = parts.chart_levels(empty_snapshot(parts=many), BTC)
    assert len(levels) == len(colours) == 24
    assert min(levels.values()) == 100076, "the mark is above them all"
