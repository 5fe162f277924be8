"""How many clicks a trader's main tasks take, counted by the browser itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.dashboard import Desk

pytestmark = pytest.mark.browser
PAGES = ["New Trade", "Active Positions", "Orders", "History", "Safety", "Settings", "Paper market"]
COUNT = """() => {
  if (window.clicks === undefined) addEventListener('pointerdown', () => { window.clicks += 1 }, true)
  window.clicks = 0
}"""


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """The desk with its bot running."""
    if not desk.bot_runs():
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
        slider = trading.key("close_size")
        slider.hover(trial=True)  # the dialog has come to rest
        whole, thumb = slider.bounding_box(), slider.locator("input[type=range]").bounding_box()
        assert whole is not None
        assert thumb is not None
        trading.page.mouse.click(whole["x"] + whole["width"] / 2, thumb["y"] + thumb["height"] / 2)
        expect(trading.button("close_confirm")).to_have_text(re.compile(r"Close 0\.[3-7]\d* contracts"))
        trading.button("close_confirm").click()
        expect(trading.dialog).to_be_hidden()

    assert clicks(trading, close_a_share) <= 3
    trading.protected(part)


def test_how_the_positions_are_protected_is_seen_on_every_page_without_a_click(trading: Desk) -> None:
    for title in PAGES:
        trading.go(title)
        expect(trading.key("protection_pill")).to_contain_text(re.compile(r"(\d+)/\1 protected"))


def test_one_take_profit_for_ten_parts(trading: Desk) -> None:
    trading.draft("SOL", value=500, leverage=5, tp=25, sl=-50)
    parts = []
    for number in range(10):
        trading.fill("nt_strategy", f"s{number}")
        trading.review()
        trading.button("nt_confirm").click()
        parts.append(trading.asked_part(but=parts))
    trading.go("Active Positions")
    for part in parts:
        trading.protected(part)

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
