"""Settings, Alerts: channels are added, chosen for, tested and removed, and no address is ever shown again."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import RealClock
from core.domain.alert import Alert, AlertKind, QuietHours
from core.domain.reason import Reason
from core.i18n import translate
from core.services.settings.alerts import Alerting
from core.vault import Vault
from db.store import Store
from tests.alerts.receiver import Receiver
from tests.alerts.telegram_server import TOKEN
from tests.pages.conftest import Open, components, open_page, words
from tests.pages.samples.services import StandIn, full

__all__ = ["components", "open_page"]

SECRET_PATH = "kept-to-myself-9f2c"


@pytest.fixture
def standin(store: Store, vault: Vault) -> StandIn:
    made = full()
    made.alerts = Alerting(store, RealClock(), vault, lambda: str)  # type: ignore[attr-defined]
    return made


def card(open_page: Open, standin: StandIn) -> AppTest:
    tab = open_page(standin, "settings.py")
    tab = tab.segmented_control(key="settings_view").set_value("alerts").run()
    assert not tab.exception
    return tab


def add(tab: AppTest, name: str, address: str) -> AppTest:
    tab.text_input(key="alert_new_name").set_value(name)
    tab.text_input(key="alert_new_address").set_value(address)
    tab = tab.button(key="alert_add").click().run()
    assert not tab.exception
    return tab


def test_a_channel_from_its_first_day_to_its_last(
    open_page: Open, standin: StandIn, store: Store, phone: Receiver
) -> None:
    tab = card(open_page, standin)
    assert "No channel yet" in words(tab)
    tab = add(tab, "Night watch", phone.address(SECRET_PATH))
    (channel,) = store.alert_channels.all()
    shown = words(tab)
    assert "**Night watch** :gray-badge[JSON ····9f2c]" in shown
    assert "kept-to-myself" not in shown + str(tab.session_state)
    assert tab.text_input(key="alert_new_address").value == ""

    tab = tab.button(key=f"alert_test_{channel.id}").click().run()
    assert phone.bodies == ["This channel works."]
    assert "Taken by the service" in "".join(one.value for one in tab.success)
    phone.status = 503
    tab = tab.button(key=f"alert_test_{channel.id}").click().run()
    assert "The last message was not taken" in words(tab)
    assert "kept-to-myself" not in words(tab)

    tab.text_input(key=f"alert_name_{channel.id}").set_value("Day watch")
    tab.time_input(key=f"alert_from_{channel.id}").set_value(time(22, 30))
    tab.time_input(key=f"alert_until_{channel.id}").set_value(time(7))
    tab.number_input(key=f"alert_rate_{channel.id}").set_value(5)
    tab.button_group(key=f"alert_kinds_{channel.id}").set_value([AlertKind.FILL, AlertKind.BARE])
    tab = tab.button(key=f"alert_save_{channel.id}").click().run()
    assert not tab.exception
    (channel,) = store.alert_channels.all()
    assert (channel.name, channel.per_minute, channel.hint) == ("Day watch", 5, "9f2c")
    assert channel.quiet == QuietHours(time(22, 30), time(7))
    assert channel.kinds == {AlertKind.FILL, AlertKind.BARE}

    tab = tab.button(key=f"alert_remove_{channel.id}").click().run()
    tab = tab.button(key="alert_remove_confirm").click().run()
    assert not tab.exception
    assert store.alert_channels.all() == []
    assert store.sealed_texts.all() == {}
    assert [str(event.action) for event in store.events.find(rule="setting")] == [
        "alert channel Day watch removed",
        "alert channel Day watch changed",
        "alert channel Night watch added: JSON",
    ]


def test_what_is_not_allowed_is_refused_in_words(open_page: Open, standin: StandIn, store: Store) -> None:
    tab = add(card(open_page, standin), "", "nonsense://a-secret-of-mine")
    assert "name has 0 characters" in words(tab)
    assert "none that can be sent to" in words(tab)
    assert "a-secret-of-mine" not in words(tab)
    assert store.alert_channels.all() == []
    add(tab, "one", "json://127.0.0.1:9/x")
    tab = add(card(open_page, standin), "one", "json://127.0.0.1:9/y")
    assert "taken by another channel" in words(tab)


def test_times_the_switch_and_the_phone(open_page: Open, standin: StandIn, store: Store, phone: Receiver) -> None:
    tab = card(open_page, standin)
    tab.number_input(key="alert_bare_seconds").set_value(5)
    tab.time_input(key="alert_summary").set_value(time(8, 15))
    tab = tab.button(key="alert_times_save").click().run()
    assert (standin.alerts.settings().bare_seconds, standin.alerts.settings().summary_at) == (5, time(8, 15))  # type: ignore[attr-defined]

    tab.text_input(key="alert_ping_address").set_value("ftp://nowhere")
    tab = tab.button(key="alert_ping_save").click().run()
    assert "must begin with https://" in words(tab)
    tab.text_input(key="alert_ping_address").set_value(f"http://{phone.place}/{SECRET_PATH}")
    tab = tab.button(key="alert_ping_save").click().run()
    assert tab.text_input(key="alert_ping_address").placeholder == "kept: ····9f2c"
    tab = tab.button(key="alert_ping_test").click().run()
    assert phone.requests == [f"GET /{SECRET_PATH}"]
    assert "Taken." in words(tab)

    tab.toggle(key="alert_telegram_on").set_value(True)
    tab.text_input(key="alert_telegram_token").set_value("no token")
    tab = tab.button(key="alert_telegram_save").click().run()
    assert "nobody may give them" in words(tab)
    tab.text_input(key="alert_telegram_ids").set_value("42, -1001")
    tab = tab.button(key="alert_telegram_save").click().run()
    assert "does not look like one" in words(tab)
    tab.text_input(key="alert_telegram_token").set_value(TOKEN)
    tab = tab.button(key="alert_telegram_save").click().run()
    assert not tab.exception
    settings = standin.alerts.settings()  # type: ignore[attr-defined]
    assert (settings.telegram_on, settings.telegram_ids) == (True, (42, -1001))
    assert TOKEN not in words(tab) + str(store.settings.all()) + str(store.events.find(limit=100))
    assert sorted(store.sealed_texts.all()) == ["ping", "telegram"]
    tab = tab.button(key="alert_telegram_off").click().run()
    tab = tab.button(key="alert_ping_off").click().run()
    assert store.sealed_texts.all() == {}


def test_the_newest_alerts_are_listed_with_where_they_went(open_page: Open, standin: StandIn, store: Store) -> None:
    now = datetime.now(UTC)
    made = Alert(
        "level/1",
        AlertKind.LEVEL,
        "paper-okx",
        "level/1",
        Reason("alert.level", level=Reason("level_button.reduce_only"), who="guard"),
        now,
    )
    store.alerts.tell(lambda facts: (), (), now, [made])
    tab = card(open_page, standin)
    (row,) = tab.dataframe[0].value.to_dict("records")
    assert (row["Alert"], row["Account"], row["In words"]) == ("Level", "paper-okx", str(made.words))


def test_in_turkish(open_page: Open, standin: StandIn, store: Store) -> None:
    standin.world.settings["language"] = "tr"
    try:
        tab = card(open_page, standin)
        assert "Henüz kanal yok" in words(tab)
    finally:
        translate.use("en")
