"""Previews an order: size, levels, fees, the worst case, and what is wrong.

Pure arithmetic on one price. Every problem names the field, the value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from core.decision.preview.sizing import loss_at
from core.decision.proposal import Proposal
from core.decision.risk_control import ExecutionRiskControl
from core.domain.instrument import Instrument, Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Limits, Target
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.observation import Ticker
from core.domain.order import Leg, Purpose
from core.domain.reason import Reason
from core.domain.risk_result import CheckName, Verdict
from core.execution.limits import problems_of

STALE_AFTER = timedelta(seconds=15)  #: a price older than this opens nothing
VALUE, LEVERAGE = Reason("field.position_value"), Reason("field.leverage")
CONTRACT, LIMIT_PRICE = Reason("field.contract"), Reason("field.limit_price")
FIELDS = {Leg.TAKE_PROFIT: Reason("field.take_profit"), Leg.STOP_LOSS: Reason("field.stop_loss")}
LARGEST = Decimal(10) ** 12  #: no amount of USDT, price or multiple is larger; arithmetic stays exact below it


@dataclass(frozen=True, slots=True)
class PreviewContext:
    """What a preview is computed from. Money in USDT."""

    instrument: Instrument
    ticker: Ticker | None
    available: Decimal | None  #: free for new positions; None: not known
    equity: Decimal | None
    now: datetime
    held: Decimal = ZERO  #: value of what the same position holds already
    day_start: Decimal | None = None  #: equity when the day began
    open_parts: int = 0  #: of the account


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """The terms of a position that may be opened."""

    side: Side
    position_value: Decimal
    leverage: Decimal
    take_profit: Target | None
    stop_loss: Target | None
    entry: ExecutionStyle


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of an order. Money in USDT; fees and losses carry their minus."""

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
    problems: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    verdict: Verdict | None = None  #: of the risk control; None: there is nothing it could be asked about


def preview(terms: OrderTerms, ground: PreviewContext, limits: Limits) -> Preview:
    """Return what `terms` would cost and bring at the newest price. Never raises for bad numbers: they are in
    `problems`.
    """
    rules, ticker = ground.instrument, ground.ticker
    absurd = tuple(_absurd(terms))
    if absurd:
        return nothing(absurd)
    price = entry_price(terms, ticker)
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
    verdict = _judged(terms, ground, limits, price, contracts) if price > 0 else None
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
        problems=tuple(_problems(terms, ground, limits, price, contracts, notional, verdict)),
        notes=tuple(_notes(terms, rules, stop, liquidation)),
        verdict=verdict,
    )


def nothing(problems: tuple[Reason, ...]) -> Preview:
    """Return an empty preview with what is wrong."""
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
    """Return the price at which a cross-margin position would be liquidated with `free` USDT behind it, by the first
    margin tier.

    An estimate: other positions of the account move it. None where the price cannot get there.
    """
    coins = contracts * rules.contract_value
    if not coins or entry <= 0:
        return None
    kept = rules.maintenance_rate + rules.taker_fee
    at = (coins * entry - side.sign * free) / (coins * (1 - side.sign * kept))
    return rules.round_up(at) if at > 0 else None


def target_problems(
    leg: Leg, target: Target | None, side: Side, rules: Instrument, average: Decimal, contracts: Decimal
) -> Iterator[Reason]:
    """Yield what is wrong with a take-profit or stop-loss measured from `average`; `leg` says which of the two."""
    if target is None or average <= 0 or not contracts:
        return
    stop, field, given = leg is Leg.STOP_LOSS, FIELDS[leg], _given(target)
    amount = target.pnl_usdt if target.pnl_usdt is not None else target.percent
    if amount is not None and (amount >= 0) is stop:
        zero = Reason("amount.usdt", amount=0) if target.pnl_usdt is not None else Reason("amount.percent", amount=0)
        if stop:
            yield Reason("preview.no_loss", field=field, amount=given, zero=zero)
        else:
            yield Reason("preview.no_profit", field=field, amount=given, zero=zero)
        return
    level = _level(target, side, rules, average, contracts)
    assert level is not None
    if level <= 0:
        yield Reason("preview.level_below_zero", field=field, amount=given, level=level)
    elif (level - average) * side.sign * (-1 if stop else 1) <= 0:
        if (side is Side.LONG) is stop:
            yield Reason("preview.level_not_below", field=field, amount=given, price=average, side=side)
        else:
            yield Reason("preview.level_not_above", field=field, amount=given, price=average, side=side)


