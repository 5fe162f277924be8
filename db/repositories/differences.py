"""The trader's answers to differences between book and exchange. Each is answered once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from core.domain.account import PositionKey
from core.domain.asked import asked_by
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind
from core.domain.errors import Misconfigured
from core.domain.ids import part_name
from core.domain.intent import ExternalEntry, Intent
from core.domain.reason import Reason
from db.connection import send
from db.mapping import json
from db.models import PART_NUMBERS, AnswerRow, ExternalEntryRow, PositionRow, RequestRow
from db.repositories.events import note
from db.repositories.parts import intent_in, noted_first, part_of_click, say
from db.repository import Repository

positions, entries, answers = PositionRow.table(), ExternalEntryRow.table(), AnswerRow.table()
requests = RequestRow.table()


class DifferenceRepository(Repository):
    """Stores contracts taken over from others, and answers to differences."""

    def adopt(self, draft: Intent, entry: ExternalEntry, token: str) -> tuple[Intent, bool]:
        """Store a new part that holds contracts others opened; its own `part` is not looked at.

        A second call with the same token returns the part of the first, and False. Raises Misconfigured where the
        difference was answered already.
        """
        now = draft.asked_at or datetime.now(UTC)
        account = draft.key.account
        with self.transaction() as connection:
            if not noted_first(connection, token, account, "adopt", draft.asked_by, now):
                return part_of_click(connection, token), False
            number = connection.execute(select(PART_NUMBERS.next_value())).scalar_one()
            intent = draft.but(part=part_name(number), asked_at=now, external_entries=(entry,))
            values = json.intent_values(intent)
            connection.execute(insert(positions).values(**values, status="open", token=token))
            connection.execute(update(requests).where(requests.c.token == token).values(part=intent.part))
            _take_over(connection, intent, entry)
            say(connection, intent, now, asked_by(intent.asked_by), _worded("asked.adopt", entry))
            send(connection, {"wake": str(intent.key)})
        return intent, True

    def assign(self, part: str, entry: ExternalEntry, token: str, by: str) -> tuple[Intent, bool]:
        """Add contracts that others opened to a living part, which then protects both. The same token twice is one.

        Raises Misconfigured for a part that is not living, and where the difference was answered already.
        """
        now = datetime.now(UTC)
        with self.transaction() as connection:
            intent = intent_in(connection, part, lock=True)
            if intent is None or not intent.living or intent.wanted.closes:
                raise Misconfigured(Reason("answer.part_not_open", part=part))
            if not noted_first(connection, token, intent.key.account, "assign", by, now, part):
                return intent, False
            _take_over(connection, intent, entry)
            connection.execute(
                update(positions)
                .where(positions.c.part == part)
                .values(contracts=positions.c.contracts + entry.quantity, version=positions.c.version + 1)
            )
            say(connection, intent, now, asked_by(by), _worded("asked.assign", entry))
            send(connection, {"wake": str(intent.key)})
            changed = intent_in(connection, part)
            assert changed is not None, "its row is locked by this transaction"
            return changed, True

    def answer(self, key: PositionKey, answer: DifferenceAnswer, token: str, by: str) -> bool:
        """Store the answer to a difference, in place of an earlier one of its kind."""
        now = datetime.now(UTC)
        values = {"choice": answer.choice, "mark": answer.mark, "answered_by": by, "answered_at": now}
        with self.transaction() as connection:
            if not noted_first(connection, token, key.account, "answer", by, now):
                return False
            connection.execute(
                insert(answers)
                .values(account=key.account, key=str(key), kind=answer.kind, **values)
                .on_conflict_do_update(index_elements=["account", "key", "kind"], set_=values)
            )
            what = {"choice": answer.choice, "kind": answer.kind, "mark": answer.mark}
            action = Reason("asked.answer", **what, side=key.side, symbol=key.symbol)
            note(connection, now, key.account, "asked", asked_by(by), action)
            send(connection, {"wake": str(key)})
        return True

    def forget_answer(self, key: PositionKey, kind: DifferenceKind, mark: str) -> None:
        """Delete the answer to a difference that has changed since. A newer answer stays."""
        said = and_(answers.c.account == key.account, answers.c.key == str(key), answers.c.kind == kind)
        with self.one_statement() as connection:
            connection.execute(delete(answers).where(said, answers.c.mark == mark))

    def answers(self, account: str) -> dict[PositionKey, dict[DifferenceKind, Choice]]:
        """Return all answers that hold now."""
        found: dict[PositionKey, dict[DifferenceKind, Choice]] = {}
        with self.one_statement() as connection:
            for row in connection.execute(select(answers).where(answers.c.account == account)):
                said = json.answer_of(row)
                found.setdefault(PositionKey.parse(row.key), {})[said.kind] = said.choice
        return found


def _take_over(connection: Connection, intent: Intent, entry: ExternalEntry) -> None:
    values = {"quantity": entry.quantity, "price": entry.price, "at": entry.at}
    new = (
        insert(entries)
        .values(account=intent.key.account, entry_id=entry.entry_id, part=intent.part, cycle=intent.cycle, **values)
        .on_conflict_do_nothing()
        .returning(entries.c.entry_id)
    )
    if connection.scalar(new) is None:
        raise Misconfigured(Reason("answer.given_already"))


def _worded(code: str, entry: ExternalEntry) -> Reason:
    return Reason(code, quantity=entry.quantity, price=entry.price)
