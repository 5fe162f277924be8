"""Ended cycles with their facts, and the exchange's own position history beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from core.domain.action import OutcomeKind
from core.domain.asked import asked_by
from core.domain.history.holding import Edit, ProtectionLevels, levels_of
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.ids import net_of
from core.domain.instrument import Side
from core.domain.intent import ExitReason, ExternalEntry
from core.domain.order import Leg, Purpose
from core.domain.reason import Reason
from db.connection import send
from db.mapping import json
from db.mapping.changes import edit_of
from db.mapping.older_texts import older_amendment
from db.mapping.reasons import reason_columns, reason_of, reason_or_none
from db.models import (
    CommandRow,
    CycleRow,
    EquityRow,
    EventRow,
    ExternalEntryRow,
    ExternalExitRow,
    LifeRow,
    OrderRow,
    PositionRow,
    RequestRow,
    SyncStateRow,
)
from db.records import CycleFacts, CycleRecord, EventKind, Only, SyncRow
from db.repositories.events import note
from db.repository import Repository

cycles, positions, orders = CycleRow.table(), PositionRow.table(), OrderRow.table()
commands, events, exits = CommandRow.table(), EventRow.table(), ExternalExitRow.table()
entries, samples = ExternalEntryRow.table(), EquityRow.table()
lives, syncs, requests = LifeRow.table(), SyncStateRow.table(), RequestRow.table()

EVERYTHING = Only()


class HistoryRepository(Repository):
    """Reads ended cycles and stores the exchange's own position history."""

    # -- cycles ----------------------------------------------------------------------------------------------

    def cycles(
        self, account: str | None = None, part: str | None = None, limit: int = 200, only: Only = EVERYTHING
    ) -> list[CycleRecord]:
        """Return ended cycles, newest first."""
        stepped = and_(orders.c.purpose == Purpose.RECOVERY, orders.c.filled > 0)
        of_cycle = and_(orders.c.part == cycles.c.part, orders.c.cycle == cycles.c.number)
        recoveries = select(func.count()).where(of_cycle, stepped).correlate(cycles).scalar_subquery()
        query = select(cycles, positions.c.strategy, recoveries.label("recoveries")).outerjoin(
            positions, positions.c.part == cycles.c.part
        )
        if account is not None:
            query = query.where(cycles.c.account == account)
        if part is not None:
            query = query.where(cycles.c.part == part)
        query = query.where(*_narrowed(only, recoveries))
        with self.one_statement() as connection:
            rows = connection.execute(
                query.order_by(cycles.c.ended.desc(), cycles.c.part, cycles.c.number.desc()).limit(limit)
            )
            return [cycle_of(row) for row in rows]

    def traded(self, account: str) -> tuple[list[str], list[str]]:
        """Return the symbols and the strategies of all ended cycles, in order."""
        query = (
            select(cycles.c.symbol, positions.c.strategy)
            .outerjoin(positions, positions.c.part == cycles.c.part)
            .where(cycles.c.account == account)
            .distinct()
        )
        with self.one_statement() as connection:
            rows = connection.execute(query).all()
        return sorted({row.symbol for row in rows}), sorted({row.strategy for row in rows if row.strategy})

    def cycle_facts(self, part: str, cycle: int) -> CycleFacts:
        """Return everything kept of one cycle, past or present."""
        of_orders = and_(orders.c.part == part, orders.c.cycle == cycle)
        of_exits = and_(exits.c.part == part, exits.c.cycle == cycle)
        of_commands = and_(commands.c.part == part, commands.c.cycle == cycle, commands.c.outcome == OutcomeKind.DONE)
        with self.transaction() as connection:
            found = connection.execute(select(orders).where(of_orders).order_by(orders.c.client_order_id)).all()
            gone = connection.execute(select(exits).where(of_exits).order_by(exits.c.at)).all()
            taken = connection.execute(
                select(entries).where(entries.c.part == part, entries.c.cycle == cycle).order_by(entries.c.at)
            ).all()
            sent = connection.execute(select(commands).where(of_commands).order_by(commands.c.recorded_at)).all()
            began, ended = _span(part, cycle)
            said = connection.execute(
                select(events)
                .where(events.c.part == part, events.c.kind == EventKind.DECISION)
                .where(events.c.action.is_not(None), events.c.outcome.is_not(None))
                .where(events.c.at >= began, or_(ended.is_(None), events.c.at <= ended))
                .order_by(events.c.id)
            ).all()
        return CycleFacts(
            tuple(json.order_of(row) for row in found),
            tuple(json.exit_of(row) for row in gone),
            (*(one for row in sent for one in _placed(row)), *_amended(said)),
            tuple(_edits(said)),
            tuple(ExternalEntry(row.quantity, row.price, row.at, row.entry_id) for row in taken),
        )

    # -- the exchange's own lives ----------------------------------------------------------------------------

    def record_lives(self, account: str, found: Iterable[ClosedPosition]) -> int:
        """Store positions of the exchange's history, the newest state of each; returns how many are new or changed."""
        names = [field.name for field in fields(ClosedPosition)]
        values = {
            life.life: {"account": account, "life": life.life, **{name: getattr(life, name) for name in names}}
            for life in sorted(found, key=lambda life: life.updated_at)
        }
        if not values:
            return 0
        row = insert(lives)
        moved: Any = row.on_conflict_do_update(
            index_elements=["account", "life"],
            set_={name: row.excluded[name] for name in names},
            where=or_(row.excluded.updated_at > lives.c.updated_at, row.excluded.realised != lives.c.realised),
        ).returning(lives.c.life)
        with self.transaction() as connection:
            return len(connection.scalars(moved, [values[name] for name in sorted(values)]).all())

    def lives(self, account: str, only: Only = EVERYTHING, limit: int = 500) -> list[ClosedPosition]:
        """Return positions of the exchange's history by their newest close, newest first; only symbol, side and dates
        narrow.
        """
        query = select(lives).where(lives.c.account == account)
        wanted = ((lives.c.symbol, only.symbol), (lives.c.side, only.side))
        query = query.where(*(column == value for column, value in wanted if value is not None))
        if only.since is not None:
            query = query.where(lives.c.updated_at >= only.since)
        if only.until is not None:
            query = query.where(lives.c.updated_at < only.until)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(lives.c.updated_at.desc(), lives.c.life).limit(limit)).all()
        return [_life(row) for row in rows]

    def cycles_of_lives(self, account: str, names: Iterable[str]) -> list[CycleRecord]:
        """Return every ended cycle that belonged to one of these exchange positions."""
        query = select(cycles).where(cycles.c.account == account, cycles.c.life.in_(sorted(names)))
        with self.one_statement() as connection:
            return [cycle_of(row) for row in connection.execute(query.order_by(cycles.c.ended))]

    def equity_curve(self, account: str, since: datetime, every_seconds: int) -> list[tuple[datetime, Decimal]]:
        """Return the account's sampled equity since then, oldest first; the last sample of each span of time."""
        of_account = and_(samples.c.account == account, samples.c.at >= since)
        span = func.floor(func.extract("epoch", samples.c.at) / every_seconds)
        query = select(samples.c.at, samples.c.equity).where(of_account).ext(distinct_on(span))
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(span, samples.c.at.desc()))
            return sorted((row.at, row.equity) for row in rows)

    # -- bringing it home ------------------------------------------------------------------------------------

    def sync_state(self, account: str) -> SyncRow:
        with self.one_statement() as connection:
            row = connection.execute(select(syncs).where(syncs.c.account == account)).one_or_none()
        if row is None:
            return SyncRow(account)
        kept = {name: getattr(row, name) for name in SyncRow.__slots__ if name != "trouble"}
        return SyncRow(**kept, trouble=reason_or_none(row, "trouble"))

    def ask_for_sync(self, account: str, token: str, by: str) -> bool:
        """Record that a person wants the exchange's history now, and tell the bot. False: recorded before."""
        now = datetime.now(UTC)
        click = (
            insert(requests)
            .values(token=token, account=account, what="sync_history", asked_by=by, asked_at=now)
            .on_conflict_do_nothing()
            .returning(requests.c.token)
        )
        with self.transaction() as connection:
            if connection.scalar(click) is None:
                return False
            _note(connection, account, asked_at=now)
            note(connection, now, account, "asked", asked_by(by), Reason("asked.sync_history"))
            send(connection, {"sync": account})
        return True

    def note_sync(self, account: str, **changes: Any) -> None:
        """Store how far the read has come: reached, began_at, ended_at, done, of, trouble."""
        if "trouble" in changes:
            changes |= reason_columns("trouble", changes["trouble"])
        with self.transaction() as connection:
            _note(connection, account, **changes)