def passed_problem(leg: Leg, level: Decimal | None, side: Side, price: Decimal) -> Reason | None:
    """Return a problem where `price` has gone through a level already; None where it still waits."""
    if level is None:
        return None
    gone = (price - level) * side.sign * (1 if leg is Leg.STOP_LOSS else -1) <= 0
    return Reason("preview.level_passed", field=FIELDS[leg], level=level, price=price) if gone else None


# -- the parts of a preview -------------------------------------------------------------------------------


def _absurd(terms: OrderTerms) -> Iterator[Reason]:
    """Yield problems of numbers that nothing can be computed from."""
    numbers = {VALUE: terms.position_value, LEVERAGE: terms.leverage, LIMIT_PRICE: terms.entry.price}
    for leg, target in ((Leg.TAKE_PROFIT, terms.take_profit), (Leg.STOP_LOSS, terms.stop_loss)):
        if target is not None:
            numbers[FIELDS[leg]] = next(n for n in (target.pnl_usdt, target.price, target.percent) if n is not None)
    for field, number in numbers.items():
        if number is not None and not (number.is_finite() and abs(number) <= LARGEST):
            yield Reason("preview.not_a_number", field=field, value=number, most=LARGEST)


def entry_price(terms: OrderTerms, ticker: Ticker | None) -> Price:
    """Return the price that an entry is computed at; zero where none is known. A TWAP counts as one order at market."""
    if terms.entry.kind is ExecutionKind.LIMIT:
        return terms.entry.price or Price(ZERO)
    resting = terms.entry.kind is ExecutionKind.ICEBERG
    if resting and terms.entry.price is not None:
        return terms.entry.price
    if ticker is None:
        return Price(ZERO)
    return ticker.bid if (terms.side is Side.LONG) is resting else ticker.ask


def _level(
    target: Target | None, side: Side, rules: Instrument, price: Decimal, contracts: Contracts | Decimal
) -> Price | None:
    if target is None or (target.price is None and (price <= 0 or not contracts)):
        return None
    # stop_price and target_price round the same way, in the trader's favour
    return rules.stop_price(side, target.raw_price(rules, side, price, contracts))


def _problems(
    terms: OrderTerms,
    ground: PreviewContext,
    limits: Limits,
    price: Decimal,
    contracts: Contracts,
    notional: Decimal,
    verdict: Verdict | None,
) -> Iterator[Reason]:
    rules, ticker = ground.instrument, ground.ticker
    if not rules.tradable:
        yield Reason("preview.not_tradable", field=CONTRACT, symbol=rules.symbol)
    if ticker is None:
        yield Reason("preview.no_price", field=CONTRACT, symbol=rules.symbol)
    elif ground.now - ticker.at > STALE_AFTER:
        age = ground.now - ticker.at
        yield Reason("preview.stale_price", field=CONTRACT, symbol=rules.symbol, age=age, most=STALE_AFTER)
    yield from _entry_problems(terms, rules, ticker, limits)
    if verdict is None:
        return
    yield from _size_problems(terms, ground, price, contracts, notional)
    yield from (check.refusal for check in verdict.checks if check.refusal is not None)
    for leg, target in ((Leg.TAKE_PROFIT, terms.take_profit), (Leg.STOP_LOSS, terms.stop_loss)):
        wrong = list(target_problems(leg, target, terms.side, rules, price, contracts))
        yield from wrong
        if not wrong and ticker is not None and terms.entry.price is None:
            level = _level(target, terms.side, rules, price, contracts)
            passed = passed_problem(leg, level, terms.side, ticker.mark)
            if passed is not None:
                yield passed


