"""Password hashes, signed sessions and lock-outs of the log-in, as arithmetic over a given time.

Pure: knows no clock, no store and no request. Nothing here shows a password or a key, and comparing takes the
same time whether it fits or not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from core.domain.reason import Reason

SHORTEST, LONGEST = 8, 256  #: characters of a password
WORK, BLOCK = 2**15, 8  #: of scrypt: 32 MiB and about a tenth of a second for each guess
SESSION = timedelta(hours=12)

FAILURES = 5  #: so many within WINDOW lock an address out
WINDOW = timedelta(minutes=15)
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(hours=24)
FORGOTTEN_AFTER = timedelta(hours=24)  #: of quiet: lock-outs no longer grow from the earlier ones
MOST_ADDRESSES = 10_000


def problem_of(password: str) -> Reason | None:
    """Return what is wrong with a password that somebody wants to set; None where nothing is."""
    if not password:
        return Reason("password.empty", field=Reason("field.password"))
    if len(password) < SHORTEST:
        return Reason("password.too_short", n=len(password), least=SHORTEST, field=Reason("field.password"))
    if len(password) > LONGEST:
        return Reason("range.too_long", n=len(password), most=LONGEST, field=Reason("field.password"))
    if password.strip() == "":
        return Reason("password.blank", field=Reason("field.password"))
    return None


def hashed(password: str) -> str:
    """Return what may be stored of a password: scrypt with its numbers and a salt of its own."""
    salt = secrets.token_bytes(16)
    return f"scrypt${WORK}${BLOCK}${_text(salt)}${_text(_scrypt(password, salt, WORK, BLOCK))}"


def fits(password: str, stored: str) -> bool:
    """Return whether this is the password behind `stored`. A damaged `stored` fits nothing."""
    try:
        kind, work, block, salt, kept = stored.split("$")
        found = _scrypt(password, _bytes(salt), int(work), int(block))
        return kind == "scrypt" and hmac.compare_digest(found, _bytes(kept))
    except ValueError:
        return False


def _scrypt(password: str, salt: bytes, work: int, block: int) -> bytes:
    given = password[: LONGEST + 1].encode()
    return hashlib.scrypt(given, salt=salt, n=work, r=block, p=1, maxmem=2 * 128 * work * block, dklen=32)


# --- sessions


@dataclass(frozen=True, slots=True)
class Session:
    """The session of one browser that has given the password."""

    id: str
    ends: datetime


class Sessions:
    """Signs sessions and verifies their signatures.

    The key comes from the server's secret and the password set: a session outlives a restart, and all of them end
    when the password changes.
    """

    def __init__(self, key: bytes, password_mark: str) -> None:
        self._key = hmac.digest(key, f"session {password_mark}".encode(), "sha256")

    def begin(self, now: datetime) -> tuple[str, Session]:
        """Return the text for a cookie and the session that it stands for."""
        session = Session(secrets.token_urlsafe(12), now.replace(microsecond=0) + SESSION)
        body = f"{int(session.ends.timestamp())}.{session.id}"
        return f"{body}.{self._signature(body)}", session

    def find(self, token: str, now: datetime) -> Session | None:
        """Return the session behind a cookie's text; None where it is not ours or has ended."""
        body, _, signature = token.rpartition(".")
        ends, _, name = body.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        session = Session(name, datetime.fromtimestamp(int(ends), UTC))
        return session if now < session.ends else None

    def _signature(self, body: str) -> str:
        return _text(hmac.digest(self._key, body.encode(), "sha256"))


# --- lock-outs


@dataclass(slots=True)
class _Address:
    failures: list[datetime]
    locks: int = 0
    locked_until: datetime | None = None
    last: datetime | None = None


class Lockout:
    """Counts failed log-ins per address: five within 15 minutes lock it for 15 minutes, then for twice that, to a day.

    IPv6 addresses count by their /64, since one machine has all of it. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._known: dict[str, _Address] = {}

    def left(self, address: str) -> timedelta:
        """Return how long this address has to wait still; zero when it may try."""
        known = self._known.get(network(address))
        if known is None or known.locked_until is None:
            return timedelta(0)
        return max(known.locked_until - self._now(), timedelta(0))

    def failed(self, address: str) -> timedelta:
        """Count one failure; returns how long the address is locked out by it, zero when it is not."""
        now = self._now()
        known = self._known.setdefault(network(address), _Address([]))
        if known.last is not None and now - known.last > FORGOTTEN_AFTER:
            known.locks = 0
        known.last = now
        known.failures = [at for at in known.failures if now - at < WINDOW] + [now]
        if len(known.failures) < FAILURES:
            self._forget(now)
            return timedelta(0)
        lock = min(FIRST_LOCK * (1 << known.locks), LONGEST_LOCK)
        known.failures, known.locks, known.locked_until = [], min(known.locks + 1, 16), now + lock
        known.last = known.locked_until
        return lock

    def came_in(self, address: str) -> None:
        """Reset the count of an address that gave the right password."""
        self._known.pop(network(address), None)

    def tries_left(self, address: str) -> int:
        """Return how many wrong passwords are left before a lock-out."""
        known = self._known.get(network(address))
        recent = [at for at in known.failures if self._now() - at < WINDOW] if known else []
        return FAILURES - len(recent)

    def _forget(self, now: datetime) -> None:
        """Remove old entries to bound memory: quiet addresses go, the quietest first where there are too many."""
        if len(self._known) <= MOST_ADDRESSES:
            return
        quiet = [name for name, one in self._known.items() if one.last and now - one.last > WINDOW]
        eldest = sorted(self._known, key=lambda name: self._known[name].last or now)[: MOST_ADDRESSES // 10]
        for name in quiet or eldest:
            del self._known[name]


def minutes(span: timedelta) -> int:
    """Return whole minutes to wait, never too few."""
    return ceil(span / timedelta(minutes=1))


def loopback(address: str | None) -> bool:
    """Return whether a server that listens there can be reached from this machine only. None means everywhere."""
    if not address:
        return False
    bare = address.strip("[]")
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost"


def network(address: str) -> str:
    """Return what one machine has to itself: its IPv4 address, or the /64 of its IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> 64 << 64))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
