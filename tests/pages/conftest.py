"""Opens the dashboard's own menu script with the stand-in behind it, as one browser tab would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.ui import session
from tests.pages.samples.services import StandIn

MENU = Path(__file__).parents[2] / "pages" / "menu.py"
Open = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`open_page(standin, "orders.py")`: the page after its first run; `account` stands in its address."""

    def opened(standin: StandIn, page: str = "active_positions.py", account: str = "") -> AppTest:
        monkeypatch.setattr(session, "get_services", lambda: standin)
        tab = AppTest.from_file(str(MENU), default_timeout=15)
        if account:
            tab.query_params["account"] = account
        tab.run()
        return tab.switch_page(page).run()

    return opened


def words(tab: AppTest) -> str:
    """Everything a trader reads on the page, for `in`."""
    kinds = (tab.markdown, tab.caption, tab.info, tab.warning, tab.error, tab.title, tab.subheader, tab.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
