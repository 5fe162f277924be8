"""The dashboard as a trader's hands know it: pages, fields and buttons by their keys, sentences by their words.

Each verb waits for what it needs to see and for nothing else; no test sleeps.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

FIRST_PAGE_MS = 30_000
STEP_MS = 20_000
expect.set_options(timeout=STEP_MS)


class Desk:
    """One browser tab on the dashboard."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(STEP_MS)

    # -- finding things

    def key(self, name: str) -> Locator:
        """The element with this widget key."""
        return self.page.locator(f".st-key-{name}")

    def button(self, name: str) -> Locator:
        return self.key(name).locator("button").first

    def field(self, name: str) -> Locator:
        return self.key(name).locator("input").first

    @property
    def main(self) -> Locator:
        return self.page.get_by_test_id("stMain")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_test_id("stDialog")

    def says(self, words: str | re.Pattern[str]) -> None:
        """Somewhere on the page these words are to be read."""
        expect(self.page.get_by_text(words).locator("visible=true").first).to_be_visible()

    def title(self, words: str) -> None:
        expect(self.page.get_by_role("heading", name=words, level=1)).to_be_visible(timeout=FIRST_PAGE_MS)

    def settled(self) -> None:
        """The tab is connected and no script runs."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=FIRST_PAGE_MS)
        expect(app).to_have_attribute("data-test-script-state", "notRunning")

    # -- going places

    def open(self, path: str = "", title: str = "Active Positions") -> Desk:
        """Load an address anew, as typed into the browser."""
        self.page.goto(f"{self.url}/{path}")
        self.title(title)
        return self

    def go(self, title: str) -> Desk:
        """Choose a page in the menu, which keeps this tab's session."""
        self.page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        self.title(title)
        return self

    # -- fields

    def fill(self, name: str, value: object) -> None:
        """Type into a number or text field and leave it."""
        field = self.field(name)
        field.fill("" if value is None else str(value))
        field.press("Tab")

    def choose(self, name: str, words: str) -> None:
        """One of a few options side by side. It may be drawn unpressed for once, although it counted: pressed again."""
        option = self.key(name).get_by_role("radio", name=words, exact=True)
        option.click()
        try:
            expect(option).to_be_checked(timeout=6_000)
        except AssertionError:
            option.click()
            expect(option).to_be_checked()

    def choose_unit(self, name: str, words: str) -> None:
        """Another unit for a target, and its number in that unit."""
        before = self.field(name).input_value()
        self.choose(f"{name}_unit", words)
        expect(self.field(name)).not_to_have_value(before)

    # -- the bot

    def bot_runs(self) -> bool:
        """What the switch says, once it is there."""
        expect(self.button("bot_start").or_(self.button("bot_stop"))).to_be_visible()
        return self.button("bot_stop").is_visible()

    def start_bot(self) -> None:
        self.button("bot_start").click()
        self.bot_is("Bot running")
        expect(self.button("bot_stop")).to_be_visible()

    def stop_bot(self) -> None:
        self.button("bot_stop").click()
        self.button("stop_confirm").click()
        self.bot_is("Bot stopped")
        expect(self.button("bot_start")).to_be_visible()

    def bot_is(self, words: str) -> None:
        """The sidebar's badge reads so; a picture that changes may for a moment draw it twice."""
        expect(self.page.get_by_test_id("stSidebar").get_by_text(words).first).to_be_visible()

    def pill(self, words: str) -> None:
        """The sidebar's protection pill reads so."""
        expect(self.key("protection_pill")).to_contain_text(words)

    # -- New Trade

    def draft(self, symbol: str = "BTC", side: str = "Long", **fields: object) -> None:
        """Fill the form; fields by their keys without `nt_`, None empties one."""
        self.go("New Trade")
        self.choose("nt_symbol", symbol)
        self.choose("nt_side", side)
        for name, value in fields.items():
            self.fill(f"nt_{name}", value)

    def review(self) -> None:
        """Open the confirm dialog; a second one of the same kind is meant."""
        expect(self.dialog).to_be_hidden()
        expect(self.button("nt_review")).to_be_enabled()
        self.button("nt_review").click()
        expect(self.button("nt_confirm")).to_be_visible()
        if self.key("nt_again").count():
            self.key("nt_again").locator("label").click()
            expect(self.key("nt_again").get_by_role("checkbox")).to_be_checked()
        expect(self.button("nt_confirm")).to_be_enabled()

    def trade(self, symbol: str = "BTC", side: str = "Long", **fields: object) -> str:
        """Open a position and wait until it is protected; the part's id."""
        self.draft(symbol, side, **fields)
        self.review()
        self.button("nt_confirm").click()
        part = self.asked_part()
        self.go("Active Positions")
        self.protected(part)
        return part

    def asked_part(self, but: Sequence[str] = ()) -> str:
        """The id in the sentence that follows a confirmed order; not one of an earlier order."""
        earlier = "".join(rf"(?!{part}\b)" for part in but)
        line = self.main.get_by_text(re.compile(rf"Part {earlier}\w+ is asked for")).first
        expect(line).to_be_visible()
        found = re.search(r"Part (\w+) is asked for", line.inner_text())
        assert found, line.inner_text()
        return found.group(1)

    def refused_with(self, words: str | re.Pattern[str], story: str | None = None) -> None:
        """The form says so under its fields and offers no order."""
        expect(self.main.get_by_text(words).first, story).to_be_visible()
        expect(self.button("nt_review"), story).to_be_disabled()

    # -- Active Positions

    def card(self, part: str) -> Locator:
        """The card of one part."""
        return self.page.get_by_test_id("stVerticalBlock").filter(has=self.key(f"ap_close_{part}")).last

    def protected(self, part: str) -> None:
        """Its card carries the shield and says that stop and target rest."""
        expect(self.card(part)).to_contain_text(re.compile(r"shield\s*Protected"))
        expect(self.card(part)).to_contain_text("Stop and target")

    def edit(self, part: str, take_profit: object, stop_loss: object) -> None:
        """New targets in the drawer, in the unit that stands there."""
        self.button(f"ap_edit_{part}").click()
        self.fill("edit_tp", take_profit)
        self.fill("edit_sl", stop_loss)
        self.button("edit_save").click()
        expect(self.dialog).to_be_hidden()

    def close_steps(self, part: str, steps: int, words: str) -> None:
        """Close that many whole steps of the part, the slider moved from its left end; the button must say `words`."""
        self.button(f"ap_close_{part}").click()
        slider = self.key("close_size").locator("input[type=range]")
        slider.press("Home")
        for _ in range(steps - 1):
            slider.press("ArrowRight")
        expect(self.button("close_confirm")).to_have_text(f"Close {words}")
        self.button("close_confirm").click()
        expect(self.dialog).to_be_hidden()

    def close_whole(self, part: str) -> None:
        self.button(f"ap_close_{part}").click()
        expect(self.button("close_confirm")).to_have_text("Close for good")
        self.button("close_confirm").click()
        expect(self.dialog).to_be_hidden()

    # -- Paper market

    def move_price(self, symbol: str, price: object) -> None:
        """Set the last price of a contract on the paper exchange."""
        self.go("Paper market")
        self.choose("pm_symbol", symbol)
        self.field("pm_price").fill(str(price))
        self.button("pm_set").click()
        self.says(f"{symbol} is set to")

    # -- History

    def history(self, view: str) -> list[dict[str, str]]:
        """A view of History with every digit, as its CSV file has it."""
        self.go("History")
        self.choose("history_view", view)
        expect(self.main.get_by_role("region", name=view, exact=True)).to_be_visible()
        self.settled()
        with self.page.expect_download() as download:
            self.button("history_csv").click()
        assert view.lower() in download.value.suggested_filename
        return list(csv.DictReader(StringIO(Path(download.value.path()).read_text())))


def money(rows: list[dict[str, Any]], column: str, **where: str) -> Decimal:
    """The sum of a column over the rows that match."""
    chosen = (row for row in rows if all(row[name] == value for name, value in where.items()))
    return sum((Decimal(row[column] or 0) for row in chosen), Decimal(0))
