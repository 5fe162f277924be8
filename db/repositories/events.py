"""Explanations and alarms: why something was done or left, and what the operator has to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, not_, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from db.models import AlarmRow, EventRow
from db.records import Alarm, Event, EventKind
from db.repository import Repository

events, alarms = EventRow.table(), AlarmRow.table()

# built once: they are asked at every look
_KEEP = plain_insert(events)
_OPEN_ALARMS = (
    select(alarms)
    .where(alarms.c.account == bindparam("of_account"), alarms.c.cleared_at.is_(None))
    .order_by(alarms.c.raised_at.desc(), alarms.c.id.desc())
)


class EventRepository(Repository):
    """What is told to a person."""

    def add(self, account: str, found: Iterable[Event]) -> None:
        """Keep these, in their order."""
        rows = [{field.name: getattr(event, field.name) for field in fields(event)} for event in found]
        if rows:
            with self.transaction() as connection:
                connection.execute(_KEEP, [{**row, "account": account} for row in rows])

    def find(
        self, account: str | None = None, part: str | None = None, limit: int = 100, rule: str | None = None
    ) -> list[Event]:
        """What was decided and asked for, newest first."""
        query = select(events).where(events.c.kind == EventKind.DECISION)
        if account is not None:
            query = query.where(events.c.account == account)
        if part is not None:
            query = query.where(events.c.part == part)
        if rule is not None:
            query = query.where(events.c.rule == rule)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(events.c.id.desc()).limit(limit))
            return [event_of(row) for row in rows]

    def acts(self, account: str, rules: Iterable[str], limit: int) -> list[Event]:
        """What these rules have noted of the account or of the whole house, newest first."""
        mine = (events.c.account.in_((account, "")), events.c.rule.in_(sorted(rules)))
        with self.one_statement() as connection:
            rows = connection.execute(select(events).where(*mine).order_by(events.c.id.desc()).limit(limit))
            return [event_of(row) for row in rows]


class AlarmRepository(Repository):
    """What needs a person just now."""

    def raise_alarm(self, account: str, subject: str, words: str, now: datetime) -> bool:
        """True where this is new. One that is open already only takes the newer words."""
        row = insert(alarms).values(account=account, subject=subject, words=words, raised_at=now)
        raised: Any = row.on_conflict_do_update(
            index_elements=["account", "subject"],
            index_where=alarms.c.cleared_at.is_(None),
            set_={"words": row.excluded.words},
        ).returning(literal_column("xmax = 0"))
        with self.one_statement() as connection:
            return bool(connection.scalar(raised))

    def clear(
        self,
        account: str,
        still_true: Iterable[str],
        now: datetime,
        *,
        only: Sequence[str] = (),
        but: Sequence[str] = (),
    ) -> None:
        """Close every open alarm whose subject is not among `still_true`.

        `only` and `but` narrow it to subjects that begin, or do not begin, with one of these.
        """
        passed = [
            alarms.c.account == account,
            alarms.c.cleared_at.is_(None),
            alarms.c.subject.not_in(sorted(still_true)),
        ]
        if only:
            passed.append(or_(*(alarms.c.subject.startswith(start, autoescape=True) for start in only)))
        passed += [not_(alarms.c.subject.startswith(start, autoescape=True)) for start in but]
        with self.one_statement() as connection:
            connection.execute(update(alarms).where(*passed).values(cleared_at=now))

    def open(self, account: str) -> list[Alarm]:
        """Open ones, newest first."""
        with self.one_statement() as connection:
            rows = connection.execute(_OPEN_ALARMS, {"of_account": account})
            return [Alarm(row.account, row.subject, row.words, row.raised_at) for row in rows]


def event_of(row: Any) -> Event:
    return Event(
        at=row.at,
        account=row.account,
        part=row.part,
        rule=row.rule,
        because=row.because,
        action=row.action,
        outcome=row.outcome,
        kind=row.kind,
        symbol=row.symbol,
        quantity=row.quantity,
        price=row.price,
        amount=row.amount,
    )
