"""Orders that are worked over time: entered by TWAP and watched, finished at once, closed by iceberg, taken back."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenDesk, shot
from tests.browser.dashboard import Desk
from tests.browser.ledger import Truth
from tests.browser.product import Product, in_time
from tests.browser.test_pictures import PHONE
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser
PIECES = 5


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """The desk with its bot running."""
    if desk.key("bot_start").is_visible():
        desk.start_bot()
    return desk


def bar(desk: Desk, part: str, run: str = "1E") -> Locator:
    return desk.key(f"run_{part}_{run}")


def by_twap(desk: Desk, symbol: str, minutes: float, slices: int) -> str:
    """Ask for a position that is entered in slices, the missing ones at market in the end; the part's id."""
    desk.draft(symbol, value=1000, leverage=5, tp=50, sl=-100)
    desk.choose("nt_entry", "TWAP")
    for name, value in (("duration", minutes), ("slices", slices), ("randomness", 0)):
        desk.fill(f"nt_entry_{name}", value)
    desk.choose("nt_entry_at_end", "goes at market")
    desk.review()
    expect(desk.dialog).to_contain_text(f"TWAP in {slices} slices")
    desk.button("nt_confirm").click()
    part = desk.asked_part()
    desk.go("Active Positions")
    return part


def told(desk: Desk, key: str) -> None:
    desk.button(key).click()
    desk.button("run_confirm").click()
    expect(desk.dialog).to_be_hidden()


def test_a_position_grows_and_goes_by_twap_and_its_stop_with_it(trading: Desk, exchange: SimulatorControl) -> None:
    part = by_twap(trading, "ETH", 0.2, PIECES)
    expect(bar(trading, part)).to_contain_text("Entry · TWAP")
    expect(bar(trading, part)).to_contain_text(re.compile(r"next in \d+:\d\d"))
    sizes = set[Decimal]()

    def through() -> bool:
        held = Truth(exchange, "ETH")
        sizes.add(held.held)
        return len(held.entries) == PIECES and held.guarded()

    in_time(through, "all slices are in, and all is guarded", 40)
    assert len(sizes) > 3, "it grew step by step"
    expect(bar(trading, part)).to_have_count(0)
    trading.protected(part)
    history = report_of(trading, part, "entry")
    assert history["Orders"] == str(PIECES)
    assert Decimal(history["Filled"]) == Truth(exchange, "ETH").held
    trading.go("Active Positions")
    goes_by_twap(trading, exchange, part)


def goes_by_twap(trading: Desk, exchange: SimulatorControl, part: str) -> None:
    """It is closed in slices, and guarded until it is flat."""
    before = Truth(exchange, "ETH").held
    trading.button(f"ap_close_{part}").click()
    trading.choose("close_how", "TWAP")
    for name, value in (("duration", 0.2), ("slices", 4), ("randomness", 0)):
        trading.fill(f"close_how_{name}", value)
    trading.button("close_confirm").click()
    expect(trading.dialog).to_be_hidden()
    expect(bar(trading, part, "1C")).to_contain_text("Close · TWAP")
    gone = in_time(lambda: Truth(exchange, "ETH").held < before and Truth(exchange, "ETH"), "it shrinks")
    assert gone.protection
    expect(trading.key(f"ap_close_{part}")).to_have_count(0, timeout=40_000)


def test_what_is_missing_can_be_finished_at_once(trading: Desk, exchange: SimulatorControl) -> None:
    part = by_twap(trading, "SOL", 30, 10)
    expect(bar(trading, part)).to_contain_text("of")
    in_time(lambda: Truth(exchange, "SOL").guarded(), "the first slice is in and guarded")
    small = Truth(exchange, "SOL").held
    told(trading, f"finish_{part}_1E")
    in_time(lambda: (t := Truth(exchange, "SOL")).held > 5 * small and t.guarded(), "all of it is held and guarded")
    expect(bar(trading, part)).to_have_count(0)
    trading.protected(part)


def test_a_close_by_iceberg_shows_a_share_at_a_time_and_can_be_taken_back(
    trading: Desk, exchange: SimulatorControl
) -> None:
    part = trading.trade("BTC", value=2000, leverage=5, tp=400, sl=-400)
    whole = Truth(exchange).held
    trading.button(f"ap_close_{part}").click()
    trading.choose("close_how", "Iceberg")
    trading.fill("close_how_price", 101000)
    trading.fill("close_how_visible", 25)
    trading.button("close_confirm").click()
    expect(trading.dialog).to_be_hidden()
    order = in_time(lambda: Truth(exchange).working, "a share of it rests")[0]
    assert Decimal(order["px"]) == 101000
    assert Decimal(order["sz"]) < whole / 3
    expect(bar(trading, part, "1C")).to_contain_text("Close · Iceberg")
    assert Truth(exchange).protection, "it is guarded until it is flat"

    told(trading, f"back_{part}_1C")
    in_time(lambda: not Truth(exchange).working, "the share is withdrawn")
    trading.protected(part)
    assert Truth(exchange).held == whole


def test_forms_and_progress_fit_a_phone(product: Product, trading: Desk, open_desk: OpenDesk) -> None:
    if not trading.page.get_by_text("Entry · TWAP").count():
        by_twap(trading, "SOL", 45, 9)
        trading.says("Entry · TWAP")
    desk = open_desk(product, PHONE, "dark").open()
    desk.says("Entry · TWAP")
    fits(desk, "progress")
    desk.open("new-trade", "New Trade")
    for kind in ("Limit", "TWAP", "Iceberg"):
        desk.choose("nt_entry", kind)
        desk.settled()
        fits(desk, f"style-{kind.lower()}")
    desk.open("safety", "Safety")
    desk.says("Risk checks")
    fits(desk, "checks")
    desk.open("history", "History")
    desk.choose("history_view", "Executions")
    desk.settled()
    fits(desk, "executions")


def fits(desk: Desk, name: str) -> None:
    shot(desk.page, name)
    wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px wider than the screen"


def report_of(desk: Desk, part: str, purpose: str) -> dict[str, str]:
    """The one execution of that kind of a part, as History has it."""
    rows = [row for row in desk.history("Executions") if row["Part"] == part and row["Purpose"].lower() == purpose]
    assert len(rows) == 1, rows
    return rows[0]
