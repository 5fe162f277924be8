"""The password in Settings: set, changed, taken away, and each refusal in words."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, words
from tests.pages.samples.services import StandIn, full

PASSWORD = "correct horse"


def access(open_page: Open, standin: StandIn) -> AppTest:
    tab = open_page(standin, "settings.py")
    return tab.segmented_control(key="settings_view").set_value("access").run()


def type_in(tab: AppTest, button: str, **fields: str) -> AppTest:
    for name, value in fields.items():
        tab.text_input(key=f"login_{name}").set_value(value)
    return tab.button(key=button).click().run()


def test_without_a_password_the_page_says_who_can_trade_here(open_page: Open) -> None:
    tab = access(open_page, full())
    assert not tab.exception
    assert "No password is asked for" in words(tab)
    assert "Log out" not in str(tab.get("html"))


def test_a_password_is_set_and_then_asked_for(open_page: Open) -> None:
    standin = full()
    tab = type_in(access(open_page, standin), "login_set", new=PASSWORD, again=PASSWORD)
    assert not tab.exception
    assert standin.login.on
    assert "A password is asked for." in words(tab)
    assert ("event", "set the password", "done") in standin.world.calls
    assert PASSWORD not in str(standin.world)
    assert tab.text_input(key="login_new").value == ""


def test_a_password_that_is_not_allowed_is_refused_in_words(open_page: Open) -> None:
    standin = full()
    tab = access(open_page, standin)
    assert "7 characters: 8 or more" in words(type_in(tab, "login_set", new="seven77", again="seven77"))
    assert "the two differ" in words(type_in(tab, "login_set", new=PASSWORD, again="another"))
    assert "password is empty" in words(type_in(tab, "login_set"))
    assert not standin.login.on


def test_changing_and_removing_want_the_present_password(open_page: Open) -> None:
    standin = full()
    standin.login.set_password(PASSWORD, PASSWORD, by="operator")
    tab = access(open_page, standin)
    assert "present password" in words(type_in(tab, "login_remove", present="wrong"))
    assert standin.login.on
    type_in(tab, "login_set", present=PASSWORD, new="another horse", again="another horse")
    type_in(tab, "login_remove", present="another horse")
    assert not tab.exception
    assert not standin.login.on
