"""The bot's switch, its level, and its status: running, stopped, starting, elsewhere, dead, each in words.

Told from facts in the database alone (switch, lease, heartbeat, snapshot), so it is true of a bot in any process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.clock import Clock
from core.domain.account import Level
from core.domain.errors import Misconfigured, Unavailable
from core.domain.reason import TEXT, Reason, text
from core.domain.settings.guards import Guards
from core.domain.settings.trader import TraderSettings
from core.domain.snapshot import AccountSnapshot
from core.monitor.kill_switch import facts
from core.services.safety.level_preview import GuardFigure, LevelPreview, figures, preview_of
from db.records import BotRow
from db.store import Store

SILENT_AFTER = timedelta(seconds=10)  #: the heartbeat comes every 2 s
RESTS = Reason("bot.rests")


@dataclass(frozen=True, slots=True)
class BotStatus:
    """The status of one account's bot, as pages show it."""

    state: str  #: running | stopped | starting | elsewhere | dead
    words: Reason
    since: datetime | None
    manually_stopped: bool
    level: Level
    heartbeat_at: datetime | None
    protected: int  #: of the parts that hold something, how many have their whole stop on the exchange
    parts: int
    on_exchange_alone: int  #: protected parts that nobody watches just now
    level_at: datetime | None = None
    level_by: str = ""  #: "guard" where it was raised by itself
    level_why: Reason | None = None


class Levels:
    """Starts and stops bots and tells their status. Leases of this process's own bot have names that begin
    with `here`.
    """

    def __init__(self, store: Store, clock: Clock, here: str = "") -> None:
        self.store, self.clock, self.here = store, clock, here

    def status(self, account: str) -> BotStatus:
        """Return what the bot of this account does now. Raises Unavailable where the database does not answer."""
        row, found = self.store.bots.get(account), self.store.snapshots.latest(account)
        state, words = self._state(account, row, found)
        protected, parts = (found.protection.protected, found.protection.parts) if found else (0, 0)
        return BotStatus(
            state=state,
            words=words,
            since=row.changed_at,
            manually_stopped=row.manually_stopped,
            level=Level(row.level),
            heartbeat_at=row.heartbeat_at,
            protected=protected,
            parts=parts,
            on_exchange_alone=0 if state in ("running", "elsewhere") else protected,
            level_at=row.level_at,
            level_by=row.level_by,
            level_why=row.level_why,
        )

    def start(self, account: str, by: str) -> None:
        """Start the bot. Raises Unavailable where no bot process looks after the account just now."""
        self._known(account)
        if self._holder(account) is None:
            raise Unavailable(Reason("bot.nobody", rests=RESTS))
        if not self.store.bots.get(account).running:
            self.store.bots.set_running(account, True, by=by, why="", manually=False)

    def stop(self, account: str, by: str, why: str = "") -> None:
        """Stop the bot: it only observes. Nothing is cancelled and nothing closed; it stays stopped until Start."""
        self._known(account)
        row = self.store.bots.get(account)
        if row.running or not row.manually_stopped:
            self.store.bots.set_running(account, False, by=by, why=why, manually=True)

    # -- the level -------------------------------------------------------------------------------------------

    def preview(self, account: str, level: Level) -> LevelPreview:
        """Return what this level would do now, in numbers. Raises Unavailable where the database does not answer."""
        self._known(account)
        return preview_of(level, self.store.bots.get(account), self.store.snapshots.latest(account))

    def set_level(self, account: str, level: Level, by: str, why: str) -> None:
        """Set the level: the most that the bot may do. It is kept over restarts, with who, when and why."""
        self._known(account)
        self.store.bots.set_level(account, level, by, why.strip())

    def raise_level(self, account: str, level: Level, by: str, why: str) -> bool:
        """Set the level only where it protects more than the present one; False: it would not, and nothing
        has changed.
        """
        self._known(account)
        return self.store.bots.raise_level(account, level, by, why.strip())

    def guards(self, account: str) -> tuple[GuardFigure, ...]:
        """Return each guard that may raise the level by itself: today's figure beside its limit."""
        self._known(account)
        guards = TraderSettings.of_stored(self.store.settings.all()).rule(Guards)
        return figures(guards, facts(self.store, account, guards, self.clock.now()))

    # -- what the facts say ----------------------------------------------------------------------------------

    def _state(self, account: str, row: BotRow, snapshot: AccountSnapshot | None) -> tuple[str, Reason]:
        if not row.running:
            return "stopped", _stopped_words(row)
        now, holder = self.clock.now(), self._holder(account)
        beat = row.heartbeat_at
        asked_long_ago = row.changed_at is None or now - row.changed_at > SILENT_AFTER
        if beat is None or now - beat > SILENT_AFTER or holder is None:
            if not asked_long_ago:
                return "starting", Reason("bot.asked_to_start")
            if beat is None:
                return "dead", Reason("bot.never_heard", rests=RESTS)
            return "dead", Reason("bot.dead", age=_seconds(now - beat), rests=RESTS)
        if snapshot is None or not snapshot.bot.running:
            return "starting", _with_trouble(Reason("bot.starting"), snapshot)
        watch = _with_trouble(_watch_words(snapshot), snapshot)
        if not holder.startswith(self.here):
            where = holder.split("/")[0]
            return "elsewhere", Reason("bot.elsewhere", where=where, watch=watch)
        return "running", watch

    def _holder(self, account: str) -> str | None:
        """Return who holds the lease of the account now; None: nobody."""
        lease = self.store.leases.current(account)
        return lease.holder if lease is not None else None

    def _known(self, account: str) -> None:
        if self.store.accounts.get(account) is None:
            raise Misconfigured(Reason("account.unknown", field=Reason("field.account"), value=account))


def _stopped_words(row: BotRow) -> Reason:
    if not row.why:
        return Reason("bot.stopped_by", who=row.changed_by) if row.changed_by else Reason("bot.stopped")
    why = row.why
    return Reason("bot.stopped_because", why=text(str(why).rstrip(".")) if why.code == TEXT else why)


def _watch_words(snapshot: AccountSnapshot) -> Reason:
    parts = snapshot.protection.parts
    if parts > 1:
        return Reason("bot.watches", parts=parts)
    return Reason("bot.watches_one") if parts else Reason("bot.ready")


def _with_trouble(state: Reason, snapshot: AccountSnapshot | None) -> Reason:
    """Return the status with what keeps the bot from reading the exchange, where something does."""
    trouble = snapshot.health.exchange_trouble if snapshot else None
    if trouble is None:
        return state
    return Reason("bot.and", first=state, second=Reason("bot.exchange_trouble", words=trouble))


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(milliseconds=1)) / 1000
