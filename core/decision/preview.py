"""What an order would come to, before it is asked for: size, levels, fees, the worst case, and what is wrong.

Pure arithmetic on one price. Every problem is a sentence that names the field, the value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from core.decision.sizing import loss_at
from core.domain.instrument import Instrument, Side
from core.domain.intent import EntryKind, EntryStyle, Limits, Target
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.seen import Ticker

STALE_AFTER = timedelta(seconds=15)  #: a price older than this opens nothing
LONGEST_TIMEOUT = timedelta(days=30)
LARGEST = Decimal(10) ** 12  #: no amount of USDT, price or multiple is larger; arithmetic stays exact below it


@dataclass(frozen=True, slots=True)
class Ground:
    """What a preview is computed from. Money in USDT."""

    instrument: Instrument
    ticker: Ticker | None
    available: Decimal | None  #: free for new positions; None: not known
    equity: Decimal | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a position that somebody thinks of opening."""

    side: Side
    position_value: Decimal
    leverage: Decimal
    take_profit: Target | None
    stop_loss: Target | None
    entry: EntryStyle


@dataclass(frozen=True, slots=True)
class Preview:
    """What it comes to. Money in USDT; fees and losses carry their minus."""

    entry_price: Decimal  #: zero where no price is known
    contracts: Decimal
    coins: Decimal
    notional: Decimal
    margin: Decimal
    take_profit_price: Decimal | None
    stop_loss_price: Decimal | None
    take_profit_pnl: Decimal | None
    stop_loss_pnl: Decimal | None
    fee_open: Decimal
    fee_close: Decimal
    worst_loss: Decimal | None  #: the stop-loss and both fees, without slippage; None: nothing limits the loss
    liquidation_price: Decimal | None  #: an estimate; None: not reached before a price of zero
    price_as_of: datetime | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def preview(terms: Terms, ground: Ground, limits: Limits) -> Preview:
    """What `terms` come to at the newest price. Never raises for bad numbers: they are in `problems`."""
    rules, ticker = ground.instrument, ground.ticker
    absurd = tuple(_absurd(terms))
    if absurd:
        return nothing(absurd)
    price = _entry_price(terms, ticker)
    contracts = (
        rules.contracts_for(terms.position_value, price) if price > 0 and terms.position_value > 0 else NONE_HELD
    )
    notional = rules.notional(contracts, price)
    margin = notional / terms.leverage if terms.leverage > 0 else ZERO
    target = _level(terms.take_profit, terms.side, rules, price, contracts)
    stop = _level(terms.stop_loss, terms.side, rules, price, contracts)
    fee_open = -notional * rules.taker_fee
    at_stop = stop if stop is not None and stop > 0 else price
    fee_close = -rules.notional(contracts, at_stop) * rules.taker_fee
    stop_pnl = None if stop is None else rules.pnl(terms.side, contracts, price, stop)
    free = ground.available
    liquidation = liquidation_price(rules, terms.side, contracts, price, free) if free is not None else None
    return Preview(
        entry_price=price,
        contracts=contracts,
        coins=contracts * rules.contract_value,
        notional=notional,
        margin=margin,
        take_profit_price=target,
        stop_loss_price=stop,
        take_profit_pnl=None if target is None else rules.pnl(terms.side, contracts, price, target),
        stop_loss_pnl=stop_pnl,
        fee_open=fee_open,
        fee_close=fee_close,
        worst_loss=None if stop_pnl is None else stop_pnl + fee_open + fee_close,
        liquidation_price=liquidation,
        price_as_of=ticker.at if ticker else None,
        problems=tuple(_problems(terms, ground, limits, price, contracts, notional, margin)),
        notes=tuple(_notes(terms, rules, stop, liquidation)),
    )


def nothing(problems: tuple[str, ...]) -> Preview:
    """A preview of which nothing can be told but what is wrong."""
    return Preview(
        entry_price=ZERO,
        contracts=ZERO,
        coins=ZERO,
        notional=ZERO,
        margin=ZERO,
        take_profit_price=None,
        stop_loss_price=None,
        take_profit_pnl=None,
        stop_loss_pnl=None,
        fee_open=ZERO,
        fee_close=ZERO,
        worst_loss=None,
        liquidation_price=None,
        price_as_of=None,
        problems=problems,
        notes=(),
    )


def liquidation_price(
    rules: Instrument, side: Side, contracts: Decimal, entry: Decimal, free: Decimal
) -> Decimal | None:
    """Where a cross-margin position would be liquidated with `free` USDT behind it, by the first margin tier.

    An estimate: other positions of the account move it. None where the price cannot get there.
    """
    coins = contracts * rules.contract_value
    if not coins or entry <= 0:
        return None
    kept = rules.maintenance_rate + rules.taker_fee
    at = (coins * entry - side.sign * free) / (coins * (1 - side.sign * kept))
    return rules.round_up(at) if at > 0 else None


