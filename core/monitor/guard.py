"""Guards one account: its worker thread, its streams, and the set of positions that are to be looked at.

A click, a push and a timer only wake it. A key already waiting is not added twice; woken while it is worked
on, it is worked on once more afterwards. Stopped, it still looks and shows, and does nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import Clock
from core.domain.account import Account, AccountState, PositionKey
from core.domain.errors import PerpdeckError, Unavailable
from core.domain.order import Order
from core.domain.reason import Reason, as_reason
from core.domain.snapshot import AlarmSnapshot, BotSnapshot, HealthSnapshot, RequestUsage
from core.exchange.port import ExchangePort, Push, StreamPort
from core.monitor.account_snapshot import account_snapshot, aged
from core.monitor.executor import TradeExecutor
from core.monitor.lease import Lease
from core.monitor.observe import Observer
from core.monitor.order_tracker import OrderTracker
from core.monitor.reconciler import Reconciler
from core.monitor.runtime_metrics import RuntimeCounter
from db.recorder import TradeRecorder
from db.store import Store

log = logging.getLogger("perpdeck.guard")

FIRST_BACK_OFF = 0.5  #: seconds after a failed pass; doubles
LONGEST_BACK_OFF = 10.0
#: Seconds between two passes. OKX gives seven looks in two seconds, and three more for protection: spread so, a place
#: is never far away, where a burst would leave a person's wish waiting for the window to move on.
SMALLEST_GAP = 0.3
LONGEST_GAP = 0.6  #: where looks that could not wait have used up what was meant for the next
ACCOUNT_READ_EVERY = timedelta(seconds=2)  #: pushes about money are answered with a read at most this often


@dataclass(slots=True)
class _Wishes:
    """The positions that are to be looked at: some keys, or all."""

    keys: set[PositionKey] = field(default_factory=set)
    everything: bool = False
    account: bool = False
    urgent: bool = False  #: an entry has filled or a person has asked: no gap is kept before this look

    def __bool__(self) -> bool:
        return bool(self.keys) or self.everything or self.account


class AccountGuard:
    """Runs the bot for one account: worker, streams and account reads."""

    def __init__(
        self,
        account: Account,
        port: ExchangePort,
        stream: StreamPort,
        observer: Observer,
        reconciler: Reconciler,
        executor: TradeExecutor,
        recorder: TradeRecorder,
        tracker: OrderTracker,
        lease: Lease,
        store: Store,
        clock: Clock,
        request_usage: Callable[[], dict[str, tuple[int, int]]],
    ) -> None:
        self.account, self.port, self.stream, self.observer = account, port, stream, observer
        self.reconciler, self.executor, self.recorder, self.tracker = reconciler, executor, recorder, tracker
        self.lease, self.store, self.clock, self.request_usage = lease, store, clock, request_usage
        self.running = False
        self.since: datetime | None = None
        self.trouble = ""
        self.barred = ""  #: the exchange's own words where it turns us away
        self.stream_trouble = "not connected yet"
        self.bare_seconds: dict[str, float] = {}
        self.passes = 0
        self.failures = 0
        self.runtime = RuntimeCounter()
        self._bare_day = clock.now().date()
        self._wishes = _Wishes()
        self._fills: dict[PositionKey, list[Order]] = {}  #: pushed entry orders that have filled, not answered yet
        self._answering = False
        self._condition = threading.Condition()
        self._again_at: float | None = None
        self._account_at: float | None = None
        self._not_before = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._first_aid: threading.Thread | None = None
        self._last_pass = 0.0
        self._pass_lock = threading.Lock()
        self._account_wanted = True
        self._first: Callable[[AccountGuard], object] | None = None

    # -- life --------------------------------------------------------------------------------------------------

    @property
    def may_act(self) -> bool:
        """Return whether the bot may act: started, holding the lease, and through with the report that follows a
        restart.
        """
        return self.running and self.lease.held and self._first is None

    def start(self, first: Callable[[AccountGuard], object]) -> None:
        """Start streams and worker; nothing is done before `first` has returned.

        Called again where it runs already, only `first` is done anew.
        """
        self._first = first
        if self._thread is None:
            self.stream.start(self.on_push)
            aid = threading.Thread(target=self._answer_fills, name=f"fills-{self.account.id}", daemon=True)
            worker = threading.Thread(target=self._work, name=f"guard-{self.account.id}", daemon=True)
            aid.start()
            worker.start()
            self._first_aid, self._thread = aid, worker  # only what runs is known to a `stop` at the same moment
        self.wake()

    def ask_to_stop(self) -> None:
        """Tell the worker to stop after the pass under way."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def stop(self, patience_seconds: float = 3.0) -> None:
        """End the worker and the streams. An order that is being sent is finished first, within the patience;
        after that no further try of anything is made."""
        self.ask_to_stop()
        self.stream.stop()
        if self._thread is not None and self._first_aid is not None:
            self._thread.join(patience_seconds)
            self._first_aid.join(patience_seconds)
        self.port.close()
        if self._thread is not None:
            self._thread.join(patience_seconds)

    # -- waking ------------------------------------------------------------------------------------------------

    def wake(self, key: PositionKey | None = None) -> None:
        """Ask for a look at one position, or at all of them where `key` is None, in their turn."""
        with self._condition:
            if key is None:
                self._wishes.everything = True
            else:
                self._wishes.keys.add(key)
                self._wishes.urgent = True
            self._condition.notify_all()

    def on_push(self, push: Push) -> None:
        """Note a pushed message and wake the worker: the push tells that something moved, the next look tells what."""
        if push.orders:
            self.tracker.note(push.orders)
        if push.ticker is not None:
            self.tracker.note_ticker(push.ticker)
            return
        if push.channel == "connection":
            self.stream_trouble = "" if self.stream.connected else push.words
            self.wake()
        elif push.channel == "account":
            with self._condition:
                self._wishes.account = True
                self._condition.notify_all()
        elif push.orders:
            with self._condition:
                for order in push.orders:
                    key = PositionKey(self.account.id, order.symbol, order.position_side)
                    self._wishes.keys.add(key)
                    if order.filled and (order.purpose.adds_risk or order.status.ended):
                        self._wishes.urgent = True
                        self._fills.setdefault(key, []).append(order)
                self._condition.notify_all()
        else:
            self.wake()

    # -- work --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        back_off = FIRST_BACK_OFF
        while True:
            wishes = self._next()
            if wishes is None:
                return
            try:
                if self._first is not None:
                    self._first(self)
                    self._first = None
                    self.wake()
                else:
                    self._account_wanted = self._account_wanted or wishes.account
                    self.work_once(wishes.keys, everything=wishes.everything)
                back_off = FIRST_BACK_OFF
            except PerpdeckError as trouble:
                self._failed(trouble, back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
            except Exception as bug:
                # A bug in one pass must not end the guard of every position: it is counted, shown and tried again.
                log.exception("pass failed account=%s", self.account.id)
                self._failed(bug, back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF)

    def _next(self) -> _Wishes | None:
        """Wait until a look is asked for. None: stopping."""
        with self._condition:
            while not self._stopping:
                now = self.clock.monotonic()
                if self._again_at is not None and now >= self._again_at:
                    self._again_at = None
                    self._wishes.everything = True
                if self._account_at is not None and now >= self._account_at:
                    self._account_at = None
                    self._wishes.account = True
                if self._fills or self._answering:
                    self._condition.wait()  # the look that follows a fill begins after its answer
                    continue
                # A fill or a wish is looked at without delay; else a burst of pushes becomes one look.
                if self._wishes and (self._wishes.urgent or now >= self._not_before):
                    wishes, self._wishes = self._wishes, _Wishes()
                    self._not_before = min(max(self._not_before, now) + SMALLEST_GAP, now + LONGEST_GAP)
                    return wishes
                times = [at for at in (self._again_at, self._account_at) if at is not None]
                times += [self._not_before] if self._wishes else []
                self._condition.wait(max(0.0, min(times) - now) if times else None)
            return None

    def work_once(self, keys: set[PositionKey], *, everything: bool = True) -> timedelta | None:
        """Make one pass: look, plan, act where allowed, show. Raises what the pass raises."""
        with self._pass_lock:
            began = self.clock.monotonic()
            self._read_account()
            if not keys and not everything:
                self._show()
                return None
            again = self.reconciler.run(None if everything else keys, act=self.may_act)
            self._account_wanted = self._account_wanted or self.reconciler.acted
            self.passes += 1
            self.trouble = self.barred = ""
            self._count_bare()
            self.stream.watch(self._symbols())
            self.runtime.looped(self.clock.monotonic() - began)
            self._show()
        if again is not None:
            self._look_again(again.total_seconds())
        return again

    def _answer_fills(self) -> None:
        """Answer fills without protection in a thread of their own: a look that waits for the exchange does not delay
        it.

        What goes wrong here is left to the look that follows.
        """
        while True:
            with self._condition:
                while not self._fills and not self._stopping:
                    self._condition.wait()
                if self._stopping:
                    return
                fills, self._fills, self._answering = self._fills, {}, True
            try:
                for key, orders in fills.items() if self.may_act else ():
                    self.reconciler.protect_at_once(key, orders)
            except PerpdeckError as trouble:
                log.warning("a fill was not answered at once account=%s: %s", self.account.id, trouble)
            except Exception:
                # A bug here must not end first aid for every later fill; the next look protects this one.
                log.exception("a fill was not answered at once account=%s", self.account.id)
            finally:
                with self._condition:
                    self._answering = False
                    self._condition.notify_all()

    def _read_account(self) -> None:
        """Read money and mode of the account, where something changed them, and not more often than is useful."""
        state = self.observer.state
        if state is not None:
            if not self._account_wanted:
                return
            wait = state.as_of + ACCOUNT_READ_EVERY - self.clock.now()
            if wait > timedelta():
                with self._condition:
                    self._account_at = self.clock.monotonic() + wait.total_seconds()
                return
        self.observer.refresh_account()
        self._account_wanted = False

    def refresh_account(self) -> AccountState:
        """Read money and mode now (the equity sample)."""
        with self._pass_lock:
            return self.observer.refresh_account()

    def _look_again(self, seconds: float) -> None:
        with self._condition:
            at = self.clock.monotonic() + seconds
            self._again_at = at if self._again_at is None else min(self._again_at, at)
            self._condition.notify_all()

    def _failed(self, trouble: Exception, back_off: float) -> None:
        self.failures += 1
        reason = (
            trouble.reason if isinstance(trouble, PerpdeckError) else Reason("bot.error_of_ours", error=repr(trouble))
        )
        self.trouble = str(reason)
        told = (
            isinstance(trouble, PerpdeckError) and trouble.exchange_code.lstrip("-").isdecimal()
        )  # Binance's are negative
        self.barred = self.trouble if told else ""
        log.warning("pass failed account=%s: %s", self.account.id, self.trouble)
        with self._condition:
            self._not_before = self.clock.monotonic() + back_off  # ticks and pushes wait for it too
        self._look_again(back_off)
        try:
            self.publish()
        except Unavailable as silence:
            log.warning("snapshot not published account=%s: %s", self.account.id, silence)

    def _count_bare(self) -> None:
        """Add up the seconds in which a part was held without its stop-loss on the exchange."""
        now = self.clock.monotonic()
        if self.clock.now().date() != self._bare_day:
            self._bare_day, self.bare_seconds = self.clock.now().date(), {}
        elapsed = now - self._last_pass if self._last_pass else 0.0
        self._last_pass = now
        parts = [part for result in self.reconciler.results.values() for part in result.parts]
        bare = [part.name for part in parts if part.size and not part.protected]
        for name in bare:
            self.bare_seconds[name] = self.bare_seconds.get(name, 0.0) + elapsed
        self.runtime.bare(bare, self.clock.now())

    def _symbols(self) -> frozenset[str]:
        held = {key.symbol for key in self.reconciler.results}
        return frozenset(held | {"BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"} & set(self.observer.instruments))

    # -- showing -----------------------------------------------------------------------------------------------

    def publish(self) -> None:
        """Store a new snapshot of the account, unless a pass is under way that will. Raises Unavailable."""
        if self._pass_lock.acquire(blocking=False):
            try:
                self._show()
            finally:
                self._pass_lock.release()

    def _show(self) -> None:
        now, account = self.clock.now(), self.account.id
        bot, health, runtime = self._bot(), self._health(), self.runtime.metrics(self.failures)
        alarms = tuple(
            AlarmSnapshot(alarm.subject, alarm.words, alarm.raised_at) for alarm in self.store.alarms.open(account)
        )
        look = self.reconciler.last_look
        earlier = self.store.snapshots.latest(account) if look is None else None
        if earlier is not None:  # nothing was seen yet since the start: what was seen before ages on
            self.store.snapshots.put(aged(earlier, bot, health, alarms, runtime, now))
            return
        if look is None and self.store.snapshots.unreadable(account):
            return  # what is held is not known; the first look tells
        snapshot = account_snapshot(
            self.account,
            bot,
            self.observer.state,
            health,
            self.reconciler.results,
            self.tracker.tickers(),
            self.observer.instruments,
            alarms,
            self.bare_seconds,
            runtime,
            now if look is None else look.at,
            now,
        )
        self.store.snapshots.put(snapshot)

    def _bot(self) -> BotSnapshot:
        row = self.store.bots.get(self.account.id)
        return BotSnapshot(self.running, row.why, row.level, row.changed_at, self.lease.holder)

    def _health(self) -> HealthSnapshot:
        connected = self.stream.connected
        return HealthSnapshot(
            exchange_trouble=as_reason(self.trouble) if self.trouble else None,
            stream_connected=connected,
            stream_trouble=None if connected else as_reason(self.stream_trouble or "not connected"),
            stream_heard_at=self.stream.last_heard,
            requests={name: RequestUsage(used, limit) for name, (used, limit) in self.request_usage().items()},
            barred=as_reason(self.barred) if self.barred else None,
            maintenance=self.observer.maintenance,
        )
