"""Alerts and their deliveries: each fact becomes one alert, and each alert goes to each channel once.

Facts are read behind a cursor of transaction numbers, short of the oldest transaction that still runs, so that a late
commit is never passed; the cursor commits together with what was made of them. Trading writes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from core.domain.account import PositionKey
from core.domain.action import OutcomeKind
from core.domain.alert import Alert, AlertKind, Condition
from core.domain.order import Order
from core.domain.reason import Reason
from db.change_marks import FIRST_RUNNING, NEXT
from db.mapping import json
from db.mapping.reasons import reason_columns, reason_of
from db.models import (
    AlarmRow,
    AlertChannelRow,
    AlertConditionRow,
    AlertCursorRow,
    AlertDeliveryRow,
    AlertRow,
    CommandRow,
    CycleRow,
    EventRow,
    OrderRow,
)
from db.records import Alarm, CycleRecord, Event, EventKind
from db.repositories.events import alarm_of, event_of
from db.repositories.history import cycle_of
from db.repositories.orders import UNRESOLVED
from db.repository import Repository

orders, cycles, events, alarms = OrderRow.table(), CycleRow.table(), EventRow.table(), AlarmRow.table()
alerts, deliveries, channels = AlertRow.table(), AlertDeliveryRow.table(), AlertChannelRow.table()
cursors, conditions, commands = AlertCursorRow.table(), AlertConditionRow.table(), CommandRow.table()

AT_ONCE = 500  #: rows of each kind in one turn
OWN_TROUBLE = "alerts/"  #: what the alarms about a channel begin with; that channel itself is not told of them


@dataclass(frozen=True, slots=True)
class NewFacts:
    """Facts written since the read cursor, oldest first. Some may have been seen before."""

    filled: Sequence[tuple[str, Order]] = ()  #: account, and an order of ours that has filled
    cycles: Sequence[CycleRecord] = ()
    events: Sequence[tuple[int, Event]] = ()
    alarms: Sequence[tuple[int, Alarm, datetime | None]] = ()  #: number, alarm, when it was cleared
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)  #: code and words, by client order id


Make = Callable[[NewFacts], Iterable[Alert]]

#: what is read, by name: the table, its key as text, and which of its rows
_SOURCES: dict[str, tuple[Any, ColumnElement[str], ColumnElement[bool]]] = {
    "orders": (orders, orders.c.account + "/" + orders.c.client_order_id, orders.c.filled > 0),
    "cycles": (cycles, cycles.c.part + "/" + cast(cycles.c.number, Text), cycles.c.part != ""),
    "events": (events, cast(events.c.id, Text), events.c.kind.in_((EventKind.DECISION, EventKind.RISK_FAILURE))),
    "alarms": (alarms, cast(alarms.c.id, Text), alarms.c.id > 0),
}


def _news_statement() -> Select[Any]:
    """Build the query for whether there is anything to do: cursors, remembered conditions, and new facts of
    each kind.
    """
    questions: list[ColumnElement[Any]] = [
        exists(select(conditions.c.subject)),
        exists(select(cursors.c.source).where(cursors.c.changed > NEXT)),
    ]
    for name, (table, key, only) in _SOURCES.items():
        marked = table.c.changed > 0  # rows from before there was a mark are no news, and may be many
        newest = select(table.c.changed, key.label("key")).where(only, marked)
        last = newest.order_by(table.c.changed.desc(), key.desc()).limit(1).subquery()
        newer = tuple_(last.c.changed, last.c.key) > tuple_(cursors.c.changed, cursors.c.key)
        questions.append(select(newer).select_from(cursors.join(last, cursors.c.source == name)).scalar_subquery())
    count = select(func.count()).select_from(cursors).scalar_subquery()
    return select(count.label("cursors"), *questions)


_NEWS = _news_statement()


class AlertRepository(Repository):
    """Turns facts into alerts and their deliveries."""

    def tell(self, make: Make, standing: Iterable[Condition], now: datetime, also: Sequence[Alert] = ()) -> int | None:
        """Turn new facts and present conditions into alerts, each stored once; returns how many are new.

        None: another process is at it. The first time nothing that happened before is told.
        """
        standing = list(standing)
        if not standing and not also and self._nothing_new():
            return 0
        with self.transaction() as connection:
            places = self._cursors(connection, now)
            if places is None:
                return None
            found = {}
            for name, place in places.items():
                rows = self._behind(connection, name, place)
                if rows:
                    moved = {"changed": rows[-1].changed, "key": rows[-1].cursor_key}
                    connection.execute(update(cursors).where(cursors.c.source == name).values(moved))
                found[name] = [row for row in rows if not _old(name, row, place.began_at)]
            made = [*also, *make(_facts(found, _refused(connection, found["events"])))]
            made += self._conditions(connection, standing, now)
            return self._write(connection, made, now)

    def unresolved_placements(self) -> list[tuple[PositionKey, str, str, datetime]]:
        """Return placements without an answer, of all accounts: position, part, client order id, since when."""
        columns = (commands.c.key, commands.c.part, commands.c.client_order_id, commands.c.recorded_at)
        with self.one_statement() as connection:
            rows = connection.execute(select(*columns).where(UNRESOLVED).order_by(commands.c.recorded_at)).all()
        return [(PositionKey.parse(row.key), row.part, row.client_order_id, row.recorded_at) for row in rows]

    def forget(self, before: datetime, most: int) -> int:
        """Delete up to `most` old alerts that nobody will look for again; returns how many went."""
        old = select(alerts.c.id).where(alerts.c.at < before).order_by(alerts.c.at).limit(most)
        with self.one_statement() as connection:
            return connection.execute(delete(alerts).where(alerts.c.id.in_(old))).rowcount

    # -- reading behind the cursor ---------------------------------------------------------------------------

    def _nothing_new(self) -> bool:
        """Return whether there is nothing to do: one query, without a lock or a write, as most turns end here."""
        with self.one_statement() as connection:
            row = connection.execute(_NEWS).one()
        return row.cursors == len(_SOURCES) and not any(row[1:])

    def _cursors(self, connection: Connection, now: datetime) -> dict[str, Any] | None:
        """Return the read cursors, locked for this transaction; None: another process holds them.

        A cursor beyond all that was ever written comes from another server: reading begins anew, at now.
        """
        missing = insert(cursors).from_select(
            ["source", "changed", "key", "began_at"],
            select(func.unnest(list(_SOURCES)), FIRST_RUNNING, literal(""), literal(now)),
        )
        if len(connection.scalars(select(cursors.c.source)).all()) < len(_SOURCES):
            connection.execute(missing.on_conflict_do_nothing())
        anew = {"changed": FIRST_RUNNING, "key": "", "began_at": now}
        connection.execute(update(cursors).where(cursors.c.changed > NEXT).values(anew))
        mine = select(cursors).order_by(cursors.c.source).with_for_update(skip_locked=True)
        places = {row.source: row for row in connection.execute(mine)}
        return places if len(places) == len(_SOURCES) else None

    @staticmethod
    def _behind(connection: Connection, name: str, place: Any) -> Sequence[Any]:
        """Return the rows after a cursor, only of transactions older than the oldest that still runs."""
        table, cursor_key, only = _SOURCES[name]
        newer = tuple_(table.c.changed, cursor_key) > tuple_(literal(place.changed), literal(place.key))
        behind = and_(table.c.changed >= place.changed, newer, table.c.changed < FIRST_RUNNING)
        return connection.execute(
            select(table, cursor_key.label("cursor_key"))
            .where(only, behind)
            .order_by(table.c.changed, cursor_key)
            .limit(AT_ONCE)
        ).all()

    # -- writing ---------------------------------------------------------------------------------------------

    def _conditions(self, connection: Connection, standing: list[Condition], now: datetime) -> list[Alert]:
        """Return alerts for conditions that have lasted long enough, and for announced ones that have passed."""
        known = {row.subject: row for row in connection.execute(select(conditions))}
        made = []
        for one in standing:
            row = known.get(one.subject)
            since, told = (one.since or now, False) if row is None else (row.since, row.told)
            due = not told and now - since >= one.after
            if due:
                key = f"{one.subject}@{since.isoformat()}"
                severe = one.kind.severe
                made.append(Alert(key, one.kind, one.account, one.subject, one.words, now, severe, one.part))
            if row is None or due:
                values = {"account": one.account, "since": since, "told": told or due}
                values |= reason_columns("words", one.words)
                kept = insert(conditions).values(subject=one.subject, **values)
                connection.execute(kept.on_conflict_do_update(index_elements=["subject"], set_=values))
        for subject in sorted(set(known) - {one.subject for one in standing}):
            row = known[subject]
            connection.execute(delete(conditions).where(conditions.c.subject == subject))
            if row.told:
                key = f"{subject}@{row.since.isoformat()}/over"
                words = Reason("alert.over_after", time=now - row.since, what=reason_of(row, "words"))
                made.append(Alert(key, AlertKind.CLEARED, row.account, subject, words, now))
        return made

    @staticmethod
    def _write(connection: Connection, made: Iterable[Alert], now: datetime) -> int:
        new = 0
        hearing = connection.execute(select(channels.c.id, channels.c.kinds).where(channels.c.on)).all() if made else ()
        for one in made:
            row = insert(alerts).values(
                key=one.key,
                at=one.at,
                kind=one.kind,
                account=one.account,
                part=one.part,
                subject=one.subject,
                severe=one.severe,
                **reason_columns("words", one.words),
            )
            number = connection.scalar(row.on_conflict_do_nothing().returning(alerts.c.id))
            if number is None:
                continue
            new += 1
            wanted = [
                {"channel": channel.id, "alert": number, "state": "waiting", "due_at": now}
                for channel in hearing
                if one.kind in channel.kinds and one.subject != OWN_TROUBLE + channel.id
            ]
            if wanted:
                connection.execute(insert(deliveries), wanted)
        return new


def _old(name: str, row: Any, began: datetime) -> bool:
    """Return whether a row tells of something from before `began` that was only written again since."""
    match name:
        case "orders":
            at = row.updated_at or row.created_at
        case "cycles":
            at = row.ended
        case "alarms":
            at = row.cleared_at or row.raised_at
        case _:
            at = row.at
    return at is not None and at < began


def _refused(connection: Connection, happened: Sequence[Any]) -> dict[str, tuple[str, str]]:
    """Return the exchange's code and words for placements that these events report as refused."""
    refused = [reason_of(row, "action") for row in happened if row.outcome == OutcomeKind.REFUSED and row.action]
    ids = sorted({str(action.values.get("client_order_id", "")) for action in refused} - {""})
    if not ids:
        return {}
    columns = (commands.c.client_order_id, commands.c.code, commands.c.words)
    return {
        row.client_order_id: (row.code, row.words)
        for row in connection.execute(select(*columns).where(commands.c.client_order_id.in_(ids)))
    }


def _facts(found: Mapping[str, Sequence[Any]], refused: Mapping[str, tuple[str, str]]) -> NewFacts:
    return NewFacts(
        filled=[(row.account, json.order_of(row)) for row in found["orders"] if row.part],
        cycles=[cycle_of(row) for row in found["cycles"]],
        events=[(row.id, event_of(row)) for row in found["events"]],
        alarms=[(row.id, alarm_of(row), row.cleared_at) for row in found["alarms"]],
        refused=refused,
    )
