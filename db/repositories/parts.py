"""Parts: what the trader wants. A part is one row for ever, and each click is written once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.engine import Connection

from core.domain.account import Level, PositionKey
from core.domain.asked import asked_by
from core.domain.difference import DifferenceAnswer
from core.domain.errors import Misconfigured
from core.domain.ids import part_name
from core.domain.intent import (
    Desired,
    ExternalEntry,
    ExternalExit,
    Intent,
    Limits,
    Wanted,
)
from core.domain.money import ZERO
from core.domain.order import OrderStatus
from core.domain.reason import Reason
from core.domain.settings.rules import KEYS, Rules
from core.domain.settings.trader import TraderSettings
from db.connection import send
from db.mapping import json
from db.mapping.changes import changes_reason
from db.models import (
    PART_NUMBERS,
    AnswerRow,
    BotStateRow,
    CycleRow,
    ExternalEntryRow,
    ExternalExitRow,
    OrderRow,
    PositionRow,
    RequestRow,
    SettingRow,
)
from db.repositories.events import note
from db.repository import Repository

positions, cycles, exits = PositionRow.table(), CycleRow.table(), ExternalExitRow.table()
entries, answers = ExternalEntryRow.table(), AnswerRow.table()
orders, requests = OrderRow.table(), RequestRow.table()
bots, settings = BotStateRow.table(), SettingRow.table()


def of_interest() -> ColumnElement[bool]:
    """Return the condition for parts that are living, may be reopened, or whose last cycle still has live orders."""
    live = select(orders.c.account, orders.c.part, orders.c.cycle).where(orders.c.status == OrderStatus.WORKING)
    left = tuple_(positions.c.account, positions.c.part, positions.c.cycle).in_(live)
    return or_(positions.c.cycle_ended_at.is_(None), positions.c.wanted != Wanted.CLOSED, left)


def _parts() -> Select[Any]:
    """Build the query of parts, each with the level and rules that hold for it, and whether others closed or opened any
    of it or the trader has answered differences.
    """
    level = select(bots.c.level).where(bots.c.account == positions.c.account).scalar_subquery()
    rules = select(func.jsonb_object_agg(settings.c.key, settings.c.value)).where(settings.c.key.in_(KEYS))
    return select(
        *positions.c,
        level.label("level"),
        type_coerce(rules.scalar_subquery(), JSONB).label("rules"),
        exists().where(and_(exits.c.part == positions.c.part, exits.c.cycle == positions.c.cycle)).label("gone"),
        exists().where(and_(entries.c.part == positions.c.part, entries.c.cycle == positions.c.cycle)).label("come"),
        exists().where(answers.c.account == positions.c.account).label("answered"),
    )


# built once: they are asked at every look
_DESIRED = _parts().where(positions.c.account == bindparam("account"), of_interest())
_EVERY = _parts().where(positions.c.account == bindparam("account"))
_EVERY = _EVERY.order_by(positions.c.asked_at.desc(), positions.c.part.desc())
_ONE = _parts().where(positions.c.part == bindparam("part"))


class PartRepository(Repository):
    """Stores parts and the trader's changes to them."""

    # -- reading ---------------------------------------------------------------------------------------------

    def desired(self, account: str) -> dict[PositionKey, Desired]:
        """Return everything wanted of each position of the account, with its level, the limits and the answers that
        hold.
        """
        with self.one_statement() as connection:
            rows = connection.execute(_DESIRED, {"account": account}).all()
            rules = _rules_of(rows)
            intents = _intents(connection, rows, rules)
            answered = _answers(connection, account) if not rows or rows[0].answered else {}
        by_key: dict[PositionKey, list[Intent]] = defaultdict(list)
        for intent in intents:
            by_key[intent.key].append(intent)
        allowed = Level(rows[0].level) if rows and rows[0].level else Level.RUN
        return {
            key: Desired(
                key,
                tuple(by_key.get(key, ())),
                allowed,
                rules.limits,
                answered.get(key, ()),
                rules.division,
                rules.price_protect,
            )
            for key in sorted({*by_key, *answered})
        }

    def rules(self) -> Rules:
        """Return limits, recovery and reopening as the settings have them for every part."""
        with self.one_statement() as connection:
            return _rules(connection)

    def limits(self) -> Limits:
        """Return the limits that hold for whatever is opened."""
        return self.rules().limits

    def intents(self, account: str) -> list[Intent]:
        """Return every part the account ever had, newest first."""
        with self.one_statement() as connection:
            rows = connection.execute(_EVERY, {"account": account}).all()
            return _intents(connection, rows, _rules_of(rows))

    def intent(self, part: str) -> Intent | None:
        with self.one_statement() as connection:
            return intent_in(connection, part)

    # -- what the trader asks for ----------------------------------------------------------------------------

    def open(self, draft: Intent, token: str) -> tuple[Intent, bool]:
        """Store a new part under a name of its own; the draft's own `part` is not looked at.

        A second call with the same token returns the part of the first, and False.
        """
        asked_at = draft.asked_at or datetime.now(UTC)
        with self.transaction() as connection:
            if not noted_first(connection, token, draft.key.account, "open_part", draft.asked_by, asked_at):
                return part_of_click(connection, token), False
            number = connection.execute(select(PART_NUMBERS.next_value())).scalar_one()
            intent = draft.but(part=part_name(number), asked_at=asked_at)
            values = json.intent_values(intent)
            connection.execute(insert(positions).values(**values, status="asked", token=token))
            connection.execute(update(requests).where(requests.c.token == token).values(part=intent.part))
            key, value = intent.key, intent.position_value
            action = Reason("asked.open", side=key.side, symbol=key.symbol, value=value)
            say(connection, intent, asked_at, asked_by(intent.asked_by), action)
            send(connection, {"wake": str(intent.key)})
            written = intent_in(connection, intent.part)
        assert written is not None, "written in this very transaction"
        return written, True

    def change(self, part: str, token: str, by: str, why: Reason | str, **changes: Any) -> Intent:
        """Change what is wanted of a part: wanted, reduce_to, take_profit, stop_loss, edit, leverage, own_recovery,
        own_reopen, reopen_at, entry, closing, told or position_value. The same token twice changes once.

        Raises Misconfigured for a part that is not known.
        """
        values = {json.COLUMNS.get(name, name): json.CHANGES[name](value) for name, value in changes.items()}
        now = datetime.now(UTC)
        with self.transaction() as connection:
            intent = intent_in(connection, part, lock=True)
            if intent is None:
                raise Misconfigured(Reason("trade.part_unknown", part=part))
            if not noted_first(connection, token, intent.key.account, "change_part", by, now, part):
                return intent
            if "wanted" in changes and changes["wanted"].closes and intent.living:
                values["status"] = "closing"
            connection.execute(
                update(positions).where(positions.c.part == part).values(**values, version=positions.c.version + 1)
            )
            changed = intent_in(connection, part)
            assert changed is not None, "its row is locked by this transaction"
            say(connection, changed, now, asked_by(by, why), changes_reason(changes))
            send(connection, {"wake": str(intent.key)})
        return changed

    def of_token(self, token: str) -> str | None:
        """Return the part that a click with this token opened or changed; None: no such click was recorded."""
        with self.one_statement() as connection:
            return connection.scalar(select(requests.c.part).where(requests.c.token == token))

    def claim(self, token: str, account: str, what: str, by: str) -> bool:
        """Record a click that changes nothing in the book; True for the first call with this token."""
        with self.transaction() as connection:
            return noted_first(connection, token, account, what, by, datetime.now(UTC))


