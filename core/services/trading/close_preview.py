"""Previews a close and checks closes and new targets of a part that holds something, by the newest snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from core.decision.preview.preview import FIELDS, passed_problem, target_problems
from core.domain.instrument import Instrument, Side
from core.domain.intent import Intent, Target
from core.domain.money import ZERO
from core.domain.order import Leg
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot
from core.services.reporting.snapshot_reader import instrument_of
from core.services.trading.choices import trigger_problem

CONTRACTS = Reason("field.contracts")


@dataclass(frozen=True, slots=True)
class ClosePreview:
    """The result that closing now would have. Money in USDT; the fee carries its minus."""

    contracts: Decimal
    notional: Decimal
    pnl: Decimal  #: before the fee
    fee: Decimal
    words: Reason  #: at which price
    problems: tuple[Reason, ...]


def size_of(intent: Intent, snapshot: AccountSnapshot) -> Decimal:
    """Return what the part holds, or will hold once an earlier partial close is through."""
    part = snapshot.part(intent.part)
    size = part.size if part else ZERO
    return size if intent.reduce_to is None else min(size, intent.reduce_to)


def edit_problems(
    intent: Intent, snapshot: AccountSnapshot, take_profit: Target | None, stop_loss: Target | None
) -> Iterator[Reason]:
    """Yield why this take-profit and stop-loss cannot be placed."""
    rules, side = instrument_of(snapshot, intent.key.symbol), intent.key.side
    part, ticker = snapshot.part(intent.part), snapshot.tickers.get(intent.key.symbol)
    wrong_price = trigger_problem(snapshot.exchange, take_profit, stop_loss)
    if wrong_price:
        yield wrong_price
    contracts = intent.contracts
    average = part.average_entry if part else None
    if average is None or not contracts:
        average = intent.entry.price or (ticker.mark if ticker else None)
        contracts = rules.contracts_for(intent.position_value, average) if average else None
    for leg, target in ((Leg.TAKE_PROFIT, take_profit), (Leg.STOP_LOSS, stop_loss)):
        if target is None or average is None or not contracts:
            continue
        # A held part may lock in profit: its stop may lie beyond its entry, only not beyond the price.
        held = part is not None and part.held
        wrong = [] if held else list(target_problems(leg, target, side, rules, average, contracts))
        level = rules.stop_price(side, target.raw_price(rules, side, average, contracts))
        if held and level <= 0:
            wrong = [Reason("target.not_above_zero", field=FIELDS[leg], level=level)]
        yield from wrong
        if held and not wrong and ticker is not None:
            passed = passed_problem(leg, level, side, ticker.mark)
            if passed is not None:
                yield passed


def close_problems(contracts: Decimal, size: Decimal, rules: Instrument) -> Iterator[Reason]:
    """Yield why so many of `size` contracts cannot be closed."""
    least = rules.min_quantity
    if not size:
        yield Reason("close.nothing_held", field=CONTRACTS)
    elif not least <= contracts <= size:
        yield Reason(
            "range.outside", field=CONTRACTS, value=contracts, allowed=Reason("allowed.between", low=least, high=size)
        )
    elif contracts % rules.quantity_step:
        yield Reason(
            "range.between_steps",
            field=CONTRACTS,
            value=contracts,
            allowed=Reason("allowed.multiple", step=rules.quantity_step),
        )
    elif ZERO < size - contracts < least:
        yield Reason("close.would_leave", field=CONTRACTS, value=contracts, rest=size - contracts, least=least)


def close_preview(intent: Intent, snapshot: AccountSnapshot, contracts: Decimal | None) -> ClosePreview:
    """Return what closing `contracts` (None: all) would bring at the newest price."""
    rules, size = instrument_of(snapshot, intent.key.symbol), size_of(intent, snapshot)
    part, ticker = snapshot.part(intent.part), snapshot.tickers.get(intent.key.symbol)
    asked = size if contracts is None else contracts
    problems = tuple(close_problems(asked, size, rules)) if contracts is not None else ()
    average = part.average_entry if part else None
    if ticker is None or average is None:
        return ClosePreview(asked, ZERO, ZERO, ZERO, Reason("close.price_unknown"), problems)
    price = ticker.bid if intent.key.side is Side.LONG else ticker.ask
    notional = rules.notional(asked, price)
    pnl = rules.pnl(intent.key.side, asked, average, price)
    words = Reason("close.at_price", price=price, which=_side_of_book(intent.key.side))
    return ClosePreview(asked, notional, pnl, -notional * rules.taker_fee, words, problems)


def _side_of_book(side: Side) -> Reason:
    return Reason("book.bid" if side is Side.LONG else "book.ask")
