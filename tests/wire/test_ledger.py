"""Fills, funding, balances, contracts, fees and candles of OKX in our words."""

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.account import AccountState
from core.domain.errors import Unavailable
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import Instrument, OrderSide, Side
from core.domain.order import Fill, Funding
from core.exchange.okx.catalogue import Fees, parse_candle, parse_fees, parse_instruments
from core.exchange.okx.ledger import parse_account, parse_fill, parse_funding, parse_life
from core.exchange.port import Candle
from tests.wire.stub import row, rows

NOON = datetime(2026, 6, 20, 12, tzinfo=UTC)


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def test_the_fill_of_an_entry() -> None:
    assert parse_fill(rows("fills")[4]) == Fill(
        exchange_fill_id="2711430125834215500", exchange_order_id="2711430091826454528",
        client_order_id="op00a7k203E01", symbol="BTC-USDT-PERP", position_side=Side.LONG, side=OrderSide.BUY,
        quantity=D("12.5"), price=D("65372.6"), fee=D("-4.085784"), maker=False, realised_pnl=D(0),
        at=at(1781956301003), origin="order",
    )  # fmt: skip


def test_the_origin_of_a_fill_tells_a_liquidation_from_deleveraging() -> None:
    fills = [parse_fill(rows("fills")[number]) for number in (0, 1, 2)]
    assert [fill.origin for fill in fills] == ["deleveraging", "liquidation", "order"]
    assert [fill.closing for fill in fills] == [True, True, True]
    assert (fills[2].maker, fills[2].realised_pnl) == (True, D("-100.658"))


def test_in_net_mode_profit_or_our_name_tells_a_closing_fill() -> None:
    bought_back, sold = (parse_fill(one) for one in rows("fills_net"))
    assert (bought_back.position_side, bought_back.closing) == (Side.SHORT, True)
    assert (sold.position_side, sold.closing) == (Side.LONG, True)


def test_funding_is_signed_and_has_no_side() -> None:
    assert [parse_funding(one) for one in rows("bills_funding")] == [
        Funding("BTC-USDT-PERP", None, D("-0.653725"), at(1781971200011), "2711431000000000002"),
        Funding("ETH-USDT-PERP", None, D("0.4"), at(1781942400011), "2711431000000000001"),
    ]


def test_a_life_from_the_positions_history() -> None:
    assert parse_life(rows("positions_history")[0]) == ClosedPosition(
        symbol="ETH-USDT-PERP", side=Side.LONG, position_id="2711430000000000007", opened_at=at(1781942400000),
        updated_at=at(1781956301003), last_close=LastClose.FULL, closed=D("0.1"), largest=D("0.1"),
        average_entry=D("3226.93"), average_exit=D("3224.8"), pnl=D("-0.0213"), fees=D("-0.04516211"), funding=D(0),
        penalty=D(0), realised=D("-0.06646211"), leverage=D(3),
    )  # fmt: skip


def test_the_side_of_a_life_in_net_mode_and_how_it_last_closed() -> None:
    held, gone = (parse_life(one) for one in rows("positions_history")[1:])
    assert (held.side, held.last_close, held.last_close.over, held.average_exit) == (
        Side.SHORT, LastClose.PARTIAL, False, None,
    )  # fmt: skip
    assert (gone.last_close, gone.last_close.over, gone.penalty) == (LastClose.LIQUIDATED, True, D("-1.2"))
    with pytest.raises(Unavailable, match="type '9'"):
        parse_life({**rows("positions_history")[0], "type": "9"})


def test_money_and_mode() -> None:
    assert parse_account(row("balance"), row("config"), NOON) == AccountState(
        equity=D("9981.137284"), available=D("9327.411884"), margin_used=D("653.7254"), unrealised_pnl=D("-5.06743"),
        hedge_mode=True, can_trade=True, can_withdraw=False, as_of=NOON, addresses="203.0.113.20",
    )  # fmt: skip


def test_a_currency_of_which_nothing_is_held_is_absent() -> None:
    state = parse_account(row("balance_empty"), row("config"), NOON)
    assert (state.equity, state.available, state.margin_used) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "can_trade", "can_withdraw", "hedge"),
    [
        ({"perm": "read_only"}, False, False, True),
        ({"perm": "read_only,withdraw,trade"}, True, True, True),
        ({"acctLv": "1"}, False, False, True),
        ({"posMode": "net_mode"}, True, False, False),
    ],
)
def test_what_the_key_may_do(changes: Any, can_trade: Any, can_withdraw: Any, hedge: Any) -> None:
    state = parse_account(row("balance"), {**row("config"), **changes}, NOON)
    assert (state.can_trade, state.can_withdraw, state.hedge_mode) == (can_trade, can_withdraw, hedge)


def test_where_margin_is_told_for_the_whole_account() -> None:
    balance = {"imr": "77", "details": [{"ccy": "USDT", "eq": "100", "availEq": "20", "imr": "", "upl": ""}]}
    assert parse_account(balance, row("config"), NOON).margin_used == 77


def test_contracts_settled_in_usdt_with_their_groups_fees() -> None:
    found = parse_instruments(rows("instruments"), parse_fees(row("fees")))
    assert list(found) == ["BTC-USDT-PERP", "PEPE-USDT-PERP"]
    assert found["BTC-USDT-PERP"] == Instrument(
        symbol="BTC-USDT-PERP", exchange_symbol="BTC-USDT-SWAP", base="BTC", quote="USDT", settle="USDT",
        contract_value=D("0.01"), price_tick=D("0.1"), quantity_step=D("0.01"), min_quantity=D("0.01"),
        max_market_quantity=D(11000), max_limit_quantity=D(100000000), min_notional=D(0), max_leverage=D(100),
        taker_fee=D("0.0005"), maker_fee=D("0.0002"), tradable=True,
    )  # fmt: skip
    pepe = found["PEPE-USDT-PERP"]
    assert (pepe.contract_value, pepe.tradable) == (D(10000000), False)
    assert (pepe.maker_fee, pepe.taker_fee) == (D("-0.00005"), D("0.0004"))


def test_a_live_contract_with_a_missing_rule_is_an_error_not_a_guess() -> None:
    broken = {**row("instruments"), "ctVal": ""}
    with pytest.raises(Unavailable, match="ctVal ''"):
        parse_instruments([broken], {})


def test_fees_without_groups() -> None:
    fees = parse_fees({"makerU": "", "takerU": "", "maker": "-0.0001", "taker": "-0.0003"})
    assert fees == {"": Fees(D("0.0001"), D("0.0003"))}
    assert parse_fees({"maker": "", "taker": ""}) == {}


def test_a_candle_is_a_list_of_nine_cells() -> None:
    forming, done = rows("candles")
    assert parse_candle(done) == Candle(
        at(1781956680000), D(65300), D(65312), D(65280), D(65310), D("2400.02"), complete=True
    )
    assert parse_candle(forming).complete is False
    with pytest.raises(Unavailable, match="8 cells"):
        parse_candle(done[:8])
