"""Try1Strategy: numbers in, an intent out, for any USDT perpetual."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.instrument import Side
from core.domain.intent import RecoveryChoice, Target, Wanted
from core.strategies.try1 import PRESETS, Parameters, Try1Strategy
from tests.builders import NOON


@pytest.mark.parametrize("symbol", ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"])
def test_the_three_have_numbers_of_their_own(symbol: str) -> None:
    assert Try1Strategy.preset(symbol).parameters is PRESETS[symbol]


def test_any_usdt_perpetual_can_be_added() -> None:
    parameters = Try1Strategy.preset("DOGE-USDT-PERP").parameters
    assert (parameters.symbol, parameters.position_value) == ("DOGE-USDT-PERP", Decimal(1000))


@pytest.mark.parametrize("symbol", ["BTC-USD-PERP", "BTC-USDT", ""])
def test_anything_else_is_refused_in_words(symbol: str) -> None:
    with pytest.raises(ValueError, match="is not a USDT perpetual"):
        Try1Strategy.preset(symbol)


def test_its_parameters_become_an_intent() -> None:
    wish = Try1Strategy.preset("SOL-USDT-PERP").on(Side.SHORT).intent("paper", "trader", NOON)
    assert (wish.key.account, wish.key.symbol, wish.key.side) == ("paper", "SOL-USDT-PERP", Side.SHORT)
    assert (wish.position_value, wish.leverage, wish.strategy) == (Decimal(600), Decimal(5), "try1")
    assert (wish.take_profit, wish.stop_loss) == (Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-100)))
    assert (wish.wanted, wish.asked_by, wish.asked_at) == (Wanted.OPEN, "trader", NOON)
    assert (wish.own_recovery.enabled, wish.own_reopen.enabled) == (True, True)


def test_what_is_told_otherwise_holds() -> None:
    told = replace(Parameters("BTC-USDT-PERP"), stop_loss_usdt=Decimal(30), recovery=RecoveryChoice(enabled=False))
    wish = Try1Strategy(told).intent("paper", "trader", NOON)
    assert wish.stop_loss == Target(pnl_usdt=Decimal(-30))
    assert wish.own_recovery.enabled is False


def test_the_same_numbers_are_the_same_wish() -> None:
    first, second = (Try1Strategy.preset("BTC-USDT-PERP").intent("paper", "trader", NOON) for _ in range(2))
    assert first == second
