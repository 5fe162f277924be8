"""Reads for `/metrics`, from the records alone: cycles with their orders, and the bot's state for each account.

Ended lives never change, so a reader that remembers its cursor reads each of them once. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Numeric,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.engine import Connection

from db.change_marks import FIRST_RUNNING
from db.models import (
    AccountRow,
    AlarmRow,
    BotStateRow,
    CommandRow,
    CycleRow,
    EquityRow,
    FillRow,
    LeaseStateRow,
    OrderRow,
    PositionRow,
    RiskCheckRow,
)
from db.repositories.orders import UNRESOLVED
from db.repository import Repository

accounts, positions, cycles = AccountRow.table(), PositionRow.table(), CycleRow.table()
commands, orders, fills = CommandRow.table(), OrderRow.table(), FillRow.table()
bots, leases, alarms, samples = BotStateRow.table(), LeaseStateRow.table(), AlarmRow.table(), EquityRow.table()
checks = RiskCheckRow.table()

Cursor = tuple[int, str, int]  #: transaction that wrote a cycle, part, number
BEGINNING: Cursor = (-1, "", 0)
LATE = timedelta(minutes=1)  #: a fill may be older than the cycle it began, by the exchange's clock
LATER = timedelta(hours=1)  #: and newer than its end
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


class SentFact(NamedTuple):
    """An order of a cycle: what was sent, and what became of it. One that travelled with another was not sent
    itself.
    """

    client_order_id: str
    purpose: str
    side: str
    attempts: int  #: 0: not sent by itself
    outcome: str | None
    code: str
    recorded_at: datetime | None
    settled_at: datetime | None
    reference: Decimal | None  #: the price that it was decided by
    conditional: bool
    status: str | None  #: None: the exchange never had it
    filled: Decimal
    average_price: Decimal | None
    tp_trigger: Decimal | None
    sl_trigger: Decimal | None
    triggered_leg: str | None
    last_fill_at: datetime | None


class LifeFact(NamedTuple):
    """One cycle of a part. Money, reason and end are there once it has ended."""

    part: str
    cycle: int
    account: str
    exchange: str
    symbol: str
    side: str
    strategy: str
    started: datetime
    before: datetime | None  #: when the cycle before it ended
    ended: datetime | None
    contracts: Decimal | None
    realised_pnl: Decimal | None
    fees: Decimal | None
    funding: Decimal | None
    reason: str | None
    sent: tuple[SentFact, ...] = ()
    maker_fills: int = 0
    taker_fills: int = 0


class Lives(NamedTuple):
    """Cycles for counting: ended ones that no later read returns again, the cursor to go on from, and those that may
    still change.
    """

    settled: tuple[LifeFact, ...]
    cursor: Cursor
    moving: tuple[LifeFact, ...]
    more: bool  #: there are settled ones left


class Standing(NamedTuple):
    """The state of one account's bot, by the database's own clock where it is about leases."""

    account: str
    exchange: str
    running: bool
    level: str
    level_lowered_at: datetime | None
    heartbeat_at: datetime | None
    epoch: int | None
    lease_held: bool
    unresolved: int
    unresolved_since: datetime | None
    alarms: tuple[str, ...]  #: subjects of the open ones


class MetricRepository(Repository):
    """Reads what `/metrics` shows of the past and of the bot."""

    def counted_lives(self, after: Cursor = BEGINNING, most: int = 1000) -> Lives:
        """Return up to so many cycles that ended after this cursor, and those that may still change; as of
        one moment.
        """
        with self.transaction() as connection:
            connection.execute(SNAPSHOT)
            place = tuple_(cycles.c.changed, cycles.c.part, cycles.c.number)
            newer = and_(cycles.c.changed >= after[0], place > tuple_(*(literal(one) for one in after)))
            query = _ended().where(newer, cycles.c.changed < FIRST_RUNNING).order_by(*_PLACE).limit(most)
            rows = connection.execute(query).all()
            cursor = (rows[-1].changed, rows[-1].part, rows[-1].cycle) if rows else after
            if len(rows) == most:
                return Lives(_told(connection, rows), cursor, (), True)
            late = connection.execute(_ended().where(newer, cycles.c.changed >= FIRST_RUNNING)).all()
            living = connection.execute(_living()).all()
            return Lives(_told(connection, rows), cursor, _told(connection, [*late, *living]), False)

    def standings(self) -> list[Standing]:
        """Return the bot's state for every account, by its id."""
        waiting = (
            select(commands.c.account, func.count().label("count"), func.min(commands.c.recorded_at).label("since"))
            .where(UNRESOLVED)
            .group_by(commands.c.account)
            .subquery()
        )
        open_ones = (
            select(alarms.c.account, func.array_agg(alarms.c.subject).label("subjects"))
            .where(alarms.c.cleared_at.is_(None))
            .group_by(alarms.c.account)
            .subquery()
        )
        query = (
            select(
                accounts.c.id,
                accounts.c.exchange,
                func.coalesce(bots.c.running, False),
                func.coalesce(bots.c.level, "run"),
                bots.c.level_lowered_at,
                bots.c.heartbeat_at,
                leases.c.epoch,
                func.coalesce(leases.c.expires_at > func.clock_timestamp(), False),
                func.coalesce(waiting.c["count"], 0),
                waiting.c.since,
                func.coalesce(open_ones.c.subjects, cast([], ARRAY(Text))),
            )
            .outerjoin(bots, bots.c.account == accounts.c.id)
            .outerjoin(leases, leases.c.account == accounts.c.id)
            .outerjoin(waiting, waiting.c.account == accounts.c.id)
            .outerjoin(open_ones, open_ones.c.account == accounts.c.id)
            .order_by(accounts.c.id)
        )
        with self.one_statement() as connection:
            return [Standing._make((*row[:-1], tuple(row[-1]))) for row in connection.execute(query)]

    def verdicts(self, account: str, after: int) -> list[tuple[str, int, int]]:
        """Count the risk checks with higher ids than this: the failed check (empty: all passed), how many, newest id.

        One refusal counts once until it changes. Ids of one account are written by one bot, so they come in order.
        """
        query = (
            select(checks.c.check_name, func.count(), func.max(checks.c.id))
            .where(checks.c.account == account, checks.c.id > after)
            .group_by(checks.c.check_name)
        )
        with self.one_statement() as connection:
            return [(name, count, newest) for name, count, newest in connection.execute(query)]

    def highest_equity(self, account: str, after: datetime | None) -> tuple[datetime, Decimal] | None:
        """Return the newest sample after this time, and the highest equity of all those; None: there is none."""
        query = select(func.max(samples.c.at), func.max(samples.c.equity)).where(samples.c.account == account)
        if after is not None:
            query = query.where(samples.c.at > after)
        with self.one_statement() as connection:
            at, highest = connection.execute(query).one()
        return None if at is None else (at, highest)


