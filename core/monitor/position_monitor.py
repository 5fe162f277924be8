"""Runs the guards of all accounts: scheduler, leases, and notifications of the database. It decides nothing.

One scheduler for the process. A lease per account says whether this bot may act; without it the guard does not
even look, and pages show the snapshot of the bot that does. After a restart nothing trades until Start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from core.alerts import Alerts
from core.clock import Clock
from core.domain.account import PositionKey
from core.domain.errors import PerpdeckError, Unavailable
from core.domain.reason import Reason
from core.domain.settings.trader import TraderSettings
from core.monitor import candles, history, kill_switch, restart, retention, sentinel
from core.monitor.guard import AccountGuard
from core.monitor.lease import RENEW_EVERY
from db.store import Store

log = logging.getLogger("perpdeck.monitor")

HEARTBEAT_SECONDS = 2
PUBLISH_SECONDS = 1
ARMING_SECONDS = 5
STALLED_AFTER = 3 * HEARTBEAT_SECONDS  #: a scheduler silent for so long is replaced


def _restart(guard: AccountGuard) -> None:
    log.info("restart account=%s: %s", guard.account.id, restart.report(guard))
    restart.hold_both_sides(guard)


class PositionMonitor:
    """Runs all guards of this process."""

    def __init__(self, store: Store, alerts: Alerts, clock: Clock, reload_accounts: Callable[[], None]) -> None:
        self.store, self.alerts, self.clock, self.reload_accounts = store, alerts, clock, reload_accounts
        self.guards: dict[str, AccountGuard] = {}
        self.replaced_schedulers = 0
        self._scheduler: BackgroundScheduler | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._beat = clock.monotonic()

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the scheduler, the lease thread and the listener. Trading stays off."""
        if self._scheduler is not None:
            return
        self._scheduler = self._new_scheduler()
        for name, work in (("lease-keeper", self._keep), ("listener", self._listen)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, patience_seconds: float = 3.0) -> None:
        """Stop everything in order: no new jobs, workers finish what they send, leases are released."""
        self._stop.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        for guard in self.guards.values():
            guard.ask_to_stop()
        with ThreadPoolExecutor(max(1, len(self.guards))) as pool:
            list(pool.map(lambda guard: guard.stop(patience_seconds), self.guards.values()))
        for thread in self._threads:
            thread.join(2.0)
        for guard in self.guards.values():
            try:
                guard.lease.release()
            except Unavailable as silence:
                log.warning("lease not given back account=%s: %s", guard.account.id, silence)

    def add(self, guard: AccountGuard) -> None:
        """Take an account under guard; it begins once the lease is ours."""
        self.guards[guard.account.id] = guard

    def remove(self, account: str) -> None:
        guard = self.guards.pop(account, None)
        if guard is not None:
            guard.stop()
            guard.lease.release()

    # -- waking ----------------------------------------------------------------------------------------------

    def wake(self, key: PositionKey) -> None:
        guard = self.guards.get(key.account)
        if guard is not None:
            guard.wake(key)

    def _tick(self) -> None:
        for guard in self._acting():
            guard.wake()

    def _acting(self) -> list[AccountGuard]:
        return [guard for guard in list(self.guards.values()) if guard.lease.held]

    def _listen(self) -> None:
        self.store.listen(self.heard, self._stop)

    def heard(self, message: dict[str, Any]) -> None:
        """Handle a notification of a page or another process: a position to look at, a bot to start, an account added.

        "connected" follows every gap in which notes may have been missed.
        """
        if "wake" in message:
            self.wake(PositionKey.parse(message["wake"]))
        elif "bot" in message:
            guard = self.guards.get(message["bot"])
            if guard is not None:
                self._read_switch(guard)
        elif "sync" in message:
            self._history_now(message["sync"])
        elif "accounts" in message:
            self.reload_accounts()
        elif "settings" in message and self._scheduler is not None:
            self._schedule(self._scheduler)
        elif "connected" in message:
            self.reload_accounts()
            for guard in list(self.guards.values()):
                self._read_switch(guard)
                if self.store.history.sync_state(guard.account.id).waiting:
                    self._history_now(guard.account.id)

    def _read_switch(self, guard: AccountGuard) -> None:
        """Set the guard to what the bot's row says: running or stopped, at which level."""
        row = self.store.bots.get(guard.account.id)
        wanted = row.running and guard.lease.held
        if wanted != guard.running:
            guard.running = wanted
            log.info("bot %s account=%s by=%s", "started" if wanted else "stopped", guard.account.id, row.changed_by)
        guard.wake()

    # -- scheduler -------------------------------------------------------------------------------------------

    def _new_scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._schedule(scheduler)
        scheduler.start()
        return scheduler

    def _schedule(self, scheduler: BackgroundScheduler) -> None:
        settings = TraderSettings.of_stored(self.store.settings.all())
        jobs: dict[str, tuple[Callable[[], None], int]] = {
            "heartbeat": (self._heartbeat, HEARTBEAT_SECONDS),
            "publish": (self._publish, PUBLISH_SECONDS),
            "arming": (self._arming, ARMING_SECONDS),
            "candles": (self._candles, candles.EVERY_SECONDS),
            "order_watch_seconds": (self._tick, settings.order_watch_seconds),
            "recovery_seconds": (self._tick, settings.recovery_seconds),
            "reopen_retry_seconds": (self._tick, settings.reopen_retry_seconds),
            "check_seconds": (self._check, settings.check_seconds),
            "equity_seconds": (self._equity, settings.equity_seconds),
            "sentinel_seconds": (self._sentinel, settings.sentinel_seconds),
            "history_seconds": (self._history, settings.history_seconds),
            "retention": (self._retention, retention.EVERY_SECONDS),
        }
        for name, (work, seconds) in jobs.items():
            scheduler.add_job(
                self._guarded, "interval", args=(name, work), seconds=seconds, id=name, replace_existing=True
            )

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Run a scheduled job and log its failure, so that it runs again and never ends the scheduler."""
        try:
            work()
        except PerpdeckError as trouble:
            log.warning("tick failed job=%s: %s", name, trouble)

    def _heartbeat(self) -> None:
        self._beat = self.clock.monotonic()
        for guard in self._acting():
            self.store.bots.heartbeat(guard.account.id, self.clock.now())

    def _publish(self) -> None:
        for guard in self._acting():
            if guard.passes:
                guard.publish()

    def _check(self) -> None:
        """Run the full check: read the rules of contracts anew, and look at everything."""
        for guard in self._acting():
            guard.observer.refresh_instruments()
            guard.wake()

    def _equity(self) -> None:
        for guard in self._acting():
            state = guard.refresh_account()
            self.store.equity.add(guard.account.id, state.as_of, state.equity)

    def _arming(self) -> None:
        """Check the loss guards, which may raise the level."""
        for guard in self._acting():
            kill_switch.watch(self.store, guard.account.id, self.alerts, self.clock.now())

    def _candles(self) -> None:
        """Read candles for the charts; trouble with one account leaves the others."""
        for guard in self._acting():
            try:
                candles.read_candles(guard)
            except PerpdeckError as trouble:
                log.warning("candles not read account=%s: %s", guard.account.id, trouble)

    def _sentinel(self) -> None:
        for guard in self._acting():
            sentinel.check(guard, self.alerts)

    def _history(self) -> None:
        """Read the exchange's history into the database; trouble with one account leaves the others."""
        for guard in self._acting():
            try:
                history.bring_home(guard)
            except PerpdeckError as trouble:
                log.warning("history not brought home account=%s: %s", guard.account.id, trouble)

    def _retention(self) -> None:
        """Delete old events and risk checks; one bot of all processes does so."""
        if self._acting():
            retention.sweep(self.store, self.clock.now())

    def _history_now(self, account: str) -> None:
        """Read the exchange's history because somebody asked for it, unless that is under way."""
        guard = self.guards.get(account)
        if guard is not None and guard.lease.held and self._scheduler is not None:
            self._scheduler.modify_job("history_seconds", next_run_time=datetime.now(UTC))

    # -- leases and liveness ---------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Renew or take leases, and check that the scheduler is alive, in a thread of its own."""
        while not self._stop.is_set():
            self.keep_leases()
            self._see_to_scheduler()
            self._stop.wait(RENEW_EVERY.total_seconds())

    def keep_leases(self) -> None:
        """Renew held leases and take free ones; a guard that may act then begins."""
        for guard in list(self.guards.values()):
            try:
                self._keep_one(guard)
            except PerpdeckError as trouble:
                guard.trouble = str(trouble)
                log.warning("lease neither kept nor taken account=%s: %s", guard.account.id, trouble)

    def _keep_one(self, guard: AccountGuard) -> None:
        if guard.lease.held and guard.lease.renew():
            return
        guard.running = False
        if not guard.lease.acquire():
            return
        log.info("lease taken account=%s", guard.account.id)
        if guard.lease.unbroken:
            self._read_switch(guard)  # the database was silent for a while and nobody else has acted
            return
        self.store.bots.set_running(
            guard.account.id, False, by="restart", why="not started since the bot came up; press Start", manually=False
        )
        guard.since = self.clock.now()
        guard.start(_restart)

    def _see_to_scheduler(self) -> None:
        """Replace a scheduler that has run no job lately, with an alarm: its thread can die while it still says that it
        runs.
        """
        if self._stop.is_set() or self.clock.monotonic() - self._beat < STALLED_AFTER:
            return
        log.error("scheduler silent for %s s; replaced", STALLED_AFTER)
        old, self._scheduler = self._scheduler, self._new_scheduler()
        self._beat = self.clock.monotonic()
        self.replaced_schedulers += 1
        if old is not None:
            old.shutdown(wait=False)
        for guard in self._acting():
            words = Reason("bot.scheduler_replaced")
            self.store.alarms.raise_alarm(guard.account.id, "scheduler", words, self.clock.now())