def _rules(connection: Connection) -> Rules:
    query = select(settings.c.key, settings.c.value).where(settings.c.key.in_(KEYS))
    return _made_of({row.key: row.value for row in connection.execute(query)})


def _rules_of(rows: Sequence[Any]) -> Rules:
    """Return the rules that were read with these rows of `_parts`."""
    return _made_of(rows[0].rules or {}) if rows else Rules()


def _made_of(kept: Mapping[str, Any]) -> Rules:
    return Rules.of(TraderSettings.of_stored(kept))


def intent_in(connection: Connection, part: str, *, lock: bool = False) -> Intent | None:
    """Return the intent of a part; None where it is not known. With `lock` nobody changes its row until the end."""
    if lock:  # a statement of its own: what is read next is what was committed by whoever had the lock before
        connection.execute(select(positions.c.part).where(positions.c.part == part).with_for_update())
    rows = connection.execute(_ONE, {"part": part}).all()
    return next(iter(_intents(connection, rows, _rules_of(rows))), None)


def _intents(connection: Connection, rows: Sequence[Any], rules: Rules) -> list[Intent]:
    """Return the intents of these rows of `_parts`, in their order, with what others closed and opened of
    their cycles.
    """
    gone: dict[tuple[str, int], list[ExternalExit]] = defaultdict(list)
    come: dict[tuple[str, int], list[ExternalEntry]] = defaultdict(list)
    if left := [row.part for row in rows if row.gone]:
        of_these = exits.c.part == any_(literal(left, ARRAY(Text)))
        for row in connection.execute(select(exits).where(of_these).order_by(exits.c.at, exits.c.exchange_fill_id)):
            gone[row.part, row.cycle].append(json.exit_of(row))
    if joined := [row.part for row in rows if row.come]:
        of_these = entries.c.part == any_(literal(joined, ARRAY(Text)))
        for row in connection.execute(select(entries).where(of_these).order_by(entries.c.at, entries.c.entry_id)):
            come[row.part, row.cycle].append(json.entry_of(row))
    earned = _earned(connection, rows, rules)
    return [
        json.intent_of(
            row,
            tuple(gone.get((row.part, row.cycle), ())),
            tuple(come.get((row.part, row.cycle), ())),
            rules,
            earned.get(row.part, ZERO),
        )
        for row in rows
    ]


