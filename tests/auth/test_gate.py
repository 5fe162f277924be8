"""The gate as a browser and as a stranger meet it: plain requests against the real middleware and the real login."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.auth import FIRST_LOCK, SESSION
from core.clock import SteppedClock
from core.domain.errors import Misconfigured, Unavailable
from core.i18n import translate
from core.services.access.login import Login
from core.ui.asgi.login_gate import COOKIE, Gate
from db.records import Event

PASSWORD = "correct horse"
KEY = b"k" * 32


@dataclass
class Shelf:
    """The little that the login reads of and writes to a store."""

    kept: dict[str, Any] = field(default_factory=dict)
    record: list[Event] = field(default_factory=list)
    away: bool = False

    @property
    def secrets(self) -> Shelf:
        return self

    @property
    def events(self) -> Shelf:
        return self

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def keep(self, key: str, value: Any, by: str) -> None:
        if self.away:
            raise Unavailable("the database does not answer")
        self.kept[key] = value

    def add(self, account: str, found: list[Event]) -> None:
        if self.away:
            raise Unavailable("the database does not answer")
        self.record += found

    def told(self) -> list[tuple[str | None, str | None]]:
        return [(str(event.action), event.outcome) for event in self.record]


class House:
    """A guarded page and a guarded websocket."""

    def __init__(self, password: str | None = PASSWORD) -> None:
        self.shelf, self.clock, self.password = Shelf(), SteppedClock(), password
        self.restart()

    def restart(self) -> None:
        self.login = Login(self.shelf.secrets, self.shelf.events, self.clock, KEY, self.password)  # type: ignore[arg-type]
        routes = [
            Route("/healthz", _page),
            WebSocketRoute("/_stcore/stream", _echo),
            Route("/{path:path}", _page, methods=["GET", "PUT"]),
        ]
        self.app = Starlette(routes=routes, middleware=[Middleware(Gate, login=lambda: self.login)])

    def visitor(self, address: str = "203.0.113.7", scheme: str = "http") -> TestClient:
        return TestClient(self.app, base_url=f"{scheme}://desk", client=(address, 40000), follow_redirects=False)


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("inside")


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def log_in(visitor: TestClient, password: str = PASSWORD, **headers: str) -> Any:
    sent = {"origin": str(visitor.base_url).rstrip("/")} | headers
    return visitor.post("/login", data={"password": password}, headers=sent)


def live(visitor: TestClient) -> Any:
    """The page's websocket, with the cookies of this browser."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    return visitor.websocket_connect("/_stcore/stream", headers={"cookie": cookie})


@pytest.fixture
def house() -> Iterator[House]:
    yield House()
    translate.use("en")


@pytest.mark.parametrize("path", ["/", "/orders", "/anything.js", "//login", "/login/", "/healthz/../", "/LOGIN"])
def test_without_a_session_every_page_leads_to_the_login(house, path):
    answer = house.visitor().get(path)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/login")


@pytest.mark.parametrize(
    "path",
    ["/_stcore/health", "/_stcore/upload_file/x", "/media/x", "/metrics/", "/metricsx", "/api/v2/parts", "/api/v1x"],
)
def test_programs_are_told_in_their_own_way(house, path):
    assert house.visitor().get(path).status_code == 401
    assert house.visitor().put(path).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/parts", "/metrics"])
def test_the_api_and_the_metrics_are_let_through_to_their_own_door_and_its_websockets_are_not(house, path):
    assert house.visitor().get(path).text == "inside"
    with pytest.raises(WebSocketDisconnect) as refused, house.visitor().websocket_connect(path):
        pass
    assert refused.value.code == 4401


def test_without_a_session_no_websocket_opens(house):
    with pytest.raises(WebSocketDisconnect) as refused, live(house.visitor()):
        pass
    assert refused.value.code == 4401


def test_the_health_check_and_the_login_page_are_open(house):
    assert house.visitor().get("/healthz").text == "inside"
    page = house.visitor().get("/login")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert 'type="password"' in page.text
    assert "<script" not in page.text


def test_the_login_page_is_turkish_when_the_trader_is(house):
    translate.use("tr")
    page = house.visitor().get("/login").text
    assert '<html lang="tr">' in page
    assert "Giriş yap" in page


