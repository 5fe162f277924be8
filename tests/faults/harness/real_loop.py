"""The pure storms once more, with the real loop: real observer, reconciler, executor, lease and database.

The exchange is the adversary of `tests.decision`, which is worse than any wire: orders hidden for seconds, ended ones
still listed, sizes read late, requests that arrive late. What the pure suite promises must hold here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

from core.alerts import Alerts
from core.decision.rules.differences import Difference
from core.domain.account import Account, Environment, Exchange, Level, PositionKey
from core.domain.action import Plan
from core.domain.difference import DifferenceAnswer
from core.domain.errors import Misconfigured, Refused
from core.domain.ids import PIECES
from core.domain.intent import ExternalEntry, Intent, Recovery, RecoveryChoice, ReopenChoice, ReopenRule
from core.domain.money import NONE_HELD, Contracts
from core.domain.order import Order
from core.wiring import build_guard
from db.store import Store
from tests.builders import LONG, NOON
from tests.decision.stress.adversary import Adversary, Trouble
from tests.decision.stress.smallest_bot import Book, Crash
from tests.decision.stress.stress import Outcome, Storm
from tests.faults.harness.invariants import Died, empty_store
from tests.faults.harness.random_faults import Mortal
from tests.postgres import Postgres
from tests.stack import Deaf

ACCOUNT = LONG.account


class AdversaryClock:
    """The adversary's time as the bot's."""

    def __init__(self, exchange: Adversary) -> None:
        self.exchange = exchange

    def now(self) -> datetime:
        return self.exchange.now

    def monotonic(self) -> float:
        return (self.exchange.now - NOON).total_seconds()


class RealBook(Book):
    """What the database has committed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tokens = (f"click-{number}" for number in count(1))
        store.accounts.save(Account(ACCOUNT, "Paper", Exchange.OKX, Environment.PAPER, "", ""), None)
        store.settings.set_all({"recovery_enabled": False, "reopen_enabled": False}, "test")
        store.bots.set_running(ACCOUNT, True, by="test", why="", manually=False)

    def open(self, asked: Intent) -> None:
        losing, again = asked.recovery or Recovery(), asked.reopen or ReopenRule()
        recovery = RecoveryChoice(
            asked.recovery is not None,
            losing.trigger_pnl,
            losing.add_notional,
            max_steps=losing.max_steps,
            style=losing.style,
        )
        reopen = ReopenChoice(asked.reopen is not None, delay=again.delay, max_cycles=again.max_cycles)
        self.store.parts.open(asked.but(own_recovery=recovery, own_reopen=reopen), next(self._tokens))

    def adopt(self, asked: Intent, entry: ExternalEntry) -> str:
        alone = {"own_recovery": RecoveryChoice(False), "own_reopen": ReopenChoice(False)}
        try:
            return self.store.differences.adopt(asked.but(**alone), entry, next(self._tokens))[0].part
        except Misconfigured:
            return ""

    def assign(self, part: str, entry: ExternalEntry) -> str:
        try:
            return self.store.differences.assign(part, entry, next(self._tokens), "trader")[0].part
        except Misconfigured:
            return ""

    def answer(self, key: PositionKey, answer: DifferenceAnswer) -> None:
        self.store.differences.answer(key, answer, next(self._tokens), "trader")

    def cycle_of(self, part: str) -> int:
        found = self.store.parts.intent(part)
        assert found is not None
        return found.cycle

    def change(self, part: str, **changes: object) -> None:
        self.store.parts.change(part, next(self._tokens), "trader", "test", **changes)

    @property
    def living(self) -> list[Intent]:
        return sorted((one for one in self.store.parts.intents(ACCOUNT) if one.living), key=lambda one: one.part)

    @property
    def waiting(self) -> bool:
        return any(command.unresolved for command in self.store.orders.commands(ACCOUNT))

    @property
    def orders(self) -> dict[str, Order]:  # type: ignore[override]
        return {order.client_order_id: order for order in self.store.orders.of_interest(ACCOUNT)}

    @property
    def planned(self) -> dict[tuple[str, int], Contracts]:  # type: ignore[override]
        return {(one.part, one.cycle): one.contracts or NONE_HELD for one in self.store.parts.intents(ACCOUNT)}

    @property
    def steps(self) -> dict[tuple[str, int, int], Contracts]:  # type: ignore[override]
        under_way = ((one, one.adding) for one in self.store.parts.intents(ACCOUNT) if one.adding is not None)
        return {(one.part, one.cycle, adding.step * PIECES): adding.contracts for one, adding in under_way}

    @property
    def alarms(self) -> set[str]:  # type: ignore[override]
        return {alarm.subject.split("/")[0] for alarm in self.store.alarms.open(ACCOUNT)}

    @property
    def level(self) -> Level:  # type: ignore[override]
        return Level(self.store.bots.get(ACCOUNT).level)

    @level.setter
    def level(self, level: Level) -> None:
        self.store.bots.set_level(ACCOUNT, level, "trader", "test")


class RealBot:
    """One life of the real loop, from a start to a crash."""

    def __init__(self, storm: RealStorm, holder: str) -> None:
        port: Any = Mortal(storm.exchange, storm.dice, lambda: storm.crashes / 3)
        store: Any = Mortal(storm.store, storm.dice, lambda: storm.crashes / 3)
        account = Account(ACCOUNT, "Paper", Exchange.OKX, Environment.PAPER, "", "")
        chance, storm.crashes = storm.crashes, 0.0
        self.guard = build_guard(account, port, Deaf(), store, Alerts([]), AdversaryClock(storm.exchange), holder)
        assert self.guard.lease.acquire()
        self.guard.running = True
        storm.crashes = chance

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(one for result in self.guard.reconciler.results.values() for one in result.differences)

    def turn(self) -> Plan:
        """One pass. Raises Unavailable where a read fails and Crash where the process ends."""
        try:
            if not self.guard.lease.renew():  # the database's own clock goes on while a slow machine works
                self.guard.lease.acquire()
            again = self.guard.work_once(set(), everything=True)
        except Died:
            raise Crash from None
        decisions = [
            decision for result in self.guard.reconciler.results.values() for decision in result.plan.decisions
        ]
        return Plan(tuple(decisions), again)


class RealStorm(Storm):
    """A storm whose bot and book are the real ones."""

    def __init__(self, store: Store, seed: int, trouble: Trouble | None = None) -> None:
        self.store = store
        self._holders = (f"test-{number}" for number in count(1))
        super().__init__(seed, trouble or Trouble())

    def _new_book(self) -> Book:
        return RealBook(self.store)

    def _start(self) -> Any:
        running = getattr(self, "bot", None)
        if running is not None:
            chance, self.crashes = self.crashes, 0.0
            running.guard.lease.release()
            self.crashes = chance
        return RealBot(self, next(self._holders))


def play(postgres: Postgres, seeds: Iterable[int]) -> list[Outcome]:
    """Each seed on an empty database. AssertionError with the seed where a promise is broken."""
    outcomes = []
    for seed in seeds:
        with empty_store(postgres) as store:
            storm = RealStorm(store, seed)
            try:
                storm.rage()
                storm.settle()
            except (AssertionError, Refused) as broken:
                raise AssertionError(f"SEED={seed}: {broken}\n{story(store)}") from broken
            outcomes.append(storm.outcome)
    return outcomes


def story(store: Store) -> str:
    """Everything that was explained so far, oldest first."""
    return "\n".join(
        f"{event.at:%H:%M:%S} {event.part or '-'} {event.rule}: {event.because} [{event.action}] {event.outcome}"
        for event in reversed(store.events.find(limit=200))
    )
