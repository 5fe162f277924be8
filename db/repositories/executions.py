"""Executions read from the records: the orders of each entry, recovery step or close, and what became of them.

Each placement says with its request which execution it is a piece of. Closes at market say no more than that they
are one: those of a cycle belong together as long as each orders exactly what the one before it left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric, Table, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Row

from core.domain.account import PositionKey
from core.domain.action import OutcomeKind
from core.domain.ids import meaning, same_step
from core.domain.instrument import OrderSide, Side
from core.domain.intent import ExecutionKind
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Order, OrderKind, Purpose
from db.mapping import json
from db.models import CommandRow, FillRow, OrderRow, PositionRow
from db.repository import Repository

commands, orders, fills = CommandRow.table(), OrderRow.table(), FillRow.table()
positions = PositionRow.table()

WORKED = (Purpose.ENTRY, Purpose.RECOVERY, Purpose.CLOSE)
Place = tuple[datetime, str]  #: where a page ended: when an execution began, and the id of its first order


@dataclass(frozen=True, slots=True)
class Placement:
    """One placement of an execution, and how it ended."""

    client_order_id: str
    side: OrderSide
    kind: OrderKind
    quantity: Contracts
    recorded_at: datetime
    outcome: OutcomeKind | None
    attempts: int
    reference: Price | None  #: the price that it was decided by
    planned: Contracts | None  #: the whole, as it was known then


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """Everything kept of one execution. Placements are there always, oldest first."""

    account: str
    symbol: str
    side: Side
    strategy: str
    part: str
    cycle: int
    run: str
    purpose: Purpose
    kind: ExecutionKind
    contract_value: Decimal | None  #: None: it was sent before this was kept
    placements: tuple[Placement, ...]
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class ExecutionsOnly:
    """A filter of executions; None does not narrow. Times are those of their beginning."""

    symbol: str | None = None
    strategy: str | None = None
    kind: ExecutionKind | None = None
    purpose: Purpose | None = None
    part: str | None = None
    since: datetime | None = None
    until: datetime | None = None  #: up to, and not with


class ExecutionRepository(Repository):
    """Reads entries, recovery steps and closes, each with its orders."""

    def find(
        self, account: str, only: ExecutionsOnly, after: Place | None, limit: int
    ) -> list[tuple[Place, ExecutionFacts]]:
        """Return executions, newest first, by when they began."""
        runs = _runs(commands.c.account == account, only).subquery("runs")
        query = select(runs)
        if only.kind is not None:
            query = query.where(runs.c.kind == only.kind)
        if only.since is not None:
            query = query.where(runs.c.began >= only.since)
        if only.until is not None:
            query = query.where(runs.c.began < only.until)
        if after is not None:
            query = query.where(tuple_(runs.c.began, runs.c.first) < tuple_(*after))
        return self._told(query.order_by(runs.c.began.desc(), runs.c.first.desc()).limit(limit))

    def of_cycle(self, part: str, cycle: int) -> list[ExecutionFacts]:
        """Return the executions of one cycle, oldest first."""
        of_cycle = and_(commands.c.part == part, commands.c.cycle == cycle)
        runs = _runs(of_cycle, ExecutionsOnly()).subquery("runs")
        return [facts for _, facts in self._told(select(runs).order_by(runs.c.began, runs.c.first))]

    def _told(self, query: Any) -> list[tuple[Place, ExecutionFacts]]:
        with self.transaction() as connection:
            found = connection.execute(query).all()
            names = {(row.account, name) for row in found for name in row.names}
            if not names:
                return []
            sent = {row.client_order_id: row for row in connection.execute(_placements(names))}
            had = connection.execute(select(orders).where(_among(orders, ("account", "client_order_id"), names))).all()
            told = {(row.account, row.symbol, row.exchange_order_id): row.client_order_id for row in had}
            of_order = ("account", "symbol", "exchange_order_id")
            done = connection.execute(select(fills).where(_among(fills, of_order, told)).order_by(fills.c.at)).all()
        made = {row.client_order_id: json.order_of(row) for row in had}
        filled: dict[str, list[Fill]] = defaultdict(list)
        for row in done:
            filled[told[row.account, row.symbol, row.exchange_order_id]].append(json.fill_of(row))
        return [((row.began, row.first), _facts(row, sent, made, filled)) for row in found]


def _runs(of: ColumnElement[bool], only: ExecutionsOnly) -> Any:
    """Build a query of one row for each execution, with the ids of its orders."""
    worked = commands.c.request["worked"]
    planned = cast(worked["planned"]["decimal"].astext, Numeric)
    run, since = worked["run"].astext, worked["since"].astext
    name = case((run.is_(None), commands.c.client_order_id), else_=run)
    group = (commands.c.part, commands.c.cycle, name, func.coalesce(since, ""))
    in_order = (commands.c.recorded_at, commands.c.client_order_id)
    left = func.lag(planned - func.coalesce(orders.c.filled, 0)).over(partition_by=group, order_by=in_order)
    goes_on = or_(commands.c.purpose != Purpose.CLOSE, since.is_not(None), run.is_(None), left == planned)
    wanted = [of, commands.c.purpose.in_(WORKED)]
    key = func.split_part(commands.c.key, "/", 2)
    narrowed = {
        key: only.symbol,
        positions.c.strategy: only.strategy,
        commands.c.purpose: only.purpose,
        commands.c.part: only.part,
    }
    wanted += [column == value for column, value in narrowed.items() if value is not None]
    sent = (
        select(
            commands.c.account,
            commands.c.key,
            commands.c.part,
            commands.c.cycle,
            commands.c.purpose,
            commands.c.client_order_id,
            commands.c.recorded_at,
            positions.c.strategy,
            name.label("name"),
            func.coalesce(since, "").label("since"),
            func.coalesce(worked["kind"].astext, commands.c.kind).label("kind"),
            cast(worked["contract_value"]["decimal"].astext, Numeric).label("contract_value"),
            case((goes_on, 0), else_=1).cast(Integer).label("anew"),
        )
        .outerjoin(
            orders,
            and_(orders.c.account == commands.c.account, orders.c.client_order_id == commands.c.client_order_id),
        )
        .outerjoin(positions, positions.c.part == commands.c.part)
        .where(*wanted)
        .subquery("sent")
    )
    same = (sent.c.part, sent.c.cycle, sent.c.name, sent.c.since)
    by_time = (sent.c.recorded_at, sent.c.client_order_id)
    numbered = select(sent, func.sum(sent.c.anew).over(partition_by=same, order_by=by_time).label("number")).subquery(
        "numbered"
    )
    one = numbered.c
    names = func.array_agg(aggregate_order_by(one.client_order_id, one.recorded_at, one.client_order_id))
    return select(
        one.account,
        one.key,
        one.part,
        one.cycle,
        one.purpose,
        one.strategy,
        one.name,
        func.max(one.kind).label("kind"),
        func.max(one.contract_value).label("contract_value"),
        names.label("names"),
        func.min(one.recorded_at).label("began"),
        names[1].label("first"),
    ).group_by(one.account, one.key, one.part, one.cycle, one.purpose, one.strategy, one.name, one.since, one.number)


def _placements(names: set[tuple[str, str]]) -> Any:
    request = commands.c.request
    return select(
        commands.c.client_order_id,
        commands.c.side,
        commands.c.kind,
        commands.c.quantity,
        commands.c.recorded_at,
        commands.c.outcome,
        commands.c.attempts,
        cast(request["reference"]["decimal"].astext, Numeric).label("reference"),
        cast(request["worked"]["planned"]["decimal"].astext, Numeric).label("planned"),
    ).where(commands.c.client_order_id.in_(sorted(name for _, name in names)))


def _among(table: Table, columns: tuple[str, ...], wanted: Collection[tuple[str, ...]]) -> ColumnElement[bool]:
    return tuple_(*(table.c[name] for name in columns)).in_(sorted(wanted))


def _facts(
    row: Row[Any], sent: dict[str, Row[Any]], made: dict[str, Order], filled: dict[str, list[Fill]]
) -> ExecutionFacts:
    key = PositionKey.parse(row.key)
    return ExecutionFacts(
        account=row.account,
        symbol=key.symbol,
        side=key.side,
        strategy=row.strategy or "",
        part=row.part,
        cycle=row.cycle,
        run=_run_name(row),
        purpose=Purpose(row.purpose),
        kind=ExecutionKind(row.kind) if row.kind in set(ExecutionKind) else ExecutionKind.MARKET,
        contract_value=row.contract_value,
        placements=tuple(_placement(sent[name]) for name in row.names),
        orders=tuple(made[name] for name in row.names if name in made),
        fills=tuple(fill for name in row.names for fill in filled.get(name, ())),
    )


def _run_name(row: Row[Any]) -> str:
    """Return the execution's name as its orders say; of older ones without a name, from the id."""
    if row.name != row.first:
        return str(row.name)
    said = meaning(row.first)
    step = same_step(row.first) if said is not None and said.purpose is Purpose.RECOVERY else ""
    return f"{row.cycle}{row.purpose}{step}"


def _placement(row: Row[Any]) -> Placement:
    return Placement(
        client_order_id=row.client_order_id,
        side=OrderSide(row.side),
        kind=OrderKind(row.kind),
        quantity=row.quantity,
        recorded_at=row.recorded_at,
        outcome=OutcomeKind(row.outcome) if row.outcome else None,
        attempts=row.attempts,
        reference=row.reference,
        planned=row.planned,
    )
