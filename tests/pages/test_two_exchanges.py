"""Two exchanges in one dashboard: choosing an account, all of them side by side, the parts ledger, pairs, keys."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import WhenRefused
from core.domain.snapshot import AccountSnapshot, ConditionalOrders, PartSnapshot, ProtectionSnapshot
from core.i18n import translate
from core.services.accounts.paper_market import Deed
from core.ui.presenters import ledger
from core.ui.presenters import positions as position_rows
from tests.pages.conftest import words
from tests.pages.samples.services import StandIn, full
from tests.pages.samples.snapshot import BTC, DEMO, PAPER, instrument, leg, part, sample_snapshot

BINANCE = Account("paper-binance", "Paper Binance", Exchange.BINANCE, Environment.PAPER, "", "", "77aa")


def binance_snapshot() -> AccountSnapshot:
    """The worked example: two strategies on one position, 0.003 BTC at an average of neither."""
    found, one = sample_snapshot(), {"symbol": BTC, "leverage": "10", "mark_price": "46500", "recovery": None}
    assert found.money is not None
    (held,) = (position for position in found.positions if position.symbol == BTC)
    rules = instrument("BTC", "1", "0.1", min_notional="50", min_quantity="0.001", quantity_step="0.001")
    return replace(
        found,
        account=BINANCE.id,
        name=BINANCE.name,
        exchange=Exchange.BINANCE,
        parts=(
            two_legs("00b001", strategy="A", size="0.001", average_entry="45000", unrealised_pnl="1.5", **one),
            two_legs("00b002", strategy="B", size="0.002", average_entry="46000", unrealised_pnl="1.0", **one),
        ),
        positions=(
            replace(
                held,
                contracts=Decimal("0.003"),
                average_price=Decimal("45666.666666"),
                residual=Decimal(0),
                unrealised_pnl=Decimal("2.5"),
                parts=("00b001", "00b002"),
            ),
        ),
        conditional=ConditionalOrders(4, 200),
        protection=ProtectionSnapshot(2, 2, Decimal(0)),
        instruments={**found.instruments, BTC: rules},
        money=replace(found.money, equity=Decimal("100002.50"), floating_pnl=Decimal("2.50")),
        orders=(),
        unresolved=(),
        differences=(),
        alarms=(),
    )


def two_legs(name: str, **changes: Any) -> PartSnapshot:
    """A part whose pair is an order for each leg."""
    target, stop = ({**leg(name), "client_order_id": f"op{name}01{letter}01"} for letter in ("T", "S"))
    return part(name, pair={"state": "working", "take_profit": target, "stop_loss": stop}, **changes)


def both() -> StandIn:
    """A running bot on OKX, a stopped one on Binance."""
    standin = full()
    standin.world.accounts = [PAPER, BINANCE]
    standin.world.beside = {BINANCE.id: binance_snapshot()}
    standin.world.states = {BINANCE.id: "stopped"}
    return standin


def on_binance(open_page, page: str = "active_positions.py", standin: StandIn | None = None):
    tab = open_page(standin or both(), page)
    tab.segmented_control(key="account").set_value(BINANCE.id).run()
    return tab


# --- choosing


def test_the_other_exchange_is_one_click_away_and_the_address_keeps_it(open_page):
    tab = open_page(both())
    assert tab.segmented_control(key="account").value == PAPER.id
    tab.segmented_control(key="account").set_value(BINANCE.id).run()
    assert not tab.exception
    assert tab.query_params["account"] == BINANCE.id
    assert "00b002" in words(tab)


def test_a_reload_stays_with_the_account_of_the_address(open_page):
    tab = open_page(both(), account=BINANCE.id)
    assert tab.segmented_control(key="account").value == BINANCE.id


def test_an_address_with_an_account_that_is_gone_shows_the_first(open_page):
    tab = open_page(both(), account="live-okx")
    assert tab.segmented_control(key="account").value == PAPER.id


def test_every_page_tells_how_the_other_account_is(open_page):
    for page in ("new_trade.py", "orders.py", "history.py", "safety.py", "settings.py", "paper_market.py"):
        tab = open_page(both(), page)
        (line,) = (one.value for one in tab.sidebar.markdown if "Paper Binance" in one.value)
        assert "Bot stopped" in line
        assert "2/2 protected" in line


def test_all_bots_start_with_one_click_and_stop_after_one_question(open_page):
    standin = both()
    tab = open_page(standin)
    tab.button(key="all_start").click().run()
    assert standin.world.calls == [("start", BINANCE.id, "operator")]  # the other runs already
    tab.button(key="all_stop").click().run()
    assert "3 open positions will rest on their stops and targets" in words(tab)
    tab.button(key="all_stop_confirm").click().run()
    assert standin.world.calls[1:] == [("stop", PAPER.id, "operator"), ("stop", BINANCE.id, "operator")]


def test_real_money_among_them_asks_before_all_start(open_page):
    standin = both()
    live = replace(DEMO, id="live-okx", name="OKX live", environment=Environment.LIVE)
    standin.world.accounts.append(live)
    standin.world.states[live.id] = "stopped"
    tab = open_page(standin)
    tab.button(key="all_start").click().run()
    assert "real money: OKX live" in words(tab)
    assert standin.world.calls == []
    tab.button(key="all_start_confirm").click().run()
    assert ("start", live.id, "operator") in standin.world.calls


def test_a_bot_that_cannot_start_is_named_with_its_reason(open_page):
    standin = both()
    standin.world.refusal = Misconfigured("no bot process looks after this account")
    tab = open_page(standin)
    tab.button(key="all_start").click().run()
    assert "Paper Binance: no bot process looks after this account" in words(tab)


# --- side by side


@pytest.mark.parametrize("language", ["en", "tr"])
def test_all_accounts_are_added_up_and_listed_with_their_exchange(open_page, language):
    standin = both()
    standin.world.settings["language"] = language
    tab = open_page(standin)
    try:
        tab.segmented_control(key="ap_scope").set_value("all").run()
        assert not tab.exception
        values = [metric.value for metric in tab.metric]
        assert values[0] == "110,014.91"  # 10,012.4096 + 100,002.50
        assert "3/4" in values
        accounts, positions, guarded = (frame.value for frame in tab.dataframe)
        assert list(accounts.iloc[:, 0]) == ["Paper OKX", "Paper Binance"]
        assert [str(name) for name in positions.iloc[:, 1]] == ["OKX", "OKX", "Binance"]
        assert len(guarded) == 4
        assert "4/200" in accounts.to_string()
    finally:
        translate.use("en")


def test_one_account_alone_offers_no_scope(open_page):
    standin = full()
    standin.world.accounts = [PAPER]
    tab = open_page(standin)
    assert not [one for one in tab.segmented_control if one.key == "ap_scope"]


# --- the ledger


def test_the_parts_of_a_position_add_up_to_what_the_exchange_holds():
    snapshot = binance_snapshot()
    (held,) = snapshot.positions
    assert "2 parts · exchange 0.003 at 45,666.67 · adds up" in ledger.title(snapshot, held)
    first, second, total, theirs, residual = ledger.rows(snapshot, held)
    assert (first["Strategy"], first["Contracts"], first["Own entry"], first["PnL, USDT"]) == (
        "A",
        "0.001",
        "45,000.0",
        "+1.5000",
    )
    assert (second["Strategy"], second["Own entry"], second["Pair"]) == ("B", "46,000.0", "both rest")
    assert (total["Contracts"], total["Own entry"], total["PnL, USDT"]) == ("0.003", "45,666.67", "+2.5000")
    assert (theirs["Contracts"], theirs["Own entry"]) == ("0.003", "45,666.67")
    assert residual["Contracts"] == "0"


@pytest.mark.parametrize(
    ("residual", "expected"), [("0", "adds up"), ("1.5", "1.5 not ours"), ("-0.2", "0.2 of ours missing")]
)
def test_a_residual_is_told_in_words(residual, expected):
    assert ledger.residual_words(replace(sample_snapshot().positions[0], residual=Decimal(residual))) == expected


def test_a_shared_position_opens_its_ledger_with_the_rule_beside_it(open_page):
    tab = on_binance(open_page)
    assert not tab.exception
    assert "What somebody closes here comes off: by their size." in words(tab)
    frames = [frame.value.to_string() for frame in tab.dataframe]
    assert any("Sum of the parts" in frame and "45,666.67" in frame for frame in frames)


def test_what_others_closed_is_told_with_how_it_was_divided(open_page):
    tab = open_page(both())
    assert "Closed by others" in words(tab)
    assert "divided over the parts by their size" in words(tab)


# --- pairs


def test_pairs_show_both_legs_and_the_budget(open_page):
    tab = on_binance(open_page, "orders.py")
    assert not tab.exception
    assert "4 of at most 200 conditional orders rest." in words(tab)
    frame = tab.dataframe[0].value
    assert list(frame["Pair"]) == ["both rest", "both rest"]
    assert set(frame["Kept as"]) == {"two orders"}
    assert "41 ms / 120 ms" in words(tab)


def test_an_oco_is_one_order_and_no_budget_is_told_where_there_is_none(open_page):
    tab = open_page(both(), "orders.py")
    (shown,) = [table.value for table in tab.dataframe if "Kept as" in table.value.columns]
    assert set(shown["Kept as"]) == {"OCO"}
    assert "of at most" not in words(tab)


# --- New Trade


def test_the_form_knows_the_rules_of_the_chosen_exchange(open_page):
    tab = on_binance(open_page, "new_trade.py")
    assert "Binance" not in tab.number_input(key="nt_value").label
    assert "The smallest order here is 100.41 USDT." in words(tab)
    standin = both()
    seen = binance_snapshot()
    rules = {**seen.instruments, BTC: replace(seen.instruments[BTC], min_notional=Decimal(500))}
    standin.world.beside = {BINANCE.id: replace(seen, instruments=rules)}
    assert "Binance takes no order under 500.00 USDT here." in words(on_binance(open_page, "new_trade.py", standin))


def test_a_full_budget_is_refused_before_anything_is_asked(open_page):
    standin = both()
    standin.world.beside = {BINANCE.id: replace(binance_snapshot(), conditional=ConditionalOrders(199, 200))}
    tab = on_binance(open_page, "new_trade.py", standin)
    assert "199 of 200 conditional orders rest or are about to" in words(tab)
    assert tab.button(key="nt_review").disabled


def test_strategy_and_the_answer_to_a_refused_stop_are_the_parts_own(open_page):
    standin = both()
    tab = on_binance(open_page, "new_trade.py", standin)
    tab.text_input(key="nt_strategy").set_value("  breakout ").run()
    tab.selectbox(key="nt_refused").set_value("close").run()
    tab.number_input(key="nt_value").set_value(1000.0).run()
    tab.button(key="nt_review").click().run()
    tab.button(key="nt_confirm").click().run()
    (draft,) = (call[1] for call in standin.world.calls if call[0] == "open")
    assert (draft.account, draft.strategy, draft.when_refused) == (BINANCE.id, "breakout", WhenRefused.CLOSE)


def test_an_untouched_form_follows_the_settings(open_page):
    tab = open_page(both(), "new_trade.py")
    assert tab.selectbox(key="nt_refused").value == "follow"
    assert "As in Settings: try again, with an alarm" in str(tab.selectbox(key="nt_refused").options)


def test_binance_offers_no_trigger_by_index(open_page):
    standin = both()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_trigger_by").set_value(TriggerBy.INDEX).run()
    tab.segmented_control(key="account").set_value(BINANCE.id).run()
    assert not tab.exception
    assert tab.segmented_control(key="nt_trigger_by").value is TriggerBy.MARK
    assert tab.segmented_control(key="nt_trigger_by").options == ["Last", "Mark"]


def test_a_running_part_can_choose_what_follows_a_refused_stop(open_page):
    standin = both()
    tab = on_binance(open_page, standin=standin)
    tab.button(key="ap_again_00b001").click().run()
    tab.selectbox(key="ch_refused").set_value("alarm").run()
    assert not tab.exception
    assert standin.world.calls == [("guard by", "00b001", WhenRefused.ALARM, "operator")]


# --- keys and the paper market


def test_only_okx_asks_for_a_passphrase_and_a_region(open_page):
    tab = open_page(both(), "settings.py")
    assert [one.key for one in tab.text_input if one.key == "acc_passphrase"]
    assert tab.selectbox(key="acc_region").value == "global"
    tab.segmented_control(key="acc_exchange").set_value(Exchange.BINANCE).run()
    assert not tab.exception
    assert not [one.key for one in tab.text_input if one.key == "acc_passphrase"]
    assert not [one.key for one in tab.selectbox if one.key == "acc_region"]
    assert "Allow reading and futures, never withdrawals" in words(tab)


def test_a_binance_account_is_added_without_a_passphrase(open_page):
    standin = both()
    tab = open_page(standin, "settings.py")
    tab.segmented_control(key="acc_exchange").set_value(Exchange.BINANCE).run()
    for field, value in (("acc_name", "Binance demo"), ("acc_key", "k"), ("acc_secret", "s")):
        tab.text_input(key=field).set_value(value)
    tab.button(key="acc_add").click().run()
    assert not tab.exception
    assert ("add", "Binance demo", "operator") in standin.world.calls
    assert standin.world.accounts[-1].exchange is Exchange.BINANCE


def test_another_hand_reaches_the_chosen_account(open_page):
    standin = both()
    tab = on_binance(open_page, "paper_market.py", standin)
    tab.selectbox(key="pm_deed").set_value(Deed.CLOSE)
    tab.selectbox(key="pm_hand_side").set_value(Side.SHORT)
    tab.button(key="pm_hand_do").click().run()
    assert not tab.exception
    assert standin.world.calls == [("by_hand", BINANCE.id, Deed.CLOSE, BTC, Side.SHORT, None)]


def test_a_fault_is_bound_to_the_exchange_of_the_chosen_account(open_page):
    standin = both()
    tab = on_binance(open_page, "paper_market.py", standin)
    assert "**Make Binance misbehave**" in words(tab)
    tab.button(key="pm_fault_add").click().run()
    assert standin.world.faults[0]["match"] == {"exchange": "binance"}


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (BINANCE, "Paper Binance"),
        (replace(BINANCE, name="Mine"), "Mine · Binance"),
        (replace(DEMO, name="Big", environment=Environment.LIVE), "Big · OKX · LIVE"),
    ],
)
def test_an_account_is_named_with_its_exchange(account, expected):
    assert position_rows.account_label(account) == expected
