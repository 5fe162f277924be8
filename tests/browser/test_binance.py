"""The same product on Binance: one click to its paper account, a pair of two orders, both exchanges side by side."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, OpenDesk, shot
from tests.browser.dashboard import Desk, money
from tests.browser.ledger import Truth
from tests.browser.product import Product, in_time
from tests.browser.test_pictures import PHONE
from tests.browser.test_story import cycle_of
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser

CENT = Decimal("0.01")
PAGES = {"": "Active Positions", "new-trade": "New Trade", "orders": "Orders", "paper-market": "Paper market"}


def on_binance(control: SimulatorControl) -> Truth:
    return Truth(control, account="binance")


def choose_binance(desk: Desk) -> None:
    """One click in the sidebar."""
    desk.choose("account", "Paper Binance")
    expect(desk.page).to_have_url(re.compile("account=paper-binance"))
    desk.settled()


def legs(desk: Desk, control: SimulatorControl) -> list[dict[str, str]]:
    """Both legs of the only pair, as they rest at the exchange: the stop first."""
    resting = on_binance(control).protection
    return sorted(resting, key=lambda row: str(row["client_id"])) if len(resting) == 2 else []


def test_a_position_with_two_legs_from_the_first_click_to_a_booked_profit(
    desk: Desk, exchange: SimulatorControl
) -> None:
    choose_binance(desk)
    desk.page.reload()
    desk.title("Active Positions")
    expect(desk.key("account").get_by_role("radio", name="Paper Binance")).to_be_checked()
    desk.start_bot()

    part = desk.trade("BTC", value=1000, leverage=10, tp=50, sl=-100)
    stop, target = in_time(lambda: legs(desk, exchange), "both legs rest at the exchange")
    assert (stop["client_id"], target["client_id"]) == (f"op{part}01S01", f"op{part}01T01")
    held = on_binance(exchange)
    assert held.held == Decimal("0.009")  # 1000 USDT at 100,000, in whole steps of 0.001 BTC
    assert {Decimal(row["size"]) for row in (stop, target)} == {held.held}

    desk.go("Orders")
    desk.says("Pairs of take-profit and stop-loss")
    desk.says("2 of at most 200 conditional orders rest.")

    desk.move_price("BTC", 107000)
    gone = in_time(
        lambda: (truth := on_binance(exchange)).held == 0 and not truth.protection and truth,
        "the target filled and the stop went after it",
    )
    assert gone.working == []

    cycle = cycle_of(desk, part)
    realised, fees, funding = gone.result()
    assert cycle["Reason"] == "Take-profit"
    assert abs(Decimal(cycle["PnL"]) - realised) < CENT
    assert abs(Decimal(cycle["Fees"]) - fees) < CENT
    assert abs(Decimal(cycle["Funding"]) - funding) < CENT
    fills = desk.history("Fills")
    assert len(fills) == len(gone.fills)
    assert money(fills, "Fee") == fees

    desk.go("Orders")
    desk.says("Targets hit")
    figures = desk.main.get_by_text(re.compile(r"of 1 sibling, fill to end"))
    expect(figures).to_be_visible()


def test_both_exchanges_side_by_side(desk: Desk, exchange: SimulatorControl) -> None:
    exchange.price("BTC-USDT-SWAP", "100000")
    start_all(desk)
    expect(desk.key("other_accounts")).to_contain_text(re.compile("Paper Binance.*Bot running"))
    first = desk.trade("BTC", value=500, tp=25, sl=-50)
    choose_binance(desk)
    second = desk.trade("BTC", strategy="breakout", value=700, tp=25, sl=-50)
    third = desk.trade("BTC", strategy="scalp", value=900, tp=30, sl=-60)

    desk.go("Active Positions")
    desk.says(re.compile(r"2 parts · exchange 0\.01\d at"))
    desk.says("adds up")
    desk.choose("ap_scope", "All accounts")
    desk.says("3/3")
    expect(desk.main.get_by_text("On the exchanges")).to_be_visible()
    assert {row["instId"] for row in Truth(exchange).state["positions"] if Decimal(row["pos"])} == {"BTC-USDT-SWAP"}
    assert {first, second, third} == in_time(lambda: parts_held(exchange, 3), "all three parts are guarded")


def start_all(desk: Desk) -> None:
    """The chosen account's bot runs too."""
    desk.button("all_start").click()
    expect(desk.page.get_by_test_id("stSidebar").get_by_role("button", name="Stop bot")).to_be_visible()


def parts_held(exchange: SimulatorControl, number: int) -> set[str]:
    """Parts that have conditional orders at either exchange; empty until there are so many."""
    names = [row["algoClOrdId"] for row in Truth(exchange).protection]
    names += [row["client_id"] for row in on_binance(exchange).protection]
    found = {str(name)[2:8] for name in names if name}
    return found if len(found) == number else set()


@pytest.mark.parametrize(
    ("device", "viewport", "scheme"),
    [("desktop", DESKTOP, "dark"), ("phone", PHONE, "light")],
    ids=["desktop-dark", "phone-light"],
)
def test_every_page_of_the_binance_account_fits(
    product: Product,
    exchange: SimulatorControl,
    open_desk: OpenDesk,
    device: str,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    desk = open_desk(product, viewport, scheme)
    for path, title in PAGES.items():
        desk.open(f"{path}?account=paper-binance", title)
        kept(desk, f"binance-{title.lower().replace(' ', '-')}-{device}-{scheme}")
    desk.open("?account=paper-binance")
    desk.choose("ap_scope", "All accounts")
    desk.says("On the exchanges")
    kept(desk, f"binance-all-accounts-{device}-{scheme}")


def kept(desk: Desk, name: str) -> None:
    """A picture of the page, which must not be wider than its device."""
    desk.settled()
    expect(desk.page.get_by_test_id("stSkeleton")).to_have_count(0)
    shot(desk.page, name)
    assert too_wide(desk.page) <= 0, name


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
