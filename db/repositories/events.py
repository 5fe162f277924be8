"""Events and alarms: why something was done or left, and what the operator has to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, not_, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from core.domain.action import OutcomeKind
from core.domain.reason import TEXT, Reason, as_reason
from db.mapping.older_texts import older_action, older_because
from db.mapping.reasons import reason_columns, reason_of, reason_or_none
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
    """Stores events: decisions, requests and facts."""

    def add(self, account: str, found: Iterable[Event]) -> None:
        """Store these events, in their order."""
        rows = [event_columns(event) | {"account": account} for event in found]
        if rows:
            with self.transaction() as connection:
                connection.execute(_KEEP, rows)

    def find(
        self, account: str | None = None, part: str | None = None, limit: int = 100, rule: str | None = None
    ) -> list[Event]:
        """Return decisions and requests, newest first."""
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
        """Return events of these rules about the account or about all accounts, newest first."""
        mine = (events.c.account.in_((account, "")), events.c.rule.in_(sorted(rules)))
        with self.one_statement() as connection:
            rows = connection.execute(select(events).where(*mine).order_by(events.c.id.desc()).limit(limit))
            return [event_of(row) for row in rows]


class AlarmRepository(Repository):
    """Stores alarms: what needs a person now."""

    def raise_alarm(self, account: str, subject: str, words: Reason | str, now: datetime) -> bool:
        """Open an alarm; True where it is new. One that is open already only takes the newer words."""
        said = reason_columns("words", as_reason(words))
        row = insert(alarms).values(account=account, subject=subject, raised_at=now, **said)
        raised: Any = row.on_conflict_do_update(
            index_elements=["account", "subject"],
            index_where=alarms.c.cleared_at.is_(None),
            set_={name: row.excluded[name] for name in said},
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
        """Return open alarms, newest first."""
        with self.one_statement() as connection:
            rows = connection.execute(_OPEN_ALARMS, {"of_account": account})
            return [alarm_of(row) for row in rows]


def note(
    connection: Connection,
    at: datetime,
    account: str,
    rule: str,
    because: Reason,
    action: Reason,
    part: str | None = None,
) -> None:
    """Write down, in the transaction that does it, what somebody asked for."""
    asked = event_columns(Event(at, account, part, rule, because, action, OutcomeKind.DONE))
    connection.execute(_KEEP, [asked])


def alarm_of(row: Any) -> Alarm:
    return Alarm(row.account, row.subject, reason_of(row, "words"), row.raised_at)


def event_columns(event: Event) -> dict[str, Any]:
    """Return the columns of an event's row."""
    columns = {field.name: getattr(event, field.name) for field in fields(event)}
    because, action = reason_columns("because", event.because), reason_columns("action", event.action, nothing=None)
    return {**columns, **because, **action}


def event_of(row: Any) -> Event:
    """Return the event of a row; one that an older version wrote gets the codes that its text allows."""
    because, action = reason_of(row, "because"), reason_or_none(row, "action")
    return Event(
        at=row.at,
        account=row.account,
        part=row.part,
        rule=row.rule,
        because=older_because(row.rule, row.because) if because.code == TEXT else because,
        action=older_action(row.rule, row.action) if action is not None and action.code == TEXT else action,
        outcome=row.outcome,
        kind=row.kind,
        symbol=row.symbol,
        quantity=row.quantity,
        price=row.price,
        amount=row.amount,
    )
