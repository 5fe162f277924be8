"""How orders are worked: the styles in New Trade, in recovery and in a close, and what is told to those under way."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle, RecoveryChoice
from core.domain.order import Purpose
from core.domain.snapshot import ExecutionSnapshot
from core.ui.presenters import execution_styles, executions
from core.ui.presenters.recovery import Mode
from tests.pages.conftest import words
from tests.pages.samples.services import StandIn, World, full
from tests.pages.samples.snapshot import now, part, run, sample_snapshot

TWAP, ICEBERG, LIMIT = ExecutionKind.TWAP, ExecutionKind.ICEBERG, ExecutionKind.LIMIT
HALF_AN_HOUR = ExecutionStyle(TWAP, duration=timedelta(minutes=30), slices=10, randomness=Decimal("0.2"))


def asked(standin: StandIn, what: str) -> list[tuple[Any, ...]]:
    return [call[1:] for call in standin.world.calls if call[0] == what]


def working(*found: ExecutionSnapshot, **changes: Any) -> StandIn:
    """A running bot with one part and these executions of it under way."""
    snapshot = replace(sample_snapshot(), parts=(part("00a7k2", executions=found, **changes),))
    return StandIn(World(snapshot=snapshot, state="running", history=True))


def confirmed(tab):
    tab.button(key="nt_review").click().run()
    shown = str(tab.table[0].value.to_dict())
    tab.button(key="nt_confirm").click().run()
    return shown


# --- what is typed


@pytest.mark.parametrize(
    "wanted",
    [
        ExecutionStyle(),
        HALF_AN_HOUR,
        ExecutionStyle(TWAP, duration=timedelta(minutes=1), slices=4, passive=True, at_end=AtEnd.MARKET),
        ExecutionStyle(LIMIT, Decimal("99000.5"), timedelta(minutes=60), AtEnd.MARKET, timedelta(seconds=20)),  # type: ignore[arg-type]
        ExecutionStyle(ICEBERG, visible=Decimal("0.25"), refresh=timedelta(seconds=30)),
    ],
    ids=lambda style: style.kind,
)
def test_a_style_comes_back_from_its_fields_as_it_was(wanted):
    assert execution_styles.style(wanted.kind, execution_styles.shown(wanted)) == wanted


def test_numbers_that_a_kind_does_not_have_are_left_out():
    given = execution_styles.DEFAULTS | {"price": 99000.0, "visible": 20.0}
    assert execution_styles.style(ExecutionKind.MARKET, given) == ExecutionStyle()
    assert execution_styles.style(TWAP, given).price is None


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (ExecutionStyle(), "at market"),
        (HALF_AN_HOUR, "TWAP in 10 slices over 30 min, differing by up to 20 %, then the rest is left"),
        (
            ExecutionStyle(LIMIT, Decimal(99000), timedelta(minutes=90), AtEnd.MARKET, timedelta(seconds=20)),  # type: ignore[arg-type]
            "limit at 99,000.0, moved after 20 s, by 1 % at most, for 90 min, then the rest goes at market",
        ),
        (
            ExecutionStyle(ICEBERG, visible=Decimal("0.25"), refresh=timedelta(seconds=30)),
            "iceberg of 25 % at own side of the book, placed anew after 30 s",
        ),
    ],
)
def test_a_style_in_one_line(wanted, told):
    assert execution_styles.words(wanted, "0.1") == told


@pytest.mark.parametrize(
    ("length", "told"), [(30, "30 s"), (60, "1 min"), (90, "90 s"), (3600, "1 h"), (5400, "90 min"), (9000, "2.5 h")]
)
def test_a_span_in_its_largest_fitting_unit(length, told):
    assert execution_styles.span(timedelta(seconds=length)) == told


# --- New Trade


def test_only_the_fields_of_the_style_are_shown(open_page):
    tab = open_page(full(), "new_trade.py")
    shown = {name: [] for name in ExecutionKind}
    for kind in ExecutionKind:
        tab.segmented_control(key="nt_entry").set_value(kind).run()
        assert not tab.exception
        prefix = "nt_entry_"
        shown[kind] = [one.key.removeprefix(prefix) for one in tab.number_input if one.key.startswith(prefix)]
    assert shown == {
        ExecutionKind.MARKET: [],
        LIMIT: ["price", "timeout", "reprice"],
        TWAP: ["duration", "slices", "randomness"],
        ICEBERG: ["price", "visible", "refresh", "timeout"],
    }


def test_how_far_a_limit_gives_way_is_asked_once_it_is_moved(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_entry").set_value(LIMIT).run()
    tab.number_input(key="nt_entry_reprice").set_value(15.0).run()
    assert tab.number_input(key="nt_entry_follow").value == 1.0


def test_a_twap_is_asked_for_as_it_was_typed(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_entry").set_value(TWAP).run()
    assert "Slices spread over time" in words(tab)
    assert "Reckoned as one order at the market price of now" in words(tab)
    tab.segmented_control(key="nt_entry_at_end").set_value(AtEnd.MARKET)
    tab.toggle(key="nt_entry_passive").set_value(True)
    tab.number_input(key="nt_entry_duration").set_value(20.0).run()
    shown = confirmed(tab)
    assert "TWAP in 10 slices over 20 min" in shown
    ((draft, _by),) = asked(standin, "open")
    assert draft.entry == ExecutionStyle(
        TWAP,
        at_end=AtEnd.MARKET,
        duration=timedelta(minutes=20),
        slices=10,
        randomness=Decimal("0.2"),
        passive=True,
    )


def test_an_iceberg_without_a_price_rests_at_our_own_side_of_the_book(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_entry").set_value(LIMIT).run()
    tab.segmented_control(key="nt_entry").set_value(ICEBERG).run()
    assert "Reckoned as one limit order" in words(tab)
    assert tab.number_input(key="nt_entry_price").value is None, "the price of the limit before means nothing here"
    assert "near 100,414.9" in confirmed(tab), "the bid: it buys"
    ((draft, _by),) = asked(standin, "open")
    assert (draft.entry.kind, draft.entry.price, draft.entry.visible) == (ICEBERG, None, Decimal("0.2"))


def test_how_recovery_steps_are_worked_goes_along(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_rec").set_value(Mode.ON).run()
    tab.segmented_control(key="nt_rec_style").set_value(TWAP).run()
    assert not tab.exception
    tab.number_input(key="nt_rec_style_duration").set_value(5.0).run()
    confirmed(tab)
    ((draft, _by),) = asked(standin, "open")
    worked = ExecutionStyle(TWAP, duration=timedelta(minutes=5), slices=10, randomness=Decimal("0.2"))
    assert draft.recovery == RecoveryChoice(enabled=True, style=worked)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("duration", None, "duration must be given, 10 s to 1 d"),
        ("slices", 900.0, "slices must be 2 to 500, not 900"),
        ("randomness", 80.0, "randomness must be 0 % to 50 %, not 80 %"),
    ],
)
@pytest.mark.parametrize("key", ["nt_entry", "nt_rec_style"])
def test_a_number_that_cannot_be_is_named_and_blocks_the_button(open_page, key, field, value, said):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_rec").set_value(Mode.ON).run()
    tab.segmented_control(key=key).set_value(TWAP).run()
    tab.number_input(key=f"{key}_{field}").set_value(value).run()
    assert said in words(tab)
    assert tab.button(key="nt_review").disabled


# --- under way


def test_a_twap_under_way_shows_its_numbers_and_what_comes_next(open_page):
    tab = open_page(working(run()))
    said = "\n".join(str(one.proto.text) for one in tab.get("progress")) + words(tab)
    assert "Entry · TWAP" in said
    assert "**0.33 of 0.99** contracts" in said
    assert "average 100,250.1" in said
    assert "0.66 to go" in said
    assert re.search(r"next in \*\*1:0\d\*\*", said)


def test_an_order_at_market_is_over_before_it_is_read(open_page):
    tab = open_page(working(run(kind="market")))
    assert not tab.get("progress")


@pytest.mark.parametrize(("button", "finish"), [("back", False), ("finish", True)])
@pytest.mark.parametrize(
    "found",
    [run(), run("1R2", purpose=Purpose.RECOVERY), run("1C", purpose=Purpose.CLOSE)],
    ids=["entry", "recovery", "close"],
)
def test_each_word_to_an_execution_is_two_clicks_and_one_wish(open_page, found, button, finish):
    standin = working(found)
    tab = open_page(standin)
    tab.button(key=f"{button}_00a7k2_{found.run}").click().run()
    assert standin.world.calls == []
    tab.button(key="run_confirm").click().run()
    assert asked(standin, "tell") == [("00a7k2", found.run, finish, "operator")]
    assert not tab.exception


def test_taking_a_close_back_says_that_the_part_goes_on():
    assert executions.take_back_label(run("1C", purpose=Purpose.CLOSE)) == "Take the close back"
    assert "The part goes on with what is left" in executions.take_back_words(run("1C", purpose=Purpose.CLOSE))
    assert "0.66 contracts are not ordered any more" in executions.take_back_words(run())


def test_what_was_told_already_is_not_asked_again(open_page):
    tab = open_page(working(run(finishing=True)))
    assert tab.button(key="finish_00a7k2_1E").disabled
    assert "finishing at market" in words(tab)


def test_a_due_time_that_has_passed_counts_from_nought():
    late = run(until=now() - timedelta(seconds=9))
    assert "next in **0:00**" in executions.next_words(late, now())


# --- close


@pytest.mark.parametrize("contracts", [None, Decimal("0.5")], ids=["all", "some"])
@pytest.mark.parametrize("kind", [TWAP, ICEBERG])
def test_a_close_in_a_style(open_page, kind, contracts):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_close_00a7k2").click().run()
    assert tab.segmented_control(key="close_how").value is ExecutionKind.MARKET
    if contracts is not None:
        tab.slider(key="close_size").set_value(float(contracts))
    tab.segmented_control(key="close_how").set_value(kind)
    tab.button(key="close_confirm").click().run()
    ((name, closed, _by, worked),) = asked(standin, "close")
    assert (name, closed) == ("00a7k2", contracts)
    assert (worked.kind, worked.price) == (kind, None)
    assert worked.at_end is (AtEnd.MARKET if kind is TWAP else AtEnd.STOP), "slices that were missed are caught up"


def test_each_close_begins_at_market(open_page):
    standin = full()
    tab = open_page(standin)
    for kind in (TWAP, ExecutionKind.MARKET):
        tab.button(key="ap_close_00a7k2").click().run()
        if kind is TWAP:
            tab.segmented_control(key="close_how").set_value(kind)
        tab.button(key="close_confirm").click().run()
    assert [len(call) for call in asked(standin, "close")] == [4, 3], "the second is without a style"


# --- reports


def test_history_lists_every_execution_with_what_it_cost(open_page):
    tab = open_page(full(), "history.py")
    tab.segmented_control(key="history_view").set_value("executions").run()
    assert not tab.exception
    shown = tab.dataframe[0].value
    assert list(shown["Purpose"]) == ["Close", "Entry"]
    entry = shown.iloc[1]
    assert (entry["Arrival"], entry["Average"]) == (Decimal("100200.1"), Decimal("100250.1"))
    assert (entry["Slippage, bp"], entry["Slippage, USDT"]) == (Decimal("4.99"), Decimal("0.495"))
    assert (entry["Maker"], entry["Duration"], entry["Orders"]) == ("50.0 %", "30 min", Decimal(10))
    assert "positive is worse" in words(tab)


def test_a_cycle_shows_how_it_was_worked(open_page):
    tab = open_page(full(), "history.py")
    tab.selectbox(key="steps_of").set_value(("00a7k2", 1)).run()
    assert not tab.exception
    (worked,) = [one.value for one in tab.dataframe if "Arrival" in one.value.columns]
    assert list(worked["Run"]) == ["1C", "1E"]
    assert "Contract" not in worked.columns


def test_the_report_of_an_execution_under_way_is_read_once_it_is_opened(open_page):
    tab = open_page(working(run()))
    assert not [one for one in tab.dataframe if "Arrival" in one.value.columns]
    assert not tab.exception
