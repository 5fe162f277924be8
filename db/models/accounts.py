"""Tables of accounts and, apart from them, of their encrypted keys."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class AccountRow(Base):
    __tablename__ = "accounts"

    id: Mapped[Key]
    name: Mapped[str]
    exchange: Mapped[str]
    environment: Mapped[str]
    rest_url: Mapped[str]
    stream_url: Mapped[str]


class CredentialRow(Base):
    __tablename__ = "api_credentials"

    account: Mapped[Key] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    hint: Mapped[str]  #: the last four letters of the key
    permissions: Mapped[str]
