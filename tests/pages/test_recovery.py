"""Recovery, reopening, the ladder and several parts at once: what the pages show and what each button asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Environment
from core.domain.errors import Misconfigured
from core.domain.intent import ExitReason, RecoveryChoice, ReopenChoice, Target
from core.domain.part import PartStatus
from core.domain.settings.rules import Rules
from core.domain.snapshot import ProtectionSnapshot
from core.services.reporting.audit import AuditKind
from core.ui import session
from core.ui.components import modal
from core.ui.components.bulk_actions import Wish
from core.ui.presenters import parts, recovery
from core.ui.presenters.forms import SizeUnit
from core.ui.presenters.recovery import Mode
from tests.pages.conftest import words
from tests.pages.samples.services import StandIn, World, empty, full
from tests.pages.samples.snapshot import BTC, MARK, explained, now, part, reopen, sample_snapshot, with_part

OPERATOR = "operator"


def asked(standin: StandIn, what: str) -> list[tuple]:
    return [call[1:] for call in standin.world.calls if call[0] == what]


def confirmed(tab):
    tab.button(key="nt_review").click().run()
    return tab.button(key="nt_confirm").click().run()


def ten() -> StandIn:
    """Ten protected longs in BTC."""
    parts = tuple(part(f"00a7k{number}") for number in range(10))
    snapshot = replace(sample_snapshot(), parts=parts, protection=ProtectionSnapshot(10, 10, Decimal(0)))
    return StandIn(World(snapshot=snapshot, state="running"))


# --- New Trade


def test_a_preset_fills_the_form_and_names_its_strategy(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_preset_SOL").click().run()
    assert tab.text_input(key="nt_strategy").value == "try1"
    confirmed(tab)
    ((draft, _),) = asked(standin, "open")
    assert (draft.symbol, draft.strategy) == ("SOL-USDT-PERP", "try1")
    assert (draft.position_value, draft.leverage) == (Decimal(600), Decimal(5))
    assert draft.recovery == RecoveryChoice(enabled=True)
    assert draft.reopen == ReopenChoice(enabled=True)


def test_another_contract_leaves_the_preset(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.button(key="nt_preset_SOL").click().run()
    tab.segmented_control(key="nt_symbol").set_value(BTC).run()
    assert tab.text_input(key="nt_strategy").value == "manual"


def test_a_part_follows_the_settings_unless_it_chooses(open_page):
    standin = full()
    confirmed(open_page(standin, "new_trade.py"))
    ((draft, _),) = asked(standin, "open")
    assert (draft.recovery, draft.reopen) == (RecoveryChoice(), ReopenChoice())


def test_what_a_part_chooses_goes_along(open_page):
    standin = full()
    tab = open_page(standin, "new_trade.py")
    tab.segmented_control(key="nt_rec").set_value(Mode.ON)
    tab.segmented_control(key="nt_reo").set_value(Mode.ON).run()
    tab.number_input(key="nt_rec_trigger_pnl").set_value(70.0)
    tab.number_input(key="nt_rec_max_steps").set_value(2.0)
    tab.number_input(key="nt_reo_delay").set_value(15.0)
    tab.multiselect(key="nt_reo_after").set_value([ExitReason.STOP_LOSS]).run()
    confirmed(tab)
    ((draft, _),) = asked(standin, "open")
    assert draft.recovery == RecoveryChoice(enabled=True, trigger_pnl=Decimal(-70), max_steps=2)
    after = frozenset({ExitReason.STOP_LOSS})
    assert draft.reopen == ReopenChoice(enabled=True, after=after, delay=timedelta(minutes=15))


def test_a_number_out_of_range_is_named_and_blocks_the_button(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_reo").set_value(Mode.ON).run()
    tab.number_input(key="nt_reo_delay").set_value(90.0).run()
    assert "reopen delay 90 minutes is out of range: 1 to 60 minutes is allowed" in words(tab)
    assert tab.button(key="nt_review").disabled


def test_the_ladder_stands_below_with_its_worst_in_one_sentence(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_rec").set_value(Mode.ON).run()
    tab.number_input(key="nt_rec_max_steps").set_value(2.0).run()
    said = words(tab)
    assert "If everything goes wrong you lose **101." in said
    assert "% of equity" in said
    steps = tab.dataframe[0].value
    assert list(steps["Step"]) == ["Entry", "1", "2"]
    assert "It ends after the steps that are allowed at most." in said
    assert "the next one follows after 15 s at the same price" in said


def test_without_recovery_the_ladder_is_the_entry_alone(open_page):
    standin = full()
    standin.world.rules = Rules()
    tab = open_page(standin, "new_trade.py")
    assert "Recovery is off for this position." in words(tab)
    assert "If everything goes wrong you lose **100." in words(tab)


def test_without_a_stop_the_headline_says_that_nothing_limits_the_loss(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.number_input(key="nt_sl").set_value(None).run()
    assert "nothing but the liquidation limits what you lose" in words(tab)


def test_wrong_numbers_have_no_ladder(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.number_input(key="nt_value").set_value(1.0).run()
    assert "It follows once the numbers above are right." in words(tab)


def test_a_second_one_of_the_same_kind_wants_a_yes(open_page):
    standin = full()
    standin.world.twin = f"Part 00a7k2 is long {BTC} with the same strategy already: confirm that you want another one."
    tab = open_page(standin, "new_trade.py")
    tab.button(key="nt_review").click().run()
    assert "with the same strategy already" in words(tab)
    assert tab.button(key="nt_confirm").disabled
    tab.session_state["nt_again"] = True
    confirmed(tab)
    assert len(asked(standin, "open")) == 1


def test_risk_becomes_size(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.number_input(key="nt_risk").set_value(50.0)
    tab.number_input(key="nt_risk_stop").set_value(95000.0).run()
    assert "of position lose 50.00 USDT" in words(tab)
    tab.button(key="nt_risk_take").click().run()
    # 5,415 of 100,415 to the stop and 0.05 % both ways are 5.49 % of the value
    assert 908 < tab.number_input(key="nt_value").value < 912
    assert (tab.number_input(key="nt_sl").value, tab.segmented_control(key="nt_sl_unit").value) == (
        95000.0,
        SizeUnit.PRICE,
    )


def test_a_share_of_the_equity_is_a_risk_too(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.segmented_control(key="nt_risk_unit").set_value("equity")
    tab.number_input(key="nt_risk").set_value(1.0).run()
    assert "of position lose 100.12 USDT" in words(tab)


def test_a_stop_on_the_wrong_side_has_no_size(open_page):
    tab = open_page(full(), "new_trade.py")
    tab.number_input(key="nt_risk").set_value(50.0)
    tab.number_input(key="nt_risk_stop").set_value(110000.0).run()
    assert "must lie on the losing side of the entry" in words(tab)


def test_every_part_of_the_database_is_listed(open_page):
    tab = open_page(full(), "new_trade.py")
    listed = tab.dataframe[-1].value
    assert list(listed["Part"]) == ["00a7k4", "00a7k2", "00a7k3"]
    assert "No part yet" in words(open_page(empty(), "new_trade.py"))


# --- Active Positions


def test_a_waiting_part_counts_down_and_can_be_opened_now_or_never(open_page):
    standin = full()
    tab = open_page(standin)
    assert "Opens again in **4:1" in words(tab)
    assert "last cycle: Take-profit" in words(tab)
    tab.button(key="ap_now_00a7k4").click().run()
    tab.button(key="ap_never_00a7k4").click().run()
    assert asked(standin, "reopen") == [("00a7k4", OPERATOR)]
    assert asked(standin, "cancel reopen") == [("00a7k4", OPERATOR)]


@pytest.mark.parametrize("button", ["ap_now_00a7k4", "ap_again_00a7k2"])
def test_a_refused_click_draws_the_whole_page_since_its_piece_does_not_tell_why(open_page, monkeypatch, button):
    drawn: list[bool] = []
    tab = open_page(full())
    monkeypatch.setattr(session, "ask", lambda call: None)
    monkeypatch.setattr(modal, "redraw", lambda: drawn.append(True))
    tab.button(key=button).click().run()
    assert drawn == [True]


def test_a_part_that_is_due_says_so(open_page):
    standin = full()
    standin.world.snapshot = with_part(standin.world.snapshot, "00a7k4", reopen=reopen(now()))
    assert "Opens again in **due now**" in words(open_page(standin))


def test_a_part_that_could_not_be_entered_says_why_and_counts_down_once(open_page):
    standin = full()
    standin.world.snapshot = with_part(
        standin.world.snapshot,
        "00a7k4",
        exit_reason=ExitReason.NOT_ENTERED,
        status=PartStatus.REFUSED,
        why=(explained("reopen", "opens again in 4:09 (after not entered)"),),
    )
    said = words(open_page(standin))
    assert "Not entered: leverage 10 cannot be set" in said
    assert "4:09" not in said


def test_a_step_that_is_due_promises_no_price():
    deep = part("00a7k2", unrealised_pnl="-61.2")
    assert "the next is due at this price" in recovery.recovery_line(deep, Decimal("0.1"))


def test_the_recovery_of_a_part_in_numbers(open_page):
    said = words(open_page(full()))
    away = f"{(Decimal('95199.5') / MARK - 1) * 100:+.2f} %"
    assert f"1 step taken · next at 95,199.5 ({away}, 51.61 USDT to go) · adds 100 USDT" in said


def test_the_protection_board_has_a_row_for_each_part_that_holds_something(open_page):
    tab = open_page(full())
    board = tab.dataframe[1].value
    assert list(board["Part"]) == ["00a7k2", "00a7k3"]
    assert list(board["Stop for"]) == ["0.99 of 0.99", "0 of 2.84"]
    assert board["Stop away"].iloc[0] == "-10.22 % · -101.61 USDT"
    assert board["Seen"].iloc[1] == "never"
    assert board["Bare today"].iloc[0] == "0.0 s"


@pytest.mark.parametrize(("key", "later"), [("close_confirm", ()), ("close_later", ("reopen",))])
def test_a_close_is_for_good_or_for_later(open_page, key, later):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_close_00a7k2").click().run()
    tab.button(key=key).click().run()
    assert asked(standin, "close") == [("00a7k2", None, OPERATOR, *later)]


def test_a_part_that_is_not_reopened_has_no_later(open_page):
    standin = full()
    standin.world.snapshot = with_part(standin.world.snapshot, "00a7k2", reopen=None)
    tab = open_page(standin)
    tab.button(key="ap_close_00a7k2").click().run()
    assert "Reopening is off for this part, so it stays closed." in words(tab)
    assert not [button for button in tab.button if button.key == "close_later"]


def test_targets_can_be_kept_for_later_cycles(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_edit_00a7k2").click().run()
    tab.checkbox(key="edit_keep").check()
    tab.button(key="edit_save").click().run()
    assert asked(standin, "edit")[0][-1] == "keep"


def test_the_choices_of_a_running_part_are_changed(open_page):
    standin = full()
    tab = open_page(standin)
    tab.button(key="ap_again_00a7k2").click().run()
    assert tab.segmented_control(key="ch_rec").value == Mode.FOLLOW
    assert "While PnL is under -50 USDT, 100 USDT are added each 15 s" in words(tab)
    tab.segmented_control(key="ch_rec").set_value(Mode.OFF)
    tab.button(key="choose_save").click().run()
    assert asked(standin, "choose") == [("00a7k2", RecoveryChoice(enabled=False), ReopenChoice(), OPERATOR)]


def test_one_take_profit_for_ten_parts(open_page):
    standin = ten()
    tab = open_page(standin)
    tab.button(key="ap_several").click().run()
    tab.number_input(key="bulk_tp").set_value(75.0)
    tab.button(key="bulk_save").click().run()
    target = Target(pnl_usdt=Decimal(75))
    stop = Target(pnl_usdt=Decimal(-100))
    assert asked(standin, "edit") == [(f"00a7k{number}", target, stop, OPERATOR) for number in range(10)]
    results = tab.session_state["bulk_results"]
    assert [(one.part, one.done) for one in results] == [(f"00a7k{number}", True) for number in range(10)]


def test_each_part_tells_what_became_of_it(open_page):
    standin = ten()
    tab = open_page(standin)
    tab.button(key="ap_several").click().run()
    tab.number_input(key="bulk_sl").set_value(40.0)
    standin.world.refusal = Misconfigured("stop-loss 99000 has been passed already")
    tab.button(key="bulk_save").click().run()
    lines = parts.result_lines(tab.session_state["bulk_results"])
    assert "- :orange[:material/block:] **00a7k1** stop-loss 99000 has been passed already" in lines
    assert asked(standin, "edit") == []


def test_a_save_with_nothing_typed_says_so(open_page):
    standin = ten()
    tab = open_page(standin)
    tab.button(key="ap_several").click().run()
    tab.button(key="bulk_save").click().run()
    assert "Type a take-profit or a stop-loss first." in words(tab)
    assert asked(standin, "edit") == []


@pytest.mark.parametrize(("key", "later"), [("bulk_close", ()), ("bulk_later", ("reopen",))])
def test_many_are_closed_with_what_it_comes_to(open_page, key, later):
    standin = ten()
    tab = open_page(standin)
    tab.session_state["bulk_wish"] = Wish.CLOSE
    tab.button(key="ap_several").click().run()
    assert "Fees, USDT" in words(tab)
    tab.button(key=key).click().run()
    assert asked(standin, "close") == [(f"00a7k{number}", None, OPERATOR, *later) for number in range(10)]


def test_candles_are_drawn_for_every_kind_of_account(open_page):
    standin = full()
    standin.world.snapshot = replace(sample_snapshot(), environment=Environment.DEMO)
    tab = open_page(standin)
    assert len(tab.get("echarts_chart")) == 1
    assert "No candles yet" not in words(tab)


def test_candles_that_were_never_read_or_end_long_ago_are_told(open_page):
    standin = full()
    standin.world.history = False
    assert "No candles yet: the bot reads them every few seconds" in words(open_page(standin))
    standin.world.history, standin.world.snapshot_age = True, timedelta(minutes=7)
    assert "The candles end 7 min ago" in words(open_page(standin))


def many(count: int) -> StandIn:
    standin = full()
    standin.world.snapshot = replace(sample_snapshot(), parts=tuple(part(f"00b{number:03}") for number in range(count)))
    return standin


def test_many_parts_are_all_in_the_table_and_their_cards_on_pages(open_page):
    tab = open_page(many(45))
    assert len(tab.dataframe[1].value) == 45
    assert [key for key in (one.key for one in tab.button) if key and key.startswith("ap_close_")] == [
        f"ap_close_00b{number:03}" for number in range(20)
    ]
    tab.session_state["ap_page"] = 3
    tab.run()
    assert not tab.exception
    assert len([one for one in tab.button if one.key and one.key.startswith("ap_close_")]) == 5


def test_a_card_is_a_few_elements_however_much_it_tells(open_page):
    """What a hundred parts cost a browser and a server grows with the elements of one card."""
    seven, eight = (len(open_page(many(count)).main.markdown) for count in (7, 8))
    assert eight - seven == 2


def test_nothing_can_be_asked_of_a_part_that_is_closing(open_page):
    standin = full()
    standin.world.snapshot = replace(sample_snapshot(), parts=(part("00a7k2", status="closing", wanted="closed"),))
    tab = open_page(standin)
    for key in ("ap_edit_00a7k2", "ap_again_00a7k2", "ap_close_00a7k2"):
        assert tab.button(key=key).disabled
        assert "It is being closed" in tab.button(key=key).help


def test_a_ladder_without_a_limit_says_so_and_offers_one(open_page):
    tab = open_page(full(), "new_trade.py")
    assert "**No limit of steps:** while PnL is under -50 USDT, one of 100 USDT follows every 15 s" in words(tab)
    tab.button(key="nt_cap_5").click().run()
    assert not tab.exception
    assert "**No limit of steps:**" not in words(tab)
    assert tab.session_state["nt_rec_max_steps"] == 5


def test_settings_say_in_plain_words_that_nothing_limits_the_steps(open_page):
    tab = open_page(full(), "settings.py")
    tab.segmented_control(key="settings_view").set_value("defaults").run()
    assert "No limit of steps." in words(tab)


def test_the_audit_trail_is_read_on_settings_and_narrowed(open_page):
    tab = open_page(full(), "settings.py")
    tab.segmented_control(key="settings_view").set_value("trail").run()
    shown = tab.dataframe[0].value
    assert list(shown["What"]) == ["open long 1000 USDT", "log in", "level reduce only"]
    assert list(shown["Who"]) == ["operator", "127.0.0.1", "guard"]
    assert list(shown["Outcome"]) == ["done", "wrong password", "done"]
    tab.session_state["trail_kinds"] = [AuditKind.LOGIN]
    tab.run()
    assert list(tab.dataframe[0].value["What"]) == ["log in"]
