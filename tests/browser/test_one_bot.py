"""One scheduler, whatever the browser and the editor do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.dashboard import Desk
from tests.browser.product import Product, copy_of_the_product, folder, in_time

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """The product from a copy of its files, so that a story may edit a page."""
    with folder() as place, Product(place / "home", tree=copy_of_the_product(place / "tree")) as running:
        yield running


def test_reloads_many_tabs_and_an_edited_page_leave_one_scheduler(product: Product, open_desk: OpenDesk) -> None:
    desk = open_desk(product).open()
    desk.start_bot()
    bots = product.health()["bots"]
    for _ in range(2):
        desk.page.reload()
        desk.title("Active Positions")
    tabs = [Desk(desk.page.context.new_page(), product.url) for _ in range(5)]
    for tab in tabs:
        tab.open()
        tab.bot_is("Bot running")
    assert product.health()["schedulers"] == 1

    page = product.tree / "pages" / "history.py"
    page.write_text(page.read_text().replace("A cycle appears here once", "Edited just now: a cycle appears here once"))

    def edited() -> bool:
        desk.open("history", "History").settled()
        return desk.main.get_by_text("Edited just now").is_visible()

    in_time(edited, "the edited page is shown")
    assert product.health()["schedulers"] == 1
    assert product.health()["bots"] == bots


def test_clear_cache_is_not_offered_to_a_trader(product: Product, open_desk: OpenDesk) -> None:
    desk = open_desk(product).open()
    desk.page.keyboard.press("c")
    desk.settled()
    expect(desk.page.get_by_text("Clear caches")).to_have_count(0)
    assert product.health()["schedulers"] == 1


def test_health_is_told_to_watchdogs_and_pages_are_closed_to_strangers(product: Product) -> None:
    health = product.health()
    assert (health["status"], health["database"]) == ("ok", "ok")
    assert set(health["bots"].values()) <= {"running", "stopped"}
