"""The dead man's switch: a request every few minutes while all is well, and silence as soon as something is not."""

from __future__ import annotations

import logging

import pytest

from core.alerts.ping import NOTE, PING, Ping
from core.vault import Vault
from tests.alerts.receiver import Receiver
from tests.stack import ACCOUNT, Stack


@pytest.fixture
def ping(stack: Stack, phone: Receiver, vault: Vault) -> Ping:
    stack.store.sealed_texts.seal(PING, vault.seal(f"http://{phone.place}/uuid-of-mine"), "mine")
    stack.store.settings.set("alert_ping_minutes", 2, "test")
    beat(stack)
    return Ping(stack.store, stack.clock, vault.unseal, lambda: True)


def beat(stack: Stack, seconds: float = 0) -> None:
    """The bot lives on for so long."""
    stack.step(seconds)
    stack.look()
    stack.store.bots.heartbeat(ACCOUNT, stack.clock.now())


def test_every_two_minutes_while_all_is_well(stack: Stack, ping: Ping, phone: Receiver) -> None:
    assert [ping.turn(), ping.turn()] == [True, False]
    beat(stack, 119)
    assert not ping.turn()
    beat(stack, 1)
    assert ping.turn()
    assert phone.requests == ["GET /uuid-of-mine"] * 2
    assert stack.store.secrets.get(NOTE)["trouble"] == ""


def test_one_that_was_not_taken_is_sent_again_soon(stack: Stack, ping: Ping, phone: Receiver) -> None:
    """Who listens there may ring after a single gap: one lost request is not to wake anybody."""
    phone.status = 503
    assert not ping.turn()
    phone.status = 200
    beat(stack, 29)
    assert not ping.turn()
    beat(stack, 1)
    assert ping.turn()
    beat(stack, 60)
    assert not ping.turn()
    assert len(phone.requests) == 2


def test_silence_that_lasts_is_noted_and_logged_once(
    stack: Stack, ping: Ping, caplog: pytest.LogCaptureFixture
) -> None:
    ill(stack, "stopped")
    since = stack.clock.now()
    for _ in range(5):
        assert not ping.turn()
        beat(stack, 5)
    assert caplog.text.count("not sent: no bot is running") == 1
    assert stack.store.secrets.get(NOTE)["at"] == since.isoformat()


def ill(stack: Stack, how: str) -> None:
    match how:
        case "stopped":
            stack.store.bots.set_running(ACCOUNT, False, by="trader", why="", manually=True)
        case "nobody":
            stack.guard.lease.release()
        case "silent":
            stack.step(31)
            stack.look()
        case "blind":
            stack.step(31)
            stack.store.bots.heartbeat(ACCOUNT, stack.clock.now())


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("stopped", "no bot is running"),
        ("nobody", f"nobody looks after {ACCOUNT}"),
        ("silent", f"the bot of {ACCOUNT} gives no sign of life"),
        ("blind", f"the last complete look at {ACCOUNT} is old"),
    ],
)
def test_silence_when_something_is_wrong(stack: Stack, ping: Ping, phone: Receiver, how: str, why: str) -> None:
    ill(stack, how)
    assert not ping.turn()
    assert phone.requests == []
    assert stack.store.secrets.get(NOTE)["trouble"] == f"not sent: {why}"


def test_a_process_that_runs_no_bot_leaves_it_to_the_one_that_does(
    stack: Stack, ping: Ping, phone: Receiver, vault: Vault
) -> None:
    assert not Ping(stack.store, stack.clock, vault.unseal, lambda: False).turn()
    assert phone.requests == []


def test_what_is_not_taken_is_told_without_the_address(
    stack: Stack, ping: Ping, phone: Receiver, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone.status = 503
    assert not ping.turn()
    assert stack.store.secrets.get(NOTE)["trouble"] == "answered with 503"
    stack.store.sealed_texts.seal(PING, vault.seal("http://127.0.0.1:9/uuid-of-mine"), "mine")
    beat(stack, 120)
    assert not ping.turn()
    assert stack.store.secrets.get(NOTE)["trouble"] == "no connection (ConnectError)"
    assert "uuid-of-mine" not in caplog.text
