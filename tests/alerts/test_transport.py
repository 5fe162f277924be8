"""One message to one address: what is taken, what is not, and that no piece of an address is ever in the words."""

from __future__ import annotations

import socket
import time

import pytest

from core.alerts.transport import Undelivered, send, service_of, without
from core.domain.errors import Misconfigured
from tests.alerts.receiver import Receiver

BOT = "123456789:AAE-abcdefghijklmnopqrstuvwxyz01234"


@pytest.mark.parametrize(
    ("address", "name", "hint"),
    [
        (f"tgram://{BOT}/987654321", "Telegram", "4321"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "Discord", "dVjs"),
        ("mailto://trader:hidden@gmail.com", "E-Mail", "lcom"),
        ("json://user:hidden@127.0.0.1:8080/alerts?cto=2", "JSON", "erts"),
    ],
)
def test_what_may_be_shown_of_an_address(address: str, name: str, hint: str) -> None:
    service = service_of(address)
    assert service.hint == hint
    assert service.name == name


@pytest.mark.parametrize("address", ["", "hello", "nonsense://a-secret/b", "tgram://", "json://"])
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(Misconfigured, match="none that can be sent to") as refused:
        service_of(address)
    assert "a-secret" not in str(refused.value)


def test_letters_of_every_kind_arrive_as_they_are(phone: Receiver) -> None:
    send(phone.address(), "Uyarı · <b>", "çğış & 100 % *bold* _x_\nsecond line")
    assert phone.titles == ["Uyarı · <b>"]
    assert phone.bodies == ["çğış & 100 % *bold* _x_\nsecond line"]
    assert phone.heard[0]["type"] == "info"
    send(phone.address(), "a", "b", severe=True)
    assert phone.heard[1]["type"] == "failure"


def test_what_is_longer_than_the_service_takes_arrives_in_pieces(phone: Receiver) -> None:
    """Discord takes 2,000 letters and Pushover 1,024; a whole that is longer they refuse, however often it is sent."""
    lines = [f"line {number:04}" for number in range(4000)]
    send(phone.address(), "a", "\n".join(lines))
    assert len(phone.bodies) > 1
    assert "\n".join(phone.bodies).split() == " ".join(lines).split()


def test_a_service_that_never_answers_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(Undelivered):
            send(f"json://127.0.0.1:{silent.getsockname()[1]}/x?rto=30", "a", "b", seconds=0.5)
        assert time.monotonic() - began < 5


def test_no_piece_of_an_address_stays_in_the_words() -> None:
    address = "https://user:hush%20hush@hooks.example.com/T000/B000/token-of-mine?key=other-token"
    words = "failed at https://hooks.example.com/T000/B000/token-of-mine?key=other-token for user with hush hush"
    cleaned = without(address, words)
    for piece in ("hooks.example.com", "T000", "B000", "token-of-mine", "other-token", "hush"):
        assert piece not in cleaned
    assert cleaned.startswith("failed at ")
