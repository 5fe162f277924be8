"""Tokens in Settings: made, shown once, revoked, in both languages."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.domain.token import Scope
from tests.pages.conftest import Open, words
from tests.pages.samples.services import StandIn, full


def card(open_page: Open, standin: StandIn) -> AppTest:
    tab = open_page(standin, "settings.py")
    return tab.segmented_control(key="settings_view").set_value("api").run()


def make(tab: AppTest, name: str, scope: Scope) -> AppTest:
    tab.text_input(key="api_name").set_value(name)
    tab.radio(key="api_scope").set_value(scope)
    return tab.button(key="api_make").click().run()


def test_a_token_is_shown_once_and_then_listed_without_its_secret(open_page: Open) -> None:
    standin = full()
    tab = card(open_page, standin)
    assert "No program may come in yet" in words(tab)
    tab = make(tab, "TradingView", Scope.TRADE)
    assert not tab.exception
    secret, signal = (code.value for code in tab.code)
    assert signal.startswith("pds_")
    assert secret.startswith("pdk_")
    assert secret not in str(standin.world)
    tab.run()
    assert [code.value for code in tab.code] == [secret, signal], "a redraw does not take it away"
    tab.button(key="api_copied").click().run()
    assert len(tab.code) == 0
    assert "TradingView" in words(tab)
    assert ("event", f"API token {secret[4:12]} made for TradingView: trade", "done") in standin.world.calls


def test_a_token_that_may_only_read_has_no_signal_secret(open_page: Open) -> None:
    tab = make(card(open_page, full()), "reader", Scope.READ)
    assert [code.value[:4] for code in tab.code] == ["pdk_"]


def test_a_name_that_is_not_allowed_is_refused_in_words(open_page: Open) -> None:
    standin = full()
    tab = make(card(open_page, standin), "", Scope.READ)
    assert "name has 0 characters: 1 to 40 are allowed" in words(tab)
    assert standin.tokens.list() == []


def test_a_token_is_revoked_after_a_question(open_page: Open) -> None:
    standin = full()
    made = standin.tokens.create("bot", Scope.ADMIN, None, "operator")
    tab = card(open_page, standin)
    tab = tab.button(key=f"api_revoke_{made.token.id}").click().run()
    assert "turned away" in words(tab)
    tab = tab.button(key="api_revoke_confirm").click().run()
    assert not tab.exception
    assert "No program may come in yet" in words(tab)
    assert "Revoked or expired: 1" in words(tab)
    assert standin.tokens.admit(made.secret).token is None