def test_the_right_password_opens_everything(house):
    visitor = house.visitor()
    answer = log_in(visitor)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert visitor.get("/orders").text == "inside"
    with live(visitor) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
    assert visitor.get("/login").status_code == 303
    assert house.shelf.told() == [("log in", "done")]
    assert "203.0.113.7" in str(house.shelf.record[0].because)


def test_the_cookie_is_out_of_reach_of_scripts_and_foreign_pages(house):
    cookie = log_in(house.visitor()).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=43200" in cookie
    assert "secure" not in cookie
    assert "; secure" in log_in(house.visitor(scheme="https")).headers["set-cookie"].lower()


def test_wrong_and_empty_passwords_are_told_apart_in_words(house):
    wrong, empty = log_in(house.visitor(), "wrong horse"), log_in(house.visitor(), "")
    assert wrong.status_code == empty.status_code == 401
    assert "This is not the password. 4 of 5 tries are left." in wrong.text
    assert "Enter the password." in empty.text
    assert house.shelf.told() == [("log in", "wrong password")]


def test_a_login_from_a_foreign_page_is_refused(house):
    assert log_in(house.visitor(), origin="http://evil").status_code == 403
    assert house.visitor().post("/login", data={"password": PASSWORD}).status_code == 403
    assert log_in(house.visitor(), origin="null").status_code == 403


def test_more_than_a_password_is_not_read(house):
    assert log_in(house.visitor(), "x" * 10_000).status_code == 413


def test_five_wrong_passwords_lock_the_address_out_also_for_the_right_one(house):
    visitor = house.visitor()
    answers = [log_in(visitor, "wrong horse") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]
    locked = log_in(visitor)
    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) > 800
    assert "Try again in 15 min." in locked.text
    assert log_in(house.visitor("203.0.113.8")).status_code == 303
    assert ("lock out", "for 15 minutes") in house.shelf.told()
    house.clock.advance(FIRST_LOCK.total_seconds())
    assert log_in(visitor).status_code == 303


def test_a_session_survives_a_restart_and_ends_after_twelve_hours(house):
    visitor = house.visitor()
    log_in(visitor)
    token = visitor.cookies[COOKIE]
    house.restart()
    again = house.visitor()
    again.cookies.set(COOKIE, token)
    assert again.get("/").text == "inside"
    house.clock.advance(SESSION.total_seconds())
    assert again.get("/").status_code == 303


def test_a_session_ends_with_another_password_in_the_environment(house):
    visitor = house.visitor()
    log_in(visitor)
    house.password = "another horse"
    house.restart()
    again = house.visitor()
    again.cookies.set(COOKIE, visitor.cookies[COOKIE])
    assert again.get("/").status_code == 303


def test_logging_out_ends_the_session_everywhere_and_for_good(house):
    visitor, thief = house.visitor(), house.visitor()
    log_in(visitor)
    thief.cookies.set(COOKIE, visitor.cookies[COOKIE])
    assert visitor.get("/logout").headers["location"] == "/login"
    assert COOKIE not in visitor.cookies
    assert thief.get("/").status_code == 303
    house.restart()
    assert not house.login.session(thief.cookies[COOKIE])
    assert house.shelf.told() == [("log in", "done"), ("log out", "done")]


def test_an_open_websocket_is_cut_once_its_session_has_ended(house):
    visitor = house.visitor()
    log_in(visitor)
    with live(visitor) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        house.login.leave(visitor.cookies[COOKIE], "203.0.113.7")
        socket.send_text("still here?")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


def test_forged_cookies_open_nothing(house):
    for forged in ("", "x", "1.2.3", "99999999999.abc.", "a" * 5000):
        visitor = house.visitor()
        visitor.cookies.set(COOKIE, forged)
        assert visitor.get("/").status_code == 303


def test_a_database_that_is_away_locks_nobody_out(house):
    house.shelf.away = True
    visitor = house.visitor()
    assert log_in(visitor).status_code == 303
    assert visitor.get("/").text == "inside"
    assert visitor.get("/logout").status_code == 303
    assert visitor.get("/").status_code == 303


