"""The dead man's switch: a request to an address of the trader's choice, every few minutes, while all is well.

Whoever listens there rings when the requests stay away: the one alarm that also comes when this machine is gone. It
is sent only while every bot that should run is run by somebody, has shown a sign of life and looks at its exchange.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from core.clock import Clock
from core.domain.alert import AlertSettings
from db.store import Store

log = logging.getLogger("perpdeck.alerts")

PING, NOTE = "ping", "ping_note"  #: names of the sealed address, and of what became of the last request
SECONDS = 10.0
FRESH = timedelta(seconds=30)
AGAIN_AFTER = timedelta(seconds=30)  #: one that was not taken: the listener's patience may be short


class Ping:
    """Sends the dead man's switch's requests. `acting`: this process runs a bot; others leave it to the one
    that does.
    """

    def __init__(self, store: Store, clock: Clock, unseal: Callable[[bytes], str], acting: Callable[[], bool]) -> None:
        self._store, self._clock, self._unseal, self._acting = store, clock, unseal, acting
        self._last: datetime | None = None
        self._taken = True

    def turn(self) -> bool:
        """Send a request where one is due and all is well; True where it was accepted. Raises Unavailable,
        Misconfigured.
        """
        now = self._clock.now()
        every = timedelta(minutes=AlertSettings.of(self._store.settings.all()).ping_minutes)
        pause = every if self._taken else min(every, AGAIN_AFTER)
        if not self._acting() or (self._last is not None and now - self._last < pause):
            return False
        sealed = self._store.sealed_texts.get(PING)
        if sealed is None:
            return False
        words = ailing(self._store, now)
        if words:
            self._note(now, f"not sent: {words}")
            return False
        trouble = request(self._unseal(sealed[0]))
        self._last, self._taken = now, not trouble
        self._note(now, trouble)
        return self._taken

    def _note(self, now: datetime, trouble: str) -> None:
        """Store the result for the page, when it has changed."""
        kept = self._store.secrets.get(NOTE)
        if trouble and kept is not None and kept["trouble"] == trouble:
            return
        if trouble:
            log.warning("dead man's switch: %s", trouble)
        self._store.secrets.keep(NOTE, {"at": now.isoformat(), "trouble": trouble}, "ping")


def request(address: str) -> str:
    """Send one request there; returns why it was not accepted, without the address, or an empty string."""
    try:
        answer = httpx.get(address, timeout=SECONDS, follow_redirects=True)
    except httpx.TimeoutException:
        return f"no answer within {SECONDS:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no connection ({type(error).__name__})"
    return "" if answer.is_success else f"answered with {answer.status_code}"


def ailing(store: Store, now: datetime) -> str:
    """Return why not all is well, or an empty string. Raises Unavailable."""
    running = [account for account in store.accounts.all() if store.bots.get(account.id).running]
    if not running:
        return "no bot is running"
    for account in running:
        if store.leases.current(account.id) is None:
            return f"nobody looks after {account.id}"
        beat, found = store.bots.get(account.id).heartbeat_at, store.snapshots.latest(account.id)
        if beat is None or now - beat > FRESH:
            return f"the bot of {account.id} gives no sign of life"
        if found is None or now - found.as_of > FRESH:
            return f"the last complete look at {account.id} is old"
    return ""


def usable(address: str) -> bool:
    """Return whether a request can be sent to an address at all."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
