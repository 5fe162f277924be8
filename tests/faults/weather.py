"""One seed on the whole stack: real database, real client, real loop, the simulator with its faults, and people.

A storm of fault, crash, price and clicks; then calm. Once calm nothing is bare, doubled, orphaned or unresolved, the
loop is silent, and after everything was closed our ledger is the exchange's to the cent (but for the penalties of
liquidations, which no fill tells).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

from core.alerts import Alerts
from core.domain.account import Level
from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.ids import meaning
from core.domain.instrument import Side
from core.domain.intent import EntryKind, EntryStyle, RecoveryChoice, ReopenChoice, Target, Wanted
from core.domain.money import Price
from core.domain.order import Order, Purpose
from core.domain.part import Part
from core.exchange.port import Push
from core.monitor import sentinel
from core.monitor.guard import Guard
from core.services.positions import Draft
from core.wiring import build_guard
from db.store import Store
from tests.postgres import Postgres
from tests.simulator_process import SimulatorProcess
from tests.stack import ACCOUNT, BTC, Deaf, Stack

ETH = "ETH-USDT-PERP"
INSTRUMENTS = {BTC: "BTC-USDT-SWAP", ETH: "ETH-USDT-SWAP"}
STORM_TURNS = 8
CALM_TURNS = 300
QUIET_TURNS = 3
QUIET = timedelta(seconds=11)
CENT = Decimal("0.01")
REASONABLE = {BTC: (Decimal(40_000), Decimal(250_000)), ETH: (Decimal(1_400), Decimal(9_000))}

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "lost_after", "match": {"method": "POST", "path": "trade/order"}},
    {"kind": "lost_after", "match": {"method": "POST", "path": "trade/order-algo"}},
    {"kind": "lost_after", "match": {"method": "POST"}},
    {"kind": "lost_before", "match": {"method": "POST", "path": "trade/order"}},
    {"kind": "lost_before", "match": {"method": "POST", "path": "trade/order-algo"}},
    {"kind": "lost_before", "match": {"method": "POST"}},
    {"kind": "late", "match": {"method": "POST", "path": "trade/order"}, "seconds": 3},
    {"kind": "late", "match": {"method": "POST", "path": "trade/order-algo"}, "seconds": 4},
    {"kind": "late", "match": {"method": "POST", "path": "trade/amend-algos"}, "seconds": 2},
    {"kind": "slow", "match": {"method": "POST"}, "seconds": 0.01},
    {"kind": "code", "match": {"method": "POST"}, "code": "50011", "http": 429, "executed": False},
    {"kind": "code", "match": {"method": "POST"}, "code": "50004", "http": 200, "executed": True},
    {"kind": "code", "match": {"method": "POST"}, "code": "50026", "http": 200, "executed": False},
    {"kind": "code", "match": {"method": "GET"}, "code": "50013", "http": 429, "executed": False, "probability": 0.06},
    {"kind": "html_502", "match": {"method": "POST"}, "executed": True},
    {"kind": "html_502", "match": {"method": "POST"}, "executed": False},
    {"kind": "reset", "match": {"method": "POST"}, "executed": True},
    {"kind": "reset", "match": {"method": "POST"}, "executed": False},
    {"kind": "reset", "match": {"method": "GET"}, "probability": 0.06},
    {"kind": "reject", "code": "51008", "match": {"path": "trade/order"}, "count": 1, "probability": 0.8},
    {"kind": "reject", "code": "51000", "match": {"path": "trade/order-algo"}, "count": 2, "probability": 0.8},
    {"kind": "not_found", "seconds": 4, "probability": 0.7},
    {"kind": "partial_fill", "fraction": "0.4", "rest": "cancel", "probability": 0.5},
    {"kind": "partial_fill", "fraction": "0.5", "rest": "work", "probability": 0.5},
    {"kind": "accept_delay", "seconds": 3, "probability": 0.5},
)
SWITCHES: dict[str, tuple[Any, ...]] = {
    "oversize_close": ("trim", "reject"),
    "attached_after_close": ("stay", "cancel"),
    "liquidation_algos": ("cancel", "stay"),
    "effective_fail_code": ("1", "0"),
    "fail_envelope_zero": (False, True),
    "extra_fields": (False, True),
    "fill_steps": (1, 3),
    "order_delay_seconds": (0, 0, 1),
    "position_history_lag_seconds": (0, 2),
}


@contextmanager
def empty_store(postgres: Postgres) -> Iterator[Store]:
    """The database with nothing in it, and nobody else connected to it."""
    postgres.empty()
    store = Store.open(postgres.url)
    try:
        yield store
    finally:
        store.close()


class Died(BaseException):
    """The process is gone at this very point."""


class Mortal:
    """Something of ours in whose calls the process may die: before the call, or after it."""

    def __init__(self, inner: object, dice: Random, chance: Callable[[], float]) -> None:
        self._inner, self._dice, self._chance = inner, dice, chance

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._deadly(found) if self._chance() and callable(found) else found

    def _deadly(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            fate = self._dice.random()
            chance = self._chance()
            if fate < chance / 2:
                raise Died
            answer = call(*given, **named)
            if fate < chance:
                raise Died
            return answer

        return called


@dataclass(slots=True)
class Report:
    """What one storm was like."""

    looks: int = 0
    deaths: int = 0
    bare_seconds: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    ledger_compared: bool = False
    shot_over: bool = False  #: exits of a part closed more than the part


class Storm(Stack):
    """A stack on which one seed plays its storm."""

    def __init__(self, store: Store, simulator: SimulatorProcess, seed: int) -> None:
        self.seed, self.dice = seed, Random(seed)
        self.report = Report()
        self.chance_of_death = 0.0
        self.symbols = self.dice.choice(((BTC,), (BTC, ETH)))
        self.added_by_hand = False
        self._news: list[Order] = []
        super().__init__(store, simulator)
        self.look()

    def another_bot(self, holder: str = "") -> Guard:
        client: Any = Mortal(self.client, self.dice, lambda: self.chance_of_death)
        store: Any = Mortal(self.store, self.dice, lambda: self.chance_of_death)
        holder = holder or next(self._holders)
        return build_guard(self.account, client, Deaf(), store, Alerts([]), self.clock, holder)

    # -- the storm -----------------------------------------------------------------------------------------------

    def rage(self) -> None:
        dice = self.dice
        self.open(self._with_rules(self.draft(dice.choice((300, 1000, 5000)))))
        self.chance_of_death = dice.choice((0.0, 0.01))
        self.simulator.switches(**{name: dice.choice(values) for name, values in SWITCHES.items()})
        drawn = [FAULTS[self.seed % len(FAULTS)], *dice.sample(FAULTS, 3)]
        self.simulator.faults(*({"probability": 0.35, "seed": dice.randrange(10**6), **one} for one in drawn))
        for _ in range(STORM_TURNS):
            try:
                self._something_happens()
            except Died:
                self._rise_again()
            self._look_or_die()
            self._hear_old_news()
            self.step(dice.choice((0.3, 1, 4)))
        for fault, hits in zip(drawn, self.simulator.fault_hits(), strict=True):
            self.report.struck[fault["kind"]] += hits

    def _look_or_die(self) -> timedelta | None:
        self.report.looks += 1
        try:
            if not self.guard.lease.renew():
                self.guard.lease.acquire()
            return self.guard.work_once(set(), everything=True)
        except Died:
            self._rise_again()
        except PerpdeckError:
            pass  # the loop's own answer to these is to look again later, and so do we
        return None

    def _rise_again(self) -> None:
        self.report.deaths += 1
        self.report.bare_seconds += sum(self.guard.bare_seconds.values())
        chance, self.chance_of_death = self.chance_of_death, 0.0
        self.crash()
        self.chance_of_death = chance

    def _something_happens(self) -> None:
        dice = self.dice
        if dice.random() < 0.5:
            dice.choice((self._move, self._move, self._jump))()
        if dice.random() < 0.3:
            try:
                dice.choice((self._open, self._edit, self._close_one, self._halve, self._set_level))()
            except (Misconfigured, Unavailable):
                return  # the page says why; the trader leaves it at that
        if dice.random() < 0.12:
            self._meddle()

    def _hear_old_news(self) -> None:
        """Pushes come doubled, late and out of order: whatever an order once was may be told again."""
        for result in self.guard.reconciler.results.values():
            self._news += [order for order in result.seen.orders if order.part is not None]
        told = self.dice.sample(self._news, min(3, len(self._news)))
        if told:
            self.guard.on_push(Push("orders", told[0].symbol, orders=told))

    def _last(self, symbol: str) -> Decimal:
        return Decimal(self.exchange()["prices"][INSTRUMENTS[symbol]]["last"])

    def _move(self, size: float = 0.004) -> None:
        symbol = self.dice.choice(self.symbols)
        last = self._last(symbol) * Decimal(1 + self.dice.uniform(-size, size))
        low, high = REASONABLE[symbol]
        self.price(f"{min(max(last, low), high):.1f}", symbol=INSTRUMENTS[symbol])

    def _jump(self) -> None:
        self._move(0.12)

    def _open(self) -> None:
        dice = self.dice
        if len(self._wanted()) >= 3:
            return
        symbol, side = dice.choice(self.symbols), dice.choice((Side.LONG, Side.LONG, Side.SHORT))
        entry = None
        if dice.random() < 0.25:
            away = self._last(symbol) * Decimal(1 - side.sign * dice.choice((0.0005, 0.003)))
            entry = EntryStyle(EntryKind.LIMIT, Price(Decimal(f"{away:.1f}")), timedelta(seconds=15))
        value, tp, sl = dice.choice((200, 1000, 5000)), dice.choice((5, 50, None)), dice.choice((-10, -100, None))
        draft = self.draft(value, symbol=symbol, side=side, tp=tp, sl=sl, entry=entry)
        self.open(self._with_rules(draft))

    def _with_rules(self, draft: Draft) -> Draft:
        """Recovery and reopening, for some."""
        dice = self.dice
        recovery = RecoveryChoice(dice.random() < 0.4, Decimal(-15), Decimal(300), max_steps=2)
        reopen = ReopenChoice(dice.random() < 0.3, delay=timedelta(minutes=1))
        return replace(draft, recovery=recovery, reopen=reopen)

    def _wanted(self) -> list[Any]:
        return [one for one in self.store.intents(ACCOUNT) if one.living]

    def _one(self) -> str | None:
        living = self._wanted()
        return self.dice.choice(sorted(living, key=lambda one: one.part)).part if living else None

    def _edit(self) -> None:
        name = self._one()
        if name is not None:
            tp, sl = self.dice.choice((20, 80)), self.dice.choice((-20, -150))
            targets = Target(pnl_usdt=Decimal(tp)), Target(pnl_usdt=Decimal(sl))
            self.positions.edit_targets(name, *targets, self.token(), "trader")

    def _close_one(self) -> None:
        name = self._one()
        if name is not None:
            self.positions.close(name, self.token(), "trader")

    def _halve(self) -> None:
        held = [part for part in self.parts() if part.size > Decimal("0.1")]
        if held:
            part = self.dice.choice(held)
            half = part.instrument.round_quantity(part.size / 2)
            self.positions.close(part.name, self.token(), "trader", contracts=half)

    def _set_level(self) -> None:
        level = self.dice.choice((Level.RUN, Level.NO_NEW_ENTRIES, Level.REDUCE_ONLY, Level.FLATTEN))
        self.store.set_level(ACCOUNT, level, "trader", "test")

    def _meddle(self) -> None:
        rows = self.exchange()["positions"]
        algos = self.resting()
        if not rows:
            return
        row = self.dice.choice(rows)
        where = {"instId": row["instId"], "posSide": row["posSide"]}
        some = str(max(Decimal(row["pos"]) // 2, Decimal("0.01")))
        deeds: list[Callable[[], object]] = [
            lambda: self.simulator.intervene("close", **where),
            lambda: self.simulator.intervene("close", **where, sz=some),
            lambda: self.simulator.intervene("adl", **where, sz=some),
            lambda: self.simulator.intervene("liquidate", **where),
            lambda: self._add(where, some),
        ]
        if algos:
            algo = self.dice.choice(algos)
            deeds.append(lambda: self.simulator.intervene("cancel", algoId=algo["algoId"]))
        self.dice.choice(deeds)()

    def _add(self, where: dict[str, str], some: str) -> None:
        self.added_by_hand = True
        side = "buy" if where["posSide"] == "long" else "sell"
        self.simulator.intervene("place", **where, tdMode="cross", ordType="market", sz=some, side=side)

    # -- the calm ------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Fair weather: the loop comes to rest, and what rests is right."""
        self.simulator.faults()
        self.chance_of_death = 0.0
        self._rise_again()
        self.store.set_level(ACCOUNT, Level.RUN, "trader", "test")
        self._until_silent()
        self._check_what_rests()

    def close_everything(self) -> None:
        """The trader goes home; then our ledger is laid beside the exchange's."""
        for one in self.store.intents(ACCOUNT):
            if one.wanted is not Wanted.CLOSED:
                self.store.change_part(one.part, self.token(), "trader", "gone home", wanted=Wanted.CLOSED)
        self._until_silent()
        assert not self._wanted(), f"not closed: {[one.part for one in self._wanted()]}\n{self.story()}"
        left = [row for row in self.resting() if meaning(row["algoClOrdId"])]
        assert not left, f"left behind: {left}"
        self._check_money()
        self.report.bare_seconds += sum(self.guard.bare_seconds.values())

    def _until_silent(self) -> None:
        quiet, since = 0, self.clock.now()
        for _ in range(CALM_TURNS):
            again = self._look_or_die()
            if self._busy():
                quiet, since = 0, self.clock.now()
            quiet += 1
            if quiet > QUIET_TURNS and self.clock.now() - since > QUIET:
                return
            self.step(min(max((again or timedelta(seconds=5)).total_seconds(), 0.25), 5.0))
        raise AssertionError(f"not silent after {CALM_TURNS} looks\n{self.story()}")

    def _busy(self) -> bool:
        acts = [action for action in self.acts() if not action.startswith("raise alarm")]
        results = self.guard.reconciler.results.values()
        missing = any(sum(part.size for part in result.parts) > result.seen.contracts for result in results)
        unsettled = any(not result.seen.settled or not result.seen.confirmed for result in results)
        waiting = any(command.unresolved for command in self.store.commands(ACCOUNT))
        return bool(acts or missing or unsettled or waiting)

    # -- the truth -----------------------------------------------------------------------------------------------

    def _check_what_rests(self) -> None:
        parts = {part.name: part for part in self.parts() if part.intent.living}
        entered: dict[tuple[str, int], Decimal] = {}
        for row in self.exchange()["orders"]:
            said = meaning(row["clOrdId"])
            if said is not None and said.purpose is Purpose.ENTRY:
                entered[said.part, said.cycle] = entered.get((said.part, said.cycle), Decimal(0)) + Decimal(
                    row["accFillSz"] or 0
                )
        for one in self.store.intents(ACCOUNT):
            filled = entered.get((one.part, one.cycle), Decimal(0))
            assert filled <= (one.contracts or 0), f"{one.part} entered {filled} of {one.contracts}\n{self.story()}"
        stops: dict[str, list[dict[str, Any]]] = {}
        for row in self.resting():
            said = meaning(row["algoClOrdId"])
            if said is not None:
                assert said.part in parts, f"orphan {row['algoClOrdId']}\n{self.story()}"
                stops.setdefault(said.part, []).append(row)
        for part in parts.values():
            if part.size:
                self._check_guarded(part, stops.get(part.name, []))
        for symbol, side in product(self.symbols, Side):
            mine = [part for part in parts.values() if (part.intent.key.symbol, part.side) == (symbol, side)]
            ours, held = sum((part.size for part in mine), Decimal(0)), self.held(side, INSTRUMENTS[symbol])
            assert ours <= held if self.added_by_hand else ours == held, f"{ours} of {held} {side}\n{self.story()}"

        alarms = [alarm for alarm in self.alarms() if alarm.startswith("residual")]
        found = [words for _, words in sentinel.findings(self.guard)]
        assert self.added_by_hand or not (alarms or found), f"{alarms} {found}\n{self.story()}"

    def _check_guarded(self, part: Part, rows: list[dict[str, Any]]) -> None:
        stop, target = part.stop_price(), part.take_profit_price()
        if stop is None and target is None:
            return
        assert len(rows) == 1, f"{part.name} holds {part.size} and has {len(rows)} protections\n{self.story()}"
        (row,) = rows
        assert Decimal(row["sz"]) == part.size, f"{row['algoClOrdId']}: {row['sz']} for {part.size}\n{self.story()}"
        if stop is not None:
            assert row["slTriggerPx"], f"{part.name} is bare\n{self.story()}"

    def _check_money(self) -> None:
        exchange = self.exchange()
        bills = sum((Decimal(row["balChg"]) for row in exchange["ledger"]), Decimal(0))
        (account,) = [one for one in exchange["accounts"].values() if Decimal(one["deposits"])]
        balance, deposits = Decimal(account["balance"]), Decimal(account["deposits"])
        assert balance - deposits in (bills, bills - deposits), f"{balance} of {deposits} with {bills}"
        untraced = any("booked at the mark" in event.because for event in self.store.events(limit=1000))
        if self.added_by_hand or untraced or self._shot_over():
            return
        ours = sum((cycle.net for cycle in self.store.cycles(ACCOUNT)), Decimal(0))
        theirs = self.money()["all"] + Decimal(account["penalties"])
        self.report.ledger_compared = True
        assert abs(ours - theirs) < CENT, f"our ledger says {ours}, the exchange's {theirs}\n{self.story()}"

    def _shot_over(self) -> bool:
        """An OCO closed more than its part, see `tests.decision.storm`: whose fees those were cannot be told."""
        entered, exited = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        for row in self.exchange()["orders"]:
            said = meaning(row["clOrdId"]) or meaning(row.get("algoClOrdId", ""))
            if said is not None:
                side = entered if said.purpose.adds_risk else exited
                side[said.part, said.cycle] += Decimal(row["accFillSz"] or 0)  # type: ignore[assignment]
        self.report.shot_over = any(exited[of] > entered[of] for of in exited)
        return self.report.shot_over
