"""One Chromium and one running product per file of stories, one fresh tab per story.

All of them share one browser profile, emptied of cookies and storage between stories: what was compiled once is there
already, which halves the price of opening a page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

from tests.browser.dashboard import Desk
from tests.browser.product import REPOSITORY, Product, folder
from tests.simulator_process import SimulatorControl

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync "
    "--disable-component-update --disable-default-apps --disable-dev-shm-usage --disable-features=Translate"
)
DESKTOP = {"width": 1440, "height": 900}
PRICES = {"BTC-USDT-SWAP": "100000", "ETH-USDT-SWAP": "3500", "SOL-USDT-SWAP": "200"}
ARTIFACTS = REPOSITORY / "test-artifacts"


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Chromium keeps what it has compiled."""
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture(scope="module")  # and no longer: while it lives, its event loop runs in this thread
def chromium(profile: Path) -> Iterator[BrowserContext]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "no Chromium found: install chromium, or say where it is in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=path, args=SWITCHES.split(), timezone_id="UTC", locale="en-US"
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """The dashboard as `make run` starts it, on fresh data."""
    with folder() as place, Product(place / "home") as running:
        yield running


@pytest.fixture(scope="module")
def exchange(product: Product) -> Iterator[SimulatorControl]:
    """Its paper exchange, with prices that move only when a story moves them."""
    control = still(product.simulator())
    yield control
    control.disconnect()


def still(control: SimulatorControl) -> SimulatorControl:
    """Prices at round numbers, standing still."""
    control.market("hold")
    for instrument, price in PRICES.items():
        control.price(instrument, price)
    return control


OpenDesk = Callable[..., Desk]


def tab(browser: BrowserContext, viewport: dict[str, int] = DESKTOP, scheme: str = "light") -> Page:
    """A new tab as wide as a device, in its colours."""
    page = browser.new_page()
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    return page


@pytest.fixture
def open_desk(chromium: BrowserContext, request: pytest.FixtureRequest) -> Iterator[OpenDesk]:
    """`open_desk(product)`: a fresh tab on it, which fails the story when a page breaks or calls strangers."""
    opened: list[tuple[Page, list[str]]] = []

    def opening(product: Product, viewport: dict[str, int] | None = None, scheme: str = "light") -> Desk:
        page, faults = tab(chromium, viewport or DESKTOP, scheme), list[str]()
        page.on("pageerror", lambda error: faults.append(f"error in the page: {error}"))
        page.on("request", lambda asked: faults.extend(strangers(asked, product.url)))
        opened.append((page, faults))
        return Desk(page, product.url)

    chromium.clear_cookies()
    failed_before = request.session.testsfailed
    yield opening
    for number, (page, _) in enumerate(opened):
        if request.session.testsfailed > failed_before:
            shot(page, f"failed-{request.node.name}-{number}")
    for page in chromium.pages[1:]:  # without its first tab it would end
        page.close()
    assert [fault for _, faults in opened for fault in faults] == []


def strangers(asked: Request, url: str) -> list[str]:
    """A request that leaves this machine, as a list of its address."""
    own = (url, url.replace("http", "ws"), "data:", "blob:")
    return [] if asked.url.startswith(own) else [f"request to a stranger: {asked.url}"]


@pytest.fixture
def desk(product: Product, exchange: SimulatorControl, open_desk: OpenDesk) -> Desk:
    """A tab on the first page, prices standing still."""
    return open_desk(product).open()


def shot(page: Page, name: str) -> Path:
    """A picture of the whole page for people to look at: the window grows to what the page holds."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    size = page.viewport_size or DESKTOP
    held = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], held)})
    page.screenshot(path=path)
    page.set_viewport_size(size)
    return path