def target_problems(
    name: str, target: Target | None, side: Side, rules: Instrument, average: Decimal, contracts: Decimal
) -> Iterator[str]:
    """What is wrong with a take-profit or stop-loss measured from `average`; `name` says which of the two."""
    if target is None or average <= 0 or not contracts:
        return
    stop = name == "stop-loss"
    amount = target.pnl_usdt if target.pnl_usdt is not None else target.percent
    unit = "USDT" if target.pnl_usdt is not None else "%"
    if amount is not None and (amount >= 0) is stop:
        yield f"{name} {amount:f} {unit} is not a {'loss: below' if stop else 'profit: above'} 0 {unit} is allowed"
        return
    level = _level(target, side, rules, average, contracts)
    assert level is not None
    if level <= 0:
        yield f"{name} {_given(target)} would lie at a price of {level:f}: it must stay above 0"
    elif (level - average) * side.sign * (-1 if stop else 1) <= 0:
        where = "below" if (side is Side.LONG) is stop else "above"
        yield f"{name} {_given(target)} is on the wrong side: {where} {average:f} is allowed for a {side}"


def passed_problem(name: str, level: Decimal | None, side: Side, price: Decimal) -> str:
    """Words, where `price` has gone through a level already; empty where it still waits."""
    if level is None:
        return ""
    gone = (price - level) * side.sign * (1 if name == "stop-loss" else -1) <= 0
    return (
        f"{name} {level:f} has been passed already: the price is {price:f}, it would be set off at once" if gone else ""
    )


# -- the parts of a preview -------------------------------------------------------------------------------


def _absurd(terms: Terms) -> Iterator[str]:
    """Numbers that nothing can be computed from."""
    numbers = {"position value": terms.position_value, "leverage": terms.leverage, "limit price": terms.entry.price}
    for name, target in (("take-profit", terms.take_profit), ("stop-loss", terms.stop_loss)):
        if target is not None:
            numbers[name] = next(n for n in (target.pnl_usdt, target.price, target.percent) if n is not None)
    for name, number in numbers.items():
        if number is not None and not (number.is_finite() and abs(number) <= LARGEST):
            yield f"{name} {number} is out of range: a number up to {LARGEST:,} is allowed"


def _entry_price(terms: Terms, ticker: Ticker | None) -> Price:
    if terms.entry.kind is EntryKind.LIMIT:
        return terms.entry.price or Price(ZERO)
    if ticker is None:
        return Price(ZERO)
    return ticker.ask if terms.side is Side.LONG else ticker.bid


def _level(
    target: Target | None, side: Side, rules: Instrument, price: Decimal, contracts: Contracts | Decimal
) -> Price | None:
    if target is None or (target.price is None and (price <= 0 or not contracts)):
        return None
    # stop_price and target_price round the same way, in the trader's favour
    return rules.stop_price(side, target.raw_price(rules, side, price, contracts))


def _problems(
    terms: Terms,
    ground: Ground,
    limits: Limits,
    price: Decimal,
    contracts: Contracts,
    notional: Decimal,
    margin: Decimal,
) -> Iterator[str]:
    rules, ticker = ground.instrument, ground.ticker
    if not rules.tradable:
        yield f"contract {rules.symbol} cannot be traded now: the exchange has it suspended or not started"
    if ticker is None:
        yield f"contract {rules.symbol} has no price yet: the bot has not heard one"
    elif ground.now - ticker.at > STALE_AFTER:
        age = int((ground.now - ticker.at).total_seconds())
        yield f"contract {rules.symbol} has no fresh price: the last is {age} s old, {STALE_AFTER.seconds} s at most"
    yield from _entry_problems(terms, rules, ticker, limits)
    if price <= 0:
        return
    yield from _size_problems(terms, ground, limits, price, contracts, notional, margin)
    for name, target in (("take-profit", terms.take_profit), ("stop-loss", terms.stop_loss)):
        wrong = list(target_problems(name, target, terms.side, rules, price, contracts))
        yield from wrong
        if not wrong and ticker is not None and terms.entry.kind is EntryKind.MARKET:
            words = passed_problem(name, _level(target, terms.side, rules, price, contracts), terms.side, ticker.mark)
            if words:
                yield words


