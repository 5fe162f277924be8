"""Risk checks of orders, and the deletion of old events and checks.

An order that was let through is one row; so is a refusal, and the same refusal of the same part again only counts up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, literal, literal_column, not_, or_, select, update
from sqlalchemy import insert as plain_insert

from core.domain.action import Rule
from core.domain.reason import Reason, from_json, text, to_json
from core.domain.risk_result import Check, Verdict
from db.base import Json
from db.mapping.reasons import reason_columns, reason_or_none
from db.models import EventRow, RiskCheckRow
from db.repository import Repository

checks, events = RiskCheckRow.table(), EventRow.table()

#: what persons have asked for, and what other records are read from: never let go
KEPT_RULES = ("asked", "switch", "setting", "account", "login", "paper market", Rule.SWEEP)


@dataclass(frozen=True, slots=True)
class RiskCheck:
    """An order that the risk control has let through or refused."""

    number: int  #: only grows
    at: datetime
    account: str
    symbol: str
    part: str
    purpose: str
    client_order_id: str  #: empty: no order came of it
    passed: bool
    check: str  #: the check that failed; empty: none did
    value: Decimal | None
    limit: Decimal | None
    unit: str
    words: Reason | None  #: why it was refused
    checks: tuple[Check, ...]  #: every one that was made
    repeats: int
    repeated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckCount:
    """How often one check has let orders through and refused them; a refusal counts each time it was found."""

    name: str
    passed: int
    failed: int


class RiskCheckRepository(Repository):
    """Stores the results of the risk control."""

    def add(self, account: str, symbol: str, part: str, verdict: Verdict, client_order_id: str, now: datetime) -> None:
        """Store a result. A refusal that repeats the newest one for this part and purpose counts up instead."""
        failed = verdict.failed
        told = {
            "value": failed.value if failed else None,
            "limit_value": failed.limit if failed else None,
            "unit": failed.unit if failed else "",
            **reason_columns("words", verdict.refusal),
            "checks": [_json(check) for check in verdict.checks],
        }
        name = str(failed.name) if failed else ""
        row = {
            "at": now,
            "account": account,
            "symbol": symbol,
            "part": part,
            "purpose": verdict.purpose,
            "client_order_id": client_order_id,
            "check_name": name,
            "passed": failed is None,
        }
        with self.transaction() as connection:
            if failed is not None:
                newest = (
                    select(checks.c.id)
                    .where(checks.c.part == part, checks.c.purpose == verdict.purpose)
                    .where(checks.c.account == account, checks.c.symbol == symbol)
                    .order_by(checks.c.id.desc())
                    .limit(1)
                    .scalar_subquery()
                )
                again = update(checks).where(checks.c.id == newest, checks.c.check_name == name)
                counted = again.values(**told, repeats=checks.c.repeats + 1, repeated_at=now)
                if connection.execute(counted).rowcount:
                    return
            connection.execute(plain_insert(checks).values(**row, **told))

    def find(
        self,
        account: str,
        *,
        part: str | None = None,
        check: str | None = None,
        passed: bool | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[RiskCheck]:
        """Return risk checks, newest first; with `before` those of smaller numbers."""
        wanted = [checks.c.account == account]
        given = {checks.c.part: part, checks.c.check_name: check, checks.c.passed: passed}
        wanted += [column == value for column, value in given.items() if value is not None]
        if before is not None:
            wanted.append(checks.c.id < before)
        with self.one_statement() as connection:
            rows = connection.execute(select(checks).where(*wanted).order_by(checks.c.id.desc()).limit(limit))
            return [_risk_check(row) for row in rows]

    def counts(self, account: str, since: datetime) -> list[CheckCount]:
        """Return how often each check was made and failed since then, by its name."""
        one = func.jsonb_array_elements(checks.c.checks).table_valued("value").lateral("one")
        name: ColumnElement[str] = literal_column("one.value ->> 'name'")
        failed = literal_column("one.value ->> 'words'") != ""
        times = checks.c.repeats + 1
        query = (
            select(
                name.label("name"),
                func.coalesce(func.sum(times).filter(not_(failed)), 0).label("passed"),
                func.coalesce(func.sum(times).filter(failed), 0).label("failed"),
            )
            .select_from(checks.join(one, literal(True)))
            .where(checks.c.account == account, checks.c.at >= since)
            .group_by(name)
            .order_by(name)
        )
        with self.one_statement() as connection:
            return [CheckCount(row.name, int(row.passed), int(row.failed)) for row in connection.execute(query)]

    # -- keeping -----------------------------------------------------------------------------------------------

    def forget_events(self, before: datetime, most: int) -> int:
        """Delete up to `most` events and as many risk checks from before then; returns how many went.

        What persons have asked for stays, and so does what was done about a life of a part: its story is told from
        it. Orders, fills, cycles and funding are no events and are never let go.
        """
        told = or_(events.c.kind != "decision", and_(events.c.rule.not_in(KEPT_RULES), events.c.outcome.is_(None)))
        old: tuple[tuple[Any, ColumnElement[bool]], ...] = (
            (events, and_(events.c.at < before, told)),
            (checks, checks.c.at < before),
        )
        gone = 0
        for table, which in old:
            some = select(table.c.id).where(which).order_by(table.c.at).limit(most).scalar_subquery()
            with self.one_statement() as connection:
                gone += connection.execute(delete(table).where(table.c.id.in_(some))).rowcount
        return gone


def _json(check: Check) -> Json:
    return {
        "name": check.name,
        "value": check.value,
        "limit": check.limit,
        "unit": check.unit,
        "words": str(check.refusal or ""),
        "reason": None if check.refusal is None else to_json(check.refusal),
    }


def _check(row: Json) -> Check:
    """Return a row as a risk check; rows of earlier versions have only the words."""
    reason, words = row.get("reason"), row.get("words")
    refusal = from_json(reason) if reason else text(words) if words else None
    return Check(row["name"], row["value"], row["limit"], row["unit"], refusal)


def _risk_check(row: Any) -> RiskCheck:
    return RiskCheck(
        number=row.id,
        at=row.at,
        account=row.account,
        symbol=row.symbol,
        part=row.part,
        purpose=row.purpose,
        client_order_id=row.client_order_id,
        passed=row.passed,
        check=row.check_name,
        value=row.value,
        limit=row.limit_value,
        unit=row.unit,
        words=reason_or_none(row, "words"),
        checks=tuple(_check(one) for one in row.checks),
        repeats=row.repeats,
        repeated_at=row.repeated_at,
    )
