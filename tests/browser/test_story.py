"""The story of the product: from the first page to a booked profit, each step checked at the exchange as well."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.dashboard import Desk, money
from tests.browser.ledger import Truth
from tests.browser.product import Product, in_time
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser

CENT = Decimal("0.01")


def test_from_the_first_page_to_a_booked_profit(desk: Desk, product: Product, exchange: SimulatorControl) -> None:
    desk.says("Nothing is held yet")
    desk.says("The bot is stopped")
    desk.start_bot()

    # the form stands at 1000 USDT, 10x, +50 and -100 USDT by itself; the figures beside it follow
    desk.draft("BTC", "Long", value=1000, leverage=10, tp=50, sl=-100)
    desk.says("0.99 contracts")
    desk.says(re.compile(r"at 10x"))
    desk.review()
    expect(desk.dialog).to_contain_text("Long BTC-USDT-PERP")
    expect(desk.dialog).to_contain_text("+50.")
    expect(desk.dialog).to_contain_text("-100.")

    # a double click is one order
    desk.button("nt_confirm").dblclick()
    part = desk.asked_part()
    desk.main.get_by_role("link", name="Active Positions").click()
    desk.title("Active Positions")
    desk.protected(part)
    desk.pill("1/1 protected")
    held = Truth(exchange)
    assert held.held == Decimal("0.99")
    assert len(held.entries) == 1
    assert held.guarded()
    resting = held.protection[0]
    assert Decimal("105000") < Decimal(resting["tpTriggerPx"]) < Decimal("105200")
    assert Decimal("89800") < Decimal(resting["slTriggerPx"]) < Decimal("90000")

    # the price rises through the target: it fills, its sibling goes, the cycle is booked
    desk.move_price("BTC", 106000)
    in_time(lambda: Truth(exchange).held == 0, "the take-profit closed the position")
    gone = in_time(lambda: (truth := Truth(exchange)).protection == [] and truth, "the stop went with it")
    assert gone.working == []
    desk.go("Active Positions")
    desk.pill("0/0 protected")
    desk.says(re.compile("No position is held just now|Nothing is held yet"))

    cycle = cycle_of(desk, part)
    realised, fees, funding = gone.result()
    assert cycle["Reason"] == "Take-profit"
    assert abs(Decimal(cycle["PnL"]) - realised) < CENT
    assert abs(Decimal(cycle["Fees"]) - fees) < CENT
    assert abs(Decimal(cycle["Funding"]) - funding) < CENT
    account = gone.state["accounts"]["live"]
    earned = Decimal(account["balance"]) - Decimal(account["deposits"])
    assert abs(Decimal(cycle["Net"]) - earned) < CENT

    # the fills in the ledger are the exchange's, each once
    fills = desk.history("Fills")
    assert len(fills) == len(gone.fills)
    assert money(fills, "Fee") == fees
    assert money(fills, "PnL") == realised


def cycle_of(desk: Desk, part: str) -> dict[str, str]:
    """The ended cycle of a part, once History has it."""
    desk.go("History")

    def booked() -> list[dict[str, str]]:
        desk.key("history_view").get_by_role("radio", name="Cycles").click()
        if not desk.key("history_csv").is_visible():
            desk.page.reload()
            desk.title("History")
            return []
        return [row for row in desk.history("Cycles") if row["Part"] == part and row["Ended"]]

    rows = in_time(booked, f"the cycle of part {part} in History", 40)
    assert len(rows) == 1
    return rows[0]