def test_nothing_is_asked_without_a_password_and_the_login_page_leads_home():
    house = House(password=None)
    assert house.visitor().get("/orders").text == "inside"
    assert house.visitor().get("/login").headers["location"] == "/"
    with live(house.visitor()) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_a_password_set_in_settings_holds_at_once_and_after_a_restart():
    house = House(password=None)
    visitor = house.visitor()
    with live(visitor) as socket:
        house.login.set_password(PASSWORD, PASSWORD, by="operator")
        socket.send_text("still here?")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    assert visitor.get("/").status_code == 303
    assert PASSWORD not in str(house.shelf)
    house.restart()
    assert log_in(house.visitor()).status_code == 303
    assert house.shelf.told() == [("set the password", "done"), ("log in", "done")]


def test_changing_the_password_ends_every_session_and_wants_the_present_one():
    house = House(password=None)
    house.login.set_password(PASSWORD, PASSWORD, by="operator")
    visitor = house.visitor()
    log_in(visitor)
    with pytest.raises(Misconfigured, match="present password"):
        house.login.set_password("another horse", "another horse", by="operator", present="wrong")
    house.login.set_password("another horse", "another horse", by="operator", present=PASSWORD)
    assert visitor.get("/").status_code == 303
    assert log_in(visitor).status_code == 401
    assert log_in(visitor, "another horse").status_code == 303


@pytest.mark.parametrize(
    ("password", "again", "said"), [("", "", "empty"), ("short", "short", "8 or more"), (PASSWORD, "x", "differ")]
)
def test_a_password_that_cannot_be_set_says_why(password, again, said):
    with pytest.raises(Misconfigured, match=said):
        House(password=None).login.set_password(password, again, by="operator")


def test_settings_cannot_change_what_the_environment_sets(house):
    with pytest.raises(Misconfigured, match="PERPDECK_PASSWORD"):
        house.login.set_password("another horse", "another horse", by="operator", present=PASSWORD)


def test_a_password_goes_only_where_nobody_else_can_come_in():
    house = House(password=None)
    house.login.set_password(PASSWORD, PASSWORD, by="operator")
    with pytest.raises(Misconfigured, match="others can reach"):
        house.login.remove_password("0.0.0.0", by="operator", present=PASSWORD)
    house.login.remove_password("127.0.0.1", by="operator", present=PASSWORD)
    assert house.visitor().get("/").text == "inside"


def test_a_second_dashboard_hears_of_a_log_out_and_of_a_new_password_but_not_of_none():
    house = House(password=None)
    house.login.set_password(PASSWORD, PASSWORD, by="operator")
    other = Login(house.shelf.secrets, house.shelf.events, house.clock, KEY)  # type: ignore[arg-type]
    first, second = (house.login.come_in(PASSWORD, "203.0.113.7").token for _ in range(2))
    house.login.leave(first, "203.0.113.7")
    other.leave(second, "203.0.113.8")
    other.refresh()
    house.restart()
    for login in (other, house.login):
        assert login.session(first) is None
        assert login.session(second) is None
    house.login.set_password("another horse", "another horse", by="operator", present=PASSWORD)
    other.refresh()
    assert other.come_in(PASSWORD, "203.0.113.7").session is None
    assert other.come_in("another horse", "203.0.113.7").session is not None
    house.login.remove_password("127.0.0.1", by="operator", present="another horse")
    other.refresh()
    assert other.on, "it may listen where others can come in"


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", None])
def test_listening_for_others_needs_a_password(address):
    house = House(password=None)
    with pytest.raises(Misconfigured, match="set PERPDECK_PASSWORD"):
        house.login.guard_address(address)
    house.login.guard_address("127.0.0.1")
    house.login.set_password(PASSWORD, PASSWORD, by="operator")
    house.login.guard_address(address)


def test_before_anything_has_started_nobody_is_let_in():
    def not_yet() -> Login:
        raise Unavailable("Perpdeck is not started in this process")

    app = Starlette(routes=[Route("/", _page)], middleware=[Middleware(Gate, login=not_yet)])
    assert TestClient(app).get("/").status_code == 503


def test_no_secret_is_in_a_repr(house):
    for thing in (house.login, house.login._sessions, house.login._lockout):
        assert PASSWORD not in repr(thing)
