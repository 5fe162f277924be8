"""API tokens, and one answer for each request of a program, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from core.domain.token import ApiToken, Scope
from db.models import ApiAnswerRow, ApiTokenRow
from db.repository import Repository

tokens, answers = ApiTokenRow.table(), ApiAnswerRow.table()

Made = Callable[[], tuple[int, str]]  #: does what was asked; status and body of the answer


class ApiTokenRepository(Repository):
    """Stores API tokens; of each secret only a hash."""

    # -- tokens ----------------------------------------------------------------------------------------------

    def add(self, token: ApiToken, digest: str) -> None:
        """Store a new token."""
        with self.one_statement() as connection:
            connection.execute(
                insert(tokens).values(
                    id=token.id,
                    name=token.name,
                    scope=token.scope,
                    digest=digest,
                    created_at=token.created_at,
                    created_by=token.created_by,
                    expires_at=token.expires_at,
                )
            )

    def all(self) -> list[ApiToken]:
        """Return every token there ever was, newest first."""
        with self.one_statement() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id))
            return [_token(row) for row in rows]

    def get(self, name: str) -> tuple[ApiToken, str] | None:
        """Return a token and the hash of its secret, by its id; None where it is not known."""
        with self.one_statement() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == name)).one_or_none()
        return None if row is None else (_token(row), row.digest)

    def revoke(self, name: str, now: datetime) -> bool:
        """Revoke a token. False: it was revoked before, or is not known."""
        living = (tokens.c.id == name, tokens.c.revoked_at.is_(None))
        with self.one_statement() as connection:
            return connection.execute(update(tokens).where(*living).values(revoked_at=now)).rowcount == 1

    def note_used(self, name: str, now: datetime) -> None:
        with self.one_statement() as connection:
            connection.execute(update(tokens).where(tokens.c.id == name).values(used_at=now))


class ApiAnswerRepository(Repository):
    """Stores one answer for each request of a program."""

    def once(self, token: str, key: str, fingerprint: str, now: datetime, make: Made) -> tuple[str, int, str, bool]:
        """Run `make` once for each key of a token, and return its answer, new or stored before.

        Returns the fingerprint of what the key first asked for, status and body of its answer, and whether that was
        just now. A second request with the key waits for the first. Where `make` raises nothing is kept, so that the
        same may be asked again; what it does by itself must therefore be safe to do twice.
        """
        claim = insert(answers).values(token=token, key=key, fingerprint=fingerprint, status=0, body="", at=now)
        mine = (answers.c.token == token, answers.c.key == key)
        with self.transaction() as connection:
            if connection.scalar(claim.on_conflict_do_nothing().returning(answers.c.key)) is None:
                kept = connection.execute(select(answers).where(*mine)).one()
                return kept.fingerprint, kept.status, kept.body, False
            status, body = make()
            connection.execute(update(answers).where(*mine).values(status=status, body=body))
        return fingerprint, status, body, True

    def kept(self, token: str, key: str) -> tuple[str, int, str] | None:
        """Return fingerprint, status and body of the answer given before; None: there was none."""
        with self.one_statement() as connection:
            row = connection.execute(
                select(answers).where(answers.c.token == token, answers.c.key == key)
            ).one_or_none()
        return None if row is None else (row.fingerprint, row.status, row.body)

    def forget(self, before: datetime, most: int) -> int:
        """Delete up to `most` old answers that nobody will ask for again; returns how many went."""
        mark = tuple_(answers.c.token, answers.c.key)
        old = select(answers.c.token, answers.c.key).where(answers.c.at < before).order_by(answers.c.at).limit(most)
        with self.one_statement() as connection:
            return connection.execute(delete(answers).where(mark.in_(old))).rowcount


def _token(row: Any) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
