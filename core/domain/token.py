"""An API token: what it may do, and for how long. The secret itself is never in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.reason import Reason


class Scope(StrEnum):
    """The scope of a token. Each includes those before it."""

    READ = "read"  #: look at everything
    TRADE = "trade"  #: and open, change and close positions
    ADMIN = "admin"  #: and start and stop the bot, and set its level

    def covers(self, needed: Scope) -> bool:
        """Return whether this scope is enough where `needed` is asked for."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token without its secret."""

    id: str  #: eight letters and digits, the visible part of the token
    name: str
    scope: Scope
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None  #: None: never
    revoked_at: datetime | None = None
    used_at: datetime | None = None  #: to the minute

    def trouble(self, now: datetime) -> Reason | None:
        """Return why it is not taken any more; None while it is."""
        if self.revoked_at is not None:
            return Reason("token.revoked", token=self.id, at=self.revoked_at)
        if self.expires_at is not None and self.expires_at <= now:
            return Reason("token.expired", token=self.id, at=self.expires_at)
        return None
