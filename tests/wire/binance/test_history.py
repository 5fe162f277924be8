"""The account's past: executions under the names of their orders, funding, and lives folded from executions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.history.position_history import LastClose
from core.domain.instrument import OrderSide, Side
from core.domain.money import Contracts, Price
from core.exchange.binance.account.growing_list import AHEAD, KEPT_FOR, WINDOW, GrowingList
from core.exchange.binance.account.ledger import Income, Trade
from core.exchange.binance.account.position_history import HistoryMismatch, closed_position, fold, funding_of
from core.exchange.binance.client import BinanceClient
from tests.wire.binance.stub import Stub, payload, refused
from tests.wire.binance.test_look import trades
from tests.wire.binance.words import BTC
from tests.wire.conftest import Time

NOON = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAMP = 1781956800000


def income(*rows: Any) -> Any:
    """Bookings: (kind, symbol, amount, id, seconds before noon)."""
    return [
        {
            "symbol": symbol, "incomeType": kind, "income": amount, "asset": "USDT", "info": kind, "tradeId": "",
            "time": STAMP - ago * 1000, "tranId": number,
        }
        for kind, symbol, amount, number, ago in rows
    ]  # fmt: skip


def within(rows: Any) -> Any:
    """What of these rows lies in the time that was asked for."""

    def page(asked: Any) -> Any:
        if "startTime" not in asked.parameters:
            return [row for row in rows if str(row["orderId"]) == asked.parameters["orderId"]]
        begin, end = (int(asked.parameters[name]) for name in ("startTime", "endTime"))
        return [
            row
            for row in rows
            if begin <= row["time"] <= end and asked.parameters.get("symbol") in (None, row["symbol"])
        ]

    return page


def names(**by_order: Any) -> Any:
    """The answer to a look-up of an order by its number."""

    def row(asked: Any) -> Any:
        name = by_order.get("o" + asked.parameters["orderId"])
        return refused(-2013) if name is None else {**payload("order"), "clientOrderId": name}

    return row


# -- fills


def test_fills_carry_the_names_of_their_orders(binance: BinanceClient, stub: Stub) -> None:
    stub.answer(
        "GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.26", 9, 500), ("TRANSFER", "", "5", 1, 9)))
    )
    stub.answer("GET v1/userTrades", within(trades(
        (4, 10, "BUY", "LONG", "0.010", "65000", "0", 500), (5, 11, "SELL", "LONG", "0.010", "66000", "10", 400),
        (6, 12, "SELL", "LONG", "0.002", "66000", "2", 300), (7, 13, "BUY", "SHORT", "0.002", "66000", "-2", 200),
        (8, 14, "BUY", "LONG", "0.001", "65000", "0", 100),
    )))  # fmt: skip
    stub.answer("GET v1/order", names(
        o10="op00a7k203E01", o11="op00a7k203S01", o12="autoclose-123", o13="adl_autoclose",
    ))  # fmt: skip
    found = binance.fills(NOON - HOUR)
    assert [(f.exchange_fill_id, f.client_order_id, f.origin, f.closing) for f in found] == [
        (f"{BTC}:4", "op00a7k203E01", "order", False), (f"{BTC}:5", "op00a7k203S01", "order", True),
        (f"{BTC}:6", "autoclose-123", "liquidation", True), (f"{BTC}:7", "adl_autoclose", "deleveraging", True),
        (f"{BTC}:8", "", "order", False),
    ]  # fmt: skip
    first = found[0]
    assert (first.quantity, first.price, first.fee, first.maker) == (D("0.010"), 65000, D("-0.26"), False)
    assert (first.realised_pnl, first.at, first.exchange_order_id) == (0, NOON - timedelta(seconds=500), "10")
    assert {asked.parameters["symbol"] for asked in stub.to("GET v1/userTrades")} == {"BTCUSDT"}


def test_names_are_asked_for_once(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.26", 9, 500))))
    stub.answer("GET v1/userTrades", within(trades((4, 10, "BUY", "LONG", "0.010", "65000", "0", 500))))
    stub.answer("GET v1/order", names(o10="op00a7k203E01"))
    for _ in range(3):
        assert binance.fills(NOON - HOUR)[0].client_order_id == "op00a7k203E01"
    assert len(stub.to("GET v1/order")) == 1


def test_many_names_are_asked_for_at_once_and_older_orders_by_themselves(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.26", 9, 500))))
    stub.answer("GET v1/userTrades", within(trades(
        *((n, 100 + n, "BUY", "LONG", "0.001", "65000", "0", 500 - n) for n in range(8))
    )))  # fmt: skip
    stub.answer(
        "GET v1/allOrders", [{**payload("order"), "orderId": 100 + n, "clientOrderId": f"web_{n}"} for n in range(7)]
    )
    stub.answer("GET v1/order", names(o107="from_long_ago"))
    assert [fill.client_order_id for fill in binance.fills(NOON - HOUR)] == [
        *(f"web_{n}" for n in range(7)),
        "from_long_ago",
    ]
    assert (len(stub.to("GET v1/allOrders")), len(stub.to("GET v1/order"))) == (1, 1)


def test_in_one_way_mode_the_side_of_a_fill_follows_from_its_meaning_or_its_profit(
    one_way: BinanceClient, stub: Stub
) -> None:
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.26", 9, 500))))
    stub.answer("GET v1/userTrades", within(trades(
        (1, 10, "SELL", "BOTH", "0.010", "65000", "0", 500), (2, 11, "BUY", "BOTH", "0.010", "64000", "10", 400),
        (3, 12, "SELL", "BOTH", "0.010", "64000", "-1", 300),
    )))  # fmt: skip
    stub.answer("GET v1/order", names(o10="op00a7k203E01", o11="op00a7k203T01", o12="web_1"))
    assert [fill.position_side for fill in one_way.fills(NOON - HOUR)] == [Side.SHORT, Side.SHORT, Side.LONG]


def test_a_fee_in_another_currency_is_told_in_usdt_at_the_price_of_its_minute(
    binance: BinanceClient, stub: Stub
) -> None:
    row = {
        **trades((4, 10, "BUY", "LONG", "0.010", "65000", "0", 90))[0],
        "commission": "0.0004",
        "commissionAsset": "BNB",
    }
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.0004", 9, 90))))
    stub.answer("GET v1/userTrades", [row])
    stub.answer("GET v1/order", names())
    stub.answer("GET v1/klines", [[STAMP - 120_000, "600", "610", "590", "650", "1", STAMP - 60_001]])
    assert [binance.fills(NOON - HOUR)[0].fee for _ in range(2)] == [D("-0.2600")] * 2
    assert stub.only("GET v1/klines").parameters == {
        "symbol": "BNBUSDT", "interval": "1m", "limit": "1", "startTime": str(STAMP - 120_000),
        "endTime": str(STAMP - 60_000),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bars", "fee"), [(refused(-1121, "Invalid symbol."), D("-0.5")), ([], None), (refused(-1016), None)]
)
def test_a_currency_without_a_price(binance: BinanceClient, stub: Stub, bars: Any, fee: Any) -> None:
    row = {**payload("user_trades")[0], "commission": "0.5", "commissionAsset": "BNFCR"}
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.5", 9, 90))))
    stub.answer("GET v1/userTrades", [row])
    stub.answer("GET v1/order", names())
    stub.answer("GET v1/klines", bars)
    if fee is None:
        with pytest.raises(Unavailable):
            binance.fills(NOON - HOUR)
    else:
        assert binance.fills(NOON - HOUR)[0].fee == fee


@pytest.mark.parametrize("changes", [{"commission": None, "commissionAsset": None}, {"commission": "0"}])
def test_no_fee(binance: BinanceClient, stub: Stub, changes: Any) -> None:
    stub.answer("GET v1/income", within(income(("REALIZED_PNL", "BTCUSDT", "1", 9, 90))))
    stub.answer("GET v1/userTrades", [{**payload("user_trades")[0], **changes}])
    stub.answer("GET v1/order", names())
    assert binance.fills(NOON - HOUR)[0].fee == 0


def test_a_contract_that_is_gone_is_left_out(
    binance: BinanceClient, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answer("GET v1/income", within(income(("COMMISSION", "OLDUSDT", "-0.26", 9, 500))))
    stub.answer("GET v1/userTrades", refused(-1121, "Invalid symbol."))
    assert binance.fills(NOON - HOUR) == []
    assert "OLDUSDT" in caplog.text


# -- funding


def test_funding(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/income", within(income(
        ("FUNDING_FEE", "BTCUSDT", "-0.065", 21, 600), ("FUNDING_FEE", "ETHUSDT", "0.2", 22, 300),
        ("COMMISSION", "BTCUSDT", "-1", 21, 600), ("FUNDING_FEE", "BTCUSD_PERP", "1", 23, 200),
    )))  # fmt: skip
    paid = binance.funding(NOON - HOUR)
    assert [(f.symbol, f.amount, f.position_side, f.exchange_id) for f in paid] == [
        (BTC, D("-0.065"), None, "21"), ("ETH-USDT-PERP", D("0.2"), None, "22"),
    ]  # fmt: skip
    assert len(binance.funding(NOON - HOUR, NOON - timedelta(seconds=400))) == 1


def test_fills_funding_and_lives_share_one_reading_of_the_income(
    binance: BinanceClient, stub: Stub, clock: Time
) -> None:
    stub.answer("GET v1/income", [])
    for read in (binance.fills, binance.funding, binance.closed_positions):
        assert read(NOON - HOUR) == []
    assert len(stub.to("GET v1/income")) == 1
    clock.passed = 6.0
    binance.funding(NOON - HOUR)
    assert len(stub.to("GET v1/income")) == 2


# -- journal


@dataclass(frozen=True)
class Fact:
    at: datetime
    key: int


class World:
    """A list of facts that answers like an exchange: `most` at once, and no span of more than a week."""

    def __init__(self, facts: Any, most: Any = 10, newest_first: Any = False) -> None:
        self.facts, self.most, self.newest_first, self.asked = facts, most, newest_first, 0

    def page(self, begin: Any, end: Any) -> Any:
        assert end - begin <= WINDOW
        self.asked += 1
        found = sorted((f for f in self.facts if begin <= f.at <= end), key=lambda f: (f.at, f.key))
        return found[-self.most :] if self.newest_first else found[: self.most]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_a_journal_knows_everything_whatever_end_is_cut(seed: Any, newest_first: Any) -> None:
    dice = random.Random(seed)
    facts = [Fact(NOON - timedelta(minutes=dice.randrange(60 * 24 * 40)), n) for n in range(200)]
    world, journal = World(facts, newest_first=newest_first), GrowingList[Fact](most=10, overlap=timedelta(minutes=1))
    for _ in range(4):
        since = NOON - timedelta(hours=dice.randrange(1, 24 * 40))
        now = NOON + timedelta(days=dice.choice((0, 0, 1, 9, 30)))
        journal.reach(world.page, since, now)
        assert [f.key for f in journal.known(since)] == [
            f.key for f in sorted(facts, key=lambda f: (f.at, f.key)) if f.at >= since
        ]


def test_what_was_read_is_not_read_again() -> None:
    world, journal = World([Fact(NOON - DAY, 1)]), GrowingList[Fact](most=10, overlap=timedelta(minutes=1))
    journal.reach(world.page, NOON - 20 * DAY, NOON)
    before = world.asked
    journal.reach(world.page, NOON - 15 * DAY, NOON, NOON - 10 * DAY)
    assert world.asked == before
    journal.reach(world.page, NOON - 15 * DAY, NOON)
    assert world.asked == before + 1


def test_a_fact_that_is_told_late_is_not_missed() -> None:
    world, journal = World([]), GrowingList[Fact](most=10, overlap=timedelta(minutes=1))
    journal.reach(world.page, NOON - HOUR, NOON)
    world.facts.append(Fact(NOON - timedelta(seconds=30), 1))
    journal.reach(world.page, NOON - HOUR, NOON + timedelta(seconds=5))
    assert len(journal.known()) == 1


def test_a_reading_that_breaks_off_goes_on_where_it_was() -> None:
    world, journal = World([Fact(NOON - 30 * DAY, 1)]), GrowingList[Fact](most=10, overlap=timedelta(minutes=1))

    def breaks(begin: Any, end: Any) -> Any:
        if world.asked == 2:
            raise Unavailable("enough")
        return world.page(begin, end)

    with pytest.raises(Unavailable):
        journal.reach(breaks, NOON - 40 * DAY, NOON)
    world.asked = 0
    journal.reach(world.page, NOON - 40 * DAY, NOON)
    assert len(journal.known()) == 1
    assert world.asked == 1 + 4


def test_nothing_is_asked_for_that_is_not_kept() -> None:
    world, journal = World([]), GrowingList[Fact](most=10, overlap=timedelta(minutes=1))
    journal.reach(world.page, NOON - 400 * DAY, NOON)
    assert journal.begins == NOON - KEPT_FOR
    assert world.asked == -(-(KEPT_FOR + AHEAD) // WINDOW)


# -- lives


def trade(
    number: Any,
    side: Side,
    quantity: Any,
    price: Any,
    profit: Any = "0",
    leg: Any = Side.LONG,
    fee: Any = "-1",
    minutes: Any = None,
) -> Any:
    return Trade(
        id=number, order_id=str(number), symbol=BTC, side=OrderSide(side), position_side=leg,
        quantity=Contracts(D(quantity)), price=Price(D(price)), fee=D(fee), realised_pnl=D(profit), maker=False,
        at=NOON + timedelta(minutes=number if minutes is None else minutes),
    )  # fmt: skip


def test_a_life_from_the_first_contract_to_flat() -> None:
    leg = fold([trade(1, "buy", 1, 100), trade(2, "buy", 3, 104), trade(3, "sell", 4, 110, "28")], Side.LONG, D(0))
    (life,) = leg.lives
    assert (life.opened_at, life.ended_at) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert (life.largest, life.opened, life.closed, life.average) == (4, 4, 4, 103)
    assert (life.pnl, life.fees, life.whole, leg.current) == (28, -3, True, None)


def test_one_that_is_held_on() -> None:
    leg = fold([trade(1, "sell", 2, 100, leg=Side.SHORT), trade(2, "buy", 1, 90, "10", Side.SHORT)], Side.SHORT, D(-1))
    assert leg.current is leg.lives[0]
    assert (leg.current.side, leg.current.size, leg.current.average) == (Side.SHORT, 1, 100)


def test_in_one_way_mode_an_order_may_end_one_life_and_begin_the_next() -> None:
    leg = fold([trade(1, "buy", 1, 100, leg=None), trade(2, "sell", 3, 90, "-10", None, "-3")], None, D(-2))
    first, second = leg.lives
    assert (first.side, first.pnl, first.fees, first.ended_at) == (Side.LONG, -10, -2, second.opened_at)
    assert (second.side, second.size, second.average, second.fees) == (Side.SHORT, 2, 90, -2)


def test_one_that_began_before_what_is_known() -> None:
    leg = fold(
        [trade(2, "sell", 1, 110, "10"), trade(3, "sell", 1, 110, "10"), trade(4, "buy", 5, 100)], Side.LONG, D(5)
    )
    old, new = leg.lives
    assert (old.whole, old.closed, old.largest) == (False, 2, 2)
    assert (new.whole, new.size) == (True, 5)


@pytest.mark.parametrize(("listed", "held"), [
    ([trade(1, "sell", 1, 100)], 0), ([trade(1, "buy", 1, 100), trade(2, "sell", 1, 100)], -1), ([], 1),
    ([trade(1, "buy", 3, 100)], 2),
])  # fmt: skip
def test_executions_that_do_not_lead_to_what_is_held(listed: Any, held: Any) -> None:
    if (len(listed), held) == (1, 0):  # sold one and nothing is held: one was held before, which may well be
        assert not fold(listed, Side.LONG, D(held)).lives[0].whole
        return
    with pytest.raises(HistoryMismatch):
        fold(listed, Side.LONG, D(held))


@pytest.mark.parametrize("seed", range(50))
def test_folding_forward_gives_what_was_done(seed: Any) -> None:
    """Random lives of one leg: sizes, money and number of lives come out as they went in, from any start."""
    dice, size, listed, lives, pnl = random.Random(seed), D(0), [], 0, D(0)
    for number in range(1, 60):
        if size and dice.random() < 0.5:
            quantity = min(size, D(dice.randrange(1, 6)))
            profit = D(dice.randrange(-9, 9))
            listed.append(trade(number, "sell", quantity, 100, str(profit)))
            size, pnl = size - quantity, pnl + profit
        else:
            lives += not size
            quantity = D(dice.randrange(1, 6))
            listed.append(trade(number, "buy", quantity, 100))
            size += quantity
    leg = fold(listed, Side.LONG, size)
    assert (len(leg.lives), sum(life.pnl for life in leg.lives)) == (lives, pnl)
    assert all(life.whole for life in leg.lives)
    assert sum(life.fees for life in leg.lives) == -len(listed)
    assert all(life.opened == life.closed + life.size for life in leg.lives)
    cut = dice.randrange(len(listed))
    rest = fold(listed[cut:], Side.LONG, size)
    assert [life.opened_at for life in rest.lives if life.whole] == [
        life.opened_at for life in leg.lives if life.opened_at >= listed[cut].at
    ]  # fmt: skip


def paid(amount: Any, minutes: Any, kind: Any = "FUNDING_FEE", number: Any = 1) -> Any:
    return Income(kind, "BTCUSDT", D(amount), NOON + timedelta(minutes=minutes), str(number))


def test_funding_of_a_life() -> None:
    leg = fold([trade(1, "buy", 2, 100), trade(5, "sell", 2, 100)], Side.LONG, D(0))
    listed = [paid("-9", 1), paid("-1", 2, number=2), paid("-1", 4, number=3), paid("-9", 6, number=4)]
    assert funding_of(leg.lives[0], [leg], listed) == -2


def test_long_and_short_pay_each_other() -> None:
    long = fold([trade(1, "buy", 3, 100)], Side.LONG, D(3))
    short = fold([trade(1, "sell", 1, 100, leg=Side.SHORT)], Side.SHORT, D(-1))
    listed = [paid("-3", 5), paid("1", 5, number=2)]
    assert funding_of(long.lives[0], [long, short], listed) == -3
    assert funding_of(short.lives[0], [long, short], listed) == 1


@pytest.mark.parametrize(("origin", "over", "meant"), [
    ("order", True, LastClose.FULL), ("order", False, LastClose.PARTIAL), ("liquidation", True, LastClose.LIQUIDATED),
    ("liquidation", False, LastClose.LIQUIDATED_IN_PART), ("deleveraging", True, LastClose.DELEVERAGED),
    ("deleveraging", False, LastClose.DELEVERAGED_IN_PART),
])  # fmt: skip
def test_a_life_as_the_history_shows_it(origin: Any, over: Any, meant: Any) -> None:
    closed = "2" if over else "1"
    leg = fold([trade(1, "buy", 2, 100), trade(5, "sell", closed, 90, "-20")], Side.LONG, D(2) - D(closed))
    told = closed_position(leg.lives[0], [leg], [paid("-1", 2), paid("-4", 5, "INSURANCE_CLEAR", 2)], origin, D(10))
    assert (told.last_close, told.updated_at, told.closed) == (meant, NOON + timedelta(minutes=5), D(closed))
    assert (told.average_entry, told.average_exit, told.largest) == (100, 90, 2)
    assert (told.pnl, told.fees, told.funding, told.penalty) == (-20, -2, -1, -4)
    assert (told.realised, told.leverage) == (-27, 10)


def test_closed_positions(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/income", within(income(
        ("COMMISSION", "BTCUSDT", "-0.26", 9, 5000), ("FUNDING_FEE", "BTCUSDT", "-0.1", 3, 4500),
    )))  # fmt: skip
    stub.answer("GET v1/userTrades", within(trades(
        (1, 10, "BUY", "LONG", "0.020", "60000", "0", 5000), (2, 11, "SELL", "LONG", "0.020", "61000", "20", 4000),
        (3, 12, "BUY", "LONG", "0.015", "65000", "0", 3000), (4, 13, "SELL", "LONG", "0.005", "66000", "5", 100),
    )))  # fmt: skip
    stub.answer("GET v1/order", names(o11="autoclose-9"))
    stub.answer("GET v3/positionRisk", payload("position_risk")[:1])
    first, second = binance.closed_positions(NOON - 2 * HOUR)
    assert first.life == f"BTC-USDT-PERP:LONG@{STAMP - 5000_000}"
    assert (first.last_close, first.pnl, first.funding) == (LastClose.LIQUIDATED, 20, D("-0.1"))
    assert first.realised == D("20") - D("0.52") - D("0.1")
    assert (second.last_close, second.closed, second.largest) == (LastClose.PARTIAL, D("0.005"), D("0.015"))
    assert binance.positions()[0].life == second.life
    assert binance.closed_positions(NOON - 2 * HOUR, NOON - HOUR) == [first]
    assert binance.closed_positions(NOON - HOUR) == [second]


def test_lives_while_the_position_moves_are_read_again(binance: BinanceClient, stub: Stub) -> None:
    """Sold between the two readings: what is held and what was executed do not belong together at first."""
    bought = (3, 12, "BUY", "LONG", "0.020", "65000", "0", 3000), (4, 13, "SELL", "LONG", "0.005", "66000", "5", 100)
    stub.answer("GET v1/income", within(income(("COMMISSION", "BTCUSDT", "-0.26", 9, 3000))))
    stub.answer(
        "GET v1/userTrades", trades(*bought), trades(*bought, (5, 14, "SELL", "LONG", "0.005", "66000", "5", 1))
    )
    stub.answer("GET v1/order", names())
    held = [{**payload("position_risk")[0], "positionAmt": size} for size in ("0.015", "0.010", "0.010")]
    stub.answer("GET v3/positionRisk", *([row] for row in held))
    (told,) = binance.closed_positions(NOON - HOUR)
    assert (told.closed, told.opened_at) == (D("0.010"), NOON - timedelta(seconds=3000))