def _size_problems(
    terms: Terms,
    ground: Ground,
    limits: Limits,
    price: Decimal,
    contracts: Contracts,
    notional: Decimal,
    margin: Decimal,
) -> Iterator[str]:
    rules, value = ground.instrument, terms.position_value
    least = max(rules.notional(rules.min_quantity, price), rules.min_notional)
    limit = terms.entry.kind is EntryKind.LIMIT
    most_contracts = rules.max_limit_quantity if limit else rules.max_market_quantity
    most = rules.notional(most_contracts, price)
    lowest, highest = _money(least.quantize(Decimal("0.01"), ROUND_CEILING)), _money(most)
    if contracts < rules.min_quantity or notional < rules.min_notional:
        yield (
            f"position value {value:f} USDT is too small: {lowest} USDT ({rules.min_quantity:f} contracts) "
            f"to {highest} USDT is allowed"
        )
    elif contracts > most_contracts:
        yield (
            f"position value {value:f} USDT is too large: {lowest} to {highest} USDT "
            f"({most_contracts:f} contracts in one {'limit' if limit else 'market'} order) is allowed"
        )
    highest_leverage = min(rules.max_leverage, limits.max_leverage or rules.max_leverage)
    if not 1 <= terms.leverage <= highest_leverage:
        yield f"leverage {terms.leverage:f} is out of range: 1 to {highest_leverage:f} is allowed for {rules.symbol}"
    elif ground.available is not None and margin + notional * rules.taker_fee > ground.available:
        needed = _money(margin + notional * rules.taker_fee)
        yield (
            f"position value {value:f} USDT at {terms.leverage:f}x needs {needed} USDT of margin and fee: "
            f"{_money(ground.available)} USDT is free"
        )
    if limits.max_order_value is not None and notional > limits.max_order_value:
        yield f"position value {value:f} USDT is above your limit: {_money(limits.max_order_value)} USDT at most"
    if limits.min_order_value is not None and notional < limits.min_order_value:
        yield f"position value {value:f} USDT is below your limit: {_money(limits.min_order_value)} USDT at least"
    yield from _risk_problems(terms, ground, limits, price, contracts)
    share = limits.max_position_value_pct
    if share is not None and ground.equity is not None and margin > ground.equity * share:
        most_margin = _money(ground.equity * share)
        yield (
            f"position value {value:f} USDT takes {_money(margin)} USDT of margin: "
            f"{most_margin} USDT ({share:.0%} of the equity) at most"
        )


def _risk_problems(terms: Terms, ground: Ground, limits: Limits, price: Decimal, contracts: Contracts) -> Iterator[str]:
    """Words, where the stop would cost more than one trade may; without a stop a note says what that means."""
    stop = _level(terms.stop_loss, terms.side, ground.instrument, price, contracts)
    most = limits.most_risk(ground.equity)
    if stop is None or stop <= 0 or most is None:
        return
    lost = loss_at(ground.instrument, terms.side, contracts, price, stop)
    if lost > most:
        yield (
            f"stop-loss would lose {_money(lost)} USDT with fees: one trade may lose {_money(most)} USDT at most, "
            "by the settings"
        )


def _entry_problems(terms: Terms, rules: Instrument, ticker: Ticker | None, limits: Limits) -> Iterator[str]:
    if terms.entry.kind is not EntryKind.LIMIT:
        return
    price, timeout = terms.entry.price, terms.entry.timeout
    if price is None or price <= 0:
        yield "limit price is empty: a price above 0 is allowed"
        return
    if price % rules.price_tick:
        yield f"limit price {price:f} is between two ticks: a multiple of {rules.price_tick:f} is allowed"
    if ticker is not None and abs(price / ticker.mark - 1) > limits.max_price_deviation:
        lowest = rules.round_up(ticker.mark * (1 - limits.max_price_deviation))
        highest = rules.round_down(ticker.mark * (1 + limits.max_price_deviation))
        yield (
            f"limit price {price:f} is {abs(price / ticker.mark - 1):.1%} away from the mark price: "
            f"{lowest:f} to {highest:f} is allowed"
        )
    if timeout is not None and not timedelta(seconds=1) <= timeout <= LONGEST_TIMEOUT:
        minutes = timeout.total_seconds() / 60
        yield f"time-out {minutes:g} minutes is out of range: 1 second to {LONGEST_TIMEOUT.days} days is allowed"


def _notes(terms: Terms, rules: Instrument, stop: Decimal | None, liquidation: Decimal | None) -> Iterator[str]:
    if terms.stop_loss is None:
        yield "Without a stop-loss nothing limits the loss but the liquidation."
    if stop is not None and liquidation is not None and (stop - liquidation) * terms.side.sign <= 0:
        yield f"The stop-loss lies beyond the estimated liquidation at {liquidation:f}: the exchange would close first."
    step, each = rules.quantity_step, rules.contract_value
    yield f"Sizes are rounded down to whole steps of {step:f} contracts of {each:f} {rules.base}."


def _given(target: Target) -> str:
    if target.price is not None:
        return f"{target.price:f}"
    return f"{target.pnl_usdt:f} USDT" if target.pnl_usdt is not None else f"{target.percent:f} %"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
