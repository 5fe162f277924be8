"""Opens the dashboard's own menu script with the stand-in behind it, as one browser tab would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.ui import session
from tests.pages.samples.services import StandIn

MENU = Path(__file__).parents[2] / "pages" / "menu.py"
FIRST = "active_positions.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def components() -> BidiComponentManager:
    """What Streamlit finds in the packages that are installed: looked for once, since it reads all their metadata."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, components: BidiComponentManager) -> Open:
    """`open_page(standin, "orders.py")`: the page after its first run; `account` stands in its address."""

    def opened(standin: StandIn, page: str = FIRST, account: str = "") -> AppTest:
        monkeypatch.setattr(session, "get_services", lambda: standin)
        tab = AppTest.from_file(str(MENU), default_timeout=15)
        tab._bidi_component_manager = components
        if account:
            tab.query_params["account"] = account
        if page != FIRST:  # the browser's address names the page, so that no other is drawn before it
            tab._page_hash = calc_hash(page.removesuffix(".py").replace("_", "-"))
        return tab.run()

    return opened


def words(tab: AppTest) -> str:
    """Everything a trader reads on the page, for `in`."""
    kinds = (tab.markdown, tab.caption, tab.info, tab.warning, tab.error, tab.title, tab.subheader, tab.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
