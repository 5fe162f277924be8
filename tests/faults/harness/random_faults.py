"""One seed on the whole stack: real database, real client, real loop, the simulator with its faults, and people.

A storm of fault, crash, price and clicks; then calm, and the promises of `truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core.alerts import Alerts
from core.domain.account import Exchange, Level
from core.domain.difference import Choice, DifferenceKind
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Side
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle, RecoveryChoice, ReopenChoice, Target
from core.domain.money import Price
from core.domain.order import Order
from core.exchange.port import Push
from core.monitor.guard import AccountGuard
from core.services.trading.differences import Adoption, Differences
from core.services.trading.requests import Draft
from core.wiring import build_guard
from db.repository import Repository
from db.store import Store
from tests.faults.harness.fault_catalogue import FAULTS, WAYS
from tests.faults.harness.invariants import ETH, INSTRUMENTS, Died, Weathered
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, Deaf

STORM_TURNS = 8
LOT = Decimal("0.001")  #: of a bitcoin, and of an ether: above every smallest order
REASONABLE = {BTC: (Decimal(40_000), Decimal(250_000)), ETH: (Decimal(1_400), Decimal(9_000))}


class Mortal:
    """Something of ours in whose calls the process may die: before the call, or after it."""

    def __init__(self, inner: object, dice: Random, chance: Callable[[], float]) -> None:
        self._inner, self._dice, self._chance = inner, dice, chance

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if isinstance(found, Repository):
            return Mortal(found, self._dice, self._chance)
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


class Storm(Weathered):
    """A stack on which one seed plays its storm."""

    def __init__(
        self,
        store: Store,
        simulator: SimulatorProcess,
        seed: int,
        exchange: Exchange = Exchange.OKX,
        *,
        hedge: bool = True,
    ) -> None:
        self.seed, self.dice = seed, Random(seed)
        self.symbols = self.dice.choice(((BTC,), (BTC, ETH)))
        self.strangers = self.dice.random() < 0.2  #: others trade the same positions
        self._news: list[Order] = []
        super().__init__(store, simulator, exchange)
        if not hedge:
            self.one_way()
        self.lot = LOT * self.whole
        self.safety = Differences(store, self.clock)
        self.look()

    def another_bot(self, holder: str = "") -> AccountGuard:
        client: Any = Mortal(self.client, self.dice, lambda: self.chance_of_death)
        store: Any = Mortal(self.store, self.dice, lambda: self.chance_of_death)
        holder = holder or next(self._holders)
        return build_guard(self.account, client, Deaf(), store, Alerts([]), self.clock, holder)

    # -- the storm -----------------------------------------------------------------------------------------------

    def rage(self) -> None:
        dice = self.dice
        self.open(self._with_rules(self.draft(dice.choice((300, 1000, 5000)), entry=self._entry(BTC, Side.LONG))))
        self.chance_of_death = dice.choice((0.0, 0.01))
        self.simulator.switches(**{name: dice.choice(values) for name, values in WAYS[self.wire].items()})
        faults = FAULTS[self.wire]
        drawn = [faults[self.seed % len(faults)], *dice.sample(faults, 3)]
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

    def _something_happens(self) -> None:
        dice = self.dice
        if dice.random() < 0.5:
            dice.choice((self._move, self._move, self._jump))()
        if dice.random() < 0.3:
            try:
                deeds = (self._open, self._edit, self._close_one, self._halve, self._set_level, self._choose)
                dice.choice((*deeds, self._tell))()
            except (Misconfigured, Unavailable):
                return  # the page says why; the trader leaves it at that
        if self.strangers and dice.random() < 0.3:
            self._add_beside()
        if self.added_by_hand and dice.random() < 0.4:
            self._answer()
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
        entry = self._entry(symbol, side)
        value, tp, sl = dice.choice((200, 1000, 5000)), dice.choice((5, 50, None)), dice.choice((-10, -100, None))
        draft = self.draft(value, symbol=symbol, side=side, tp=tp, sl=sl, entry=entry)
        self.open(self._with_rules(draft))

    def _with_rules(self, draft: Draft) -> Draft:
        """Recovery and reopening, for some."""
        dice = self.dice
        recovery = RecoveryChoice(dice.random() < 0.4, Decimal(-15), Decimal(300), max_steps=2, style=self._style())
        reopen = ReopenChoice(dice.random() < 0.3, delay=timedelta(minutes=1))
        return replace(draft, recovery=recovery, reopen=reopen)

    def _entry(self, symbol: str, side: Side) -> ExecutionStyle:
        """The style of an entry; a limit has a price of its own there, and may end with nothing."""
        style, dice = self._style(), self.dice
        if style.kind is not ExecutionKind.LIMIT:
            return style
        away = Price(Decimal(f"{self._last(symbol) * Decimal(1 - side.sign * dice.choice((0.0005, 0.003))):.1f}"))
        return replace(style, price=away, at_end=dice.choice(tuple(AtEnd)), reprice=dice.choice((None, style.reprice)))

    def _style(self, at_ends: Sequence[AtEnd] = (AtEnd.MARKET,)) -> ExecutionStyle:
        """How an entry, a recovery step or a close is worked. What ends with nothing would be begun again for ever."""
        dice, at_end = self.dice, self.dice.choice(at_ends)
        soon, later = timedelta(seconds=3), timedelta(seconds=12)
        twap, limit = ExecutionKind.TWAP, ExecutionKind.LIMIT
        at_random, seen = Decimal(dice.choice(("0", "0.4"))), Decimal(dice.choice(("0.3", "0.6")))
        return dice.choice(
            (
                ExecutionStyle(),
                ExecutionStyle(),
                ExecutionStyle(twap, duration=later, slices=3, randomness=at_random, at_end=at_end),
                ExecutionStyle(twap, duration=later, slices=4, randomness=at_random, at_end=at_end, passive=True),
                ExecutionStyle(ExecutionKind.ICEBERG, timeout=later, visible=seen, refresh=soon, at_end=at_end),
                ExecutionStyle(limit, timeout=later, reprice=soon, at_end=at_end),
            )
        )

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
            self.positions.close(
                name, self.token(), "trader", reopen=self.dice.random() < 0.3, style=self._style(tuple(AtEnd))
            )

    def _halve(self) -> None:
        held = [part for part in self.parts() if part.size > self.lot]
        if held:
            part = self.dice.choice(held)
            half = part.instrument.round_quantity(part.size / 2)
            style = self._style(tuple(AtEnd))
            self.positions.close(part.name, self.token(), "trader", contracts=half, style=style)

    def _tell(self) -> None:
        """The rest of an execution under way at market now, or not at all."""
        seen = self.store.snapshots.latest(self.name)
        under_way = [(part.name, run.run) for part in seen.parts for run in part.executions] if seen else []
        if under_way:
            part, run = self.dice.choice(under_way)
            self.positions.tell(part, run, self.token(), "trader", finish=self.dice.random() < 0.5)

    def _set_level(self) -> None:
        level = self.dice.choice(
            (Level.RUN, Level.NO_NEW_ENTRIES, Level.NO_ADDED_RISK, Level.REDUCE_ONLY, Level.FLATTEN)
        )
        self.store.bots.set_level(self.name, level, "trader", "test")

    def _choose(self) -> None:
        """Another mind about recovery and reopening, in the middle of it."""
        name = self._one()
        if name is not None:
            changed = self._with_rules(self.draft())
            self.positions.choose(name, changed.recovery, changed.reopen, self.token(), "trader")

    def calm(self) -> None:
        """Once calm, what others have opened is answered too: it is ours, or it is left alone and stays what it is."""
        super().calm()
        if self.added_by_hand:
            for _ in range(len(self.symbols) * len(Side)):
                self._answer()
                self._until_silent()
            self._check_what_rests()

    def _answer(self) -> None:
        """What the trader says to contracts that nobody knows, on the Safety page."""
        residuals = [row for row in self.safety.list(self.name) or () if row.kind is DifferenceKind.RESIDUAL]
        if not residuals:
            return
        row, how = self.dice.choice(residuals), self.dice.choice((Choice.ADOPT, Choice.ASSIGN, Choice.IGNORE))
        said = (self.name, row.id, row.mark)
        try:
            if how is Choice.IGNORE:
                self.safety.ignore(*said, self.token(), "trader")
            elif how is Choice.ASSIGN and row.parts:
                self.safety.assign(*said, self.dice.choice(row.parts), self.token(), "trader")
            else:
                self.safety.adopt(*said, self._adoption(), self.token(), "trader")
        except (Misconfigured, Unavailable):
            return  # changed meanwhile, or too small to be guarded: the page says so
        self.report.answers[how] += 1

    def _adoption(self) -> Adoption:
        tp, sl = self.dice.choice((40, None)), self.dice.choice((-60, -200))
        target = None if tp is None else Target(pnl_usdt=Decimal(tp))
        return Adoption(target, Target(pnl_usdt=Decimal(sl)))

    def _meddle(self) -> None:
        rows = self.exchange()["positions"]
        algos = self.resting()
        if not rows:
            return
        row = self.dice.choice(rows)
        where = {"instId": row["instId"], "posSide": row["posSide"]}
        held = abs(Decimal(row["pos"]))
        some = str(min(max(self._whole_lots(held / 2), self.lot), held))
        deeds: list[Callable[[], object]] = [
            lambda: self.by_hand("close", **where),
            lambda: self.by_hand("close", **where, sz=some),
            lambda: self.by_hand("adl", **where, sz=some),
            lambda: self.by_hand("liquidate", **where),
            lambda: self._add(where, some, "long" if self._is_long(row) else "short"),
        ]
        if algos:
            algo = self.dice.choice(algos)
            deeds.append(lambda: self._by_hand("cancel", algoId=algo["algoId"]))
        self.dice.choice(deeds)()

    def _whole_lots(self, contracts: Decimal) -> Decimal:
        return contracts // self.lot * self.lot

    def _by_hand(self, do: str, **what: Any) -> None:
        """A person may be refused too: an order that is not shown yet, a size below the smallest value."""
        try:
            self.by_hand(do, **what)
        except AssertionError as refused:
            if not any(code in str(refused) for code in ("-2011", "-4164")):
                raise

    def _add_beside(self) -> None:
        symbol, side = self.dice.choice(self.symbols), self.dice.choice((Side.LONG, Side.LONG, Side.SHORT))
        if self.held_side == "net":  # the other way it would be a close
            held = [row for row in self.exchange()["positions"] if row["instId"] == INSTRUMENTS[symbol]]
            side = Side.LONG if not held or self._is_long(held[0]) else Side.SHORT
        where = {"instId": INSTRUMENTS[symbol], "posSide": side if self.held_side != "net" else "net"}
        self._add(where, str(self.lot * self.dice.choice((1, 5))), side)

    @staticmethod
    def _is_long(row: dict[str, Any]) -> bool:
        return Decimal(row["pos"]) > 0 and row["posSide"] != "short"

    def _add(self, where: dict[str, str], some: str, side: str) -> None:
        self.added_by_hand = True
        buys = side == "long"
        if self.wire is Exchange.OKX:
            order = {"tdMode": "cross", "ordType": "market", "sz": some, "side": "buy" if buys else "sell"}
            self.simulator.intervene("place", **where, **order)
            return
        leg = {"net": "BOTH", "long": "LONG", "short": "SHORT"}[where["posSide"]]
        symbol, words = where["instId"].removesuffix("-USDT-SWAP") + "USDT", "BUY" if buys else "SELL"
        order = {"symbol": symbol, "type": "MARKET", "side": words, "positionSide": leg, "quantity": some}
        self._by_hand("place", **order)