def _size_problems(
    terms: OrderTerms,
    ground: PreviewContext,
    price: Decimal,
    contracts: Contracts,
    notional: Decimal,
) -> Iterator[Reason]:
    rules, value = ground.instrument, terms.position_value
    least = max(rules.notional(rules.min_quantity, price), rules.min_notional)
    limit = terms.entry.kind is ExecutionKind.LIMIT
    most_contracts = rules.max_limit_quantity if limit else rules.max_market_quantity
    most = rules.notional(most_contracts, price)
    least = least.quantize(Decimal("0.01"), ROUND_CEILING)
    if contracts < rules.min_quantity or notional < rules.min_notional:
        yield Reason(
            "preview.too_small", field=VALUE, value=value, least=least, contracts=rules.min_quantity, most=most
        )
    elif contracts > most_contracts and not terms.entry.kind.sliced:
        if limit:
            yield Reason(
                "preview.too_large_limit", field=VALUE, value=value, least=least, most=most, contracts=most_contracts
            )
        else:
            yield Reason(
                "preview.too_large_market", field=VALUE, value=value, least=least, most=most, contracts=most_contracts
            )


def _judged(terms: OrderTerms, ground: PreviewContext, limits: Limits, price: Decimal, contracts: Contracts) -> Verdict:
    """Return the risk control's result for the order now."""
    rules, ticker, limit = ground.instrument, ground.ticker, terms.entry.kind is ExecutionKind.LIMIT
    stop = _level(terms.stop_loss, terms.side, rules, price, contracts)
    order = Proposal(
        instrument=rules,
        side=terms.side,
        leverage=terms.leverage,
        price=Price(price),
        quantity=contracts,
        whole=contracts,
        filled=NONE_HELD,
        asked=terms.position_value,
        lost_at_stop=None if stop is None or stop <= 0 else loss_at(rules, terms.side, contracts, price, stop),
        mark=ticker.mark if ticker is not None and not limit else None,  # of a limit more is said beside it
        resting=terms.entry.kind is ExecutionKind.ICEBERG,
        held=ground.held,
        available=ground.available,
        equity=ground.equity,
        day_start=ground.day_start,
        open_parts=ground.open_parts,
    )
    checks = ExecutionRiskControl(limits).checks(order)
    leverage = next(check for check in checks if check.name is CheckName.LEVERAGE)
    if ground.available is None or not leverage.passed:  # it is told once it is known, and means something
        checks = tuple(check for check in checks if check.name is not CheckName.BALANCE)
    return Verdict(Purpose.ENTRY, checks)


def _entry_problems(terms: OrderTerms, rules: Instrument, ticker: Ticker | None, limits: Limits) -> Iterator[Reason]:
    price, entry = terms.entry.price, terms.entry
    if entry.kind is ExecutionKind.LIMIT and (price is None or price <= 0):
        yield Reason("preview.limit_price_empty", field=LIMIT_PRICE)
        return
    yield from problems_of(entry, rules, terms.position_value, entry_price(terms, ticker) or None)
    if price and ticker is not None and abs(price / ticker.mark - 1) > limits.max_price_deviation:
        lowest = rules.round_up(ticker.mark * (1 - limits.max_price_deviation))
        highest = rules.round_down(ticker.mark * (1 + limits.max_price_deviation))
        away = abs(price / ticker.mark - 1)
        yield Reason("preview.limit_price_away", field=LIMIT_PRICE, value=price, away=away, least=lowest, most=highest)


def _notes(terms: OrderTerms, rules: Instrument, stop: Decimal | None, liquidation: Decimal | None) -> Iterator[Reason]:
    if terms.stop_loss is None:
        yield Reason("preview.no_stop")
    if stop is not None and liquidation is not None and (stop - liquidation) * terms.side.sign <= 0:
        yield Reason("preview.liquidated_first", liquidation=liquidation)
    step, each = rules.quantity_step, rules.contract_value
    yield Reason("preview.rounded_down", step=step, each=each, base=rules.base)


def _given(target: Target) -> Reason:
    if target.price is not None:
        return Reason("amount.price", price=target.price)
    if target.pnl_usdt is not None:
        return Reason("amount.usdt", amount=target.pnl_usdt)
    return Reason("amount.percent", amount=target.percent)
