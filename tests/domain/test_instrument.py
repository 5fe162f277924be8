"""Sizes, prices and money of a contract: exact, and rounded in the trader's favour."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.instrument import Instrument, OrderSide, Side
from core.domain.money import Contracts, Money, plain, total
from tests.builders import COIN, D, contracts, price

#: as recorded from OKX's public list of contracts
BTC = replace(COIN, symbol="BTC-USDT-PERP", contract_value=D("0.01"), price_tick=D("0.1"), quantity_step=D("0.01"))
ETH = replace(COIN, symbol="ETH-USDT-PERP", contract_value=D("0.1"), price_tick=D("0.01"), quantity_step=D("0.01"))
SOL = replace(COIN, symbol="SOL-USDT-PERP", contract_value=D(1), price_tick=D("0.01"), quantity_step=D("0.01"))


@pytest.mark.parametrize(
    ("rules", "usdt", "at", "expected"),
    [
        (BTC, 100, "83789.7", "0.11"),  # 0.1193 contracts, rounded down
        (BTC, 1000, "83789.7", "1.19"),
        (BTC, 8, "83789.7", "0"),  # less than one step
        (ETH, 1000, "3226.93", "3.09"),
        (ETH, "322.693", "3226.93", "1"),  # exactly one contract
        (SOL, 500, "200", "2.5"),
        (COIN, 1000, "1000", "10"),
        (COIN, "999.99", "1000", "9.9"),
    ],
)
def test_contracts_for_a_notional(rules: Instrument, usdt: object, at: str, expected: str) -> None:
    bought = rules.contracts_for(D(usdt), price(at))
    assert bought == D(expected)
    assert rules.notional(bought, D(at)) <= D(usdt)
    assert rules.notional(bought + rules.quantity_step, D(at)) > D(usdt)


def test_dividing_by_the_price_alone_is_wrong_by_the_contract_value() -> None:
    """`int(value / price)` counts coins in whole numbers: 0 of BTC, and of SOL 25 times too little precision."""
    naive = int(D(1000) / D("83789.7"))
    assert naive == 0
    assert BTC.contracts_for(D(1000), price("83789.7")) == D("1.19")
    assert int(D(500) / D("200")) == 2
    assert SOL.contracts_for(D(500), price("200")) == D("2.5")


def test_quantities_round_down_to_whole_steps() -> None:
    assert COIN.round_quantity(D("1.29")) == D("1.2")
    assert COIN.round_quantity(D("0.09")) == 0


@pytest.mark.parametrize(
    ("side", "raw", "stop", "target"),
    [
        (Side.LONG, "899.8", "900", "900"),
        (Side.LONG, "900", "900", "900"),
        (Side.SHORT, "1100.2", "1100", "1100"),
        (Side.SHORT, "1100.5", "1100.5", "1100.5"),
    ],
)
def test_stops_never_lose_more_and_targets_never_earn_less(side: Side, raw: str, stop: str, target: str) -> None:
    assert COIN.stop_price(side, D(raw)) == D(stop)
    assert COIN.target_price(side, D(raw)) == D(target)
    lost = COIN.pnl(side, D(10), D(1000), COIN.stop_price(side, D(raw)))
    assert lost >= COIN.pnl(side, D(10), D(1000), D(raw))


def test_profit_as_the_exchange_counts_it() -> None:
    """A recorded row of OKX's positions history: ETH, 0.1 contract long from 3226.93 to 3224.8."""
    assert ETH.pnl(Side.LONG, D("0.1"), D("3226.93"), D("3224.8")) == D("-0.0213")
    assert ETH.pnl(Side.SHORT, D("0.1"), D("3226.93"), D("3224.8")) == D("0.0213")


def test_sides() -> None:
    assert (Side.LONG.opening, Side.LONG.closing) == (OrderSide.BUY, OrderSide.SELL)
    assert (Side.SHORT.opening, Side.SHORT.closing) == (OrderSide.SELL, OrderSide.BUY)
    assert (Side.LONG.sign, Side.SHORT.sign) == (1, -1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+3", "1000"),
        ("0.1100", "0.11"),
        ("0", "0"),
        ("-0.0", "0"),
        ("1E-7", "0.0000001"),
        ("250", "250"),
        ("-5.50", "-5.5"),
    ],
)
def test_numbers_as_an_exchange_wants_them(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_money_of_two_currencies_is_never_added() -> None:
    assert Money(D(1)) + Money(D(2)) == Money(D(3))
    assert -Money(D(1)) == Money(D(-1))
    with pytest.raises(ValueError, match="cannot add BTC to USDT"):
        Money(D(1)) + Money(D(2), "BTC")


def test_a_sum_of_nothing_is_zero() -> None:
    assert total([]) == 0
    assert isinstance(total([]), Decimal)
    assert total([contracts(1), Contracts(D(2))]) == 3
