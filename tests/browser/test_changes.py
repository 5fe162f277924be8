"""What a trader changes on the way: targets, sizes, orders, the bot itself; and what the form refuses, in words."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.dashboard import Desk
from tests.browser.ledger import Truth
from tests.browser.product import in_time
from tests.simulator_process import SimulatorControl

pytestmark = pytest.mark.browser


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """The desk with its bot running."""
    if not desk.bot_runs():
        desk.start_bot()
    return desk


def test_new_targets_replace_the_old_ones_and_the_stop_never_leaves(trading: Desk, exchange: SimulatorControl) -> None:
    part = trading.trade("ETH", value=1000, tp=50, sl=-100)
    before = Truth(exchange, "ETH").protection[0]
    trading.edit(part, 80, -60)

    def changed() -> Truth | None:
        truth = Truth(exchange, "ETH")
        assert truth.protection, "between the old and the new levels nothing guarded the position"
        moved = truth.protection[0]["slTriggerPx"] != before["slTriggerPx"]
        return truth if moved and truth.guarded() else None

    after = in_time(changed, "the new levels rest at the exchange").protection[0]
    assert Decimal(after["tpTriggerPx"]) > Decimal(before["tpTriggerPx"])
    assert Decimal(after["slTriggerPx"]) > Decimal(before["slTriggerPx"])
    expect(trading.card(part)).to_contain_text(re.compile(r"[+]?80\.\d\d USDT|79\.\d\d USDT"))
    trading.close_whole(part)
    in_time(lambda: Truth(exchange, "ETH").held == 0, "the part is closed")


def test_a_part_is_closed_in_two_steps_and_protected_in_between(trading: Desk, exchange: SimulatorControl) -> None:
    part = trading.trade("SOL", "Short", value=1000, leverage=5, tp=40, sl=-80)
    whole = Truth(exchange, "SOL").held
    trading.close_steps(part, 3, "0.03 contracts")

    def smaller() -> Truth | None:
        truth = Truth(exchange, "SOL")
        return truth if Decimal(0) < truth.held < whole and truth.guarded() else None

    left = in_time(smaller, "the rest is held and protected for exactly its size")
    assert whole - left.held == Decimal("0.03")
    trading.protected(part)
    trading.close_whole(part)

    def flat() -> bool:
        truth = Truth(exchange, "SOL")
        return truth.held == 0 and not truth.protection and not truth.working

    in_time(flat, "flat, and nothing of it rests")


def test_a_limit_order_waits_is_listed_and_is_cancelled(trading: Desk, exchange: SimulatorControl) -> None:
    trading.draft("ETH", "Long", value=500, tp=50, sl=-100)
    trading.choose("nt_entry", "Limit")
    trading.fill("nt_entry_price", 3400)
    trading.review()
    trading.button("nt_confirm").click()
    part = trading.asked_part()
    order = in_time(lambda: Truth(exchange, "ETH").working, "the limit order rests at the exchange")[0]
    assert Decimal(order["px"]) == 3400
    trading.go("Orders")
    trading.button(f"cancel_{order['clOrdId']}").click()
    trading.button("cancel_confirm").click()
    in_time(lambda: not Truth(exchange, "ETH").working, "the order is gone at the exchange")
    assert Truth(exchange, "ETH").held == 0
    trading.go("Active Positions")
    expect(trading.key(f"ap_close_{part}")).to_have_count(0)


def test_an_order_whose_answer_is_lost_is_one_order(trading: Desk, exchange: SimulatorControl) -> None:
    before = len(Truth(exchange, "SOL").entries)
    trading.go("Paper market")
    trading.button("pm_fault_add").click()
    trading.says("The paper exchange will do so")
    part = trading.trade("SOL", value=1000, leverage=5, tp=40, sl=-80)
    truth = Truth(exchange, "SOL")
    assert exchange.fault_hits() == [1]
    assert (len(truth.entries), len(truth.protection)) == (before + 1, 1)
    trading.go("Paper market")
    trading.button("pm_faults_clear").click()
    trading.go("Active Positions")
    trading.close_whole(part)
    in_time(lambda: Truth(exchange, "SOL").held == 0, "the part is closed")


def test_the_bot_stops_when_told_says_so_everywhere_and_starts_again(trading: Desk, exchange: SimulatorControl) -> None:
    part = trading.trade("BTC", value=1000, tp=50, sl=-100)
    trading.button("bot_stop").click()
    expect(trading.dialog).to_contain_text("1 open position will rest on its stop and target at the exchange alone")
    trading.button("stop_confirm").click()
    trading.bot_is("Bot stopped")
    for page in ("New Trade", "Orders", "History", "Settings", "Paper market"):
        trading.go(page)
        trading.says("1 position rests on exchange-side protection alone")
    assert Truth(exchange).guarded()
    trading.page.reload()
    trading.bot_is("Bot stopped")
    trading.start_bot()
    trading.go("Active Positions")
    trading.protected(part)
    trading.close_whole(part)
    in_time(lambda: Truth(exchange).held == 0, "the part is closed")


BAD = [
    ("below the exchange's minimum", {"value": 5}, r"position value 5(\.0)? USDT is too small: .* is allowed"),
    ("above its maximum", {"value": 900_000_000}, r"position value .* is too large: .* is allowed"),
    ("no leverage at all", {"leverage": 0}, r"leverage 0(\.0)? is out of range: 1 to \d+ is allowed"),
    ("more leverage than there is", {"leverage": 500}, r"leverage 500(\.0)? is out of range: 1 to \d+ is allowed"),
    ("more margin than there is", {"value": 200_000}, r"needs .* USDT of margin and fee|of margin: .* at most"),
    ("a target that is a loss", {"tp": -50}, r"take-profit -50.*"),
]


WRONG_SIDES = [
    ("Long", 101_000, r"stop-loss 101000.* wrong side|stop-loss 101000.* below"),
    ("Short", 99_000, r"stop-loss 99000.* wrong side|stop-loss 99000.* above"),
]


def test_the_form_refuses_in_words(trading: Desk) -> None:
    for story, fields, words in BAD:
        trading.draft("BTC", "Long", **{"value": 1000, "leverage": 10, "tp": 50, "sl": -100} | fields)
        trading.refused_with(re.compile(words), story)


def test_a_stop_on_the_wrong_side_is_refused_in_words(trading: Desk) -> None:
    trading.draft("BTC", value=1000, leverage=10, tp=50)
    trading.choose_unit("nt_sl", "Price")
    for side, stop, words in WRONG_SIDES:
        trading.choose("nt_side", side)
        trading.fill("nt_sl", stop)
        trading.refused_with(re.compile(words))
