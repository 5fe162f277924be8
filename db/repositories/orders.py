"""Commands and orders: what was sent, and what became of it.

A command is committed before it is sent and only under a lease that still holds. What is known of an order only
goes forward: an ended one never lives again, and what was filled never shrinks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    distinct,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection

from core.domain.account import PositionKey
from core.domain.action import Command, OutcomeKind, PlaceOco, PlaceOrder
from core.domain.errors import Refused
from core.domain.ids import PIECES
from core.domain.order import GIVEN_UP, Order, OrderStatus, Purpose
from core.domain.reason import Reason
from db.mapping import json
from db.models import CommandRow, LeaseStateRow, OrderRow, PositionRow
from db.repositories.parts import of_interest
from db.repository import Repository

commands, orders = CommandRow.table(), OrderRow.table()
positions, leases = PositionRow.table(), LeaseStateRow.table()

UNRESOLVED = or_(commands.c.outcome.is_(None), commands.c.outcome == OutcomeKind.UNKNOWN)
#: columns of a command that are known before it is sent
RECORDED = (
    *("client_order_id", "account", "key", "part", "cycle", "purpose", "side", "kind", "quantity"),
    *("request", "recorded_at", "epoch"),
)
#: columns of an order that a list or a push may leave out, and that are kept then
KEPT_IF_EMPTY = ("exchange_order_id", "failure")
KEPT_IF_NONE = ("triggered_leg", "created_at", "trigger_by")


class OrderRepository(Repository):
    """Stores commands (placements) and the orders that came of them."""

    # -- commands --------------------------------------------------------------------------------------------

    def record(self, account: str, key: PositionKey, action: PlaceOrder | PlaceOco, epoch: int, now: datetime) -> bool:
        """Record a placement before it is sent. True: for the first time; False: the same request once more.

        One statement checks the lease by the database's clock and writes. Raises Refused where the lease is not
        ours any more, or where the id stands for something that was sent: only a request that never arrived may
        be sent again, and only with the same meaning.
        """
        with self.one_statement() as connection:
            attempts = connection.scalar(_RECORD, _command_values(account, key, action, epoch, now))
            if attempts is not None:
                return bool(attempts == 1)
            if connection.scalar(select(_lease_holds(account, epoch))):
                raise Refused(Reason("write.sent_before", order=action.client_order_id), transient=True)
        raise Refused(Reason("write.lease_lost"), transient=True)

    def settle(
        self, client_order_id: str, outcome: OutcomeKind, code: str = "", words: str = "", *, now: datetime
    ) -> None:
        """Record how a command ended; a final outcome is never changed."""
        ended = {"name": client_order_id, "ended": outcome, "with_code": code, "with_words": words, "at": now}
        with self.transaction() as connection:
            row = connection.execute(_SETTLE, ended).one_or_none()
            if row is not None and row.purpose == Purpose.RECOVERY and outcome is OutcomeKind.DONE:
                _count_recovery(connection, row.part, row.cycle, now)

    def commands(self, account: str) -> list[Command]:
        """Return the commands of current cycles of living parts, and all without an outcome, oldest first."""
        with self.one_statement() as connection:
            return [json.command_of(row) for row in connection.execute(_COMMANDS, {"account": account})]

    # -- orders ----------------------------------------------------------------------------------------------

    def of_interest(self, account: str) -> list[Order]:
        """Return all orders of ours of the current cycles, and all live ones, oldest first."""
        with self.one_statement() as connection:
            return [json.order_of(row) for row in connection.execute(_ORDERS, {"account": account})]

    def ours_among(self, account: str, exchange_order_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these exchange ids belong to our orders, or to orders they triggered, in whatever cycle."""
        asked = frozenset(exchange_order_ids)
        if not asked:
            return asked
        with self.one_statement() as connection:
            return asked.intersection(owners_of(connection, account, asked))

    def save(self, account: str, found: Iterable[Order]) -> None:
        """Store the newest known state of our orders; foreign ones are not kept, and a state never goes back."""
        ours = {order.client_order_id: order for order in found if order.part is not None}
        if not ours:
            return
        rows = [json.order_values(account, ours[name]) for name in sorted(ours)]  # one order of locks for all
        with self.transaction() as connection:
            connection.execute(_SAVE, rows)