_PLACE = (cycles.c.changed, cycles.c.part, cycles.c.number)


def _ended() -> Any:
    before = cycles.alias("before")
    same = and_(before.c.part == cycles.c.part, before.c.number == cycles.c.number - 1)
    return (
        select(
            cycles.c.part,
            cycles.c.number.label("cycle"),
            cycles.c.account,
            accounts.c.exchange,
            cycles.c.symbol,
            cycles.c.side,
            positions.c.strategy,
            cycles.c.started,
            before.c.ended.label("before"),
            cycles.c.ended,
            cycles.c.contracts,
            cycles.c.realised_pnl,
            cycles.c.fees,
            cycles.c.funding,
            cycles.c.reason,
            cycles.c.changed,
        )
        .join(positions, positions.c.part == cycles.c.part)
        .join(accounts, accounts.c.id == cycles.c.account)
        .outerjoin(before, same)
    )


def _living() -> Any:
    before = cycles.alias("before")
    same = and_(before.c.part == positions.c.part, before.c.number == positions.c.cycle - 1)
    nothing = [null().label(name) for name in ("ended", "contracts", "realised_pnl", "fees", "funding", "reason")]
    return (
        select(
            positions.c.part,
            positions.c.cycle,
            positions.c.account,
            accounts.c.exchange,
            positions.c.symbol,
            positions.c.side,
            positions.c.strategy,
            positions.c.cycle_started_at.label("started"),
            before.c.ended.label("before"),
            *nothing,
            null().label("changed"),
        )
        .join(accounts, accounts.c.id == positions.c.account)
        .outerjoin(before, same)
        .where(positions.c.cycle_started_at.is_not(None), positions.c.cycle_ended_at.is_(None))
    )


