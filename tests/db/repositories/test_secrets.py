"""What the server keeps for itself: found again, in no list of settings, and its value on no record."""

from __future__ import annotations

from core.clock import RealClock
from core.services.access.login import Login
from db.store import Store

PASSWORD = "correct horse"


def test_a_private_value_is_kept_replaced_and_never_listed(store: Store) -> None:
    assert store.secrets.get("thing") is None
    store.secrets.keep("thing", {"a": 1}, "operator")
    store.secrets.keep("thing", {"a": 2}, "operator")
    store.settings.set("language", "tr", "operator")
    assert store.secrets.get("thing") == {"a": 2}
    assert store.settings.all().get("language") == "tr"
    assert not any("thing" in key for key in store.settings.all())
    assert not any("thing" in str(event) for event in store.events.find())


def test_a_password_and_a_log_out_are_found_by_the_next_process(store: Store) -> None:
    first = Login(store.secrets, store.events, RealClock(), b"a key of the tests")
    first.set_password(PASSWORD, PASSWORD, by="operator")
    answer = first.come_in(PASSWORD, "127.0.0.1")
    second = Login(store.secrets, store.events, RealClock(), b"a key of the tests")
    assert second.session(answer.token) == answer.session
    second.leave(answer.token, "127.0.0.1")
    assert Login(store.secrets, store.events, RealClock(), b"a key of the tests").session(answer.token) is None
    told = [(str(event.action), event.outcome) for event in store.events.find() if event.rule == "login"]
    assert told == [("log out", "done"), ("log in", "done"), ("set the password", "done")]
    assert not any(PASSWORD in str(event) or "scrypt" in str(event) for event in store.events.find())
