"""Settings: known ones in range are stored exactly, everything else is refused in words and changes nothing."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from core.domain.errors import Misconfigured
from core.domain.intent import Limits
from core.monitor.position_monitor import CADENCE
from core.services.preferences import OFFERED, Preferences


@pytest.fixture
def preferences(store):
    return Preferences(store)


def value(preferences: Preferences, key: str) -> object:
    return next(one.value for one in preferences.all() if one.key == key)


def test_at_first_everything_stands_at_its_default(preferences):
    for one in preferences.all():
        assert one.value == one.default
        assert one.label
        assert one.help


def test_the_cadence_offered_is_the_cadence_kept():
    offered = {one.key: one.default for one in OFFERED if one.group == "Cadence"}
    assert offered.items() <= CADENCE.items()


def test_the_limits_offered_are_the_limits_kept(preferences, store):
    assert {one.key for one in OFFERED if one.group == "Limits"} == {field.name for field in fields(Limits)}
    assert value(preferences, "max_price_deviation") == Limits().max_price_deviation * 100
    for key, wanted in (("max_leverage", 20), ("max_order_value", Decimal("2500.5")), ("min_order_value", 11)):
        preferences.set(key, wanted, by="operator")
    preferences.set("max_price_deviation", Decimal("2.5"), by="operator")
    preferences.set("max_position_value_pct", 50, by="operator")
    assert store.limits() == Limits(
        min_order_value=Decimal(11),
        max_order_value=Decimal("2500.5"),
        max_leverage=Decimal(20),
        max_price_deviation=Decimal("0.025"),
        max_position_value_pct=Decimal("0.5"),
    )
    assert value(preferences, "max_price_deviation") == Decimal("2.5")
    preferences.set("max_order_value", None, by="operator")
    assert store.limits().max_order_value is None


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
        ("no_such", 1, "setting 'no_such' is not known: one of order_watch_seconds"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(preferences, store, key, wanted, words):
    with pytest.raises(Misconfigured, match=words):
        preferences.set(key, wanted, by="operator")
    assert store.settings() == {}


def test_the_smallest_order_may_not_be_above_the_largest(preferences):
    preferences.set("max_order_value", 100, by="operator")
    with pytest.raises(Misconfigured, match="200 USDT is above the largest of 100 USDT"):
        preferences.set("min_order_value", 200, by="operator")
    assert value(preferences, "min_order_value") is None


def test_the_bot_hears_of_a_changed_setting(preferences, heard):
    preferences.set("check_seconds", 30, by="operator")
    assert heard({"settings": "check_seconds"})
