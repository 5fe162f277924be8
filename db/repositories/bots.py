"""The bot's switch, level, lease, settings and snapshot, per account.

Whatever a bot or a page has to hear of is told in the transaction that changes it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from core.domain.account import Level
from core.domain.asked import asked_by
from core.domain.reason import Reason, Value, as_reason
from core.domain.snapshot import AccountSnapshot
from core.domain.snapshot.stored import decode, encode
from db.connection import CHANNEL, Database, message_text, send
from db.mapping.reasons import reason_columns, reason_or_none
from db.models import BoardRow, BotStateRow, LeaseStateRow, SettingRow
from db.records import BotRow, LeaseRow
from db.repositories.events import note
from db.repositories.secrets import PREFIX
from db.repository import Repository

bots, leases, board = BotStateRow.table(), LeaseStateRow.table(), BoardRow.table()
settings = SettingRow.table()

log = logging.getLogger("perpdeck.database")

NEVER_STARTED = Reason("bot.never_started")
_NEVER_STARTED = reason_columns("why", NEVER_STARTED)


_version: ColumnElement[str] = literal_column("board.xmin::text || ' ' || board.ctid::text")  #: another at each write


def _show_statement() -> Any:
    """Build the statement that stores a snapshot and notifies every listener, in one round trip."""
    names = ("account", "as_of")
    given: dict[str, Any] = {name: bindparam(name, type_=board.c[name].type) for name in names}
    row = insert(board).values(given | {"picture": cast(bindparam("snapshot", type_=Text), JSONB)})
    new = {"picture": row.excluded.picture, "as_of": row.excluded.as_of}
    shown = (
        row.on_conflict_do_update(index_elements=["account"], set_=new)
        .returning(_version.label("version"))
        .cte("shown")
    )
    return select(shown.c.version, func.pg_notify(CHANNEL, bindparam("told")))


def _renew_statement() -> Any:
    mine = _mine(bindparam("whose"), bindparam("held_by"), bindparam("since_epoch"))
    held = and_(mine, leases.c.expires_at > func.clock_timestamp())
    return update(leases).where(held).values(expires_at=_ends(bindparam("seconds")))


def _ends(ttl_seconds: Any) -> Any:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, ttl_seconds)


def _mine(account: Any, holder: Any, epoch: Any) -> Any:
    return and_(leases.c.account == account, leases.c.holder == holder, leases.c.epoch == epoch)


# built once: they are asked at every look
_SHOW, _RENEW = _show_statement(), _renew_statement()
_BOT = select(bots).where(bots.c.account == bindparam("of_account"))


class SettingRepository(Repository):
    """Stores the trader's settings."""

    # -- settings --------------------------------------------------------------------------------------------

    def all(self) -> dict[str, Any]:
        """Return what the trader has set; a key that is missing has its default. Decimals come back as Decimal."""
        with self.one_statement() as connection:
            kept = select(settings).where(~settings.c.key.startswith(PREFIX)).order_by(settings.c.key)
            return {row.key: row.value for row in connection.execute(kept)}

    def set(self, key: str, value: Any, by: str) -> None:
        """Store a setting: a string, a number, a Decimal, True or False, None, or lists of them."""
        self.set_all({key: value}, by)

    def set_all(self, wanted: Mapping[str, Any], by: str) -> None:
        """Store several settings, all or none of them."""
        now = datetime.now(UTC)
        with self.transaction() as connection:
            for key, value in wanted.items():
                values = {"value": value, "changed_by": by, "changed_at": now}
                row = insert(settings).values(key=key, **values)
                connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))
                note(
                    connection, now, "", "setting", asked_by(by), Reason("asked.setting", key=key, value=_shown(value))
                )
                send(connection, {"settings": key})


