"""The password in a real browser: asked for, told apart, kept over a refresh and a restart, and given back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.dashboard import FIRST_PAGE_MS, Desk
from tests.browser.product import START_SECONDS, Product, folder, free_port

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


class Guarded(Product):
    """A product that asks for a password."""

    def _environment(self, port: int) -> dict[str, str]:
        return super()._environment(port) | {"PERPDECK_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with folder() as place, Guarded(place / "home") as running:
        yield running


def give(desk: Desk, password: str) -> None:
    desk.page.get_by_label("Password").fill(password)
    desk.page.get_by_role("button", name="Log in").click()


def at_the_gate(desk: Desk) -> None:
    expect(desk.page).to_have_url(f"{desk.url}/login", timeout=FIRST_PAGE_MS)


def test_log_in_stay_in_over_a_refresh_and_a_restart_and_log_out(guarded: Guarded, open_desk: OpenDesk) -> None:
    desk = open_desk(guarded)
    desk.page.goto(f"{guarded.url}/orders")
    at_the_gate(desk)
    expect(desk.page.get_by_label("Password")).to_be_focused()
    give(desk, "wrong horse battery")
    desk.says("This is not the password. 4 of 5 tries are left.")
    give(desk, PASSWORD)
    desk.title("Active Positions")
    desk.page.reload()
    desk.title("Active Positions")

    cookies = desk.page.context.cookies()
    [ours] = [one for one in cookies if one["name"] == "perpdeck_session"]
    assert (ours["httpOnly"], ours["sameSite"]) == (True, "Strict")
    desk.page.goto("about:blank")
    guarded.terminate()
    guarded.start()
    desk = open_desk(guarded)
    desk.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    desk.open()

    desk.page.get_by_role("link", name="Log out").click()
    at_the_gate(desk)
    desk.page.goto(guarded.url)
    at_the_gate(desk)


def test_a_stranger_gets_nothing_but_the_login_page_and_a_bare_health_check(guarded: Guarded) -> None:
    with httpx.Client(base_url=guarded.url, trust_env=False, verify=False) as stranger:
        assert stranger.get("/healthz").json() == {"status": "ok"}
        assert stranger.get("/login").status_code == 200
        assert stranger.get("/").headers["location"] == "/login"
        assert stranger.get("/static/js/anything.js").status_code == 401
        assert stranger.get("/_stcore/host-config").status_code == 401
        upgrade = {
            "connection": "upgrade",
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==",
        }
        assert stranger.get("/_stcore/stream", headers=upgrade).status_code == 403


def test_listening_for_others_without_a_password_is_refused_in_a_sentence() -> None:
    with folder() as place:
        product = Product(place / "home")
        product.home.mkdir()
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "0.0.0.0"]
        ended = subprocess.run(
            [*command, "--server.port", str(port)],
            cwd=product.tree,
            env=product._environment(port),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        product.stop()
    assert ended.returncode != 0
    assert "Perpdeck cannot start: the dashboard would listen on 0.0.0.0" in ended.stderr
    assert "set PERPDECK_PASSWORD" in ended.stderr
    assert "Traceback" not in ended.stderr
