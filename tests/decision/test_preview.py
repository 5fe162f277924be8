"""What a draft comes to: sizes, levels, fees and the worst case, and one clear sentence for everything wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.decision.preview.preview import OrderTerms, Preview, PreviewContext, entry_price, preview
from core.domain.instrument import Instrument, Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Limits, Target
from core.domain.money import Contracts, Price
from core.domain.observation import Ticker

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
D = Decimal
BTC = Instrument(
    symbol="BTC-USDT-PERP",
    exchange_symbol="BTC-USDT-SWAP",
    base="BTC",
    quote="USDT",
    settle="USDT",
    contract_value=D("0.01"),
    price_tick=D("0.1"),
    quantity_step=D("0.01"),
    min_quantity=Contracts(D("0.01")),
    max_market_quantity=Contracts(D("12000")),
    max_limit_quantity=Contracts(D("100000")),
    min_notional=D(0),
    max_leverage=D(100),
)
TICKER = Ticker("BTC-USDT-PERP", Price(D("100000")), Price(D("99999.9")), Price(D("100000")), Price(D("100000")), NOW)
FREE = D(10_000)


def shown(*, ground: PreviewContext | None = None, limits: Limits | None = None, **changes: object) -> Preview:
    """The preview of a 1,000 USDT 10x long with +50 and -100, but for `changes`."""
    terms = {
        "side": Side.LONG,
        "position_value": D(1000),
        "leverage": D(10),
        "take_profit": Target(pnl_usdt=D(50)),
        "stop_loss": Target(pnl_usdt=D(-100)),
        "entry": ExecutionStyle(),
    }
    asked = OrderTerms(**{**terms, **changes})  # type: ignore[arg-type]
    return preview(asked, ground or PreviewContext(BTC, TICKER, FREE, FREE, NOW), limits or Limits())


def test_the_story_of_the_first_trade() -> None:
    it = shown()
    assert (it.contracts, it.coins, it.notional, it.margin) == (D(1), D("0.01"), D(1000), D(100))
    assert (it.take_profit_price, it.take_profit_pnl) == (D(105000), D(50))
    assert (it.stop_loss_price, it.stop_loss_pnl) == (D(90000), D(-100))
    assert (it.fee_open, it.fee_close) == (D("-0.5"), D("-0.45"))
    assert it.worst_loss == D("-100.95")
    assert it.problems == ()


def test_a_short_is_the_mirror_image_at_the_bid() -> None:
    it = shown(side=Side.SHORT)
    assert it.entry_price == D("99999.9")
    assert it.take_profit_price is not None
    assert it.stop_loss_price is not None
    assert it.take_profit_price < it.entry_price < it.stop_loss_price
    assert it.stop_loss_pnl is not None
    assert it.stop_loss_pnl >= D(-100), "a stop is rounded so that it loses no more than was asked"


def test_a_size_is_rounded_down_to_whole_steps() -> None:
    assert shown(position_value=D("1019")).contracts == D("1.01")


def test_liquidation_is_estimated_from_the_free_balance() -> None:
    small = PreviewContext(BTC, TICKER, D(200), D(200), NOW)
    it = shown(ground=small, stop_loss=Target(pnl_usdt=D(-190)))
    # 0.01 BTC at 100,000 with 200 USDT behind it, kept margin and fee 0.55 %: (1000 - 200) / (0.01 * 0.9945)
    assert it.liquidation_price == D("80442.5")
    assert any("beyond the estimated liquidation" not in str(note) for note in it.notes)
    assert shown().liquidation_price is None, "10,000 USDT behind 1,000: a price of zero would not liquidate it"


OLD = PreviewContext(
    BTC, Ticker("BTC-USDT-PERP", *[Price(D(100000))] * 4, NOW - timedelta(seconds=60)), FREE, FREE, NOW
)
LIMIT = ExecutionKind.LIMIT
WRONG = {
    "below the minimum": ({"position_value": D(9)}, "position value 9 USDT is too small: 10.00 USDT (0.01 contracts)"),
    "empty value": ({"position_value": D(0)}, "position value 0 USDT is too small"),
    "above the maximum": (
        {"position_value": D(12_100_000), "leverage": D(100)},
        "is too large: 10.00 to 12,000,000.00",
    ),
    "leverage of zero": ({"leverage": D(0)}, "leverage 0 is out of range: 1 to 100 is allowed"),
    "leverage above the contract's": ({"leverage": D(101)}, "leverage 101 is out of range: 1 to 100 is allowed"),
    "more margin than is free": ({"position_value": D(200_000)}, "of margin and fee: 10,000.00 USDT is free"),
    "stop above a long": (
        {"stop_loss": Target(price=Price(D(101000)))},
        "stop-loss 101000 is on the wrong side: below",
    ),
    "stop with a profit": ({"stop_loss": Target(pnl_usdt=D(5))}, "stop-loss 5 USDT is not a loss: below 0 USDT"),
    "stop beyond a price of zero": ({"stop_loss": Target(pnl_usdt=D(-1000))}, "it must stay above 0"),
    "target below a long": (
        {"take_profit": Target(price=Price(D(99000)))},
        "take-profit 99000 is on the wrong side: above 100000 is allowed for a long",
    ),
    "target with a loss": ({"take_profit": Target(percent=D(-1))}, "take-profit -1 % is not a profit: above 0 %"),
    "limit without a price": ({"entry": ExecutionStyle(LIMIT)}, "limit price is empty"),
    "limit between ticks": (
        {"entry": ExecutionStyle(LIMIT, Price(D("99000.05")))},
        "limit price must be a multiple of 0.1",
    ),
    "limit far away": ({"entry": ExecutionStyle(LIMIT, Price(D(90000)))}, "limit price 90000 is 10.0% away"),
    "time-out of nothing": (
        {"entry": ExecutionStyle(LIMIT, Price(D(99000)), timedelta(milliseconds=1))},
        "time-out",
    ),
    "a TWAP without an end": ({"entry": ExecutionStyle(ExecutionKind.TWAP, slices=5)}, "duration must be given"),
    "more slices than seconds": (
        {"entry": ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=20), slices=50)},
        "slices must be 20 or fewer in 20 s",
    ),
    "an iceberg far away": (
        {"entry": ExecutionStyle(ExecutionKind.ICEBERG, Price(D(90000)), visible=D("0.2"))},
        "limit price 90000 is 10.0% away",
    ),
    "an iceberg that shows nothing": (
        {"entry": ExecutionStyle(ExecutionKind.ICEBERG, visible=D(0))},
        "visible share must be 0.01 to 1",
    ),
    "a stale price": ({"ground": OLD}, "no fresh price: the last is 60 s old"),
    "no price": ({"ground": PreviewContext(BTC, None, FREE, FREE, NOW)}, "has no price yet"),
    "above one's own limit": ({"limits": Limits(max_order_value=D(500))}, "is above your limit: 500.00 USDT at most"),
    "above one's own leverage": ({"limits": Limits(max_leverage=D(5))}, "leverage 10 is out of range: 1 to 5"),
}


@pytest.mark.parametrize("story", WRONG)
def test_what_is_wrong_is_said_with_the_field_the_value_and_what_is_allowed(story: str) -> None:
    changes, words = WRONG[story]
    problems = shown(**changes).problems  # type: ignore[arg-type]
    assert any(words in str(problem) for problem in problems), problems


def test_bad_numbers_never_raise() -> None:
    for value in (D(-1), D(0), D("1e-30"), D("1e30")):
        for leverage in (D(-1), D(0), D("1e9")):
            assert shown(position_value=value, leverage=leverage).problems


def test_the_smallest_value_that_is_named_is_one_that_is_taken() -> None:
    odd = Ticker("BTC-USDT-PERP", *[Price(D("100415"))] * 4, NOW)
    ground = PreviewContext(BTC, odd, FREE, FREE, NOW)
    assert any(
        "10.05 USDT (0.01 contracts)" in str(words) for words in shown(ground=ground, position_value=D(1)).problems
    )
    assert shown(ground=ground, position_value=D("10.05"), take_profit=None, stop_loss=None).problems == ()


@pytest.mark.parametrize(
    ("equity", "limits", "most"),
    [
        (D(10_000), Limits(), None),
        (D(300), Limits(), "90.00"),
        (None, Limits(), None),
        (D(10_000), Limits(risk_per_trade_pct=D("0.005")), "50.00"),
        (D(10_000), Limits(risk_per_trade_cap=D("100.94")), "100.94"),
        (D(300), Limits(risk_per_trade_pct=None), None),
        (D(300), Limits(risk_per_trade_pct=None, risk_per_trade_cap=None), None),
    ],
)
def test_a_trade_may_lose_a_share_of_the_equity_at_its_stop_and_never_more_than_the_cap(
    equity: Decimal | None, limits: Limits, most: str | None
) -> None:
    told = tuple(map(str, shown(ground=PreviewContext(BTC, TICKER, FREE, equity, NOW), limits=limits).problems))
    words = f"stop-loss would lose 100.95 USDT with fees: one trade may lose {most} USDT at most, by the settings"
    assert told == (() if most is None else (words,))


def test_a_large_position_with_a_far_stop_is_refused_as_it_is_set_up() -> None:
    told = tuple(map(str, shown(position_value=D(9000), stop_loss=Target(pnl_usdt=D(-700))).problems))
    assert told == (
        "stop-loss would lose 708.64 USDT with fees: one trade may lose 600.00 USDT at most, by the settings",
    )


@pytest.mark.parametrize(
    ("entry", "side", "price"),
    [
        (ExecutionStyle(ExecutionKind.TWAP), Side.LONG, D(100000)),
        (ExecutionStyle(ExecutionKind.TWAP), Side.SHORT, D("99999.9")),
        (ExecutionStyle(ExecutionKind.ICEBERG), Side.LONG, D("99999.9")),
        (ExecutionStyle(ExecutionKind.ICEBERG), Side.SHORT, D(100000)),
        (ExecutionStyle(ExecutionKind.ICEBERG, Price(D(99500))), Side.LONG, D(99500)),
        (ExecutionStyle(LIMIT, Price(D(99500))), Side.LONG, D(99500)),
    ],
)
def test_a_twap_is_reckoned_at_market_and_an_iceberg_where_it_rests(
    entry: ExecutionStyle, side: Side, price: Decimal
) -> None:
    terms = OrderTerms(side, D(1000), D(10), None, None, entry)
    assert entry_price(terms, TICKER) == price


def test_a_sliced_entry_may_be_larger_than_one_order() -> None:
    rich = PreviewContext(BTC, TICKER, D(10**6), D(10**7), NOW)
    twap = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(hours=1), slices=10)
    few = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(hours=1), slices=2, randomness=D("0.5"))
    large, said = D(19_000_000), []
    for entry in (ExecutionStyle(), twap, few):
        found = shown(ground=rich, position_value=large, leverage=D(100), entry=entry, stop_loss=None).problems
        said.append([str(words).split(" must")[0].split(" USDT")[0] for words in found])
    assert said == [["position value 19000000"], [], ["slices"]]
