"""Cycles of parts, from their start to flat. Each start and each end is written once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, any_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from core.domain.action import BookExit, EndCycle, ExecutionOver, Reduce, StartCycle, StartStep
from core.domain.errors import Refused
from core.domain.intent import Adding, ExitReason, Wanted
from core.domain.money import Contracts
from core.domain.order import Purpose
from core.domain.reason import Reason
from db.connection import Database
from db.mapping import json
from db.mapping.reasons import reason_columns
from db.models import CycleRow, ExternalExitRow, PositionRow
from db.repository import Repository

positions, cycles, exits = PositionRow.table(), CycleRow.table(), ExternalExitRow.table()


def _living(part: str, cycle: int) -> ColumnElement[bool]:
    return and_(positions.c.part == part, positions.c.cycle == cycle, positions.c.cycle_ended_at.is_(None))


class CycleRepository(Repository):
    """Stores cycles: sizes, exits, recovery steps and ends of parts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._noted: dict[str, tuple[str, str, str]] = {}

    def start(self, action: StartCycle, now: datetime) -> None:
        """Start a cycle with its size fixed: the one asked for, or the next after an ended one.

        Begun already: nothing happens. Raises Refused where the part is to be closed instead.
        """
        of_part = positions.c.part == action.part
        waiting = and_(positions.c.cycle == action.cycle, positions.c.cycle_started_at.is_(None))
        ended = and_(positions.c.cycle == action.cycle - 1, positions.c.cycle_ended_at.is_not(None))
        begin = (
            update(positions)
            .where(of_part, positions.c.wanted != Wanted.CLOSED, or_(waiting, ended))
            .values(
                cycle=action.cycle,
                wanted=Wanted.OPEN,
                edit=None,
                reopen_at=None,
                contracts=action.contracts,
                cycle_started_at=now,
                cycle_ended_at=None,
                exit_reason=None,
                reduce_to=None,
                closing=None,
                adding=None,
                told=None,
                recovery_count=0,
                last_recovery_at=None,
                status="opening",
            )
        )
        with self.transaction() as connection:
            if connection.execute(begin).rowcount:
                return
            now_at = select(positions.c.cycle).where(of_part, positions.c.cycle_started_at.is_not(None))
            if connection.scalar(now_at) != action.cycle:
                raise Refused(Reason("write.cycle_not_wanted", cycle=action.cycle, part=action.part))

    def book_exit(self, account: str, action: BookExit) -> None:
        """Record once that contracts of a part were closed by an order that was not ours."""
        values = {name: getattr(action, name) for name in ("part", "cycle", "quantity", "price", "fee", "reason", "at")}
        with self.one_statement() as connection:
            connection.execute(
                insert(exits)
                .values(account=account, exchange_fill_id=action.exchange_fill_id, **values)
                .on_conflict_do_nothing()
            )

    def booked_of(self, account: str, fill_ids: Iterable[str]) -> dict[str, Contracts]:
        """Return how many contracts of each of these foreign fills were booked to parts, in all their cycles."""
        asked = sorted(set(fill_ids))
        if not asked:
            return {}
        fill = func.split_part(exits.c.exchange_fill_id, "/", 1)
        query = select(fill.label("fill"), func.sum(exits.c.quantity).label("quantity"))
        wanted = query.where(exits.c.account == account, fill == any_(literal(asked, ARRAY(Text)))).group_by(fill)
        with self.one_statement() as connection:
            return {row.fill: Contracts(row.quantity) for row in connection.execute(wanted)}

    def end(self, account: str, action: EndCycle, funding: Decimal, life: str, now: datetime) -> None:
        """Close the cycle and write it into the history, in one transaction and once."""
        status = "refused" if action.reason is ExitReason.NOT_ENTERED else "closed"
        ended = (
            update(positions)
            .where(
                positions.c.part == action.part,
                positions.c.account == account,
                positions.c.cycle == action.cycle,
                positions.c.cycle_ended_at.is_(None),
            )
            .values(
                cycle_ended_at=now,
                exit_reason=action.reason,
                reduce_to=None,
                closing=None,
                adding=None,
                status=status,
                position_id="",
                tp_order_id="",
                sl_order_id="",
            )
            .returning(positions)
        )
        with self.transaction() as connection:
            row = connection.execute(ended).one_or_none()
            if row is None:
                return
            self._noted.pop(action.part, None)
            connection.execute(
                insert(cycles)
                .values(
                    part=action.part,
                    number=action.cycle,
                    account=account,
                    symbol=row.symbol,
                    side=row.side,
                    started=row.cycle_started_at or row.asked_at,
                    ended=now,
                    contracts=action.entered,
                    average_entry=action.average_entry,
                    average_exit=action.average_exit,
                    realised_pnl=action.realised_pnl,
                    fees=action.fees,
                    funding=funding,
                    reason=action.reason,
                    life=life,
                    **reason_columns("words", action.words),
                )
                .on_conflict_do_nothing()
            )

    def let_go(self, part: str, cycle: int) -> None:
        """Mark an ended part as not to be reopened, unless the trader asks for it by name."""
        ended = and_(positions.c.part == part, positions.c.cycle == cycle, positions.c.cycle_ended_at.is_not(None))
        by_rule = and_(positions.c.wanted == Wanted.OPEN, positions.c.reopen_at.is_(None))
        with self.one_statement() as connection:
            connection.execute(update(positions).where(ended, by_rule).values(wanted=Wanted.CLOSED))

    def reduce(self, action: Reduce) -> None:
        """Set the size that a part is to be closed down to; what the trader has asked for meanwhile stays as it is."""
        undisturbed = and_(positions.c.wanted == Wanted.OPEN, positions.c.reduce_to.is_(None))
        with self.one_statement() as connection:
            connection.execute(
                update(positions)
                .where(_living(action.part, action.cycle), undisturbed)
                .values(reduce_to=action.to, closing=None, told=None)
            )

    def reduction_done(self, part: str, goal: Decimal) -> None:
        """Clear a partial close that has been reached: the part goes on with what is left. A newer request stays."""
        reached = (positions.c.part == part) & (positions.c.reduce_to == goal)
        with self.one_statement() as connection:
            connection.execute(update(positions).where(reached).values(reduce_to=None, closing=None))

    def start_step(self, action: StartStep, now: datetime) -> None:
        """Start a recovery step that is worked in several orders; one that has begun already is left alone."""
        idle = and_(_living(action.part, action.cycle), positions.c.adding.is_(None))
        adding = json.adding_json(Adding(action.step, action.contracts, now))
        with self.one_statement() as connection:
            connection.execute(update(positions).where(idle).values(adding=adding))

    def execution_over(self, action: ExecutionOver) -> None:
        """End an execution: a recovery step is done, and an entry that ended short counts as entered."""
        entered: dict[str, Any] = {"contracts": action.contracts}
        values = entered if action.purpose is Purpose.ENTRY else {"adding": None}
        with self.one_statement() as connection:
            connection.execute(update(positions).where(_living(action.part, action.cycle)).values(values))

    def note_position(self, part: str, position_id: str, tp_order_id: str, sl_order_id: str) -> None:
        """Store the exchange's ids beside the part. Unchanged ones cost nothing."""
        ids = (position_id, tp_order_id, sl_order_id)
        if part not in self._noted:
            self._noted |= self._ids_of_living_parts()
        if self._noted.get(part) == ids:
            return
        values: dict[str, Any] = dict(zip(("position_id", "tp_order_id", "sl_order_id"), ids, strict=True))
        if position_id:
            values["status"] = func.replace(positions.c.status, "opening", "open")
        living = and_(positions.c.part == part, positions.c.cycle_ended_at.is_(None))
        with self.one_statement() as connection:
            connection.execute(update(positions).where(living).values(values))
        self._noted[part] = ids

    def _ids_of_living_parts(self) -> dict[str, tuple[str, str, str]]:
        """Return the exchange's ids of all living parts in one read, so that a restart rewrites none of them."""
        ids = (positions.c.position_id, positions.c.tp_order_id, positions.c.sl_order_id)
        query = select(positions.c.part, *ids).where(positions.c.cycle_ended_at.is_(None))
        with self.one_statement() as connection:
            return {row.part: (row[1], row[2], row[3]) for row in connection.execute(query)}