def _told(connection: Connection, rows: Sequence[Any]) -> tuple[LifeFact, ...]:
    """Return these cycles with everything that was sent in them."""
    if not rows:
        return ()
    sent: dict[tuple[str, int], list[SentFact]] = {(row.part, row.cycle): [] for row in rows}
    life = _unnested(rows)
    filled = func.count().filter(fills.c.maker).label("maker"), func.count().filter(~fills.c.maker).label("taker")
    its = select(*filled).where(_of(life)).lateral("its")
    both = select(life.c.part, life.c.cycle, its.c.maker, its.c.taker).select_from(life.join(its, true()))
    sides = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(both)}
    for row in connection.execute(_sent(rows)):
        sent[row.part, row.cycle].append(SentFact._make(row[2:]))
    return tuple(
        LifeFact._make((*row[:-1], tuple(sent[row.part, row.cycle]), *sides[row.part, row.cycle])) for row in rows
    )


def _unnested(rows: Iterable[Any]) -> Any:
    """Return the cycles as a table to join with: part, cycle, earliest begin, latest end."""
    wanted = [(row.part, row.cycle, row.started - LATE, row.ended + LATER if row.ended else NEVER) for row in rows]
    names, numbers, begun, over = zip(*wanted, strict=True)
    columns = func.unnest(
        literal(list(names), ARRAY(Text)),
        literal(list(numbers), ARRAY(BigInteger)),
        literal(list(begun), ARRAY(fills.c.at.type)),
        literal(list(over), ARRAY(fills.c.at.type)),
    )
    return columns.table_valued("part", "cycle", "begun", "over").render_derived(name="life")


def _of(life: Any) -> ColumnElement[bool]:
    """Return the condition for a cycle's fills, looked up cycle by cycle: one big join would read all fills."""
    within = fills.c.at.between(life.c.begun, life.c.over)
    return and_(fills.c.part == life.c.part, fills.c.cycle == life.c.cycle, within)


def _sent(rows: Sequence[Any]) -> Any:
    """Build a query of these cycles' commands and orders side by side, each with the last of the fills under its own
    id.
    """
    life = _unnested(rows)
    sent, had = (
        select(table).join(life, and_(table.c.part == life.c.part, table.c.cycle == life.c.cycle)).subquery(name)
        for table, name in ((commands, "sent"), (orders, "had"))
    )
    order = fills.c.account, fills.c.client_order_id
    its = select(*order, func.max(fills.c.at).label("last")).where(_of(life)).group_by(*order).lateral("its")
    done = select(*its.c).select_from(life.join(its, true())).subquery("done")
    same = and_(sent.c.account == had.c.account, sent.c.client_order_id == had.c.client_order_id)
    both = sent.join(had, same, full=True)
    name = func.coalesce(sent.c.client_order_id, had.c.client_order_id)
    of = and_(done.c.account == func.coalesce(sent.c.account, had.c.account), done.c.client_order_id == name)
    return (
        select(
            func.coalesce(sent.c.part, had.c.part).label("part"),
            func.coalesce(sent.c.cycle, had.c.cycle).label("cycle"),
            name,
            func.coalesce(sent.c.purpose, had.c.purpose),
            func.coalesce(sent.c.side, had.c.side),
            func.coalesce(sent.c.attempts, 0),
            sent.c.outcome,
            func.coalesce(sent.c.code, ""),
            sent.c.recorded_at,
            sent.c.settled_at,
            cast(sent.c.request["reference"]["decimal"].astext, Numeric),
            func.coalesce(had.c.conditional, False),
            had.c.status,
            func.coalesce(had.c.filled, 0),
            had.c.average_price,
            had.c.tp_trigger,
            had.c.sl_trigger,
            had.c.triggered_leg,
            done.c.last,
        )
        .select_from(both.outerjoin(done, of))
        .order_by(name)
    )