class BotRepository(Repository):
    """Stores the bot's switch and its level."""

    def get(self, account: str) -> BotRow:
        """Return the bot's row, or its defaults for an account whose bot was never started."""
        with self.one_statement() as connection:
            row = connection.execute(_BOT, {"of_account": account}).one_or_none()
        if row is None:
            return BotRow(account, False, False, Level.RUN, None, "", NEVER_STARTED, None)
        return BotRow(
            account=row.account,
            running=row.running,
            manually_stopped=row.manually_stopped,
            level=Level(row.level),
            changed_at=row.changed_at,
            changed_by=row.changed_by,
            why=reason_or_none(row, "why"),
            heartbeat_at=row.heartbeat_at,
            level_at=row.level_at,
            level_by=row.level_by,
            level_why=reason_or_none(row, "level_why"),
            level_lowered_at=row.level_lowered_at,
        )

    def set_running(self, account: str, running: bool, by: str, why: Reason | str | None, manually: bool) -> None:
        """Switch the bot on or off. That a person has stopped it stays noted until it is started again."""
        now = datetime.now(UTC)
        stopped = literal(False) if running else or_(bots.c.manually_stopped, literal(manually))
        changed = {
            "running": running,
            "changed_at": now,
            "changed_by": by,
            **reason_columns("why", as_reason(why) if why else None),
        }
        row = insert(bots).values(account=account, manually_stopped=manually and not running, **changed)
        with self.transaction() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=["account"], set_={**changed, "manually_stopped": stopped})
            )
            action = Reason("asked.start_bot" if running else "asked.stop_bot")
            note(connection, now, account, "switch", asked_by(by, why), action)
            send(connection, {"bot": account})

    def set_level(self, account: str, level: Level, by: str, why: Reason | str | None) -> None:
        """Set how much the bot may do; where that is more than before, the safety guards measure from now."""
        self._level(account, level, by, why, only_up=False)

    def raise_level(self, account: str, level: Level, by: str, why: Reason | str | None) -> bool:
        """Set the level only where it protects more than the present one; False: it would not, and nothing
        has changed.
        """
        return self._level(account, level, by, why, only_up=True)

    def _level(self, account: str, level: Level, by: str, why: Reason | str | None, *, only_up: bool) -> bool:
        now = datetime.now(UTC)
        changed: dict[str, Any] = {"level": level, "level_at": now, "level_by": by}
        changed |= reason_columns("level_why", as_reason(why) if why else None)
        with self.transaction() as connection:
            connection.execute(insert(bots).values(account=account, **_NEVER_STARTED).on_conflict_do_nothing())
            mine = bots.c.account == account
            old = Level(connection.execute(select(bots.c.level).where(mine).with_for_update()).scalar_one())
            if only_up and level.rank <= old.rank:
                return False
            if level.rank < old.rank:
                changed["level_lowered_at"] = now
            connection.execute(update(bots).where(mine).values(changed))
            note(connection, now, account, "switch", asked_by(by, why), Reason("asked.level", level=level))
            send(connection, {"bot": account})
        return True

    def heartbeat(self, account: str, now: datetime) -> None:
        """Store the time of the acting bot's heartbeat."""
        row = insert(bots).values(account=account, heartbeat_at=now, **_NEVER_STARTED)
        with self.one_statement() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=["account"], set_={"heartbeat_at": row.excluded.heartbeat_at})
            )


class LeaseRepository(Repository):
    """Stores the lease of each account: who may act for it."""

    def acquire(self, account: str, holder: str, ttl_seconds: int) -> int | None:
        """Take the lease where nobody else holds it; returns its new epoch, or None."""
        ends = _ends(ttl_seconds)
        row = insert(leases).values(account=account, holder=holder, epoch=1, expires_at=ends)
        free = or_(leases.c.expires_at <= func.clock_timestamp(), leases.c.holder == holder)
        taken = row.on_conflict_do_update(
            index_elements=["account"],
            set_={"holder": holder, "epoch": leases.c.epoch + 1, "expires_at": ends},
            where=free,
        )
        with self.one_statement() as connection:
            epoch: int | None = connection.scalar(taken.returning(leases.c.epoch))
        return epoch

    def renew(self, account: str, holder: str, epoch: int, ttl_seconds: int) -> bool:
        """Renew the lease. False: it has ended or somebody else has it."""
        whose = {"whose": account, "held_by": holder, "since_epoch": epoch, "seconds": ttl_seconds}
        with self.one_statement() as connection:
            return connection.execute(_RENEW, whose).rowcount == 1

    def release(self, account: str, holder: str, epoch: int) -> None:
        """Release the lease, if it is still ours."""
        mine = _mine(account, holder, epoch)
        with self.one_statement() as connection:
            connection.execute(update(leases).where(mine).values(expires_at=func.clock_timestamp()))

    def current(self, account: str) -> LeaseRow | None:
        """Return who may act now; None: nobody."""
        held = and_(leases.c.account == account, leases.c.expires_at > func.clock_timestamp())
        with self.one_statement() as connection:
            row = connection.execute(select(leases).where(held)).one_or_none()
        return None if row is None else LeaseRow(row.holder, row.epoch, row.expires_at)


class SnapshotRepository(Repository):
    """The newest snapshot of each account."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._read: dict[str, tuple[str, AccountSnapshot | None]] = {}  #: version of the row and its snapshot

    def put(self, snapshot: AccountSnapshot) -> None:
        """Store a snapshot as the newest of an account, and notify every listener."""
        account = snapshot.account
        row = {"account": account, "snapshot": encode(snapshot), "as_of": snapshot.as_of}
        with self.one_statement() as connection:
            stored = connection.execute(_SHOW, {**row, "told": message_text({"board": account})}).one()
        self._read[account] = (stored.version, snapshot)

    def latest(self, account: str) -> AccountSnapshot | None:
        """Return the newest snapshot of an account. None: there is none yet, or another version has written it.

        Whoever asks while nothing new was stored gets the same value: it crosses the wire and is decoded once, and
        never in the process that has stored it.
        """
        known = self._read.get(account)
        unread = case((_version == (known[0] if known else ""), null()), else_=cast(board.c.picture, Text))
        with self.one_statement() as connection:
            row = connection.execute(
                select(_version.label("version"), unread.label("text")).where(board.c.account == account)
            ).one_or_none()
        if row is None:
            return None
        if known is None or row.version != known[0]:
            known = self._read[account] = (row.version, _decoded(account, row.text))
        return known[1]

    def unreadable(self, account: str) -> bool:
        """Return whether a snapshot is stored that another version has written."""
        return self.latest(account) is None and account in self._read


def _decoded(account: str, text: str) -> AccountSnapshot | None:
    try:
        return decode(text)
    except ValueError as trouble:
        first = str(trouble).partition("\n")[0]
        log.warning("the snapshot of %s is of another version and is not read: %s", account, first)
        return None


def _shown(value: Any) -> Value:
    """Return a setting's value as it stands in a sentence."""
    return value if isinstance(value, Decimal | int | None) else str(value)
