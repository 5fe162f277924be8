"""The open dialog: it outlives every redraw, a second click on it changes nothing, another page is without it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.errors import Unavailable
from core.ui.components import modal
from core.ui.presenters.forms import SizeUnit
from tests.pages.conftest import words
from tests.pages.samples.services import full

PART = "00a7k2"
EDIT = f"ap_edit_{PART}"


def keys(tab: AppTest) -> set[str | None]:
    return {button.key for button in tab.button}


@pytest.fixture
def tab(open_page) -> AppTest:
    """Active Positions with the targets of a part open for editing."""
    return open_page(full()).button(key=EDIT).click().run()


def test_a_redraw_of_the_whole_page_leaves_the_dialog_and_what_was_chosen(tab):
    tab.segmented_control(key="edit_tp_unit").set_value(SizeUnit.PERCENT).run()
    tab.run()
    assert "edit_save" in keys(tab)
    assert tab.session_state["edit_tp_unit"] is SizeUnit.PERCENT


def test_a_second_click_of_a_quick_hand_leaves_what_was_chosen(tab):
    tab.segmented_control(key="edit_tp_unit").set_value(SizeUnit.PERCENT).run()
    tab.button(key=EDIT).click().run()
    assert tab.session_state["edit_tp_unit"] is SizeUnit.PERCENT


def test_another_click_takes_the_place_of_the_open_dialog(tab):
    tab.button(key=f"ap_close_{PART}").click().run()
    assert "close_confirm" in keys(tab)
    assert "edit_save" not in keys(tab)


def test_what_was_done_is_told_and_the_dialog_is_gone(tab):
    tab.button(key="edit_save").click().run()
    assert "edit_save" not in keys(tab)
    assert tab.toast
    tab.button(key=EDIT).click().run()
    assert "edit_save" in keys(tab), "and it opens again"


def test_another_page_is_without_it(tab):
    tab.switch_page("orders.py").run()
    assert "edit_save" not in keys(tab)
    tab.switch_page("active_positions.py").run()
    assert "edit_save" not in keys(tab)


def test_a_dialog_that_cannot_be_read_says_so_and_leaves_the_page_whole(open_page):
    tab = open_page(full())
    tab.session_state[modal.OPEN] = modal.Modal("odd", "Odd", _unreadable, (), ":material/help:", "small", "center")
    tab.run()
    assert "The database is away." in words(tab)
    assert EDIT in keys(tab)


def _unreadable() -> None:
    raise Unavailable("The database is away.")
