"""Every page at desktop and phone width, light and dark: opened, checked for overflow, and kept as a picture.

The other two of the four pairs are shown on the Binance account (`test_binance`).
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import DESKTOP, OpenDesk, shot, tab
from tests.browser.dashboard import Desk
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
def busy(product: Product, exchange: SimulatorControl, chromium: BrowserContext) -> Product:
    """A product that holds something and has closed something, so that the pages have what to show."""
    desk = Desk(tab(chromium), product.url).open()
    desk.start_bot()
    desk.trade("ETH", value=800, tp=40, sl=-80)
    desk.move_price("ETH", 3750)
    desk.trade("BTC", value=1000, tp=50, sl=-100)
    desk.trade("SOL", "Short", value=500, leverage=5, tp=25, sl=-50)
    desk.page.close()
    return product


@pytest.mark.parametrize(
    ("device", "viewport", "scheme"),
    [("desktop", DESKTOP, "light"), ("phone", PHONE, "dark")],
    ids=["desktop-light", "phone-dark"],
)
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
