"""Makes an account's snapshot from the last look: everything that pages, API, Telegram and metrics show of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from core.decision.rules.differences import Difference, may_take_over
from core.domain.account import Account, AccountState, PositionKey
from core.domain.instrument import Instrument
from core.domain.money import ZERO
from core.domain.observation import Position, Ticker
from core.domain.order import Order
from core.domain.snapshot import (
    AccountSnapshot,
    AlarmSnapshot,
    BotSnapshot,
    ConditionalOrders,
    DifferenceSnapshot,
    HealthSnapshot,
    MoneySnapshot,
    OrderSnapshot,
    PositionSnapshot,
    ProtectionSnapshot,
    RuntimeMetrics,
    UnresolvedCommand,
)
from core.monitor.part_snapshot import newest_mark, part_snapshots, rounded
from core.monitor.reconciler import Result

T = TypeVar("T")


def account_snapshot(
    account: Account,
    bot: BotSnapshot,
    state: AccountState | None,
    health: HealthSnapshot,
    results: Mapping[PositionKey, Result],
    tickers: Mapping[str, Ticker],
    instruments: Mapping[str, Instrument],
    alarms: tuple[AlarmSnapshot, ...],
    bare_seconds: Mapping[str, float],
    runtime: RuntimeMetrics,
    as_of: datetime,
    now: datetime,
) -> AccountSnapshot:
    """Return the whole snapshot of one account. `as_of` is the time of the look that it was made from."""
    parts = tuple(part for result in results.values() for part in part_snapshots(result, tickers, bare_seconds))
    held = [part for part in parts if part.size > ZERO]
    protected = sum(part.protected for part in held)
    return AccountSnapshot(
        account=account.id,
        name=account.name,
        exchange=account.exchange,
        environment=account.environment,
        as_of=as_of,
        published_at=now,
        bot=bot,
        health=health,
        protection=ProtectionSnapshot(protected, len(held), rounded(sum(bare_seconds.values()), 1)),
        money=_money(state, results, tickers),
        conditional=_conditional(results.values()),
        positions=tuple(
            position_snapshot(result.seen.position, result, tickers)
            for result in results.values()
            if result.seen.position is not None
        ),
        parts=parts,
        orders=tuple(
            order_snapshot(order) for result in results.values() for order in result.seen.orders if order.working
        ),
        unresolved=tuple(
            UnresolvedCommand(command.client_order_id, command.purpose, command.part, command.recorded_at)
            for result in results.values()
            for command in result.seen.commands
            if command.unresolved
        ),
        differences=tuple(
            difference_snapshot(difference, result) for result in results.values() for difference in result.differences
        ),
        alarms=alarms,
        tickers=_short_names_first(tickers),
        instruments=_short_names_first(instruments),
        runtime=runtime,
    )


def aged(
    earlier: AccountSnapshot,
    bot: BotSnapshot,
    health: HealthSnapshot,
    alarms: tuple[AlarmSnapshot, ...],
    runtime: RuntimeMetrics,
    now: datetime,
) -> AccountSnapshot:
    """Return an earlier snapshot with what is known without looking: nothing else was seen since."""
    return replace(earlier, published_at=now, bot=bot, health=health, alarms=alarms, runtime=runtime)


def position_snapshot(position: Position, result: Result, tickers: Mapping[str, Ticker]) -> PositionSnapshot:
    """Return one position as the exchange tells it, with what our parts leave unexplained."""
    instrument = result.seen.instrument
    mark = newest_mark(result, tickers) or position.mark_price
    pnl = instrument.pnl(position.side, position.contracts, position.average_price, mark)
    ours = sum((part.size for part in result.parts), ZERO)
    return PositionSnapshot(
        symbol=position.symbol,
        side=position.side,
        contracts=position.contracts,
        coins=position.contracts * instrument.contract_value,
        notional=rounded(instrument.notional(position.contracts, mark), 2),
        average_price=position.average_price,
        mark_price=mark,
        last_price=position.last_price,
        unrealised_pnl=rounded(pnl, 4),
        unrealised_pct=rounded(pnl / position.margin * 100, 2) if position.margin else None,
        leverage=position.leverage,
        margin=rounded(position.margin, 2),
        liquidation_price=position.liquidation_price,
        funding=position.funding,
        position_id=position.position_id,
        opened_at=position.opened_at,
        residual=position.contracts - ours,
        parts=tuple(part.name for part in result.parts if part.size),
    )


def difference_snapshot(difference: Difference, result: Result) -> DifferenceSnapshot:
    """Return one difference between exchange and book, with the parts that a residual may be given to."""
    position = result.seen.position
    return DifferenceSnapshot(
        kind=difference.kind,
        symbol=difference.key.symbol,
        side=difference.key.side,
        ours=difference.ours,
        theirs=difference.theirs,
        since=difference.since,
        words=difference.words,
        choices=difference.choices,
        answer=difference.answer,
        mark=difference.mark,
        quantity=difference.quantity,
        price=difference.price,
        leverage=position.leverage if position else None,
        parts=tuple(part.name for part in result.parts if may_take_over(part)),
    )


def order_snapshot(order: Order) -> OrderSnapshot:
    """Return one live order."""
    return OrderSnapshot(
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
        part=order.part,
        purpose=order.purpose,
        symbol=order.symbol,
        side=order.side,
        position_side=order.position_side,
        kind=order.kind,
        quantity=order.quantity,
        filled=order.filled,
        price=order.price,
        take_profit_trigger=order.tp_trigger,
        stop_loss_trigger=order.sl_trigger,
        trigger_by=order.trigger_by,
        status=order.status,
        created_at=order.created_at,
    )


def _short_names_first(named: Mapping[str, T]) -> dict[str, T]:
    """Return the mapping in the order in which the database keeps an object's names, so that nobody sees two orders."""
    return dict(sorted(named.items(), key=lambda one: (len(one[0]), one[0])))


def _conditional(results: Iterable[Result]) -> ConditionalOrders | None:
    """Return the account's conditional orders and their limit; None where no position was looked at."""
    seen = next((result.seen for result in results), None)
    return None if seen is None else ConditionalOrders(seen.conditional_orders, seen.facts.max_conditional)


def _money(
    state: AccountState | None, results: Mapping[PositionKey, Result], tickers: Mapping[str, Ticker]
) -> MoneySnapshot | None:
    if state is None:
        return None
    floating = ZERO
    for result in results.values():
        position = result.seen.position
        if position is not None:
            mark = newest_mark(result, tickers) or position.mark_price
            floating += result.seen.instrument.pnl(position.side, position.contracts, position.average_price, mark)
    return MoneySnapshot(
        equity=state.equity - state.unrealised_pnl + floating,
        available=state.available,
        floating_pnl=floating,
        margin_used=state.margin_used,
        hedge_mode=state.hedge_mode,
        as_of=state.as_of,
    )
