"""How many clicks a trader's main tasks take, counted by the browser itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk

pytestmark = pytest.mark.browser
COUNT = """() => {
  if (window.clicks === undefined) addEventListener('pointerdown', () => { window.clicks += 1 }, true)
  window.clicks = 0
}"""


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """The desk with its bot running."""
    if desk.key("bot_start").is_visible():
        desk.start_bot()
    return desk


def clicks(desk: Desk, task: Callable[[], object]) -> int:
    """Clicks that the task took on this page."""
    desk.page.evaluate(COUNT)
    task()
    return int(desk.page.evaluate("window.clicks"))


def test_the_main_tasks_within_their_clicks(trading: Desk) -> None:
    trading.draft("BTC", value=1000, tp=50, sl=-100)
    expect(trading.main.get_by_text("If everything goes wrong you lose")).to_be_visible()

    def enter() -> None:
        trading.review()
        trading.button("nt_confirm").click()
        trading.asked_part()

    assert clicks(trading, enter) <= 3, "the ladder is seen before, without a click"
    part = trading.asked_part()
    trading.go("Active Positions")
    trading.protected(part)
    expect(trading.key("protection_pill")).to_contain_text("1/1 protected")

    def why() -> None:
        trading.key(f"why_{part}").locator("summary").click()
        expect(trading.key(f"why_{part}")).to_contain_text("As of the look")

    assert clicks(trading, why) == 1

    def move_the_stop() -> None:
        trading.button(f"ap_edit_{part}").click()
        trading.field("edit_sl").click()
        trading.field("edit_sl").fill("-60")
        trading.field("edit_sl").press("Enter")
        expect(trading.dialog).to_be_hidden()

    assert clicks(trading, move_the_stop) <= 3

    def close_a_share() -> None:
        trading.button(f"ap_close_{part}").click()
        trading.key("close_size").locator("input[type=range]").press("Home")
        trading.button("close_confirm").click()
        expect(trading.dialog).to_be_hidden()

    assert clicks(trading, close_a_share) <= 2, "and one for the slider, which is moved by the keyboard here"
    trading.protected(part)


def test_one_take_profit_for_many_parts(trading: Desk) -> None:
    parts = [trading.trade("SOL", value=500, leverage=5, tp=25, sl=-50) for _ in range(2)]

    def every_target() -> None:
        trading.button("ap_several").click()
        trading.field("bulk_tp").click()
        trading.field("bulk_tp").fill("40")
        trading.button("bulk_save").click()
        for part in parts:
            expect(trading.dialog).to_contain_text(part)
        expect(trading.button("bulk_done")).to_be_visible()
        trading.button("bulk_done").click()

    assert clicks(trading, every_target) <= 4
    for part in parts:
        expect(trading.card(part)).to_contain_text("40.0")
