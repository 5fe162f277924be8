"""Every page at desktop and phone width, light and dark: opened, checked for overflow, and kept as a picture."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, OpenDesk, shot
from tests.browser.desk import Desk
from tests.browser.product import Product
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
PAGES = {
    "": "Active Positions",
    "new-trade": "New Trade",
    "orders": "Orders",
    "history": "History",
    "safety": "Safety",
    "settings": "Settings",
    "paper-market": "Paper market",
}


@pytest.fixture(scope="module")
def busy(product: Product, exchange: SimulatorControl, chromium: object) -> Product:
    """A product that holds something and has closed something, so that the pages have what to show."""
    page = chromium.new_context(viewport=DESKTOP, timezone_id="UTC").new_page()  # type: ignore[attr-defined]
    desk = Desk(page, product.url).open()
    desk.start_bot()
    desk.trade("ETH", value=800, tp=40, sl=-80)
    desk.move_price("ETH", 3750)
    desk.trade("BTC", value=1000, tp=50, sl=-100)
    desk.trade("SOL", "Short", value=500, leverage=5, tp=25, sl=-50)
    page.context.close()
    return product


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)], ids=["desktop", "phone"])
def test_every_page_fits(
    busy: Product, open_desk: OpenDesk, device: str, viewport: dict[str, int], scheme: str
) -> None:
    desk = open_desk(busy, viewport, scheme)
    for path, title in PAGES.items():
        desk.open(path, title)
        desk.settled()
        expect(desk.page.get_by_test_id("stSkeleton")).to_have_count(0)
        shot(desk.page, f"{title.lower().replace(' ', '-')}-{device}-{scheme}")
        wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{title} is {wide} px wider than a {device}"
