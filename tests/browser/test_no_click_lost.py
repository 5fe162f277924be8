"""No click is lost or told twice, whenever it falls: beside pieces that redraw themselves, while the page moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import OpenDesk, tab
from tests.browser.dashboard import Desk
from tests.browser.product import Product
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser

CLICKS, MOVES = 16, 8
DIALOGS = {"edit": "Take-profit and stop-loss", "again": "Recovery and reopen", "close": "Close?"}
AS_SOON_AS_IT_IS_THERE = """([words, key]) => {
  const look = new MutationObserver(() => {
    if (!document.querySelector('[data-testid=stMain]').innerText.includes(words)) return
    look.disconnect()
    document.querySelector(`.st-key-${key} button`).click()
  })
  look.observe(document.body, { childList: true, subtree: true, characterData: true })
}"""
HOLD_TIMERS = """
  const timers = new Map(), begin = window.setInterval, end = window.clearInterval
  window.setInterval = (tick, ms, ...more) => {
    const id = begin(tick, ms, ...more)
    if (ms >= 2000) timers.set(id, tick)
    return id
  }
  window.clearInterval = (id) => { timers.delete(id); end(id) }
  window.clickAsTimersGoOff = (key) => {
    document.querySelector(`.st-key-${key} button`).click()
    timers.forEach((tick) => tick())
    return timers.size
  }
"""


@pytest.fixture(scope="module")
def held(product: Product, exchange: SimulatorControl, chromium: BrowserContext) -> str:
    """A position that all stories share; they look at it and leave it as it is."""
    desk = Desk(tab(chromium), product.url).open()
    desk.start_bot()
    part = desk.trade("BTC", value=1000, tp=50, sl=-100)
    desk.page.close()
    return part


@pytest.fixture
def part(held: str, desk: Desk) -> str:
    """That position, its card on the page, the bot running."""
    if not desk.bot_runs():
        desk.start_bot()
    desk.protected(held)
    return held


@pytest.fixture
def move(open_desk: OpenDesk, product: Product) -> Callable[[], None]:
    """Stops or starts the bot from another tab: every page gets a banner or loses one, and what is below it moves."""
    other = open_desk(product).open()

    def moving() -> None:
        if other.bot_runs():
            other.stop_bot()
        else:
            other.start_bot()

    return moving


def answered(desk: Desk, name: str) -> None:
    """The dialog of this button is there; put it away again."""
    expect(desk.dialog).to_contain_text(DIALOGS[name])
    desk.dialog.get_by_role("dialog").press("Escape")
    expect(desk.dialog).to_be_hidden()


def test_of_many_clicks_at_any_moment_none_is_lost(desk: Desk, part: str, move: Callable[[], None]) -> None:
    moments = random.Random(20)
    for number in range(CLICKS):
        if number % MOVES == MOVES - 1:
            move()
        desk.page.wait_for_timeout(moments.uniform(0, 60))
        name = moments.choice(list(DIALOGS))
        desk.button(f"ap_{name}_{part}").click()
        answered(desk, name)


def test_a_page_that_moves_loses_no_click_closes_no_dialog_and_keeps_what_is_typed(
    desk: Desk, part: str, move: Callable[[], None]
) -> None:
    desk.page.evaluate(AS_SOON_AS_IT_IS_THERE, ["The bot is stopped", f"ap_edit_{part}"])
    move()
    expect(desk.dialog).to_contain_text(DIALOGS["edit"])
    desk.field("edit_tp").fill("77")
    move()
    desk.bot_is("Bot running")
    expect(desk.field("edit_tp")).to_have_value("77")
    answered(desk, "edit")
    expect(desk.main.get_by_text("The bot is stopped")).to_have_count(0)


def test_a_click_at_the_very_moment_of_a_timer_is_told_once(
    product: Product, exchange: SimulatorControl, open_desk: OpenDesk
) -> None:
    desk = open_desk(product)
    desk.page.add_init_script(HOLD_TIMERS)
    desk.open("paper-market", "Paper market")
    desk.settled()
    desk.choose("pm_symbol", "SOL")
    exchange.price("SOL-USDT-SWAP", "200")
    expect(desk.main).to_contain_text("200.00")
    desk.settled()
    assert desk.page.evaluate("window.clickAsTimersGoOff('pm_shock_10')") > 1
    desk.says("SOL moved by +10 %.")
    desk.settled()
    assert Decimal(exchange.state()["prices"]["SOL-USDT-SWAP"]["last"]) == 220
