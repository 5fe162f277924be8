"""Executions under way: an entry, a recovery step or a close, each worked in its style until it is complete.

What a run has done is what its orders have filled, so whoever looks next, after a restart too, goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.decision.view import FRESH, View
from core.domain.action import Command, OutcomeKind, Worked
from core.domain.ids import PIECES, same_step
from core.domain.instrument import OrderSide
from core.domain.intent import ExecutionKind, ExecutionStyle
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import GIVEN_UP, Order, OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason, text
from core.execution import EXECUTION_STRATEGIES
from core.execution.base import Complete, Progress, Step, Wait, execution_for


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a part: what it has done, and what its style wants next."""

    name: str  #: cycle, letter of the purpose, recovery step: 1E, 3R2, 2C
    purpose: Purpose
    progress: Progress
    orders: tuple[Order, ...]  #: those that reached the exchange

    def step(self, now: datetime) -> Step:
        """Return what should be working now."""
        return execution_for(self.progress.style.kind, EXECUTION_STRATEGIES).next_order(self.progress, now)

    @property
    def worked(self) -> Worked:
        """Return what has been filled and sent so far, as its orders tell."""
        now = self.progress
        since = now.started_at if self.purpose is Purpose.CLOSE else None
        return Worked(self.name, since, now.style.kind, now.planned, now.instrument.contract_value)

    @property
    def live(self) -> tuple[Order, ...]:
        return tuple(order for order in self.orders if order.working)

    @property
    def average(self) -> Price | None:
        """Return the average price of what has filled; None before the first fill."""
        filled = [(order.filled, order.average_price) for order in self.orders if order.filled]
        value = sum((quantity * price for quantity, price in filled if price is not None), ZERO)
        whole = total(quantity for quantity, _ in filled)
        return Price(value / whole) if whole else None


