"""Makes the snapshot of one part: its numbers, its protection, its executions, its reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from core.decision.executions import UnderWay
from core.decision.preview.ladder import first_due
from core.decision.rules.reopen import reopen_due
from core.domain.action import Decision, describe
from core.domain.intent import Intent, Target
from core.domain.money import ZERO
from core.domain.observation import Ticker
from core.domain.order import Order
from core.domain.pair import pair_of
from core.domain.part import Part
from core.domain.snapshot import (
    ExecutionSnapshot,
    Explanation,
    LegSnapshot,
    LevelSnapshot,
    PairSnapshot,
    PartSnapshot,
    RecoverySnapshot,
    ReopenSnapshot,
)
from core.monitor.reconciler import Result


def part_snapshots(
    result: Result, tickers: Mapping[str, Ticker], bare_seconds: Mapping[str, float]
) -> Iterator[PartSnapshot]:
    """Yield the parts of one position, each with what was decided about it or about all of them."""
    why: dict[str | None, list[Decision]] = defaultdict(list)
    for decision in result.plan.decisions:
        why[decision.part].append(decision)
    for part in result.parts:
        yield part_snapshot(part, result, tickers, bare_seconds, why[part.name] + why[None])


def part_snapshot(
    part: Part,
    result: Result,
    tickers: Mapping[str, Ticker],
    bare_seconds: Mapping[str, float],
    why: Iterable[Decision],
) -> PartSnapshot:
    """Return one part as it was seen, priced at the newest mark."""
    intent, size = part.intent, part.size
    mark, pair = newest_mark(result, tickers), pair_of(part)
    return PartSnapshot(
        name=part.name,
        strategy=intent.strategy,
        symbol=intent.key.symbol,
        side=intent.key.side,
        status=part.status,
        wanted=intent.wanted,
        position_value=intent.position_value,
        contracts=intent.contracts,
        size=size,
        coins=size * part.instrument.contract_value,
        average_entry=part.average_entry,
        leverage=intent.leverage,
        mark_price=mark,
        unrealised_pnl=rounded(part.unrealised_pnl(mark), 4) if mark else None,
        realised_pnl=part.realised_pnl,
        fees=part.fees,
        take_profit=_level(part, part.targets[0], part.take_profit_price(), part.target_covered, mark),
        stop_loss=_level(part, part.targets[1], part.stop_price(), part.stop_covered, mark),
        protected=part.protected,
        protection_seen_at=result.seen.as_of if part.protection else None,
        pair=PairSnapshot(pair.state, _leg(pair.take_profit), _leg(pair.stop_loss)),
        cycle=intent.cycle,
        cycle_started_at=intent.cycle_started_at,
        cycle_ended_at=intent.cycle_ended_at,
        exit_reason=intent.exit_reason,
        bare_seconds_today=rounded(bare_seconds.get(part.name, 0.0), 1),
        edited=intent.edit is not None and intent.edit.step == len(part.steps),
        recovery=_recovery(part),
        reopen=_reopen(intent),
        executions=tuple(execution_snapshot(found) for found in result.runs.get(part.name, ())),
        why=tuple(_explanation(decision) for decision in why),
    )


def execution_snapshot(found: UnderWay) -> ExecutionSnapshot:
    """Return one execution under way: what is filled, what is missing, what comes next."""
    progress = found.run.progress
    return ExecutionSnapshot(
        run=found.run.name,
        purpose=found.run.purpose,
        kind=progress.style.kind,
        planned=progress.planned,
        filled=progress.filled,
        remaining=max(progress.planned - progress.filled, ZERO),
        average=found.run.average,
        working=progress.working,
        price=progress.working_price,
        step=found.because,
        until=found.until,
        started_at=progress.started_at,
        finishing=progress.hurried,
        withdrawn=progress.withdrawn and not progress.hurried,
    )


def newest_mark(result: Result, tickers: Mapping[str, Ticker]) -> Decimal | None:
    """Return the newest mark price: the stream's where it is newer than the look. None: not known."""
    ticker = tickers.get(result.key.symbol)
    if ticker is not None and ticker.mark and ticker.at >= result.seen.as_of:
        return ticker.mark
    return result.seen.mark or (ticker.mark if ticker else None)


def rounded(value: Decimal | float, places: int) -> Decimal:
    """Return a number as it is shown."""
    return Decimal(f"{value:.{places}f}")


def _explanation(decision: Decision) -> Explanation:
    return Explanation(decision.rule, decision.because, describe(decision.action) if decision.action else None)


def _level(
    part: Part, wanted: Target | None, price: Decimal | None, covered: Decimal, mark: Decimal | None
) -> LevelSnapshot:
    """Return the take-profit or stop-loss, with its distance from the mark price and its result."""
    size, average = part.size, part.average_entry
    away = None if price is None or not mark else rounded((price / mark - 1) * 100, 2)
    pnl = None
    if price is not None and average is not None and size:
        pnl = rounded(part.instrument.pnl(part.side, size, average, price), 2)
    return LevelSnapshot(wanted, price, away, pnl, covered)


def _leg(order: Order | None) -> LegSnapshot | None:
    if order is None:
        return None
    return LegSnapshot(
        client_order_id=order.client_order_id,
        status=order.status,
        quantity=order.quantity,
        filled=order.filled,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )


def _recovery(part: Part) -> RecoverySnapshot | None:
    rule = part.intent.recovery
    if rule is None:
        return None
    return RecoverySnapshot(
        trigger_pnl=rule.trigger_pnl,
        add_notional=rule.add_notional,
        tp_usdt=rule.tp_usdt,
        sl_usdt=rule.sl_usdt,
        max_steps=rule.max_steps,
        max_loss=rule.max_loss,
        steps=len(part.steps),
        last_at=part.steps[-1].updated_at if part.steps else None,
        next_price=_next_price(part, rule.trigger_pnl),
    )


def _next_price(part: Part, trigger_pnl: Decimal) -> Decimal | None:
    """The first price at which the next step is due; None while nothing is held, or where no price gets there."""
    if part.average_entry is None or not part.size:
        return None
    due = first_due(part.instrument, part.side, part.average_entry, part.size, trigger_pnl)
    return due if due > ZERO else None


def _reopen(intent: Intent) -> ReopenSnapshot | None:
    rule, due = intent.reopen, reopen_due(intent)
    if rule is None:
        return None if due is None else ReopenSnapshot(due, holds=False)
    return ReopenSnapshot(
        due=due,
        holds=True,
        after=tuple(sorted(rule.after)),
        delay_minutes=Decimal(rule.delay // timedelta(seconds=1)) / 60,
        max_cycles=rule.max_cycles,
        loss_budget=rule.loss_budget,
    )
