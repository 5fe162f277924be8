"""No click is lost, at whatever moment it falls: beside pieces that redraw themselves, and while the page moves."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import OpenDesk, tab
from tests.browser.desk import Desk
from tests.browser.product import Product
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser

CLICKS, MOVES = 24, 10
DIALOGS = {"edit": "Take-profit and stop-loss", "again": "Recovery and reopen", "close": "Close?"}
AS_SOON_AS_IT_IS_THERE = """([words, key]) => {
  const look = new MutationObserver(() => {
    if (!document.querySelector('[data-testid=stMain]').innerText.includes(words)) return
    look.disconnect()
    document.querySelector(`.st-key-${key} button`).click()
  })
  look.observe(document.body, { childList: true, subtree: true, characterData: true })
}"""


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
