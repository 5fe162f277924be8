"""Many at once with one id: one order, one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from core.api.request_bodies import OpenIn, SignalIn
from core.domain.errors import Unavailable
from core.domain.token import Scope
from core.services.access.idempotency import click
from tests.api.conftest import Desk, key

Send = Callable[[httpx.Client], httpx.Response]


def at_once(clients: list[httpx.Client], send: Send) -> list[httpx.Response]:
    """What each of them is answered when all send in the same moment."""
    gate = threading.Barrier(len(clients))

    def go(client: httpx.Client) -> httpx.Response:
        gate.wait(10)
        return send(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(go, clients))


@pytest.mark.parametrize("path", ["/signals", "/parts"])
def test_clients_that_race_with_one_id_get_one_order_and_one_answer(either: Desk, path: str) -> None:
    desk, stack = either, either.stack
    made = desk.token(Scope.TRADE)
    clients = [desk.client(text=made.secret) for _ in range(6)]
    body = desk.signal("race") if path == "/signals" else desk.wish()
    answers = at_once(clients, lambda client: client.post(path, json=body, headers=key("race")))
    assert {one.status_code for one in answers} == {201}
    assert len({one.text for one in answers}) == 1
    assert sorted(one.headers["idempotency-replayed"] for one in answers) == ["false"] + ["true"] * 5
    parts = desk.store.parts.intents(stack.name)
    assert len(parts) == 1
    stack.until(lambda: stack.at_rest(parts[0].part))
    assert stack.held() == stack.part(parts[0].part).size


def test_different_signals_at_once_are_all_kept_apart(desk: Desk) -> None:
    made = desk.token(Scope.TRADE)
    clients = [desk.client(text=made.secret) for _ in range(6)]
    numbers = dict(zip(map(id, clients), range(6), strict=True))

    def send(client: httpx.Client) -> httpx.Response:
        number = numbers[id(client)]
        return client.post("/signals", json=desk.signal(f"n{number}", strategy=f"s{number}", position_value=1000))

    answers = at_once(clients, send)
    assert {one.status_code for one in answers} == {201}
    parts = {part for one in answers for part in one.json()["parts"]}
    assert len(parts) == len(desk.store.parts.intents(desk.stack.name)) == 6
    desk.stack.until(lambda: all(desk.stack.at_rest(part) for part in parts), seconds=60)
    assert sum(part.size for part in desk.stack.parts()) == desk.stack.held()


def test_an_answer_that_was_lost_with_its_process_is_made_again_without_a_second_order(desk: Desk) -> None:
    """The part was written, and the process died before the answer was: the same click finds the same part."""
    answers, positions, wish = desk.services.answers, desk.services.positions, desk.wish()
    made = desk.token(Scope.TRADE)
    draft = OpenIn.model_validate(wish).value()

    def die(click: str) -> tuple[int, str]:
        positions.open(draft, click, "API token")
        raise Unavailable("the database does not answer")

    with pytest.raises(Unavailable):
        answers.once(made.token.id, "k", {**wish, "request": "POST /parts"}, die)
    again = desk.client(text=made.secret).post("/parts", json=wish, headers=key("k"))
    assert again.status_code == 201
    assert [one.part for one in desk.store.parts.intents(desk.stack.name)] == [again.json()["part"]]


def test_answers_that_nobody_asks_for_any_more_go_piece_by_piece(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.services.access.idempotency.BATCH", 2)
    answers, made = desk.services.answers, desk.token(Scope.TRADE).token.id

    def ask(name: str) -> bool:
        return answers.once(made, name, {}, lambda click: (200, "{}")).new

    assert all(ask(f"old {number}") for number in range(3))
    desk.stack.clock.advance(timedelta(days=31).total_seconds())
    for name in ("a", "b"):
        assert ask(name)
    assert not ask("b")
    assert all(ask(f"old {number}") for number in range(3)), "they are forgotten, and would be done again"


def test_a_signal_whose_answer_was_lost_is_answered_late_too(desk: Desk) -> None:
    """It was carried out in time: who sends it again is told of the part, and not that nothing was done."""
    made, sent = desk.token(Scope.TRADE), desk.signal("lost")
    draft = SignalIn.model_validate(sent).draft()
    opened = desk.services.positions.open(draft, click(made.token.id, "signal lost"), "")
    desk.stack.clock.advance(600)
    again = desk.client(text=made.secret).post("/signals", json=sent)
    assert (again.status_code, again.json()["parts"]) == (201, [opened.part])
    assert len(desk.store.parts.intents(desk.stack.name)) == 1
