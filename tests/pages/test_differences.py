"""Differences on the Safety page and beside the positions: each answer is one call, with what the trader typed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.errors import Misconfigured
from core.domain.instrument import TriggerBy
from core.domain.intent import RecoveryChoice, ReopenChoice, Target
from core.services.trading.differences import Adoption
from tests.pages.conftest import words
from tests.pages.samples.services import full
from tests.pages.samples.snapshot import BTC, difference, sample_snapshot

RESIDUAL, SHORTFALL = f"residual/{BTC}/long", f"shortfall/{BTC}/short"


def answers(standin):
    return [call for call in standin.world.calls if call[0] in ("adopt", "assign", "ignore", "book", "wait")]


def test_both_sides_and_what_waits_are_told(open_page):
    tab = open_page(full(), "safety.py")
    assert not tab.exception
    told = words(tab)
    assert "Contracts that are not ours" in told
    assert "A residual of some contracts." in told
    assert "**0.99**" in told
    assert "**1.99**" in told
    assert "**100,250.1**" in told
    assert "nothing is opened or enlarged there" in told


def test_where_nothing_differs_it_says_so(open_page):
    standin = full()
    standin.world.snapshot = replace(sample_snapshot(), differences=())
    assert "The exchange and the book agree." in words(open_page(standin, "safety.py"))


def test_before_the_first_look_nothing_is_said_to_agree_or_to_be_answered(open_page):
    standin = full()
    standin.world.snapshot = None
    said = words(open_page(standin, "safety.py"))
    assert "agree" not in said
    assert "Every command has its answer" not in said
    assert said.count("The bot has not looked at the exchange yet.") >= 2


def test_adopted_with_what_was_typed(open_page):
    standin = full()
    tab = open_page(standin, "safety.py")
    tab.button(key=f"diff_adopt_{RESIDUAL}").click().run()
    tab.number_input(key="adopt_tp").set_value(30.0)
    tab.text_input(key="adopt_strategy").set_value("by hand")
    tab.checkbox(key="adopt_reopen").check()
    tab.button(key="adopt_confirm").click().run()
    assert not tab.exception
    wish = Adoption(
        Target(pnl_usdt=Decimal(30), trigger_by=TriggerBy.MARK),
        Target(pnl_usdt=Decimal(-100), trigger_by=TriggerBy.MARK),
        "by hand",
        RecoveryChoice(enabled=False),
        ReopenChoice(enabled=True),
    )
    assert answers(standin) == [("adopt", RESIDUAL, "1", wish, "operator")]
    assert "It is ours." in words(tab)


def test_assigned_to_the_part_that_was_chosen(open_page):
    standin = full()
    tab = open_page(standin, "safety.py")
    tab.button(key=f"diff_assign_{RESIDUAL}").click().run()
    tab.button(key="assign_confirm").click().run()
    assert answers(standin) == [("assign", RESIDUAL, "1", "00a7k2", "operator")]


@pytest.mark.parametrize(
    ("choice", "difference_id", "mark"),
    [("ignore", RESIDUAL, "1"), ("book", SHORTFALL, "2"), ("wait", SHORTFALL, "2")],
)
def test_the_other_answers_are_one_click(open_page, choice, difference_id, mark):
    standin = full()
    tab = open_page(standin, "safety.py")
    tab.button(key=f"diff_{choice}_{difference_id}").click().run()
    assert answers(standin) == [(choice, difference_id, mark, "operator")]


def test_a_refusal_is_told_in_words(open_page):
    standin = full()
    standin.world.refusal = Misconfigured("this difference has changed meanwhile")
    tab = open_page(standin, "safety.py")
    tab.button(key=f"diff_ignore_{RESIDUAL}").click().run()
    assert "this difference has changed meanwhile" in words(tab)


def test_an_answered_one_says_so_and_offers_the_rest(open_page):
    standin = full()
    row = difference("residual", choices=["adopt", "assign", "ignore"], price="100250.1", answer="ignore")
    standin.world.snapshot = replace(sample_snapshot(), differences=(row,))
    tab = open_page(standin, "safety.py")
    assert "Ignored until it changes." in words(tab)
    assert tab.button(key=f"diff_ignore_{RESIDUAL}").disabled
    assert tab.button(key=f"diff_assign_{RESIDUAL}").disabled
    assert not tab.button(key=f"diff_adopt_{RESIDUAL}").disabled


def test_beside_the_positions_a_residual_can_be_adopted(open_page):
    standin = full()
    tab = open_page(standin, "active_positions.py")
    assert "1 contracts of BTC-USDT-PERP Long are not ours" in words(tab)
    tab.button(key=f"hint_{RESIDUAL}").click().run()
    tab.button(key="adopt_confirm").click().run()
    assert [call[0] for call in answers(standin)] == ["adopt"]
