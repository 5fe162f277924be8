"""Settings: known ones in range are stored exactly, everything else is refused in words and changes nothing."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Level
from core.domain.errors import Misconfigured
from core.domain.intent import ExitReason, Limits, Recovery, ReopenRule
from core.monitor.kill_switch import Guards
from core.monitor.position_monitor import CADENCE
from core.services.settings.definitions import OFFERED
from core.services.settings.preferences import Change, Preferences
from core.services.trading.choices import RANGES
from db.trading_settings import Rules


@pytest.fixture
def preferences(store):
    return Preferences(store)


def value(preferences: Preferences, key: str) -> object:
    return next(one.value for one in preferences.all() if one.key == key)


def test_at_first_everything_stands_at_its_default(preferences):
    for one in preferences.all():
        assert one.value == one.default
        assert one.label
        assert one.value is None or Preferences.checked(one.key, one.value) == one.value
        assert one.help


def test_the_cadence_offered_is_the_cadence_kept():
    offered = {one.key: one.default for one in OFFERED if one.key in CADENCE}
    assert offered == CADENCE


def test_the_limits_offered_are_the_limits_kept(preferences, store):
    offered = {one.key for one in OFFERED if one.group in ("Limits", "Raise the level by itself")}
    assert {one.key for one in OFFERED if one.group == "Limits"} < {field.name for field in fields(Limits)} < offered
    assert value(preferences, "max_price_deviation") == Limits().max_price_deviation * 100
    for key, wanted in (("max_leverage", 20), ("max_order_value", Decimal("2500.5")), ("min_order_value", 11)):
        preferences.set(key, wanted, by="operator")
    preferences.set("max_price_deviation", Decimal("2.5"), by="operator")
    preferences.set("max_position_value_pct", 50, by="operator")
    assert store.parts.limits() == Limits(
        min_order_value=Decimal(11),
        max_order_value=Decimal("2500.5"),
        max_leverage=Decimal(20),
        max_price_deviation=Decimal("0.025"),
        max_position_value_pct=Decimal("0.5"),
    )
    assert value(preferences, "max_price_deviation") == Decimal("2.5")
    preferences.set("max_order_value", None, by="operator")
    assert store.parts.limits().max_order_value is None


def test_a_setting_is_stored_in_its_own_type(preferences):
    preferences.set("order_watch_seconds", Decimal(7), by="operator")
    stored = value(preferences, "order_watch_seconds")
    assert (stored, type(stored)) == (7, int)
    preferences.set("max_order_value", Decimal("1234.56"), by="operator")
    assert value(preferences, "max_order_value") == Decimal("1234.56")


@pytest.mark.parametrize(
    ("key", "wanted", "words"),
    [
        ("order_watch_seconds", 0, "Watch orders and positions 0 is out of range: 1 to 60 s is allowed"),
        ("order_watch_seconds", 61, "1 to 60 s is allowed"),
        ("order_watch_seconds", Decimal("2.5"), "is not a whole number"),
        ("order_watch_seconds", None, "nothing is not a number"),
        ("order_watch_seconds", True, "is not a number"),
        ("check_seconds", "soon", "'soon' is not a number; 10 to 600 s is allowed"),
        ("max_price_deviation", Decimal(51), "0.1 to 50 % is allowed"),
        ("max_leverage", Decimal("NaN"), "is not a number"),
        ("no_such", 1, "setting 'no_such' is not known: one of check_seconds"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(preferences, store, key, wanted, words):
    with pytest.raises(Misconfigured, match=words):
        preferences.set(key, wanted, by="operator")
    assert store.settings.all() == {}


def test_the_smallest_order_may_not_be_above_the_largest(preferences):
    preferences.set("max_order_value", 100, by="operator")
    with pytest.raises(Misconfigured, match="200 USDT is above the largest of 100 USDT"):
        preferences.set("min_order_value", 200, by="operator")
    assert value(preferences, "min_order_value") is None


def test_the_bot_hears_of_a_changed_setting(preferences, heard):
    preferences.set("check_seconds", 30, by="operator")
    assert heard({"settings": "check_seconds"})


# -- recovery, reopening and the guards ------------------------------------------------------------------------------


def test_recovery_and_reopening_are_on_and_as_the_rules_have_them(preferences, store):
    assert store.parts.rules() == Rules(Limits(), Recovery(), ReopenRule())
    assert value(preferences, "recovery_trigger_pnl") == -50
    assert value(preferences, "reopen_delay_minutes") == 5
    for one in OFFERED:
        if one.key in RANGES:
            assert (one.minimum, one.maximum, one.unit) == (
                RANGES[one.key].least, RANGES[one.key].most, RANGES[one.key].unit,
            ), one.key  # fmt: skip


def test_what_is_set_reaches_the_rules_in_their_own_types(preferences, store):
    for key, wanted in (
        ("recovery_trigger_pnl", "-12.5"),
        ("recovery_max_steps", 3),
        ("recovery_max_loss", 200),
        ("recovery_seconds", 20),
        ("reopen_delay_minutes", 1),
        ("reopen_max_cycles", 9),
        ("reopen_after", ["stop_loss", "liquidated"]),
    ):
        preferences.set(key, wanted, by="operator")
    rules = store.parts.rules()
    assert rules.recovery == Recovery(
        trigger_pnl=Decimal("-12.5"), max_steps=3, max_loss=Decimal(200), pause=timedelta(seconds=20)
    )
    after = frozenset({ExitReason.STOP_LOSS, ExitReason.LIQUIDATED})
    assert rules.reopen == ReopenRule(after=after, delay=timedelta(minutes=1), max_cycles=9)
    assert value(preferences, "reopen_after") == ("liquidated", "stop_loss")
    preferences.set("recovery_enabled", False, by="operator")
    preferences.set("reopen_enabled", False, by="operator")
    assert (store.parts.rules().recovery, store.parts.rules().reopen) == (None, None)


def test_the_guards_read_what_is_offered(preferences, store):
    assert Guards.of(store.settings.all()) == Guards()
    assert value(preferences, "max_daily_loss") == 10
    for key, wanted in (
        ("max_daily_loss", 5),
        ("max_drawdown", "12.5"),
        ("max_stop_losses", 4),
        ("guard_level", "flatten"),
    ):
        preferences.set(key, wanted, by="operator")
    assert Guards.of(store.settings.all()) == Guards(
        Decimal("0.05"), Decimal("0.125"), max_stop_losses=4, guard_level=Level.FLATTEN
    )
    preferences.set("max_daily_loss", None, by="operator")
    assert Guards.of(store.settings.all()).max_daily_loss is None
    assert value(preferences, "max_daily_loss") is None


@pytest.mark.parametrize(
    ("key", "wanted", "words"),
    [
        ("recovery_trigger_pnl", 0, "Trigger 0 is out of range: -1000000 to -0.01 USDT is allowed"),
        ("recovery_add_amount", None, "Amount of one step: nothing is not a number"),
        ("reopen_delay_minutes", 61, "1 to 60 minutes is allowed"),
        ("recovery_enabled", "yes", "'yes' is neither on nor off"),
        ("reopen_after", ["never"], "'never' is not known: one of take_profit"),
        ("reopen_after", [], "choose one at least"),
        ("guard_level", "run", "'run' is not known: one of no_new_entries"),
    ],
)
def test_a_switch_and_a_choice_are_checked_too(preferences, store, key, wanted, words):
    with pytest.raises(Misconfigured, match=words):
        preferences.set(key, wanted, by="operator")
    assert store.settings.all() == {}


# -- as a file ---------------------------------------------------------------------------------------------------


def test_an_export_comes_back_as_it_was(preferences, store):
    preferences.set("max_order_value", "2500.5", by="operator")
    preferences.set("reopen_after", ["stop_loss"], by="operator")
    preferences.set("max_daily_loss", None, by="operator")
    document = preferences.export()
    assert preferences.preview_import(document) == ()
    before = {one.key: one.value for one in preferences.all()}
    preferences.set("max_order_value", None, by="operator")
    preferences.set("reopen_after", ["take_profit"], by="operator")
    preferences.set("max_daily_loss", 3, by="operator")
    told = preferences.preview_import(document)
    assert Change("max_order_value", "Largest order value", "USDT", None, Decimal("2500.5")) in told
    assert {one.key for one in told} == {"max_order_value", "reopen_after", "max_daily_loss"}
    assert preferences.import_(document, by="operator") == told
    assert {one.key: one.value for one in preferences.all()} == before


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        ("[1]", "holds no settings"),
        ('{"kind": "perpdeck settings", "version": 7, "settings": {}}', "version 7"),
        (
            '{"kind": "perpdeck settings", "version": 1, "settings": {"check_seconds": 5, "no_such": 1}}',
            "Full check 5 is out of range.*no_such",
        ),
        (
            '{"kind": "perpdeck settings", "version": 1, "settings": {"min_order_value": "9", "max_order_value": "8"}}',
            "no order passes",
        ),
    ],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(preferences, store, document, words):
    for ask in (preferences.preview_import, lambda text: preferences.import_(text, by="operator")):
        with pytest.raises(Misconfigured, match=words):
            ask(document)
    assert store.settings.all() == {}
