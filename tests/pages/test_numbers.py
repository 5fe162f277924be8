"""Numbers in the trader's own signs: on every page, also in tables that sort; never in what is typed or saved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from core.i18n import translate
from core.ui.presenters.format import percent, price, quantity, signed, usdt
from tests.pages.samples.services import StandIn, full


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translate.use("en")


@pytest.mark.parametrize(
    ("language", "local", "expected"),
    [
        ("en", False, ["1,234.50", "+1,234.50", "-0.53 %", "60,123.5", "1,250.5"]),
        ("en", True, ["1,234.50", "+1,234.50", "-0.53 %", "60,123.5", "1,250.5"]),
        ("tr", False, ["1,234.50", "+1,234.50", "-0.53 %", "60,123.5", "1,250.5"]),
        ("tr", True, ["1.234,50", "+1.234,50", "-0,53 %", "60.123,5", "1.250,5"]),
    ],
)
def test_a_number_has_the_signs_that_were_chosen(language: str, local: bool, expected: list[str]) -> None:
    translate.use(language, local_numbers=local)
    amount = Decimal("1234.5")
    shown = [usdt(amount), signed(amount), percent("-0.53"), price("60123.5", "0.1"), quantity("1250.50")]
    assert shown == expected
    assert [Decimal(translate.speech().read(text.removesuffix(" %"))) for text in shown] == [
        Decimal(text) for text in ("1234.50", "1234.50", "-0.53", "60123.5", "1250.5")
    ]


def access(open_page: Any, standin: StandIn) -> Any:
    tab = open_page(standin, "settings.py")
    return tab.segmented_control(key="settings_view").set_value("access").run()


def test_it_is_a_choice_in_settings_where_the_language_has_a_comma(open_page: Any) -> None:
    standin = full()
    assert "local_numbers" not in {one.key for one in access(open_page, standin).toggle}
    standin.world.settings["language"] = "tr"
    tab = access(open_page, standin)
    tab.toggle(key="local_numbers").set_value(True).run()
    assert not tab.exception
    assert ("set", "local_numbers", True, "operator") in standin.world.calls
    orders = open_page(standin, "orders.py")
    assert not orders.exception
    assert translate.number(Decimal("1234.5"), ",.2f") == "1.234,50"