def _note(connection: Any, account: str, **changes: Any) -> None:
    row = insert(syncs).values(account=account, **changes)
    connection.execute(row.on_conflict_do_update(index_elements=["account"], set_=changes))


def _narrowed(only: Only, recoveries: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    equal = (
        (cycles.c.symbol, only.symbol),
        (cycles.c.side, only.side),
        (positions.c.strategy, only.strategy),
        (cycles.c.reason, only.reason),
    )
    yield from (column == value for column, value in equal if value is not None)
    if only.recovered is not None:
        yield recoveries > 0 if only.recovered else recoveries == 0
    if only.since is not None:
        yield cycles.c.ended >= only.since
    if only.until is not None:
        yield cycles.c.ended < only.until


def cycle_of(row: Any) -> CycleRecord:
    """Return a history row as a cycle record."""
    return CycleRecord(
        account=row.account,
        symbol=row.symbol,
        side=Side(row.side),
        part=row.part,
        number=row.number,
        started=row.started,
        ended=row.ended,
        contracts=row.contracts,
        average_entry=row.average_entry,
        average_exit=row.average_exit,
        realised_pnl=row.realised_pnl,
        fees=row.fees,
        funding=row.funding,
        reason=ExitReason(row.reason),
        words=reason_of(row, "words"),
        life=row.life,
        strategy=getattr(row, "strategy", None) or "manual",
        recoveries=getattr(row, "recoveries", 0),
    )


def _life(row: Any) -> ClosedPosition:
    values = {field.name: getattr(row, field.name) for field in fields(ClosedPosition)}
    return ClosedPosition(**{**values, "side": Side(row.side), "last_close": LastClose(row.last_close)})


def _span(part: str, cycle: int) -> tuple[Any, Any]:
    """Return when a cycle began and ended, as two SQL expressions; for the present one by its part's row."""
    of_cycle = and_(cycles.c.part == part, cycles.c.number == cycle)
    began = select(cycles.c.started).where(of_cycle).scalar_subquery()
    present = select(positions.c.cycle_started_at).where(positions.c.part == part).scalar_subquery()
    return func.coalesce(began, present), select(cycles.c.ended).where(of_cycle).scalar_subquery()


def _placed(row: Any) -> Iterator[ProtectionLevels]:
    """Return the protection that a command placed, alone or along with an entry."""
    request = row.request
    if "sl_trigger" in request:
        pair = (request["tp_trigger"], request["sl_trigger"])
        leg = {Purpose.TAKE_PROFIT: Leg.TAKE_PROFIT, Purpose.STOP_LOSS: Leg.STOP_LOSS}.get(Purpose(row.purpose))
        yield ProtectionLevels(row.recorded_at, row.client_order_id, pair, leg=leg)
    attached, net = request.get("attached"), net_of(row.client_order_id)
    if attached is not None and net is not None:
        pair = (attached["tp_trigger"], attached["sl_trigger"])
        yield ProtectionLevels(row.recorded_at, net, pair, whole=row.purpose == Purpose.ENTRY)


def _amended(said: Iterable[Any]) -> Iterator[ProtectionLevels]:
    for row in said:
        if row.outcome in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            action = reason_of(row, "action")
            told = older_amendment(action) or action
            levels = levels_of(row.at, told, certain=row.outcome == OutcomeKind.DONE)
            if levels is not None:
                yield levels


def _edits(said: Iterable[Any]) -> Iterator[Edit]:
    for row in said:
        edit = edit_of(reason_of(row, "action")) if row.rule == "asked" else None
        if edit is not None:
            yield Edit(row.at, str(edit))
