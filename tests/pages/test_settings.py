"""Settings: rules and guards are saved whole and exactly, keys tested, the secret changed, a file previewed."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from core.domain.errors import Misconfigured
from tests.pages.conftest import words
from tests.pages.samples.services import AWAY, empty, full
from tests.pages.samples.snapshot import DEMO, PAPER


def opened(open_page, standin, view):
    tab = open_page(standin, "settings.py")
    tab.segmented_control(key="settings_view").set_value(view).run()
    assert not tab.exception
    return tab


@pytest.mark.parametrize("view", ["accounts", "bot", "defaults", "guards", "access", "file"])
@pytest.mark.parametrize("world", [empty, full], ids=["empty", "full"])
def test_every_view_draws(open_page, world, view):
    assert words(opened(open_page, world(), view))


def test_recovery_and_reopen_are_saved_together_and_only_what_changed(open_page):
    standin = full()
    tab = opened(open_page, standin, "defaults")
    assert "at once, for running parts too" in words(tab)
    assert tab.toggle(key="set_recovery_enabled").value is True
    assert tab.number_input(key="set_recovery_trigger_pnl").value == -50
    tab.number_input(key="set_recovery_trigger_pnl").set_value(-75.5)
    tab.number_input(key="set_recovery_max_steps").set_value(4.0)
    tab.button(key="save_Recovery").click().run()
    assert standin.world.calls == [
        ("set", "recovery_trigger_pnl", Decimal("-75.5"), "operator"),
        ("set", "recovery_max_steps", 4, "operator"),
    ]
    tab.multiselect(key="set_reopen_after").set_value(["take_profit"])
    tab.toggle(key="set_reopen_enabled").set_value(False)
    tab.button(key="save_Reopen").click().run()
    assert standin.world.settings["reopen_after"] == ["take_profit"]
    assert standin.world.settings["reopen_enabled"] is False


def test_one_wrong_number_saves_none_of_them(open_page):
    standin = full()
    tab = opened(open_page, standin, "defaults")
    tab.number_input(key="set_recovery_add_amount").set_value(250.0)
    tab.number_input(key="set_recovery_trigger_pnl").set_value(10.0)
    tab.button(key="save_Recovery").click().run()
    assert "Trigger 10 USDT is out of range" in words(tab)
    assert standin.world.calls == []


def test_guards_are_set(open_page):
    standin = full()
    tab = opened(open_page, standin, "guards")
    assert tab.number_input(key="set_max_daily_loss").value == 10
    tab.number_input(key="set_max_daily_loss").set_value(7.5)
    tab.selectbox(key="set_guard_level").set_value("flatten")
    tab.button(key="save_Raise the level by itself").click().run()
    assert standin.world.settings == {"max_daily_loss": Decimal("0.075"), "guard_level": "flatten"}


# --- keys


def test_keys_say_where_they_come_from_and_are_tested(open_page):
    standin = full()
    tab = opened(open_page, standin, "accounts")
    assert "key ending in 9f2c · from the encrypted database" in words(tab)
    assert "made up by the paper exchange" in words(tab)
    tab.button(key=f"acc_test_{DEMO.id}").click().run()
    told = words(tab)
    for fact in ("10.0.0.7", "long and short apart", "+0.4 s ahead of ours", "5,000.00"):
        assert fact in told
    standin.world.refusal = Misconfigured("the API key ...9f2c is not known to OKX demo")
    tab.button(key=f"acc_test_{PAPER.id}").click().run()
    assert "is not known to OKX demo" in words(tab)
    assert "10.0.0.7" not in words(tab)


def test_the_secret_is_changed_after_a_question(open_page):
    standin = full()
    tab = opened(open_page, standin, "accounts")
    tab.button(key="secret_change").click().run()
    assert standin.world.calls == []
    assert "Back-ups of the data folder" in words(tab)
    tab.button(key="secret_confirm").click().run()
    assert standin.world.calls == [("change_secret", "operator")]


# --- as a file


def document(**settings) -> bytes:
    return json.dumps({"kind": "perpdeck settings", "version": 1, "settings": settings}).encode()


def test_an_import_shows_what_it_would_change_and_then_does(open_page):
    standin = full()
    tab = opened(open_page, standin, "file")
    tab.file_uploader(key="settings_file").upload(
        "settings.json", document(check_seconds=90, recovery_enabled=False, max_order_value=None), "application/json"
    ).run()
    shown = tab.dataframe[0].value.to_string()
    for cell in ("Full check", "90 s", "off"):
        assert cell in shown
    assert "Largest order value" not in shown, "that is so already"
    assert standin.world.calls == []
    tab.button(key="settings_import").click().run()
    assert standin.world.settings == {"check_seconds": 90, "recovery_enabled": False}


def test_a_file_with_anything_wrong_offers_nothing(open_page):
    standin = full()
    tab = opened(open_page, standin, "file")
    tab.file_uploader(key="settings_file").upload(
        "settings.json", document(check_seconds=1, no_such=2), "application/json"
    ).run()
    assert "Full check 1 s is out of range" in words(tab)
    assert "no_such" in words(tab)
    assert not [button for button in tab.button if button.key == "settings_import"]


def test_a_silent_database_is_a_sentence(open_page):
    standin = full()
    tab = opened(open_page, standin, "defaults")
    standin.world.failure = AWAY
    tab.run()
    assert not tab.exception
