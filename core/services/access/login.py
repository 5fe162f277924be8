"""Login by the dashboard's one password: sessions, limits on attempts, and a record of all of it.

The password set in the environment counts before the one set in Settings. Answers come from memory, so that a
database that is away locks nobody out; what must outlive a restart is written through to the settings, from where
`refresh` brings home what another process has written.
"""

from __future__ import annotations

import hmac
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.auth import SESSION as SESSION
from core.auth import Lockout, Session, Sessions, fits, hashed, minutes, problem_of
from core.auth import loopback as loopback
from core.auth import network as network
from core.clock import Clock
from core.domain.asked import asked_by
from core.domain.errors import Misconfigured, PerpdeckError
from core.domain.reason import Reason
from db.records import Event
from db.repositories.events import EventRepository
from db.repositories.secrets import SecretRepository

log = logging.getLogger("perpdeck.login")

PASSWORD, ENDED = "login_password", "login_ended"  #: what is kept: a hash, and the sessions that were logged out


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The result of a login attempt: a cookie's text, or why not."""

    token: str = ""
    session: Session | None = None
    words: Reason | None = None
    locked: timedelta = timedelta(0)


class Login:
    """Checks the password and the sessions of whoever opens the dashboard."""

    def __init__(
        self,
        secrets: SecretRepository,
        events: EventRepository,
        clock: Clock,
        key: bytes,
        environment_password: str | None = None,
    ) -> None:
        self._secrets, self._events, self._clock, self._key = secrets, events, clock, key
        self._given = environment_password
        self._lock = threading.Lock()
        self._writing = threading.Lock()  #: held over what goes to the settings and into memory
        self._lockout = Lockout(clock.now)
        self._environment_hash = hashed(environment_password) if environment_password else ""
        self._kept_hash = self._kept_password()
        self._ended = self._kept_ended()
        self._sessions = self._new_sessions()

    # -- what is so

    @property
    def on(self) -> bool:
        """Return whether a password is asked for."""
        return bool(self._hash)

    @property
    def from_environment(self) -> bool:
        """Return whether PERPDECK_PASSWORD sets the password, so that Settings cannot."""
        return self._given is not None

    def guard_address(self, address: str | None) -> None:
        """Check that a listening address is safe. Raises Misconfigured where others could reach the dashboard without a
        password.
        """
        if not self.on and not loopback(address):
            where = address or Reason("login.every_address")
            raise Misconfigured(Reason("login.open_to_others", where=where))

    def session(self, token: str | None) -> Session | None:
        """Return the living session behind a cookie's text; None where there is none."""
        if not token:
            return None
        with self._lock:
            found = self._sessions.find(token, self._clock.now())
            return None if found is None or found.id in self._ended else found

    # -- coming and going

    def come_in(self, password: str, address: str) -> LoginResult:
        """Try a password from an address. Takes a tenth of a second, so never on an event loop."""
        with self._lock:
            locked = self._lockout.left(address)
        if locked:
            return LoginResult(words=_locked_words(locked), locked=locked)
        if not password:
            return LoginResult(words=Reason("login.enter_password"))
        right = fits(password, self._hash)
        with self._lock:
            locked = self._lockout.left(address)  # others from the same address may have guessed meanwhile
            if locked:
                return LoginResult(words=_locked_words(locked), locked=locked)
            if right:
                self._lockout.came_in(address)
                token, session = self._sessions.begin(self._clock.now())
            else:
                locked = self._lockout.failed(address)
                left = self._lockout.tries_left(address)
        if right:
            self._record(Reason("act.log_in"), address, "done")
            return LoginResult(token, session)
        self._record(Reason("act.log_in"), address, "wrong password")
        if not locked:
            return LoginResult(words=Reason("login.wrong_password", left=left))
        self._record(Reason("act.lock_out"), address, f"for {minutes(locked)} minutes")
        return LoginResult(words=_locked_words(locked), locked=locked)

    def leave(self, token: str | None, address: str) -> None:
        """End a session for good: its cookie opens nothing any more, here or elsewhere."""
        session = self.session(token)
        if session is None:
            return
        with self._writing:
            self._end({session.id: int(session.ends.timestamp())})
            try:
                self._end(self._kept_ended())
                self._secrets.keep(ENDED, self._ended, address)
            except PerpdeckError as trouble:
                log.error("a log-out is known to this process only: %s", trouble)
        self._record(Reason("act.log_out"), address, "done")

    def refresh(self) -> None:
        """Read a new password and log-outs made by other processes. Raises Unavailable, and nothing has changed.

        A password that was removed there goes on being asked for here, where others may be able to come in.
        """
        with self._writing:
            kept, ended = self._kept_password(), self._kept_ended()
            self._end(ended)
            if kept and kept != self._kept_hash:
                self._take(kept)

    def _end(self, sessions: dict[str, int]) -> None:
        """Mark these sessions as ended; those that have expired by themselves need not be remembered."""
        now = self._clock.now().timestamp()
        with self._lock:
            self._ended = {name: ends for name, ends in (self._ended | sessions).items() if ends > now}

    # -- the password

    def set_password(self, password: str, again: str, by: str, present: str = "") -> None:
        """Set the password; every session so far ends. Raises Misconfigured with the reason."""
        self._may_change(present)
        problem = problem_of(password)
        if problem is None and password != again:
            problem = Reason("password.differ", field=Reason("field.password"))
        if problem is not None:
            raise Misconfigured(problem)
        self._change(hashed(password), Reason("act.set_password"), by)

    def remove_password(self, address: str | None, by: str, present: str) -> None:
        """Remove the password. Raises Misconfigured where others could then open the dashboard."""
        self._may_change(present)
        if not loopback(address):
            raise Misconfigured(Reason("password.stays", field=Reason("field.password")))
        self._change("", Reason("act.remove_password"), by)

    def _may_change(self, present: str) -> None:
        if self.from_environment:
            raise Misconfigured(Reason("password.from_environment", field=Reason("field.password")))
        if self.on and not fits(present, self._hash):
            raise Misconfigured(Reason("password.wrong_present", field=Reason("field.present_password")))

    def _change(self, kept: str, action: Reason, by: str) -> None:
        with self._writing:
            self._secrets.keep(PASSWORD, kept, by)
            self._take(kept)
        self._record(action, by, "done")

    def _take(self, kept: str) -> None:
        with self._lock:
            self._kept_hash = kept
            self._sessions = self._new_sessions()

    def _kept_password(self) -> str:
        return str(self._secrets.get(PASSWORD) or "")

    def _kept_ended(self) -> dict[str, int]:
        return {str(name): int(ends) for name, ends in (self._secrets.get(ENDED) or {}).items()}

    @property
    def _hash(self) -> str:
        return self._environment_hash or self._kept_hash

    def _new_sessions(self) -> Sessions:
        """Make the session signer; for the environment's password it stays the same over a restart, though the hash
        does not.
        """
        given = (self._given or "").encode()
        mark = hmac.digest(self._key, given, "sha256").hex() if self._given else self._kept_hash
        return Sessions(self._key, mark)

    def _record(self, action: Reason, who: str, outcome: str) -> None:
        now = datetime.now(UTC)
        log.info("%s by %s: %s", action, who, outcome)
        try:
            self._events.add("", [Event(now, "", None, "login", asked_by(who), action, outcome)])
        except PerpdeckError as trouble:
            log.error("not on the record, the database does not answer: %s", trouble)


def _locked_words(left: timedelta) -> Reason:
    return Reason("login.locked", minutes=minutes(left))
