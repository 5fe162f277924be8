"""What each button asks of the services: once, in the trader's meaning, with refusals told in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.domain.account import Environment
from core.domain.errors import Misconfigured
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import ExecutionKind, Target
from core.domain.money import Price
from core.ui.presenters.forms import SizeUnit
from tests.pages.conftest import words
from tests.pages.samples.services import full
from tests.pages.samples.snapshot import BTC, part, with_part


def opened(standin):
    return [call[1] for call in standin.world.calls if call[0] == "open"]


# --- New Trade


def test_the_defaults_are_a_thousand_usdt_at_ten_with_fifty_and_a_hundred(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_review").click().run()
    tab.button(key="nt_confirm").click().run()
    (draft,) = opened(standin)
    assert (draft.account, draft.symbol, draft.side) == ("paper-okx", BTC, Side.LONG)
    assert (draft.position_value, draft.leverage) == (Decimal(1000), Decimal(10))
    assert draft.take_profit == Target(pnl_usdt=Decimal(50), trigger_by=TriggerBy.MARK)
    assert draft.stop_loss == Target(pnl_usdt=Decimal(-100), trigger_by=TriggerBy.MARK)
    assert draft.entry.kind is ExecutionKind.MARKET
    assert "00a7k9" in words(tab)


def test_nothing_is_sent_before_the_confirmation(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_review").click().run()
    assert opened(standin) == []


def test_a_double_click_is_one_order(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_review").click().run()
    dialog = tab.button(key="nt_confirm").click()
    dialog.run()
    dialog.run()
    assert len(opened(standin)) == 1


def test_two_reviews_are_two_orders(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    for _ in range(2):
        tab.button(key="nt_review").click().run()
        tab.button(key="nt_confirm").click().run()
    assert len(opened(standin)) == 2


@pytest.mark.parametrize("typed", [-80.0, 80.0])
def test_a_stop_is_a_loss_with_either_sign(open_page, typed):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.number_input(key="nt_sl").set_value(typed).run()
    assert "-80.00 USDT" in words(tab)
    tab.button(key="nt_review").click().run()
    tab.button(key="nt_confirm").click().run()
    assert opened(standin)[0].stop_loss == Target(pnl_usdt=Decimal(-80))


def test_switching_the_unit_keeps_the_target(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_tp_unit").set_value(SizeUnit.PRICE).run()
    assert tab.number_input(key="nt_tp").value == 105465.6
    tab.segmented_control(key="nt_tp_unit").set_value(SizeUnit.PERCENT).run()
    assert tab.number_input(key="nt_tp").value == 5.03


def test_an_empty_stop_is_no_stop_and_the_dialog_says_so(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.number_input(key="nt_sl").set_value(None).run()
    tab.button(key="nt_review").click().run()
    assert "nothing limits the loss" in str(tab.table[0].value)
    tab.button(key="nt_confirm").click().run()
    assert opened(standin)[0].stop_loss is None


def test_a_limit_starts_at_the_price_of_now_and_carries_its_time_out(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_entry").set_value(ExecutionKind.LIMIT).run()
    assert tab.number_input(key="nt_entry_price").value == 100415.0
    tab.number_input(key="nt_entry_price").set_value(99000.0).run()
    tab.button(key="nt_review").click().run()
    tab.button(key="nt_confirm").click().run()
    entry = opened(standin)[0].entry
    assert (entry.kind, entry.price, entry.timeout.total_seconds()) == (ExecutionKind.LIMIT, Decimal(99000), 3600)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("nt_value", 5.0, "position value 5 USDT is too small: 10.05 USDT (0.01 contracts) to"),
        ("nt_value", None, "position value 0 USDT is too small: 10.05 USDT (0.01 contracts) to"),
        ("nt_leverage", 500.0, "leverage 500 is out of range: 1 to 100"),
    ],
)
def test_bad_input_is_named_beside_its_field_and_blocks_the_button(open_page, field, value, sentence):
    tab = open_page(full(), "new_trade.py")
    tab.number_input(key=field).set_value(value).run()
    assert sentence in words(tab)
    assert tab.button(key="nt_review").disabled


def test_a_refusal_stays_in_the_dialog(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_review").click().run()
    standin.world.refusal = Misconfigured("position value 1000 USDT is above 500 USDT, the most that Settings allow")
    tab.button(key="nt_confirm").click().run()
    assert "the most that Settings allow" in words(tab)
    assert opened(standin) == []
    assert not tab.exception


# --- Active Positions


def test_editing_sends_both_targets_and_the_stop_as_a_loss(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_edit_00a7k2").click().run()
    assert (tab.number_input(key="edit_tp").value, tab.number_input(key="edit_sl").value) == (50.0, -100.0)
    tab.number_input(key="edit_tp").set_value(75.0)
    tab.number_input(key="edit_sl").set_value(60.0)
    tab.button(key="edit_save").click().run()
    (call,) = standin.world.calls
    assert call[:2] == ("edit", "00a7k2")
    assert call[2:4] == (Target(pnl_usdt=Decimal(75)), Target(pnl_usdt=Decimal(-60)))


def test_each_part_opens_its_own_editor(open_page):
    standin = full()
    wanted = Target(price=Price(Decimal(3300)), trigger_by=TriggerBy.LAST)
    own = part("00a7k3", take_profit_wanted=wanted).take_profit
    standin.world.snapshot = with_part(standin.world.snapshot, "00a7k3", take_profit=own)
    tab = open_page(standin)
    tab.button(key="ap_edit_00a7k3").click().run()
    assert tab.number_input(key="edit_tp").value == 3300.0
    assert tab.segmented_control(key="edit_tp_unit").value == "price"


def test_a_whole_part_is_closed_by_one_confirmed_click(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_close_00a7k2").click().run()
    tab.button(key="close_confirm").click().run()
    assert standin.world.calls == [("close", "00a7k2", None, "operator")]


def test_a_share_of_a_part_is_closed_in_whole_steps(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_close_00a7k2").click().run()
    tab.slider(key="close_size").set_value(0.37)
    tab.button(key="close_confirm").click().run()
    assert standin.world.calls == [("close", "00a7k2", Decimal("0.37"), "operator")]


def test_a_part_tells_why(open_page):
    tab = open_page(full())
    assert "waits 4:12 after the take-profit" in words(tab)
    assert "recovery step 1 waits" not in words(tab)
    tab.session_state["why_00a7k2"] = True
    tab.run()
    assert "recovery step 1 waits: PnL +1.61 USDT, trigger -50" in words(tab)


# --- Orders


def test_a_resting_entry_is_cancelled_by_its_id_after_a_question(open_page):
    standin = full()
    tab = open_page(standin, "orders.py")
    tab.button(key="cancel_op00a7k501E01").click().run()
    assert "What is filled stays and stays protected" in words(tab)
    tab.button(key="cancel_confirm").click().run()
    assert standin.world.calls == [("cancel", "paper-okx", "op00a7k501E01", "operator")]


def test_what_protects_and_what_is_not_ours_has_no_button(open_page):
    tab = open_page(full(), "orders.py")
    assert "never touched" in words(tab)
    assert "Each is moved, added or taken away below" in words(tab)
    assert [button.key for button in tab.button if button.key.startswith("cancel_")] == ["cancel_op00a7k501E01"]


# --- History


@pytest.mark.parametrize(("view", "rows"), [("cycles", 6), ("fills", 4), ("funding", 1), ("events", 2)])
def test_history_shows_each_kind_of_record(open_page, view, rows):
    tab = open_page(full(), "history.py")
    tab.segmented_control(key="history_view").set_value(view).run()
    assert not tab.exception
    assert len(tab.dataframe[0].value) == rows


# --- Settings


def fill_account(tab, key="good", live=False):
    if live:
        tab.segmented_control(key="acc_environment").set_value(Environment.LIVE).run()
    tab.text_input(key="acc_name").set_value("Mine")
    tab.text_input(key="acc_key").set_value(key)
    tab.text_input(key="acc_secret").set_value("secret")
    tab.text_input(key="acc_passphrase").set_value("phrase")
    return tab


def test_wrong_keys_are_explained(open_page):
    tab = fill_account(open_page(full(), "settings.py"), key="wrong")
    tab.button(key="acc_check_keys").click().run()
    assert "is not known to OKX demo" in words(tab)


def test_a_key_that_may_withdraw_is_taken_only_with_the_typed_words(open_page):
    tab = fill_account(open_page(full(), "settings.py"), key="withdraws")
    tab.button(key="acc_check_keys").click().run()
    assert "This key may withdraw money: type I ACCEPT THE RISK." in words(tab)
    tab.text_input(key="acc_withdraw").set_value("I ACCEPT THE RISK")
    tab.button(key="acc_check_keys").click().run()
    assert "The key may read and trade." in words(tab)
    assert "Make one that may only read and trade" in words(tab)


def test_settings_tell_where_the_data_lies(open_page):
    tab = open_page(full(), "settings.py")
    tab.segmented_control(key="settings_view").set_value("bot").run()
    assert not tab.exception
    assert "/var/lib/perpdeck/postgres" in str(tab.table[0].value)


def test_live_needs_the_typed_word(open_page):
    standin = full()
    tab = fill_account(open_page(standin, "settings.py"), live=True)
    tab.button(key="acc_add").click().run()
    assert "type LIVE" in words(tab)
    tab.text_input(key="acc_live").set_value("LIVE")
    tab.button(key="acc_add").click().run()
    assert ("add", "Mine", "operator") in standin.world.calls
    assert tab.text_input(key="acc_secret").value == ""


def test_a_changed_setting_is_stored_exactly_and_alone(open_page):
    standin = full()
    tab = open_page(standin, "settings.py")
    tab.segmented_control(key="settings_view").set_value("defaults").run()
    tab.number_input(key="set_max_order_value").set_value(2500.5)
    tab.button(key="save_Limits").click().run()
    assert standin.world.calls == [("set", "max_order_value", Decimal("2500.5"), "operator")]


def test_a_setting_out_of_range_is_refused_in_words(open_page):
    tab = open_page(full(), "settings.py")
    tab.segmented_control(key="settings_view").set_value("guards").run()
    tab.number_input(key="set_check_seconds").set_value(1.0)
    tab.button(key="save_Cadence").click().run()
    assert "Full check 1 s is out of range: 10 to 600 s is allowed" in words(tab)


# --- Paper market


def test_the_paper_price_is_set_and_shocked(open_page):
    standin = full()
    tab = open_page(standin, "paper_market.py")
    tab.number_input(key="pm_price").set_value(101000.5)
    tab.button(key="pm_set").click().run()
    tab.button(key="pm_shock_-5").click().run()
    assert standin.world.calls == [("set_price", BTC, Decimal("101000.5")), ("shock", BTC, Decimal(-5))]


def test_a_fault_is_added_and_cleared(open_page):
    standin = full()
    tab = open_page(standin, "paper_market.py")
    tab.button(key="pm_fault_add").click().run()
    assert [fault["kind"] for fault in standin.world.faults] == ["lost_after"]
    tab.button(key="pm_faults_clear").click().run()
    assert standin.world.faults == []
