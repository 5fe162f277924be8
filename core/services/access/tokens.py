"""API tokens: made, shown once, checked, revoked. Only a hash of each is stored.

A token goes with a signal secret, for senders that can only put text into a message: it opens nothing but the door
for signals. It is computed from the server's secret, so neither it nor anything to compute it from is stored; it
ends when that secret is changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import Clock
from core.domain.asked import asked_by
from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from core.domain.token import ApiToken, Scope
from db.records import Event
from db.repositories.api_tokens import ApiTokenRepository
from db.repositories.events import EventRepository

__all__ = ["LONGEST_DAYS", "Admission", "ApiToken", "NewToken", "Scope", "Tokens"]

PREFIX, SIGNAL_PREFIX = "pdk", "pds"
LONGEST_DAYS = 3650
LONGEST_NAME = 40
SIGNED_FOR = timedelta(minutes=5)  #: a signature's own time may differ so much from ours
NOTED_EVERY = timedelta(minutes=1)
_TEXT = re.compile(r"(pdk|pds)_([0-9a-z]{8})_([0-9A-Za-z_-]{43})")
_NAME = re.compile(r"[\w][\w .()&+-]*")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
UNKNOWN = Reason("token.unknown_text")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made. The secrets are shown now and never again."""

    token: ApiToken
    secret: str = field(repr=False)  #: for the header Authorization: Bearer
    signal_secret: str = field(repr=False)  #: for signals, in the body or as the key of a signature


@dataclass(frozen=True, slots=True)
class Admission:
    """The result of checking a token: whose it is, or why it was not accepted."""

    token: ApiToken | None
    words: Reason | None = None


class Tokens:
    """Makes, checks and revokes the tokens of programs. Raises Unavailable where the database does not answer."""

    def __init__(
        self, api_tokens: ApiTokenRepository, events: EventRepository, clock: Clock, key: Callable[[], bytes]
    ) -> None:
        self._api_tokens, self._events, self._clock, self._key = api_tokens, events, clock, key
        self._admitted: set[str] = set()  #: hashes of those that came in last time

    # -- what a person does

    def create(self, name: str, scope: Scope, days: int | None, by: str) -> NewToken:
        """Make a token that is valid for so many days (None: until it is revoked).

        Raises Misconfigured where the name or the days are not allowed, or the name is taken.
        """
        name, now = name.strip(), self._clock.now()
        problems = [*_name_problems(name), *_days_problems(days)]
        if any(one.name == name and not one.trouble(now) for one in self.list()):
            problems.append(Reason("token.name_taken", value=name, field=Reason("field.name")))
        if problems:
            raise Misconfigured(*problems)
        ident = "".join(secrets.choice(_LETTERS) for _ in range(8))
        text = f"{PREFIX}_{ident}_{secrets.token_urlsafe(32)}"
        ends = None if days is None else now + timedelta(days=days)
        token = ApiToken(ident, name, scope, now, by, ends)
        self._api_tokens.add(token, _digest(text))
        self._note(by, Reason("act.token_made", token=ident, name=name, scope=str(scope)))
        return NewToken(token, text, self._signal_secret(ident))

    def list(self) -> list[ApiToken]:
        """Return every token there ever was, newest first."""
        return self._api_tokens.all()

    def revoke(self, name: str, by: str) -> None:
        """Revoke a token. Raises Misconfigured for one that is not known."""
        found = self._api_tokens.get(name)
        if found is None:
            raise Misconfigured(Reason("token.unknown", value=name, field=Reason("field.token")))
        if self._api_tokens.revoke(name, self._clock.now()):
            self._note(by, Reason("act.token_revoked", token=name, name=found[0].name))

    # -- who comes in

    def admit(self, text: str) -> Admission:
        """Return whose token this is, or why it is not accepted."""
        kind, ident, _ = _split(text)
        found = self._api_tokens.get(ident) if kind == PREFIX else None
        if found is None or not hmac.compare_digest(found[1], _digest(text)):
            return Admission(None, UNKNOWN)
        admitted = self._living(found[0])
        (self._admitted.discard if admitted.token is None else self._admitted.add)(found[1])
        return admitted

    def came_in(self, text: str) -> bool:
        """Return whether this token was accepted when it was last checked, without asking the database."""
        return _digest(text) in self._admitted

    def admit_secret(self, text: str) -> Admission:
        """Return whose secret a signal carries, or why it is not accepted."""
        kind, ident, _ = _split(text)
        if kind != SIGNAL_PREFIX or not hmac.compare_digest(text, self._signal_secret(ident)):
            return Admission(None, Reason("token.unknown_signal_secret"))
        return self._found(ident)

    def admit_signature(self, header: str, body: bytes) -> Admission:
        """Return who signed this body: `t=<seconds>,k=<token id>,v1=<hex>`, an HMAC-SHA256 of `t.body` under its
        secret.
        """
        given = dict(piece.strip().partition("=")[::2] for piece in header.split(","))
        at, ident, signature = given.get("t", ""), given.get("k", ""), given.get("v1", "")
        if not (re.fullmatch(r"[0-9]{1,12}", at) and re.fullmatch(r"[0-9a-z]{8}", ident)):
            return Admission(None, Reason("token.signature_unreadable"))
        wanted = hmac.new(self._signal_secret(ident).encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature.encode(), wanted.encode()):
            return Admission(None, Reason("token.signature_wrong"))
        if abs(self._clock.now().timestamp() - int(at)) > SIGNED_FOR.total_seconds():
            return Admission(None, Reason("token.signature_old", at=at, seconds=SIGNED_FOR.seconds))
        return self._found(ident)

    def _found(self, ident: str) -> Admission:
        found = self._api_tokens.get(ident)
        return Admission(None, UNKNOWN) if found is None else self._living(found[0])

    def _living(self, token: ApiToken) -> Admission:
        now = self._clock.now()
        trouble = token.trouble(now)
        if trouble:
            return Admission(None, trouble)
        if token.used_at is None or now - token.used_at >= NOTED_EVERY:
            self._api_tokens.note_used(token.id, now)
        return Admission(token)

    def _signal_secret(self, ident: str) -> str:
        made = hmac.digest(self._key(), f"signal {ident}".encode(), "sha256")
        return f"{SIGNAL_PREFIX}_{ident}_{_letters(made)}"

    def _note(self, by: str, action: Reason) -> None:
        now: datetime = self._clock.now()
        self._events.add("", [Event(now, "", None, "account", asked_by(by), action, "done")])


def _name_problems(name: str) -> list[Reason]:
    if not 1 <= len(name) <= LONGEST_NAME:
        return [Reason("token.name_length", n=len(name), most=LONGEST_NAME, field=Reason("field.name"))]
    if not _NAME.fullmatch(name):
        return [Reason("token.name_sign", value=name, field=Reason("field.name"))]
    return []


def _days_problems(days: int | None) -> list[Reason]:
    if days is None or 1 <= days <= LONGEST_DAYS:
        return []
    return [Reason("token.days_range", value=days, most=LONGEST_DAYS, field=Reason("field.days"))]


def _split(text: str) -> tuple[str, str, str]:
    """Return kind, id and secret of a token's text; empty where it is none of ours."""
    match = _TEXT.fullmatch(text)
    return (match[1], match[2], match[3]) if match else ("", "", "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