def _answers(connection: Connection, account: str) -> dict[PositionKey, tuple[DifferenceAnswer, ...]]:
    """Return the trader's answers to differences, by position."""
    found: dict[PositionKey, list[DifferenceAnswer]] = defaultdict(list)
    query = select(answers).where(answers.c.account == account).order_by(answers.c.kind)
    for row in connection.execute(query):
        found[PositionKey.parse(row.key)].append(json.answer_of(row))
    return {key: tuple(group) for key, group in found.items()}


def _earned(connection: Connection, rows: Sequence[Any], rules: Rules) -> dict[str, Decimal]:
    """Return the net result of all ended cycles, for parts that a loss budget holds for."""
    budgeted = rules.reopen is not None and rules.reopen.loss_budget is not None
    parts = [row.part for row in rows if budgeted or (row.reopen or {}).get("loss_budget") is not None]
    if not parts:
        return {}
    net = func.sum(cycles.c.realised_pnl + cycles.c.fees + cycles.c.funding)
    query = select(cycles.c.part, net.label("net")).where(cycles.c.part == any_(literal(parts, ARRAY(Text))))
    return {row.part: row.net for row in connection.execute(query.group_by(cycles.c.part))}


def noted_first(
    connection: Connection, token: str, account: str, what: str, by: str, at: datetime, part: str | None = None
) -> bool:
    """Record a click; False where it was recorded before. A second one waits here until the first has committed."""
    noted = (
        insert(requests)
        .values(token=token, account=account, what=what, part=part, asked_by=by, asked_at=at)
        .on_conflict_do_nothing()
        .returning(requests.c.token)
    )
    return connection.scalar(noted) is not None


def part_of_click(connection: Connection, token: str) -> Intent:
    part = connection.scalar(select(requests.c.part).where(requests.c.token == token))
    intent = intent_in(connection, part) if part else None
    if intent is None:
        raise Misconfigured(Reason("trade.click_used"))
    return intent


def say(connection: Connection, intent: Intent, at: datetime, because: Reason, action: Reason) -> None:
    """Record the trader's action as an event, beside those of the rules."""
    note(connection, at, intent.key.account, "asked", because, action, intent.part)
