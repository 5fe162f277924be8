"""One acting bot per account: a row in the database with an epoch and an end, by the database's clock.

A lost lease forbids sending at once. What we hold is counted from before the question was asked, so our idea
of the end is never later than the database's.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Clock
from core.domain.errors import Refused, Unavailable
from core.domain.reason import Reason
from db.repositories.bots import LeaseRepository

log = logging.getLogger("perpdeck.lease")

TIME_TO_LIVE = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=2.5)
SMALLEST_VALIDITY = timedelta(milliseconds=500)  #: a request that would outlive the lease is not sent


class Lease:
    """The right to act on one account, held in the database."""

    def __init__(self, account: str, holder: str, leases: LeaseRepository, clock: Clock) -> None:
        self.account, self.holder, self._leases, self.clock = account, holder, leases, clock
        self._lock = threading.Lock()
        self._epoch: int | None = None
        self._last_epoch: int | None = None
        self._ends = 0.0  #: monotonic seconds
        self.unbroken = False  #: taken again with nobody in between

    @property
    def held(self) -> bool:
        with self._lock:
            return self._epoch is not None and self.clock.monotonic() < self._ends

    def acquire(self) -> bool:
        """Take the lease where nobody holds it. Raises Unavailable where the database does not answer."""
        asked = self.clock.monotonic()
        epoch = self._leases.acquire(self.account, self.holder, int(TIME_TO_LIVE.total_seconds()))
        if epoch is None and self._take_from_the_dead():
            epoch = self._leases.acquire(self.account, self.holder, int(TIME_TO_LIVE.total_seconds()))
        with self._lock:
            self._epoch = epoch
            self._ends = asked + TIME_TO_LIVE.total_seconds() if epoch is not None else 0.0
            if epoch is not None:
                self.unbroken = self._last_epoch is not None and epoch == self._last_epoch + 1
                self._last_epoch = epoch
        return epoch is not None

    def _take_from_the_dead(self) -> bool:
        """Take the lease of a bot of this machine that was killed: it can neither release it nor send."""
        row = self._leases.current(self.account)
        if row is None or not is_gone(row[0]):
            return False
        log.warning("lease taken from a bot that is gone account=%s holder=%s", self.account, row[0])
        self._leases.release(self.account, row[0], row[1])
        return True

    def renew(self) -> bool:
        """Renew the lease; False: it is lost and somebody else may act. A silent database is not a loss yet."""
        with self._lock:
            epoch = self._epoch
        if epoch is None:
            return False
        asked = self.clock.monotonic()
        try:
            kept = self._leases.renew(self.account, self.holder, epoch, int(TIME_TO_LIVE.total_seconds()))
        except Unavailable as silence:
            log.warning("lease not renewed account=%s: %s", self.account, silence)
            return self.held
        with self._lock:
            if kept:
                self._ends = asked + TIME_TO_LIVE.total_seconds()
            else:
                self._epoch = None
        if not kept:
            log.warning("lease lost account=%s", self.account)
        return kept

    def release(self) -> None:
        with self._lock:
            epoch, self._epoch = self._epoch, None
        if epoch is not None:
            self._leases.release(self.account, self.holder, epoch)

    def epoch_for_sending(self) -> int:
        """Return the epoch under which a command may be recorded. Raises Refused where the lease is not ours."""
        with self._lock:
            left = self._ends - self.clock.monotonic()
            if self._epoch is None or left < SMALLEST_VALIDITY.total_seconds():
                raise Refused(Reason("write.not_our_lease"), transient=True)
            return self._epoch

    def deadline(self, lifetime: timedelta) -> datetime:
        """Return until when a request sent now may be executed: its lifetime, cut at the lease's end."""
        with self._lock:
            left = timedelta(seconds=max(0.0, self._ends - self.clock.monotonic()))
        return self.clock.now() + min(lifetime, left)


def holder_name() -> str:
    """Return a name that no other bot has: machine, process namespace, process id, and a random end."""
    return f"{socket.gethostname()}/{_process_world()}/{os.getpid()}/{secrets.token_hex(3)}"


def is_gone(holder: str) -> bool:
    """Return whether the holder was a process of this very machine and process namespace, and runs no more."""
    pieces = holder.split("/")
    world = _process_world()
    if len(pieces) != 4 or not world or pieces[1] != world or not pieces[2].isdigit():
        return False
    try:
        os.kill(int(pieces[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _process_world() -> str:
    """Return what tells apart machines, their boots and their containers; empty where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:13]
        return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""
