"""Accounts and their encrypted keys, which only the vault can decrypt."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from db.connection import send
from db.models import AccountRow, BoardRow, BotStateRow, CredentialRow, PositionRow, SealedTextRow
from db.repository import Repository

accounts, credentials = AccountRow.table(), CredentialRow.table()
positions = PositionRow.table()


class AccountRepository(Repository):
    """Stores the accounts that the trader has set up."""

    def all(self) -> list[Account]:
        """Return all accounts, by name."""
        return self._accounts()

    def get(self, id: str) -> Account | None:
        return next(iter(self._accounts(id)), None)

    def _accounts(self, id: str | None = None) -> list[Account]:
        columns = (*accounts.c, credentials.c.hint, credentials.c.permissions)
        query = select(*columns).outerjoin_from(accounts, credentials).order_by(accounts.c.name, accounts.c.id)
        if id is not None:
            query = query.where(accounts.c.id == id)
        with self.one_statement() as connection:
            return [
                Account(
                    id=row.id,
                    name=row.name,
                    exchange=Exchange(row.exchange),
                    environment=Environment(row.environment),
                    rest_url=row.rest_url,
                    stream_url=row.stream_url,
                    api_key_hint=row.hint or "",
                    permissions=row.permissions or "",
                )
                for row in connection.execute(query)
            ]

    def save(self, account: Account, ciphertext: bytes | None) -> None:
        """Store an account, new or changed. With `ciphertext` None its encrypted keys stay as they are."""
        values = {
            "id": account.id,
            "name": account.name,
            "exchange": account.exchange,
            "environment": account.environment,
            "rest_url": account.rest_url,
            "stream_url": account.stream_url,
        }
        keys = {"account": account.id, "hint": account.api_key_hint, "permissions": account.permissions}
        sealed = insert(credentials).values(**keys, ciphertext=ciphertext)
        kept = func.coalesce(sealed.excluded.ciphertext, credentials.c.ciphertext)
        with self.transaction() as connection:
            connection.execute(
                insert(accounts).values(values).on_conflict_do_update(index_elements=["id"], set_=values)
            )
            connection.execute(
                sealed.on_conflict_do_update(index_elements=["account"], set_={**keys, "ciphertext": kept})
            )
            send(connection, {"accounts": account.id})

    def remove(self, id: str) -> None:
        """Delete an account and its keys; its history stays. Raises Misconfigured while it has living parts."""
        living = select(positions.c.part).where(positions.c.account == id, positions.c.cycle_ended_at.is_(None))
        with self.transaction() as connection:
            connection.execute(select(accounts).where(accounts.c.id == id).with_for_update())
            parts = connection.scalars(living.order_by(positions.c.part)).all()
            if parts:
                raise Misconfigured(Reason("account.still_guards", account=id, parts=tuple(parts)))
            for row in (BotStateRow, BoardRow):
                connection.execute(delete(row.table()).where(row.table().c.account == id))
            connection.execute(delete(accounts).where(accounts.c.id == id))
            send(connection, {"accounts": id})

    def reseal(self, sealed: Mapping[str, bytes], texts: Mapping[str, bytes]) -> None:
        """Store keys and texts that were encrypted anew, all of them or none."""
        with self.transaction() as connection:
            for account, ciphertext in sorted(sealed.items()):
                mine = credentials.c.account == account
                connection.execute(update(credentials).where(mine).values(ciphertext=ciphertext))
                send(connection, {"accounts": account})
            for name, ciphertext in sorted(texts.items()):
                same = SealedTextRow.table().c.name == name
                connection.execute(update(SealedTextRow).where(same).values(ciphertext=ciphertext))

    def ciphertext(self, id: str) -> bytes | None:
        """Return the encrypted keys of an account; None where it has none."""
        with self.one_statement() as connection:
            found = connection.scalar(select(credentials.c.ciphertext).where(credentials.c.account == id))
        return None if found is None else bytes(found)
