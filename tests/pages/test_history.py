"""History and Orders by hand: what is shown of the past, and what each button asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.domain.intent import ExitReason
from core.domain.order import Leg
from core.services.reporting.history import Agreement, Only, match
from core.services.reporting.performance import performance
from core.services.trading.orders import ByHand
from core.ui.presenters import history
from core.ui.presenters.records import as_csv
from db.records import SyncRow
from tests.pages.conftest import words
from tests.pages.samples.past import life_of
from tests.pages.samples.services import StandIn, empty, full
from tests.pages.samples.snapshot import now, price

ISTANBUL = ZoneInfo("Europe/Istanbul")
PART = "00a7k2"


def opened(open_page, view: str, standin: StandIn | None = None):
    tab = open_page(standin or full(), "history.py")
    return tab.segmented_control(key="history_view").set_value(view).run()


def table(tab, number=-1):
    return tab.dataframe[number].value


# --- History


@pytest.mark.parametrize("view", ["cycles", "performance", "exchange", "executions", "fills", "funding", "events"])
@pytest.mark.parametrize("standin", [full, empty], ids=["full", "empty"])
def test_each_view_opens_with_and_without_a_past(open_page, view, standin):
    tab = opened(open_page, view, standin())
    assert not tab.exception
    assert bool(tab.dataframe) is (standin is full)
    if standin is empty:
        assert "Nothing yet" in words(tab)


def test_the_steps_of_a_cycle_are_shown_when_it_is_chosen(open_page):
    tab = open_page(full(), "history.py")
    tab.selectbox(key="steps_of").set_value((PART, 1)).run()
    steps = table(tab, 0)
    assert list(steps["Step"]) == ["Entry", "Exit"]
    assert list(steps["Size"]) == ["0 → 0.99", "0.99 → 0"]
    assert list(steps["Stop-loss"]) == ["– → 90,149.1", "90,149.1"]
    tab.selectbox(key="steps_of").set_value((PART, 2)).run()
    assert "Nothing was bought or sold in this cycle." in words(tab)


def test_filters_narrow_and_are_cleared(open_page):
    tab = open_page(full(), "history.py")
    assert len(table(tab)) == 6
    tab.selectbox(key="only_reason").set_value(ExitReason.STOP_LOSS).run()
    assert set(table(tab)["Reason"]) == {"Stop-loss"}
    tab.selectbox(key="only_recovery").set_value("with").run()
    assert len(table(tab)) == 1
    tab.selectbox(key="only_reason").set_value(ExitReason.TAKE_PROFIT).run()
    assert "Nothing fits the filters" in words(tab)
    tab.button(key="only_clear").click().run()
    assert len(table(tab)) == 6


def test_performance_in_figures_and_by_group(open_page):
    tab = opened(open_page, "performance")
    figures = {metric.label: metric.value for metric in tab.metric}
    assert figures["Win rate"] == "66.7 %"
    assert ":green[+72.54]" in figures["Net, USDT"]
    assert figures["Drawdown, USDT"] == "0.00"
    tab.segmented_control(key="grouped").set_value("recovery").run()
    assert list(table(tab)["Group"]) == ["Without recovery", "With recovery"]


def test_the_exchange_beside_us_says_what_agrees(open_page):
    tab = opened(open_page, "exchange")
    figures = {metric.label: metric.value for metric in tab.metric}
    assert (figures["Agree to the cent"], figures["Differ"], figures["Not told"]) == ("4", "1", "1")
    assert "+0.10" in figures["Difference, USDT"]
    assert "Differs" in set(table(tab)["Match"])
    assert "has not been read yet" in words(tab)


def test_sync_now_asks_once_and_each_click_is_one_wish(open_page):
    standin = full()
    tab = opened(open_page, "exchange", standin)
    tab.button(key="sync_now").click().run()
    tab.button(key="sync_now").click().run()
    assert standin.world.calls == [("sync", "paper-okx", "operator")] * 2
    assert "reads the exchange's history now" in words(tab)


def test_progress_and_trouble_of_a_sync_are_told(open_page):
    standin = full()
    standin.world.sync = SyncRow("paper-okx", began_at=now(), done=4, of=13)
    assert "4 of 13" in history.sync_words(standin.world.sync, ISTANBUL)
    assert not opened(open_page, "exchange", standin).exception
    standin.world.sync = replace(standin.world.sync, trouble="funding: HTTP 502", reached=now())
    tab = opened(open_page, "exchange", standin)
    assert "funding: HTTP 502" in words(tab)
    assert "What was read is kept" in words(tab)


def test_a_wish_that_waits_is_told_until_the_bot_begins():
    waiting = SyncRow("a", asked_at=now(), began_at=now() - timedelta(minutes=9), done=1, of=1, reached=now())
    assert waiting.waiting
    assert "begins with it in a moment" in history.sync_words(waiting, ISTANBUL)
    assert not replace(waiting, began_at=now() + timedelta(seconds=1)).waiting


def test_days_are_whole_days_of_the_trader():
    one = history.only(None, None, None, None, None, (date(2026, 11, 20), date(2026, 11, 21)), ISTANBUL)
    assert (one.since.isoformat(), one.until.isoformat()) == ("2026-11-20T00:00:00+03:00", "2026-11-22T00:00:00+03:00")
    assert history.only(None, None, None, None, None, (), ISTANBUL) == Only()
    assert history.only(None, None, None, None, None, (date(2026, 11, 20),), ISTANBUL).until is None


def test_an_average_without_a_last_digit_reads_well():
    assert history.change(Decimal("99471.123456789"), Decimal("99471.1234571")) == "99,471.123"
    assert history.change(None, Decimal("1.50")) == "– → 1.5"


def test_the_exchange_file_keeps_every_digit():
    cycles = full().reports.cycles("paper-okx", 9)
    matched = match([life_of(cycle) for cycle in cycles], cycles)
    assert [one.agreement for one in matched].count(Agreement.DIFFERS) == 1
    assert "47.8559" in as_csv(history.matched_records(matched, ISTANBUL))


def test_a_group_without_a_loss_has_no_factor():
    cycles = [one for one in full().reports.cycles("paper-okx", 9) if one.net > 0]
    (row,) = history.group_records(performance(cycles).groups["side"], "side")
    assert (row["Group"], row["Profit factor"], row["Win rate"]) == ("Long", "–", "100.0 %")


# --- Orders by hand


def by_hand(open_page, **changes):
    standin = full()
    held = ByHand(PART, price("105300.7"), price("90149.1"), False, None)
    standin.world.by_hand[PART] = replace(held, **changes)
    tab = open_page(standin, "orders.py")
    tab.selectbox(key="by_hand_part").set_value(PART).run()
    return standin, tab


def keys(tab):
    return {button.key for button in tab.button}


def test_an_automatic_part_can_be_edited_and_each_level_taken_away(open_page):
    _, tab = by_hand(open_page)
    assert {"by_hand_edit", "remove_tp", "remove_sl"} <= keys(tab)
    assert not {"keep_levels", "to_automatic"} & keys(tab)
    assert "Automatic: the levels follow" in words(tab)


@pytest.mark.parametrize("leg", list(Leg))
def test_a_level_is_taken_away_after_it_was_said_what_is_left(open_page, leg):
    standin, tab = by_hand(open_page)
    tab.button(key=f"remove_{leg}").click().run()
    assert ("nothing limits the loss" in words(tab)) is (leg is Leg.STOP_LOSS)
    assert standin.world.calls == []
    tab.button(key="remove_confirm").click().run()
    assert standin.world.calls == [("remove", PART, leg, "operator")]


def test_a_level_that_is_away_is_set_again_by_the_drawer_and_not_removed_twice(open_page):
    _, tab = by_hand(open_page, take_profit=None, edited=True)
    assert "remove_tp" not in keys(tab)
    tab.button(key="by_hand_edit").click().run()
    assert tab.number_input(key="edit_sl").value == -100.0


def test_what_is_held_by_hand_returns_to_automatic_with_one_click(open_page):
    standin, tab = by_hand(open_page, edited=True)
    assert "Held by hand" in words(tab)
    tab.button(key="to_automatic").click().run()
    assert standin.world.calls == [("automatic", PART, "operator")]


def test_levels_moved_at_the_exchange_are_named_and_can_be_kept(open_page):
    standin, tab = by_hand(open_page, at_exchange=(price("106000"), None), at_exchange_since=now())
    assert "Take-profit 106,000.0, stop-loss none, seen " in words(tab)
    tab.button(key="keep_levels").click().run()
    assert standin.world.calls == [("keep", PART, "operator")]


def test_without_a_part_there_is_nothing_to_hold(open_page):
    assert "by_hand_edit" not in keys(open_page(empty(), "orders.py"))


def test_the_record_can_be_narrowed_to_one_kind(open_page):
    tab = open_page(full(), "history.py")
    tab.segmented_control(key="history_view").set_value("events").run()
    assert list(tab.dataframe[0].value["Kind"]) == ["Decision", "Fill"]
    tab.selectbox(key="event_kind").set_value("fill").run()
    assert not tab.exception
    shown = tab.dataframe[0].value
    assert list(shown["Kind"]) == ["Fill"]
    assert shown["Price"][0] == Decimal("100250.1")
