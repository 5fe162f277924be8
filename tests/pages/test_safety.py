"""Safety: the level with its numbers before it is set, its banner on each page, guards, alarms, the last restart."""

from __future__ import annotations

import pytest

from core.domain.account import Level
from core.domain.errors import Unavailable
from tests.pages.conftest import words
from tests.pages.samples.services import AWAY, empty, full
from tests.pages.samples.snapshot import PAPER


def test_a_first_start_says_what_is_not_there_yet(open_page):
    tab = open_page(empty(), "safety.py")
    assert not tab.exception
    told = words(tab)
    for sentence in ("Level: Run", "No alarm is open", "No restart is on record"):
        assert sentence in told
    assert "has not looked at the exchange yet" in told


def test_everything_that_guards_is_on_the_page(open_page):
    tab = open_page(full(), "safety.py")
    assert not tab.exception
    told = words(tab)
    assert "Part 00a7k3 has no stop at the exchange." in told
    assert "restart: found 2 open parts" in told
    tables = "\n".join(frame.value.to_string() for frame in tab.dataframe)
    for cell in ("op00a7k302P02", "Loss of one day", "10 %", "Most that one trade may lose", "Fall from the peak"):
        assert cell in tables
    assert "Not set: " in told
    assert "highest leverage" in told


def test_a_level_is_set_with_its_numbers_seen_first(open_page):
    standin = full()
    tab = open_page(standin, "safety.py")
    assert tab.button(key="level_run").disabled
    tab.button(key="level_flatten").click().run()
    told = words(tab)
    assert "2 parts are closed at market." in told
    assert "1 resting entry is withdrawn." in told
    assert "What is not ours stays: it is on 1 positions." in told
    assert standin.world.calls == []
    tab.text_input(key="level_why").set_value("news")
    tab.button(key="level_confirm").click().run()
    assert standin.world.calls == [("level", PAPER.id, Level.FLATTEN, "operator", "news")]


def test_a_stopped_bot_says_that_nothing_happens_until_it_is_started(open_page):
    standin = full()
    standin.world.state = "stopped"
    tab = open_page(standin, "safety.py")
    tab.button(key="level_reduce_only").click().run()
    assert "nothing is withdrawn or closed until it is started" in words(tab)


def test_what_is_refused_is_said_in_the_dialog(open_page):
    standin = full()
    tab = open_page(standin, "safety.py")
    tab.button(key="level_reduce_only").click().run()
    standin.world.refusal = Unavailable("the database does not answer")
    tab.button(key="level_confirm").click().run()
    assert "the database does not answer" in words(tab)


@pytest.mark.parametrize("page", ["new_trade.py", "active_positions.py", "orders.py", "history.py", "settings.py"])
def test_a_raised_level_is_told_on_each_page_with_who_and_why(open_page, page):
    standin = full()
    standin.world.level = Level.NO_ADDED_RISK
    told = words(open_page(standin, page))
    assert "Nothing is opened, recovered or reopened" in told
    assert "by itself, 3 min ago: daily loss: 10.0% are lost" in told


def test_a_silent_database_is_a_sentence(open_page):
    standin = full()
    tab = open_page(standin, "safety.py")
    standin.world.failure = AWAY
    tab.run()
    assert not tab.exception
    assert "could not be read" in "\n".join(str(error.value) for error in tab.error) or "does not answer" in words(tab)


def test_refusals_of_the_risk_control_stand_first_with_value_and_limit(open_page):
    tab = open_page(full(), "safety.py")
    (shown,) = [table.value for table in tab.dataframe if "Result" in table.value.columns]
    assert list(shown["Result"]) == ["Value of the order", "let through"]
    assert (shown["Value"][0], shown["Limit"][0], shown["Times"][0]) == ("2,000 USDT", "1,500 USDT", "3")
    assert shown["Purpose"][0] == "Entry"


def test_before_the_first_order_the_risk_control_has_nothing_to_say(open_page):
    tab = open_page(empty(), "safety.py")
    assert "Each order that adds risk is checked before it is sent" in words(tab)