def owners_of(connection: Connection, account: str, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return part and cycle for each exchange order id of our orders, or of orders that they triggered."""
    named = literal(sorted(ids), ARRAY(Text))
    query = select(orders.c.exchange_order_id, orders.c.child_order_ids, orders.c.part, orders.c.cycle).where(
        orders.c.account == account,
        or_(orders.c.exchange_order_id == any_(named), orders.c.child_order_ids.op("&&")(named)),
    )
    return {
        name: (row.part, row.cycle)
        for row in connection.execute(query)
        for name in (row.exchange_order_id, *row.child_order_ids)
    }


def _count_recovery(connection: Connection, part: str, cycle: int, now: datetime) -> None:
    """Count the part's recovery steps anew and store the number in its row."""
    number = cast(func.regexp_replace(commands.c.client_order_id, "^.*R", ""), BigInteger)
    step = case((number >= PIECES, number - number % PIECES), else_=number)  # as `ids.same_step` tells it
    steps = (
        select(func.count(distinct(step)))
        .where(
            commands.c.part == part,
            commands.c.cycle == cycle,
            commands.c.purpose == Purpose.RECOVERY,
            commands.c.outcome == OutcomeKind.DONE,
        )
        .scalar_subquery()
    )
    of_part = and_(positions.c.part == part, positions.c.cycle == cycle)
    connection.execute(update(positions).where(of_part).values(recovery_count=steps, last_recovery_at=now))


def _lease_holds(account: str, epoch: int) -> ColumnElement[bool]:
    return exists().where(
        leases.c.account == account, leases.c.epoch == epoch, leases.c.expires_at > func.clock_timestamp()
    )


def _command_values(
    account: str, key: PositionKey, action: PlaceOrder | PlaceOco, epoch: int, now: datetime
) -> dict[str, Any]:
    return {
        "client_order_id": action.client_order_id,
        "account": account,
        "key": str(key),
        "part": action.part,
        "cycle": action.cycle,
        "purpose": action.purpose,
        "side": action.side,
        "kind": json.command_kind(action),
        "quantity": action.quantity,
        "request": json.request_json(action),
        "recorded_at": now,
        "epoch": epoch,
    }


def _record_statement() -> Any:
    """Build the insert that holds only while the lease does; the lease's row is locked meanwhile, so that it cannot
    change hands.
    """
    values = {name: bindparam(name, type_=commands.c[name].type) for name in RECORDED}
    held = (
        select(leases.c.account)
        .where(
            leases.c.account == values["account"],
            leases.c.epoch == values["epoch"],
            leases.c.expires_at > func.clock_timestamp(),
        )
        .with_for_update(read=True)
        .cte("held")
    )
    sent = insert(commands).from_select(list(values), select(*values.values()).select_from(held))
    same = and_(
        commands.c.outcome == OutcomeKind.LOST,
        *(commands.c[name] == sent.excluded[name] for name in ("account", "key", "side", "kind", "quantity")),
    )
    again = {
        "request": sent.excluded.request,
        "recorded_at": sent.excluded.recorded_at,
        "epoch": sent.excluded.epoch,
        "attempts": commands.c.attempts + 1,
        "outcome": None,
        "code": "",
        "words": "",
        "settled_at": None,
    }
    return sent.on_conflict_do_update(index_elements=["client_order_id"], set_=again, where=same).returning(
        commands.c.attempts
    )


def _save_statement() -> Any:
    """Build the upsert that only moves an order's state forward, and touches nothing where nothing is new."""
    heard = insert(orders)
    new = heard.excluded
    values: dict[str, Any] = {column.name: new[column.name] for column in orders.c if not column.primary_key}
    for name in KEPT_IF_EMPTY:
        values[name] = func.coalesce(func.nullif(new[name], literal("", Text)), orders.c[name])
    for name in KEPT_IF_NONE:
        values[name] = func.coalesce(new[name], orders.c[name])
    values["child_order_ids"] = case(
        (func.cardinality(new.child_order_ids) > 0, new.child_order_ids), else_=orders.c.child_order_ids
    )
    given_up = orders.c.failure == literal(GIVEN_UP, Text)  # nobody told of an end: it may be shown after all
    values["failure"] = case((given_up, new.failure), else_=values["failure"])
    back_to_life = and_(orders.c.status != OrderStatus.WORKING, new.status == OrderStatus.WORKING, not_(given_up))
    return heard.on_conflict_do_update(
        index_elements=["account", "client_order_id"],
        set_=values,
        where=and_(not_(back_to_life), new.filled >= orders.c.filled),
    )


def _settle_statement() -> Any:
    open_still = or_(commands.c.outcome.is_(None), commands.c.outcome != OutcomeKind.DONE)
    settle = update(commands).where(commands.c.client_order_id == bindparam("name"), open_still)
    told = {"outcome": "ended", "code": "with_code", "words": "with_words", "settled_at": "at"}
    settle = settle.values({name: bindparam(given, type_=commands.c[name].type) for name, given in told.items()})
    return settle.returning(commands.c.part, commands.c.cycle, commands.c.purpose)


def _commands_statement() -> Any:
    mine, name = commands.c.account == bindparam("account"), commands.c.client_order_id
    current = _of_parts(commands, positions.c.cycle_ended_at.is_(None))
    told = (column for column in commands.c if column is not commands.c.request)  # long, and for people only
    query = select(*told).where(mine, name.in_(union(select(name).where(mine, UNRESOLVED), current)))
    return query.order_by(commands.c.recorded_at, name)


def _orders_statement() -> Any:
    mine, name = orders.c.account == bindparam("account"), orders.c.client_order_id
    live = select(name).where(mine, orders.c.status == OrderStatus.WORKING)
    query = select(orders).where(mine, name.in_(union(live, _of_parts(orders, of_interest()))))
    return query.order_by(orders.c.created_at, name)


def _of_parts(table: Table, which: ColumnElement[bool]) -> Any:
    """Build the condition for commands of these parts' current cycles, found by part and cycle: history may be long."""
    here = and_(table.c.part == positions.c.part, table.c.cycle == positions.c.cycle)
    parts = positions.join(table, here)
    return select(table.c.client_order_id).select_from(parts).where(positions.c.account == bindparam("account"), which)


# built once: they are asked at every look
_RECORD, _SAVE, _SETTLE = _record_statement(), _save_statement(), _settle_statement()
_COMMANDS, _ORDERS = _commands_statement(), _orders_statement()
