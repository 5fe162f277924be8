"""Settings: known ones in range are stored exactly, everything else is refused in words and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.account import Level
from core.domain.errors import Misconfigured
from core.domain.intent import ExitReason, Limits, Recovery, RecoveryChoice, ReopenChoice, ReopenRule, Unguarded
from core.domain.settings.field import setting
from core.domain.settings.guards import Guards
from core.domain.settings.rules import Rules
from core.domain.settings.trader import LIMITS, TraderSettings
from core.domain.settings.unit import PERCENT
from core.services.settings.preferences import ModelPreferences, Preferences
from core.services.trading.choices import choice_problems
from core.ui.presenters import forms
from db.store import Store


@pytest.fixture
def preferences(store: Store) -> Preferences:
    return Preferences(store.settings)


def value(preferences: Preferences, key: str) -> object:
    return getattr(preferences.now(), key)


def test_at_first_everything_stands_at_its_default(preferences: Preferences) -> None:
    for one in preferences.all():
        wanted = one.definition
        assert one.value == wanted.default
        assert wanted.label
        assert wanted.setting.help
        assert wanted.read(one.value) == one.value


@pytest.mark.parametrize("rule", [Limits, Recovery, ReopenRule, Guards, Unguarded], ids=lambda kind: kind.__name__)
def test_rules_are_made_of_settings_alone(rule: type) -> None:
    """But for how a step is worked, which only a part chooses."""
    fed = {attribute for attribute, _key, _converter in TraderSettings.feeding[rule]}
    assert {field.name for field in fields(rule)} - fed <= {"style"}
    assert TraderSettings().rule(rule) == rule()


def test_limits_reach_the_rules_as_shares_and_amounts(preferences: Preferences, store: Store) -> None:
    assert value(preferences, "max_price_deviation") == Limits().max_price_deviation * 100
    changes = {"max_leverage": 20, "max_order_value": Decimal("2500.5"), "min_order_value": 11}
    for key, wanted in changes.items():
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


def test_a_setting_is_stored_in_its_own_type(preferences: Preferences) -> None:
    preferences.set("order_watch_seconds", Decimal(7), by="operator")
    stored = value(preferences, "order_watch_seconds")
    assert (stored, type(stored)) == (7, int)
    preferences.set("max_order_value", Decimal("1234.56"), by="operator")
    assert value(preferences, "max_order_value") == Decimal("1234.56")


@pytest.mark.parametrize(
    ("key", "wanted", "words"),
    [
        ("order_watch_seconds", 0, "Watch orders and positions 0 s is out of range: 1 to 60 s is allowed"),
        ("order_watch_seconds", 61, "1 to 60 s is allowed"),
        ("order_watch_seconds", Decimal("2.5"), "is not a whole number"),
        ("order_watch_seconds", None, "Watch orders and positions is empty: 1 to 60 s is allowed"),
        ("order_watch_seconds", True, "is not a number"),
        ("check_seconds", "soon", "'soon' is not a number; 10 to 600 s is allowed"),
        ("max_price_deviation", Decimal(51), "0.1 to 50 % is allowed"),
        ("max_leverage", Decimal("NaN"), "is not a number"),
        ("max_leverage", Decimal("1e999999"), "is not a number"),
        ("max_leverage", "1e1", "'1e1' is not a number"),
        ("max_leverage", 2.5, "2.5 is not exact, give it as text; 1 to 125 x is allowed"),
        ("max_open_parts", "2.5", "Most parts at once 2.5 is not a whole number"),
        ("no_such", 1, "setting 'no_such' is not known: one of check_seconds"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(
    preferences: Preferences, store: Store, key: str, wanted: object, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        preferences.set(key, wanted, by="operator")
    assert store.settings.all() == {}


def test_the_smallest_order_may_not_be_above_the_largest(preferences: Preferences) -> None:
    preferences.set("max_order_value", 100, by="operator")
    with pytest.raises(Misconfigured, match="200 USDT is above the largest of 100 USDT"):
        preferences.set("min_order_value", 200, by="operator")
    assert value(preferences, "min_order_value") is None


def test_the_bot_hears_of_a_changed_setting(preferences: Preferences, heard: Callable[[dict[str, str]], bool]) -> None:
    preferences.set("check_seconds", 30, by="operator")
    assert heard({"settings": "check_seconds"})


# -- recovery, reopening and the guards ------------------------------------------------------------------------------


def test_recovery_and_reopening_are_on_and_as_the_rules_have_them(preferences: Preferences, store: Store) -> None:
    assert store.parts.rules() == Rules(Limits(), Recovery(), ReopenRule())
    assert value(preferences, "recovery_trigger_pnl") == -50
    assert value(preferences, "reopen_delay_minutes") == 5


def test_a_part_chooses_within_the_ranges_of_the_settings() -> None:
    recovery = RecoveryChoice(trigger_pnl=Decimal(50), max_steps=0, sl_usdt=Decimal("NaN"))
    reopen = ReopenChoice(delay=timedelta(minutes=90), loss_budget=Decimal("1000000.01"))
    assert [str(one) for one in choice_problems(recovery, reopen)] == [
        "recovery trigger 50 USDT is out of range: -1,000,000 to -0.01 USDT is allowed",
        "recovery stop-loss NaN USDT is out of range: 0.01 to 1,000,000 USDT is allowed",
        "recovery steps 0 is out of range: 1 to 100 is allowed",
        "reopen delay 90 minutes is out of range: 1 to 60 minutes is allowed",
        "loss budget 1000000.01 USDT is out of range: 0.01 to 1,000,000 USDT is allowed",
    ]
    assert list(choice_problems(RecoveryChoice(), ReopenChoice(delay=timedelta(seconds=90)))) == []


def test_what_is_set_reaches_the_rules_in_their_own_types(preferences: Preferences, store: Store) -> None:
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


def test_the_guards_read_what_is_offered(preferences: Preferences, store: Store) -> None:
    assert TraderSettings.of_stored(store.settings.all()).rule(Guards) == Guards()
    assert value(preferences, "max_daily_loss") == 10
    for key, wanted in (
        ("max_daily_loss", 5),
        ("max_drawdown", "12.5"),
        ("max_stop_losses", 4),
        ("guard_level", "flatten"),
    ):
        preferences.set(key, wanted, by="operator")
    assert TraderSettings.of_stored(store.settings.all()).rule(Guards) == Guards(
        Decimal("0.05"), Decimal("0.125"), max_stop_losses=4, guard_level=Level.FLATTEN
    )
    preferences.set("max_daily_loss", None, by="operator")
    assert TraderSettings.of_stored(store.settings.all()).rule(Guards).max_daily_loss is None
    assert value(preferences, "max_daily_loss") is None


@pytest.mark.parametrize(
    ("key", "wanted", "words"),
    [
        ("recovery_trigger_pnl", 0, "Trigger 0 USDT is out of range: -1,000,000 to -0.01 USDT is allowed"),
        ("recovery_add_amount", None, "Amount of one step is empty: 1 to 10,000,000 USDT is allowed"),
        ("reopen_delay_minutes", 61, "1 to 60 minutes is allowed"),
        ("recovery_enabled", "yes", "'yes' is neither on nor off"),
        ("reopen_after", ["never"], "'never' is not known: one of take_profit"),
        ("reopen_after", [], "choose one at least"),
        ("guard_level", "run", "'run' is not known: one of no_new_entries"),
    ],
)
def test_a_switch_and_a_choice_are_checked_too(
    preferences: Preferences, store: Store, key: str, wanted: object, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        preferences.set(key, wanted, by="operator")
    assert store.settings.all() == {}


# -- as a file ---------------------------------------------------------------------------------------------------


def test_an_export_comes_back_as_it_was(preferences: Preferences, store: Store) -> None:
    preferences.set("max_order_value", "2500.5", by="operator")
    preferences.set("reopen_after", ["stop_loss"], by="operator")
    preferences.set("max_daily_loss", None, by="operator")
    document = preferences.export()
    assert preferences.preview_import(document) == ()
    before = preferences.now()
    preferences.set("max_order_value", None, by="operator")
    preferences.set("reopen_after", ["take_profit"], by="operator")
    preferences.set("max_daily_loss", 3, by="operator")
    told = preferences.preview_import(document)
    by_key = {one.definition.key: one for one in told}
    assert (by_key["max_order_value"].old, by_key["max_order_value"].new) == (None, Decimal("2500.5"))
    assert by_key.keys() == {"max_order_value", "reopen_after", "max_daily_loss"}
    assert preferences.import_(document, by="operator") == told
    assert preferences.now() == before


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        ("[1]", "holds no settings"),
        ('{"kind": "perpdeck settings", "version": 7, "settings": {}}', "version 7"),
        (
            '{"kind": "perpdeck settings", "version": 1, "settings": {"check_seconds": 5, "no_such": 1}}',
            "Full check 5 s is out of range.*no_such",
        ),
        (
            '{"kind": "perpdeck settings", "version": 1, "settings": {"min_order_value": "9", "max_order_value": "8"}}',
            "no order passes",
        ),
    ],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(
    preferences: Preferences, store: Store, document: str, words: str
) -> None:
    for ask in (preferences.preview_import, lambda text: preferences.import_(text, by="operator")):
        with pytest.raises(Misconfigured, match=words):
            ask(document)
    assert store.settings.all() == {}


def test_numbers_of_a_file_are_exact_however_they_are_written(preferences: Preferences) -> None:
    settings = {"max_leverage": 20.10, "max_order_value": "2500.5", "check_seconds": 90}
    document = json.dumps({"kind": "perpdeck settings", "version": 1, "settings": settings})
    preferences.import_(document, by="operator")
    now = preferences.now()
    assert (now.max_leverage, now.max_order_value, now.check_seconds) == (Decimal("20.1"), Decimal("2500.5"), 90)


# -- what earlier versions have stored ----------------------------------------------------------------------------


def test_rows_of_the_table_are_read_whatever_ranges_hold_today(store: Store) -> None:
    rows = {"max_daily_loss": Decimal("0.001"), "check_seconds": 5, "when_refused": None, "max_leverage": "300"}
    store.settings.set_all({**rows, "language": "tr", "reopen_after": []}, by="operator")
    now = TraderSettings.of_stored(store.settings.all())
    assert (now.max_daily_loss, now.check_seconds, now.max_leverage) == (Decimal("0.1"), 5, Decimal(300))
    assert (now.when_refused, now.reopen_after) == (Unguarded().then, ())
    Preferences(store.settings).set("equity_seconds", 30, by="operator")
    assert store.settings.all()["check_seconds"] == 5


def test_a_row_of_another_type_is_named(store: Store) -> None:
    store.settings.set("max_leverage", "high", by="operator")
    with pytest.raises(Misconfigured, match="Highest leverage: 'high' is not a number"):
        store.parts.rules()


# -- a new setting is one field -----------------------------------------------------------------------------------


class WithOneMore(TraderSettings):
    """The settings with one that nothing else knows of."""

    weekend_share: Decimal | None = setting(
        "Trigger",  # a label that is translated: a test may walk through all of them
        "Empty: no limit.",
        group=LIMITS,
        default=None,
        allowed=PERCENT.range("0.5", 100),
        feeds={Limits: "risk_per_trade_cap"},
        not_above="max_price_deviation",
    )


@pytest.fixture
def extended(store: Store) -> ModelPreferences[WithOneMore]:
    return ModelPreferences(store.settings, WithOneMore)


def test_a_new_field_is_a_field_of_the_form(extended: ModelPreferences[WithOneMore]) -> None:
    shown = extended.all()[-1]
    wanted = shown.definition
    assert (wanted.key, wanted.label, wanted.setting.group) == ("weekend_share", "Trigger", "Limits")
    assert (wanted.kind, wanted.optional, str(wanted.unit), shown.value) == (Decimal, True, "%", None)
    assert forms.setting(2.5, wanted) == Decimal("2.5")


def test_a_new_field_is_stored_read_and_reaches_its_rule(extended: ModelPreferences[WithOneMore], store: Store) -> None:
    extended.set("weekend_share", "2.5", by="operator")
    assert store.settings.all() == {"weekend_share": Decimal("0.025")}
    assert extended.now().weekend_share == Decimal("2.5")
    assert extended.now().rule(Limits).risk_per_trade_cap == Decimal("0.025")


def test_a_new_field_goes_out_and_comes_back(extended: ModelPreferences[WithOneMore], store: Store) -> None:
    extended.set("weekend_share", 3, by="operator")
    document = extended.export()
    assert json.loads(document)["settings"]["weekend_share"] == "3"
    extended.set("weekend_share", None, by="operator")
    (change,) = extended.import_(document, by="operator")
    assert (change.definition.label, change.old, change.new) == ("Trigger", None, Decimal(3))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (101, "Trigger 101 % is out of range: 0.5 to 100 % is allowed"),
        (True, "Trigger: True is not a number; 0.5 to 100 % is allowed"),
        (6, "Trigger 6 % is above the largest of 5 %: no order passes"),
    ],
)
def test_a_new_field_is_checked(extended: ModelPreferences[WithOneMore], wanted: object, words: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        extended.set("weekend_share", wanted, by="operator")
    assert str(wrong.value) == words


def test_a_new_field_stands_in_the_schema() -> None:
    told: dict[str, Any] = WithOneMore.model_json_schema()["properties"]["weekend_share"]
    assert {name: told[name] for name in ("title", "unit", "minimum", "maximum", "default")} == {
        "title": "Trigger", "unit": "%", "minimum": 0.5, "maximum": 100.0, "default": None,
    }  # fmt: skip


def test_a_field_that_no_form_could_show_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="max_price: a number has a range"):

        class _Wrong(TraderSettings):
            max_price: Decimal = setting("Price", "Of what.", group=LIMITS, default=Decimal(1))