def runs(part: Part, view: View) -> Iterator[Run]:
    """Yield every execution of a part that is under way."""
    for found in (entry_run(part, view), recovery_run(part, view), close_run(part, view)):
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A run that is not complete, with what its style said at the time of the look."""

    run: Run
    because: Reason
    until: datetime | None  #: when something changes by itself, where that is known


def under_way(part: Part, view: View) -> tuple[UnderWay, ...]:
    """Return every execution of a part that is not over, for pages."""
    found = []
    for run in runs(part, view) if part.intent.living else ():
        step = run.step(view.now)
        left = run.purpose is Purpose.ENTRY and (part.exited or part.intent.wanted.closes)
        if not isinstance(step, Complete) and not left:
            found.append(UnderWay(run, step.because, step.until if isinstance(step, Wait) else None))
    return tuple(found)


def single_market_order(part: Part, purpose: Purpose, contracts: Contracts, step: int | None = None) -> Worked:
    """Return what an order at market says of an execution that it fills alone."""
    name = run_name(part.intent.cycle, purpose, step)
    return Worked(name, None, ExecutionKind.MARKET, contracts, part.instrument.contract_value)


def run_name(cycle: int, purpose: Purpose, step: int | None = None) -> str:
    """Return the name of an execution: 1E, 3R2, 2C."""
    return f"{cycle}{purpose.value}{'' if step is None else step}"


def entry_run(part: Part, view: View) -> Run | None:
    """Return the entry of the current cycle; None before the cycle has a size."""
    intent = part.intent
    if intent.contracts is None or intent.cycle_started_at is None:
        return None
    entries = tuple(order for order in part.entries if order.purpose is Purpose.ENTRY)
    return _run(
        part,
        view,
        Purpose.ENTRY,
        run_name(intent.cycle, Purpose.ENTRY),
        intent.entry,
        intent.contracts,
        intent.cycle_started_at,
        entries,
        view.commands(part, Purpose.ENTRY),
        already=part.taken_over,
    )


def recovery_run(part: Part, view: View) -> Run | None:
    """Return the recovery step that is being worked in several orders; None where there is none."""
    adding, rule = part.intent.adding, part.intent.recovery
    if adding is None:
        return None
    here = [c for c in view.commands(part, Purpose.RECOVERY) if same_step(c.client_order_id) == adding.step * PIECES]
    sent = tuple(command for command in here if command.recorded_at >= adding.started_at)
    before = {command.client_order_id for command in here} - {command.client_order_id for command in sent}
    pieces = tuple(
        order
        for order in part.entries
        if order.purpose is Purpose.RECOVERY and same_step(order.client_order_id) == adding.step * PIECES
        if order.client_order_id not in before  # of a step that was begun before, and brought nothing
    )
    style = rule.style if rule is not None else ExecutionStyle()
    name = run_name(part.intent.cycle, Purpose.RECOVERY, adding.step)
    return _run(part, view, Purpose.RECOVERY, name, style, adding.contracts, adding.started_at, pieces, sent)


def close_run(part: Part, view: View) -> Run | None:
    """Return the close that was asked for in a style of its own; None where none is wanted, or it is at market."""
    intent = part.intent
    closing = intent.closing
    if closing is None or closing.style.kind is ExecutionKind.MARKET:
        return None
    if not intent.wanted.closes and intent.reduce_to is None:
        return None
    sent = tuple(c for c in view.commands(part, Purpose.CLOSE) if c.recorded_at >= closing.asked_at)
    names = {command.client_order_id for command in sent}
    orders = tuple(order for order in part.exits if order.client_order_id in names)
    keep = NONE_HELD if intent.wanted.closes or intent.reduce_to is None else intent.reduce_to
    if keep < part.instrument.min_quantity:
        keep = NONE_HELD  # what could not be closed alone goes with the rest
    planned = Contracts(max(part.size - keep, ZERO) + total(order.filled for order in orders))
    name = run_name(intent.cycle, Purpose.CLOSE)
    return _run(part, view, Purpose.CLOSE, name, closing.style, planned, closing.asked_at, orders, sent)


def _run(
    part: Part,
    view: View,
    purpose: Purpose,
    name: str,
    style: ExecutionStyle,
    planned: Contracts,
    started_at: datetime,
    orders: tuple[Order, ...],
    commands: tuple[Command, ...],
    already: Contracts = NONE_HELD,
) -> Run:
    told = part.intent.told
    meant = told is not None and told.run == name
    sent = [command for command in commands if command.outcome is not OutcomeKind.LOST]
    refusal = text(sent[-1].words) if sent and sent[-1].outcome is OutcomeKind.REFUSED and sent[-1].words else None
    failed = [order for order in orders if order.status.ended and order.failure and not order.filled]
    if refusal is None and failed and style.kind is ExecutionKind.MARKET:
        refusal = Reason("order.given_up") if failed[-1].failure == GIVEN_UP else text(failed[-1].failure)
    live = [order for order in orders if order.working]
    resting = [order for order in live if order.kind is not OrderKind.MARKET]
    side = part.side.closing if purpose is Purpose.CLOSE else part.side.opening
    begun = sorted(orders, key=_begun)
    ended = begun[-1] if begun and begun[-1].status.ended else None
    progress = Progress(
        style=style,
        instrument=part.instrument,
        planned=planned,
        filled=Contracts(total(order.filled for order in orders) + already),
        working=bool(live),
        orders=len(orders),
        refusal=refusal,
        started_at=started_at,
        withdrawn=told is not None and meant and not told.finish,
        hurried=told is not None and meant and told.finish,
        name=f"{part.name}/{name}",
        buys=side is OrderSide.BUY,
        near=_near(view, side),
        sent_at=max((command.recorded_at for command in sent), default=None),
        ended_at=ended.updated_at if ended is not None else None,
        working_price=resting[-1].price if resting else None,
        resting=bool(resting),
        hurried_at=told.asked_at if told is not None and meant and told.finish else None,
        unfilled=Contracts(ended.quantity - ended.filled) if ended is not None else NONE_HELD,
        market_orders=sum(order.kind is OrderKind.MARKET for order in orders),
        first_price=next((at for order in begun if (at := order.price or order.average_price) is not None), None),
    )
    return Run(name, purpose, progress, orders)


def _begun(order: Order) -> tuple[bool, datetime | None, str]:
    return order.created_at is not None, order.created_at, order.client_order_id


def _near(view: View, side: OrderSide) -> Price | None:
    """Return the side of the book at which an order of ours would rest."""
    ticker = view.seen.ticker
    if ticker is None or view.now - ticker.at > FRESH:
        return None
    return ticker.bid if side is OrderSide.BUY else ticker.ask


def numbers_from(part: Part, view: View, step: int, *, pieces: bool) -> int:
    """Return the number from which the orders of a recovery step are counted; 0 where the step is one order.

    Once a step of the cycle was worked in pieces every later one is numbered so: the numbers tell the steps apart.
    """
    names = [order.client_order_id for order in part.entries if order.purpose is Purpose.RECOVERY]
    names += [command.client_order_id for command in view.commands(part, Purpose.RECOVERY)]
    return step * PIECES if pieces or any(same_step(name) >= PIECES for name in names) else 0


def far(view: View, side: OrderSide) -> Price | None:
    """Return the side of the book that an order at market takes; None without a price."""
    ticker = view.seen.ticker
    if ticker is None:
        return None
    return ticker.ask if side is OrderSide.BUY else ticker.bid
