"""Every page opens in every state, and says in words what it cannot show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.i18n import translate
from tests.pages.conftest import words
from tests.pages.samples.services import AWAY, StandIn, World, empty, full
from tests.pages.samples.snapshot import DEMO, sample_snapshot

PAGES = [
    "new_trade.py",
    "active_positions.py",
    "orders.py",
    "history.py",
    "safety.py",
    "settings.py",
    "paper_market.py",
]
VIEWS = {
    "settings.py": ("settings_view", ["accounts", "bot", "defaults", "guards", "access", "file", "trail"]),
    "history.py": ("history_view", ["cycles", "performance", "exchange", "executions", "fills", "funding", "events"]),
}


def stale() -> StandIn:
    standin = full()
    standin.world.snapshot_age = timedelta(minutes=7)
    return standin


def away() -> StandIn:
    standin = full()
    standin.world.failure = AWAY
    return standin


def stopped() -> StandIn:
    return StandIn(World(snapshot=sample_snapshot(), state="stopped", history=True))


def loading() -> StandIn:
    """The bot is up and has looked at nothing yet."""
    return StandIn(World(state="starting"))


@pytest.fixture(params=["en", "tr"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    translate.use("en")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("situation", [empty, loading, full, stale, away, stopped], ids=lambda one: one.__name__)
def test_every_page_opens_in_every_situation(open_page, page, situation, language):
    standin = situation()
    standin.world.settings["language"] = language
    tab = open_page(standin, page)
    assert not tab.exception
    assert words(tab)


@pytest.mark.parametrize("page", VIEWS)
@pytest.mark.parametrize("situation", [empty, full, stale], ids=lambda one: one.__name__)
def test_every_view_of_a_page_opens_in_every_situation(open_page, page, situation, language):
    standin = situation()
    standin.world.settings["language"] = language
    tab = open_page(standin, page)
    key, views = VIEWS[page]
    for view in views:
        tab.session_state[key] = view
        tab.run()
        assert not tab.exception, view
        assert words(tab)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_its_database_says_what_guards_the_positions_now(open_page, page):
    tab = open_page(away(), page)
    assert "the database does not answer" in tab.error[0].value
    assert "go on guarding your positions" in tab.error[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_stopped_bot_says_so_on_each_page_with_what_rests_on_the_exchange_alone(open_page, page):
    tab = open_page(stopped(), page)
    assert any("1 position rests on exchange-side protection alone" in info.value for info in tab.info)


def test_a_stale_snapshot_warns_and_shows_its_age(open_page):
    tab = open_page(stale())
    assert any("7 min old" in warning.value for warning in tab.warning)
    assert ":gray[-12.41]" in [metric.value for metric in tab.metric]


def test_a_first_visit_says_what_to_do_next(open_page):
    tab = open_page(empty())
    assert "Press Start bot" in words(tab)
    assert tab.button(key="bot_start")


def test_every_account_has_its_own_paper_market_or_none(open_page):
    standin = full()
    standin.world.accounts = [DEMO]
    tab = open_page(standin)
    assert not tab.exception
    assert tab.selectbox(key="account").value == DEMO.id


def test_the_bot_starts_with_one_click(open_page):
    standin = empty()
    tab = open_page(standin)
    tab.button(key="bot_start").click().run()
    assert standin.world.calls == [("start", "paper-okx", "operator")]
    assert tab.button(key="bot_stop")


def test_stopping_names_what_is_left_to_the_exchange_and_asks_first(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="bot_stop").click().run()
    assert "1 open position will rest on its stop and target at the exchange alone." in words(tab)
    assert "1 part has no stop at the exchange" in words(tab)
    assert standin.world.calls == []
    tab.button(key="stop_confirm").click().run()
    assert standin.world.calls == [("stop", "paper-okx", "operator")]
    assert tab.button(key="bot_start")


def test_a_refused_start_is_told_in_its_own_words(open_page):
    standin = empty()
    standin.world.refusal = AWAY
    tab = open_page(standin)
    tab.button(key="bot_start").click().run()
    assert "the database does not answer" in words(tab)
    assert not tab.exception
