"""A dashboard's services without a bot: one account's picture in memory, and a note of each call that was made.

It speaks the services' own value types, so a page that runs here asks the real ones the same questions.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.clock import RealClock
from core.domain.account import Account, Environment, Level, PositionKey
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import OrderSide, Side
from core.domain.intent import EntryStyle, ExitReason, Intent, Limits, RecoveryChoice, ReopenChoice, Target, Wanted
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Funding
from core.services.accounts import RISK, AccountForm, KeyCheck
from core.services.levels import BotStatus
from core.services.orders import OrderRow
from core.services.paper import PaperMarket
from core.services.positions import Asked, Draft, PositionManager
from core.services.preferences import Preferences
from core.services.reports import Reports
from db.records import Alarm, CycleRecord, Event
from tests.pages.sample import BTC, DEMO, PAPER, now, sample_picture


@dataclass
class World:
    """What the stand-in services share and what the tests look at."""

    picture: dict[str, Any] | None = None
    picture_age: timedelta = timedelta(seconds=1)
    state: str = "stopped"
    accounts: list[Account] = field(default_factory=lambda: [PAPER, DEMO])
    history: bool = False
    failure: Exception | None = None
    refusal: Exception | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    tokens: dict[str, Asked] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def asked(self, token: str, words: str, *call: Any) -> Asked:
        """The answer of a write; the same token twice is one call."""
        if self.refusal is not None:
            raise self.refusal
        if token in self.tokens:
            return self.tokens[token]
        self.calls.append(call)
        self.tokens[token] = Asked("00a7k9", True, words)
        return self.tokens[token]


class Board:
    """The little that the real services read of a store here."""

    def __init__(self, world: World) -> None:
        self.world = world

    def picture(self, account: str) -> tuple[dict[str, Any], datetime] | None:
        if self.world.failure is not None:
            raise self.world.failure
        picture = self.world.picture
        return None if picture is None else (deepcopy(picture), now() - self.world.picture_age)

    def limits(self) -> Limits:
        return Limits()

    def intent(self, part: str) -> Intent | None:
        """The living part behind a row of the picture."""
        rows = self.world.picture["parts"] if self.world.picture else []
        for row in rows:
            if row["part"] == part:
                key = PositionKey(PAPER.id, row["symbol"], Side(row["side"]))
                value, leverage = Decimal(row["position_value"]), Decimal(row["leverage"])
                return Intent(part, key, Wanted(row["wanted"]), value, leverage, EntryStyle(), None, None)
        return None

    def settings(self) -> dict[str, Any]:
        return self.world.settings

    def set_setting(self, key: str, value: Any, by: str) -> None:
        self.world.calls.append(("set", key, value, by))
        self.world.settings[key] = value


class StandInPositions(PositionManager):
    """Previews are the real ones; wishes are only noted."""

    def __init__(self, world: World) -> None:
        super().__init__(Board(world), RealClock())  # type: ignore[arg-type]
        self.world = world

    def open(self, draft: Draft, token: str, by: str) -> Asked:
        return self.world.asked(token, "the bot enters at its next look.", "open", draft, by)

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
        return self.world.asked(token, "New targets are on their way.", "edit", part, take_profit, stop_loss, by)

    def close(self, part: str, token: str, by: str, contracts: Decimal | None = None, *, reopen: bool = False) -> Asked:
        return self.world.asked(token, f"Closing {part}.", "close", part, contracts, by)

    def reopen_now(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "It is opened again now.", "reopen", part, by)

    def cancel_reopen(self, part: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "It is not opened again.", "cancel reopen", part, by)

    def choose(self, part: str, recovery: RecoveryChoice, reopen: ReopenChoice, token: str, by: str) -> Asked:
        return self.world.asked(token, "It holds from the next look.", "choose", part, recovery, reopen, by)


class StandInOrders:
    def __init__(self, world: World) -> None:
        self.world = world

    def working(self, account: str) -> list[OrderRow]:
        return []

    def cancel(self, account: str, client_order_id: str, token: str, by: str) -> Asked:
        return self.world.asked(token, "Cancel is on its way.", "cancel", account, client_order_id, by)


class StandInLevels:
    def __init__(self, world: World) -> None:
        self.world = world

    def status(self, account: str) -> BotStatus:
        counts = self.world.picture["protection"] if self.world.picture else {"protected": 0, "parts": 0}
        running = self.world.state == "running"
        return BotStatus(
            state=self.world.state,
            words="Guards 3 parts." if running else "Stopped by the operator.",
            since=now() - timedelta(hours=2),
            manually_stopped=not running,
            level=Level.RUN,
            heartbeat_at=now() - timedelta(seconds=1),
            protected=int(counts["protected"]),
            parts=int(counts["parts"]),
            on_exchange_alone=0 if running else int(counts["protected"]),
        )

    def start(self, account: str, by: str) -> None:
        self._switch("start", "running", account, by)

    def stop(self, account: str, by: str, why: str = "") -> None:
        self._switch("stop", "stopped", account, by)

    def _switch(self, verb: str, state: str, account: str, by: str) -> None:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.calls.append((verb, account, by))
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
                words="the take-profit filled at 105,300.7",
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
        return [Event(now(), account, "00a7k2", "protect", "held 0.99 and bare", "place OCO 0.99", "done")]

    def alarms(self, account: str) -> list[Alarm]:
        return []


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

    def source(self, kind: str, **options: Any) -> None:
        self.world.calls.append(("source", kind))

    def faults(self) -> list[dict[str, Any]]:
        return self.world.faults

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        self.world.faults = faults

    def clear_faults(self) -> None:
        self.world.faults = []


class StandIn:
    """Everything a person can ask for, answered from one `World`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.positions = StandInPositions(world)
        self.orders = StandInOrders(world)
        self.levels = StandInLevels(world)
        self.accounts = StandInAccounts(world)
        self.reports = StandInReports(world)
        self.paper = StandInPaper(world)
        self.preferences = Preferences(Board(world))  # type: ignore[arg-type]
        self.places = {"data": "/var/lib/perpdeck", "database": "/var/lib/perpdeck/postgres"}


def empty() -> StandIn:
    """A first start: stopped, nothing seen, nothing held."""
    return StandIn(World())


def full() -> StandIn:
    """A running bot with parts, orders, an alarm and a history."""
    return StandIn(World(picture=sample_picture(), state="running", history=True))


AWAY = Unavailable("the database does not answer: connection refused")
