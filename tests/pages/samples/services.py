"""A dashboard's services without a bot: one account's snapshot in memory, and a note of each call that was made.

It speaks the services' own value types, so a page that runs here asks the real ones the same questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.clock import RealClock
from core.domain.account import Account, Environment, Level, PositionKey
from core.domain.errors import Misconfigured, Unavailable
from core.domain.history.holding import ProtectionLevels, Step, steps
from core.domain.instrument import OrderSide, Side
from core.domain.intent import (
    ExecutionKind,
    ExecutionStyle,
    ExitReason,
    Intent,
    Limits,
    Recovery,
    RecoveryChoice,
    ReopenChoice,
    ReopenRule,
    Target,
    WhenRefused,
)
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Funding, Leg
from core.domain.reason import text
from core.domain.settings.guards import Guards
from core.domain.settings.rules import Rules
from core.domain.snapshot import AccountSnapshot, OrderSnapshot
from core.i18n.translate import told
from core.monitor.kill_switch import Facts
from core.services.access.idempotency import Answers
from core.services.access.login import Login
from core.services.access.tokens import ApiToken, Tokens
from core.services.accounts.accounts import RISK, AccountForm, KeyCheck, KeyTest
from core.services.accounts.overview import Overview
from core.services.accounts.paper_market import Deed, PaperMarket
from core.services.metrics.service import Metrics
from core.services.reporting.audit import Audit
from core.services.reporting.executions import ExecutionReport, Executions, ExecutionsOnly
from core.services.reporting.history import Equity, History, Matched, match
from core.services.reporting.ledger import Ledger
from core.services.reporting.paging import Page
from core.services.reporting.performance import Performance, drawdown, performance
from core.services.reporting.snapshot import Candles, Reports
from core.services.safety.level_preview import GuardFigure, LevelPreview, figures, preview_of
from core.services.safety.levels import BotStatus
from core.services.safety.risk_checks import CheckCount, CheckName, Risk, RiskCheck
from core.services.settings.alerts import Alerting
from core.services.settings.backup import BackupStatus
from core.services.settings.language import Display
from core.services.settings.preferences import Preferences
from core.services.trading.differences import Adoption, Differences
from core.services.trading.orders import ByHand
from core.services.trading.pairs import Pairs
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Asked, Draft
from db.mapping.older_texts import older_action, older_because
from db.records import Alarm, BotRow, CycleRecord, Event, EventKind, EventsOnly, Only, PairCounts, SyncRow
from tests.pages.samples.past import entry_of, execution_reports, exit_of, life_of, risk_rows
from tests.pages.samples.snapshot import (
    BTC,
    DEMO,
    PAPER,
    now,
    price,
    sample_snapshot,
)


@dataclass
class World:
    """What the stand-in services share and what the tests look at."""

    snapshot: AccountSnapshot | None = None
    snapshot_age: timedelta = timedelta(seconds=1)
    state: str = "stopped"
    accounts: list[Account] = field(default_factory=lambda: [PAPER, DEMO])
    history: bool = False
    failure: Exception | None = None
    refusal: Exception | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    tokens: dict[str, Asked] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)
    programs: dict[str, tuple[ApiToken, str]] = field(default_factory=dict)  #: tokens and their hashes
    level: Level = Level.RUN
    rules: Rules = Rules(recovery=Recovery(), reopen=ReopenRule())
    twin: str = ""
    sync: SyncRow = SyncRow(PAPER.id)
    by_hand: dict[str, ByHand] = field(default_factory=dict)
    backup: BackupStatus | None = None
    beside: dict[str, AccountSnapshot] = field(default_factory=dict)  #: snapshots of accounts that have their own
    states: dict[str, str] = field(default_factory=dict)  #: and the states of their bots

    def snapshot_of(self, account: str) -> AccountSnapshot | None:
        return self.beside.get(account, self.snapshot)

    def state_of(self, account: str) -> str:
        return self.states.get(account, self.state)

    def asked(self, token: str, words: str, *call: Any) -> Asked:
        """The answer of a write; the same token twice is one call."""
        if self.refusal is not None:
            raise self.refusal
        if token in self.tokens:
            return self.tokens[token]
        self.calls.append(call)
        self.tokens[token] = Asked("00a7k9", True, words)
        return self.tokens[token]


class Repository:
    """One repository of the stand-in store."""

    def __init__(self, world: World) -> None:
        self.world = world


class SnapshotsOfTheWorld(Repository):
    def latest(self, account: str) -> AccountSnapshot | None:
        if self.world.failure is not None:
            raise self.world.failure
        snapshot = self.world.snapshot_of(account)
        return None if snapshot is None else replace(snapshot, as_of=now() - self.world.snapshot_age)


class PartsOfTheWorld(Repository):
    def limits(self) -> Limits:
        return self.world.rules.limits

    def rules(self) -> Rules:
        return self.world.rules

    def intent(self, part: str) -> Intent | None:
        """The living part behind a part of the snapshots."""
        snapshots = [self.world.snapshot, *self.world.beside.values()]
        for one in (one for snapshot in snapshots if snapshot for one in snapshot.parts):
            if one.name == part:
                key = PositionKey(PAPER.id, one.symbol, one.side)
                return Intent(part, key, one.wanted, one.position_value, one.leverage, ExecutionStyle(), None, None)
        return None


class SettingsOfTheWorld(Repository):
    def all(self) -> dict[str, Any]:
        return self.world.settings

    def set_all(self, wanted: dict[str, Any], by: str) -> None:
        for key, value in wanted.items():
            self.set(key, value, by)

    def set(self, key: str, value: Any, by: str) -> None:
        self.world.calls.append(("set", key, value, by))
        self.world.settings[key] = value


class EquityOfTheWorld(Repository):
    def day_start(self, account: str, now: datetime) -> Decimal | None:
        return None

    def first(self, account: str, since: datetime) -> Decimal | None:
        return Decimal(9900) if self.world.snapshot_of(account) else None


class PairsOfTheWorld(Repository):
    def counts(self, account: str) -> PairCounts:
        return PairCounts(12, 7, 3, 1, 2) if self.world.history else PairCounts(0, 0, 0, 0, 0)

    def cancel_latencies(self, account: str) -> list[timedelta]:
        return [timedelta(milliseconds=number) for number in (38, 41, 120)] if self.world.history else []


class EventsOfTheWorld(Repository):
    def find(self, account: str, rule: str, limit: int) -> list[Event]:
        """What others closed, of the part that the snapshot shows first."""
        words = "0.2 contracts were closed at 100100 by an order that is not ours (closed_by_hand)"
        divided = f"{words}; divided over the parts by their size"
        return (
            [Event(now(), account, "00a7k2", rule, text(divided), text("book exit 0.2"), "done")]
            if self.world.history
            else []
        )

    def acts(self, account: str, rules: Iterable[str], limit: int) -> list[Event]:
        if self.world.failure is not None:
            raise self.world.failure
        told = [
            ("asked", "asked by operator", "open long 1000 USDT", "done", "00a7k2"),
            ("login", "asked by 127.0.0.1", "log in", "wrong password", None),
            ("switch", "asked by guard: daily loss: 10.0% are lost", "level reduce_only", "done", None),
        ]
        asked = set(rules) if self.world.history else set()
        return [
            Event(now(), account, part, rule, older_because(rule, because), older_action(rule, action), outcome)
            for rule, because, action, outcome, part in told
            if rule in asked
        ]

    def add(self, account: str, found: Iterable[Event]) -> None:
        self.world.calls.extend(("event", str(event.action), event.outcome) for event in found)


class PagesOfTheWorld(Repository):
    def events(self, account: str, only: EventsOnly, before: int | None, limit: int) -> list[tuple[int, Event]]:
        """A decision, and the fill that came of it."""
        bought = {
            "symbol": BTC,
            "quantity": Decimal("0.99"),
            "price": Decimal("100250.1"),
            "amount": Decimal("-0.4962"),
        }
        told = [
            Event(now(), account, "00a7k2", "protect", text("held 0.99 and bare"), text("place OCO 0.99"), "done"),
            Event(now(), account, "00a7k2", "record", text("buys 0.99"), None, None, EventKind.FILL, **bought),  # type: ignore[arg-type]
        ]
        fitting = [event for event in told if only.kind in (None, event.kind)]
        return list(enumerate(fitting)) if self.world.history and before is None else []


class SecretsOfTheWorld(Repository):
    def get(self, key: str) -> Any:
        return self.world.private.get(key)

    def keep(self, key: str, value: Any, by: str) -> None:
        self.world.private[key] = value


class ApiTokensOfTheWorld(Repository):
    def add(self, token: ApiToken, digest: str) -> None:
        self.world.programs[token.id] = (token, digest)

    def all(self) -> list[ApiToken]:
        return [token for token, _digest in self.world.programs.values()]

    def get(self, name: str) -> tuple[ApiToken, str] | None:
        return self.world.programs.get(name)

    def revoke(self, name: str, at: datetime) -> bool:
        token, digest = self.world.programs[name]
        self.world.programs[name] = replace(token, revoked_at=at), digest
        return token.revoked_at is None


class Board:
    """The little that the real services read of a store here."""

    def __init__(self, world: World) -> None:
        self.snapshots = SnapshotsOfTheWorld(world)
        self.parts = PartsOfTheWorld(world)
        self.settings = SettingsOfTheWorld(world)
        self.equity = EquityOfTheWorld(world)
        self.pairs = PairsOfTheWorld(world)
        self.events = EventsOfTheWorld(world)
        self.pages = PagesOfTheWorld(world)
        self.secrets = SecretsOfTheWorld(world)
        self.api_tokens = ApiTokensOfTheWorld(world)
        self.history = self.fills = self.executions = self.risk_checks = self.metrics = self.api_answers = Repository(
            world
        )


class StandInPositions(PositionManager):
    """Previews are the real ones; wishes are only noted."""

    def __init__(self, world: World) -> None:
        super().__init__(Board(world), RealClock())  # type: ignore[arg-type]
        self.world = world

    def open(self, draft: Draft, token: str, by: str, *, again: bool = False) -> Asked:
        twin = "" if again else self.twin(draft)
        if twin:
            raise Misconfigured(twin)
        return self.world.asked(token, "the bot enters at its next look.", "open", draft, by)

    def twin(self, draft: Draft) -> str:
        return self.world.twin

    def parts(self, account: str) -> list[Intent]:
        snapshot = self.world.snapshot_of(account)
        seen = snapshot.parts if snapshot else ()
        return [one for one in (self.store.parts.intent(part.name) for part in seen) if one is not None]

    def edit_targets(
        self,
        part: str,
        take_profit: Target | None,
        stop_loss: Target | None,
        token: str,
        by: str,
        *,
        keep: bool = False,
    ) -> Asked:
        kept = ("keep",) if keep else ()
        return self.world.asked(token, "New targets are on their way.", "edit", part, take_profit, stop_loss, by, *kept)

    def close(
        self,
        part: str,
        token: str,
        by: str,
        contracts: Decimal | None = None,
        *,
        reopen: bool = False,
        style: ExecutionStyle | None = None,
    ) -> Asked:
        later = ("reopen",) if reopen else ()
        worked = (style,) if style is not None and style.kind is not ExecutionKind.MARKET else ()
        return self.world.asked(token, f"Closing {part}.", "close", part, contracts, by, *later, *worked)

    def tell(self, part: str, run: str, token: str, by: str, *, finish: bool) -> Asked:
        words = "the rest at market now" if finish else "the rest is taken back"
        return self.world.asked(token, words, "tell", part, run, finish, by)

    def reopen_now(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "it is opened again now", "reopen", part, by)

    def cancel_reopen(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "it is not opened again", "cancel reopen", part, by)

    def guard_by(self, part: str, when_refused: WhenRefused | None, token: str, by: str) -> Asked:
        return self.world.asked(token, "it holds from the bot's next look", "guard by", part, when_refused, by)

    def choose(self, part: str, recovery: RecoveryChoice, reopen: ReopenChoice, token: str, by: str) -> Asked:
        return self.world.asked(token, "it holds from the bot's next look", "choose", part, recovery, reopen, by)


class StandInOrders:
    def __init__(self, world: World) -> None:
        self.world = world

    def working(self, account: str) -> list[OrderSnapshot]:
        return []

    def cancel(self, account: str, client_order_id: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "Cancel is on its way.", "cancel", account, client_order_id, by)

    def by_hand(self, part: str) -> ByHand:
        if part in self.world.by_hand:
            return self.world.by_hand[part]
        return ByHand(part, price("105300.7"), price("90149.1"), False, None)

    def remove_leg(self, part: str, leg: Leg, token: str, by: str) -> Asked:
        return self.world.asked(token, "the bot changes the resting order now", "remove", part, leg, by)

    def keep_levels(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "the bot changes the resting order now", "keep", part, by)

    def to_automatic(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "the bot changes the resting order now", "automatic", part, by)


class StandInDifferences(Differences):
    """What differs is read as it really is; answers are only noted."""

    def __init__(self, world: World) -> None:
        super().__init__(Board(world), RealClock())  # type: ignore[arg-type]
        self.world = world

    def adopt(self, account: str, difference: str, mark: str, asked: Adoption, token: str, by: str) -> Asked:
        return self.world.asked(token, "It is ours.", "adopt", difference, mark, asked, by)

    def assign(self, account: str, difference: str, mark: str, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, f"Part {part} holds them too.", "assign", difference, mark, part, by)

    def ignore(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "It is left alone.", "ignore", difference, mark, by)

    def book(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "It is booked.", "book", difference, mark, by)

    def wait(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "It waits.", "wait", difference, mark, by)


class StandInLevels:
    def __init__(self, world: World) -> None:
        self.world = world

    def status(self, account: str) -> BotStatus:
        snapshot, state = self.world.snapshot_of(account), self.world.state_of(account)
        protected, parts = (snapshot.protection.protected, snapshot.protection.parts) if snapshot else (0, 0)
        running = state == "running"
        return BotStatus(
            state=state,
            words="Guards 3 parts." if running else "Stopped by the operator.",
            since=now() - timedelta(hours=2),
            manually_stopped=not running,
            level=self.world.level,
            heartbeat_at=now() - timedelta(seconds=1),
            protected=protected,
            parts=parts,
            on_exchange_alone=0 if running else protected,
            level_at=None if self.world.level is Level.RUN else now() - timedelta(minutes=3),
            level_by="" if self.world.level is Level.RUN else "guard",
            level_why=None if self.world.level is Level.RUN else text("daily loss: 10.0% are lost"),
        )

    def preview(self, account: str, level: Level) -> LevelPreview:
        return preview_of(level, self._row(account), self.world.snapshot)

    def set_level(self, account: str, level: Level, by: str, why: str) -> None:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.calls.append(("level", account, level, by, why))
        self.world.level = level

    def raise_level(self, account: str, level: Level, by: str, why: str) -> bool:
        higher = list(Level).index(level) > list(Level).index(self.world.level)
        if higher:
            self.set_level(account, level, by, why)
        return higher

    def guards(self, account: str) -> tuple[GuardFigure, ...]:
        equity = Decimal(9000) if self.world.snapshot else None
        started = Decimal(10000) if self.world.snapshot else None
        return figures(Guards(), Facts(equity, started, started, 0, timedelta(seconds=2), "", False))

    def _row(self, account: str) -> BotRow:
        running = self.world.state == "running"
        return BotRow(account, running, not running, self.world.level, None, "", "", None)

    def start(self, account: str, by: str) -> None:
        self._switch("start", "running", account, by)

    def stop(self, account: str, by: str, why: str = "") -> None:
        self._switch("stop", "stopped", account, by)

    def _switch(self, verb: str, state: str, account: str, by: str) -> None:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.calls.append((verb, account, by))
        if account in self.world.states:
            self.world.states[account] = state
        else:
            self.world.state = state


class StandInAccounts:
    def __init__(self, world: World) -> None:
        self.world = world

    def list(self) -> list[Account]:
        if self.world.failure is not None:
            raise self.world.failure
        return self.world.accounts

    def check(self, form: AccountForm) -> KeyCheck:
        if form.api_key == "wrong":
            raise Misconfigured("API key wrong… is not known to OKX demo: check that it was made for demo trading")
        withdraw = form.api_key == "withdraws"
        ok = not withdraw or form.confirm_withdraw == RISK
        words = "The key may read and trade." if ok else f"This key may withdraw money: type {RISK}."
        return KeyCheck(ok, words, "read_only,trade", Decimal(5000), True, withdraw)

    def add(self, form: AccountForm, token: str, by: str) -> Account:
        if form.environment is Environment.LIVE and form.confirm_live != "LIVE":
            raise Misconfigured("confirmation: type LIVE in capitals to add an account with real money")
        self.world.calls.append(("add", form.name, by))
        added = Account("new-okx", form.name, form.exchange, form.environment, "", "", "abcd", "read_only,trade")
        self.world.accounts.append(added)
        return added

    def source(self, account: str) -> str:
        return "paper" if account == PAPER.id else "database"

    def test(self, account: str) -> KeyTest:
        if self.world.refusal is not None:
            raise self.world.refusal
        return KeyTest(True, account == "withdraws", "10.0.0.7", True, Decimal(5000), timedelta(seconds=0.4))

    def change_secret(self, by: str) -> int:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.calls.append(("change_secret", by))
        return len(self.world.accounts)

    def remove(self, account: str, by: str) -> None:
        self.world.calls.append(("remove", account, by))
        self.world.accounts = [one for one in self.world.accounts if one.id != account]


class StandInReports(Reports):
    """Pictures age as the real ones do; the history is made up."""

    def __init__(self, world: World) -> None:
        super().__init__(Board(world), RealClock())  # type: ignore[arg-type]
        self.world = world

    def cycles(self, account: str, limit: int) -> list[CycleRecord]:
        if not self.world.history:
            return []
        results = ["48.91", "-101.32", "49.55", "52.10", "-20.40", "50.02"]
        return [
            CycleRecord(
                account=account,
                part="00a7k2",
                number=number,
                symbol=BTC,
                side=Side.LONG,
                started=now() - timedelta(hours=20 - number),
                ended=now() - timedelta(hours=19.4 - number),
                contracts=Contracts(Decimal("0.99")),
                average_entry=Price(Decimal("100250.1")),
                average_exit=Price(Decimal("105300.7")),
                realised_pnl=Decimal(result),
                fees=Decimal("-1.0231"),
                funding=Decimal("-0.0310"),
                reason=ExitReason.TAKE_PROFIT if Decimal(result) > 0 else ExitReason.STOP_LOSS,
                words=text("the take-profit filled at 105,300.7"),
                life=f"8812@{1781942400000 + number * 3600000}",
                recoveries=1 if number == 2 else 0,
            )
            for number, result in enumerate(results, 1)
        ]

    def fills(self, account: str, limit: int) -> list[Fill]:
        if not self.world.history:
            return []
        return [
            Fill(
                f"t{number}",
                f"o{number}",
                f"op00a7k20{number}E01",
                BTC,
                Side.LONG,
                OrderSide.BUY,
                Contracts(Decimal("0.99")),
                Price(Decimal("100250.1")),
                Decimal("-0.4962"),
                False,
                Decimal(0),
                now() - timedelta(hours=number),
            )
            for number in range(1, 5)
        ]

    def funding(self, account: str, limit: int) -> list[Funding]:
        return [Funding(BTC, Side.LONG, Decimal("-0.0310"), now(), "b1")] if self.world.history else []

    def events(self, account: str, part: str | None = None, limit: int = 50) -> list[Event]:
        if not self.world.history:
            return []
        return [Event(now(), account, "00a7k2", "protect", text("held 0.99 and bare"), text("place OCO 0.99"), "done")]

    def refused_because(self, account: str, part: str) -> str:
        return "leverage 10 cannot be set: Cancel pending orders first."

    def said(self, account: str, rule: str, limit: int = 20) -> list[Event]:
        if not self.world.history:
            return []
        return [Event(now(), account, None, rule, text(f"{rule}: found 2 open parts"), text("level run"), "done")]

    def candles(self, account: str, symbol: str) -> Candles | None:
        if not self.world.history:
            return None
        return Candles(StandInPaper(self.world).candles(symbol, 60), now() - self.world.snapshot_age)

    def alarms(self, account: str) -> list[Alarm]:
        rows = self.world.snapshot.alarms if self.world.snapshot else ()
        return [Alarm(account, one.subject, one.words, now()) for one in rows]


class StandInHistory(History):
    """The real arithmetic over a made-up past."""

    def __init__(self, world: World, reports: StandInReports) -> None:
        board = Board(world)
        super().__init__(board.history, board.fills, RealClock())  # type: ignore[arg-type]
        self.world, self.reports = world, reports

    def cycles(self, account: str, only: Only, limit: int) -> list[CycleRecord]:
        fitting = (
            cycle
            for cycle in self.reports.cycles(account, limit)
            if only.symbol in (None, cycle.symbol)
            and only.reason in (None, cycle.reason)
            and only.recovered in (None, bool(cycle.recoveries))
        )
        return list(fitting)

    def traded(self, account: str) -> tuple[list[str], list[str]]:
        if self.world.failure is not None:
            raise self.world.failure
        return ([BTC, "ETH-USDT-PERP"], ["manual"]) if self.world.history else ([], [])

    def steps(self, part: str, cycle: int) -> tuple[Step, ...]:
        levels = [ProtectionLevels(now() - timedelta(hours=9), f"op{part}01P01", (price("105300.7"), price("90149.1")))]
        return steps([entry_of(part), exit_of(part)], levels=levels) if cycle != 2 else ()

    def matched(self, account: str, only: Only, limit: int) -> list[Matched]:
        cycles = self.cycles(account, only, limit)
        return match([life_of(cycle) for cycle in cycles[1:]], cycles)

    def performance(self, account: str, only: Only) -> Performance:
        return performance(self.cycles(account, only, 100))

    def equity(self, account: str, only: Only) -> Equity:
        points = tuple((now() - timedelta(hours=9 - hour), Decimal(10000 + hour * 7)) for hour in range(9))
        return Equity(points, drawdown(points)) if self.world.history else Equity((), None)

    def fills(self, account: str, only: Only, limit: int) -> list[Fill]:
        return self.reports.fills(account, limit)

    def funding(self, account: str, only: Only, limit: int) -> list[Funding]:
        return self.reports.funding(account, limit)

    def sync_state(self, account: str) -> SyncRow:
        return self.world.sync

    def sync_now(self, account: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "the bot reads the exchange's history now", "sync", account, by)


class StandInPaper:
    FAULTS = PaperMarket.FAULTS

    def __init__(self, world: World) -> None:
        self.world = world
        self.paths = {BTC: 100000.0, "ETH-USDT-PERP": 3500.0, "SOL-USDT-PERP": 200.0}

    def available(self) -> bool:
        return True

    def prices(self) -> dict[str, dict[str, str]]:
        return {name: {"last": str(p), "mark": str(p), "index": str(p)} for name, p in self.paths.items()}

    def candles(self, symbol: str, limit: int) -> list[dict[str, str]]:
        start, base, bars, last = now() - timedelta(minutes=limit), self.paths[symbol], [], self.paths[symbol]
        for number in range(limit):
            first, last = last, base * (1 + ((number * 7919) % 101 - 50) / 12000)
            low, high = min(first, last) * 0.9994, max(first, last) * 1.0005
            at = str(int((start + timedelta(minutes=number)).timestamp() * 1000))
            bars.append({"t": at, "o": f"{first}", "h": f"{high}", "l": f"{low}", "c": f"{last}", "v": "10"})
        return bars

    def set_price(self, symbol: str, last: Decimal) -> None:
        if last <= 0:
            raise Misconfigured(f"price {last} is not allowed: it must be above 0")
        self.world.calls.append(("set_price", symbol, last))

    def shock(self, symbol: str, percent: Decimal) -> None:
        self.world.calls.append(("shock", symbol, percent))

    def moved_by(self) -> str | None:
        return "hold"

    def source(self, kind: str, **options: Any) -> None:
        self.world.calls.append(("source", kind))

    def faults(self) -> list[dict[str, Any]]:
        return self.world.faults

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        self.world.faults = faults

    def clear_faults(self) -> None:
        self.world.faults = []

    def by_hand(self, account: str, deed: Deed, symbol: str, side: Side, contracts: Decimal | None) -> None:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.calls.append(("by_hand", account, deed, symbol, side, contracts))


class StandInRisk(Risk):
    """One order let through and one refused, by the real reading of pages."""

    def __init__(self, world: World) -> None:
        board = Board(world)
        super().__init__(board.risk_checks)  # type: ignore[arg-type]
        self.world = world

    def checks(
        self,
        account: str,
        *,
        part: str | None = None,
        check: CheckName | None = None,
        passed: bool | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[RiskCheck]:
        if self.world.failure is not None:
            raise self.world.failure
        rows = risk_rows() if self.world.history else []
        return Page([row for row in rows if passed in (None, row.passed)][:limit], None)

    def counts(self, account: str, since: datetime) -> list[CheckCount]:
        return [CheckCount("order_value", 11, 3), CheckCount("balance", 8, 0)] if self.world.history else []


class StandInExecutions(Executions):
    """Two reports: an entry by TWAP that slipped a little, and a close at market."""

    def __init__(self, world: World) -> None:
        board = Board(world)
        super().__init__(board.executions)  # type: ignore[arg-type]
        self.world = world

    def reports(
        self, account: str, only: ExecutionsOnly | None = None, after: str | None = None, limit: int = 100
    ) -> Page[ExecutionReport]:
        if self.world.failure is not None:
            raise self.world.failure
        kind = only.kind if only else None
        rows = execution_reports() if self.world.history else []
        return Page(tuple(row for row in rows if kind in (None, row.kind)), None)

    def of(self, part: str, cycle: int) -> list[ExecutionReport]:
        return list(self.reports(PAPER.id).items)


class StandInBackup:
    def __init__(self, world: World) -> None:
        self.world = world

    def status(self) -> BackupStatus | None:
        return self.world.backup


class StandIn:
    """Everything a person can ask for, answered from one `World`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.positions = StandInPositions(world)
        self.orders = StandInOrders(world)
        self.differences = StandInDifferences(world)
        self.levels = StandInLevels(world)
        self.accounts = StandInAccounts(world)
        self.reports = StandInReports(world)
        board = Board(world)
        self.overview = Overview(board.equity, self.levels, self.reports, RealClock())  # type: ignore[arg-type]
        self.pairs = Pairs(board.snapshots, board.pairs)  # type: ignore[arg-type]
        self.audit = Audit(board.events)  # type: ignore[arg-type]
        self.history = StandInHistory(world, self.reports)
        self.paper = StandInPaper(world)
        self.preferences = Preferences(board.settings)  # type: ignore[arg-type]
        self.display = Display(board.settings)  # type: ignore[arg-type]
        self.login = Login(board.secrets, board.events, RealClock(), b"a key of the tests")  # type: ignore[arg-type]
        self.backup = StandInBackup(world)
        self.ledger = Ledger(board)  # type: ignore[arg-type]
        self.answers = Answers(board.api_answers, RealClock())  # type: ignore[arg-type]
        self.alerts = Alerting(board, RealClock(), None, lambda: told)  # type: ignore[arg-type]
        self.risk = StandInRisk(world)
        self.executions = StandInExecutions(world)
        self.metrics = Metrics(board.metrics, board.snapshots, board.equity, RealClock())  # type: ignore[arg-type]
        self.tokens = Tokens(board.api_tokens, board.events, RealClock(), lambda: b"a key of the tests")  # type: ignore[arg-type]
        self.places = {"data": "/var/lib/perpdeck", "database": "/var/lib/perpdeck/postgres"}


def empty() -> StandIn:
    """A first start: stopped, nothing seen, nothing held."""
    return StandIn(World())


def full() -> StandIn:
    """A running bot with parts, orders, an alarm and a history."""
    return StandIn(World(snapshot=sample_snapshot(), state="running", history=True))


AWAY = Unavailable("the database does not answer: connection refused")
