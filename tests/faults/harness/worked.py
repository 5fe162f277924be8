"""Lives of parts whose entry, recovery and close are worked piece by piece, with one fault struck in each flow.

Beside the promises of every voyage: all pieces of an execution together never fill more than was planned, whoever
died in between; what has filled is guarded, piece by piece; and what is left to the market at the end is what was
missing. A TWAP is filled at once, slice by slice. What rests (iceberg, repriced limit) is left alone for a while, so
that it is renewed, and then the price comes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

from core.decision.entry_state import entry_over
from core.decision.view import View
from core.domain.account import Exchange
from core.domain.ids import meaning
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle, ExitReason, RecoveryChoice, Target, Wanted
from core.domain.money import Price
from core.domain.observation import Ticker
from core.domain.order import Purpose
from core.exchange.port import Push
from tests.faults.harness.fault_scenario import Voyage
from tests.faults.harness.flows import WORKED, WORKED_ALONE, WORKED_NAMED, WORKED_OWN, Steps
from tests.faults.harness.wire_tap import Strike
from tests.stack import BTC

TICK = Decimal("0.1")
VALUE, ADDED = Decimal(2000), Decimal(600)  #: USDT of an entry, and of a recovery step
TRIGGER = Decimal(-30)
TARGETS = (Target(pnl_usdt=Decimal(100)), Target(pnl_usdt=Decimal(-200)))
AFTER = (Target(pnl_usdt=Decimal(120)), Target(pnl_usdt=Decimal(-220)))
SLACK = Decimal("0.995")  #: an execution may be sized by a price so much lower than the one that stood when it began
TICKS = (4, 4, -8, 0)  #: where the price stands look by look, seen from an order of ours that rests: away, and through
TWAP = ExecutionStyle(
    ExecutionKind.TWAP, duration=timedelta(seconds=16), slices=4, randomness=Decimal("0.3"), at_end=AtEnd.MARKET
)
SHORT_TWAP = replace(TWAP, duration=timedelta(seconds=10), slices=3)
ICEBERG = ExecutionStyle(ExecutionKind.ICEBERG, visible=Decimal("0.34"), refresh=timedelta(seconds=2))
LIMIT = ExecutionStyle(ExecutionKind.LIMIT, reprice=timedelta(seconds=2), follow=Decimal("0.01"))


class Worked(Voyage):
    """A voyage on which three parts live: one by TWAP, one by iceberg, one by a limit order that follows the price."""

    flows: ClassVar[tuple[str, ...]] = WORKED
    named: ClassVar[Steps] = WORKED_NAMED
    own: ClassVar[Mapping[Exchange, Steps]] = WORKED_OWN
    alone: ClassVar[Mapping[Exchange, Steps]] = WORKED_ALONE
    every_death = True
    pieces = TWAP.slices or 1

    def __init__(self, *given: Any, **named: Any) -> None:
        self.most: dict[tuple[str, Purpose], Decimal] = {}  #: contracts that an execution of a part may fill
        super().__init__(*given, **named)

    def _flow(
        self, flow: str, strike: Strike | None
    ) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        one, come = self.look_through, self._rippling(1)
        leave = self._rippling(-1)
        gone = lambda: self._ended(ExitReason.CLOSED_BY_US)  # noqa: E731
        return {
            "twap entry": (lambda: self._begin(TWAP, SHORT_TWAP), lambda: self._in(TWAP, SHORT_TWAP), one),
            "twap recovery": (self._lose, self._averaged, one),
            "twap partial close": (lambda: self._leave(SHORT_TWAP, half=True), self._less, one),
            "twap close": (lambda: self._leave(TWAP), gone, one),
            "iceberg entry": (lambda: self._begin(ICEBERG, ICEBERG), lambda: self._in(ICEBERG, ICEBERG), come),
            "iceberg recovery": (self._lose, self._averaged, come),
            "iceberg close": (lambda: self._leave(ICEBERG), gone, leave),
            "limit entry": (lambda: self._begin(self._limit(1)), lambda: self._in(self._limit(1)), come),
            "limit close": (lambda: self._leave(self._limit(-1)), gone, leave),
            "history": (lambda: None, self._synced, self._sync),
        }[flow]

    # -- what begins the flows -------------------------------------------------------------------------------------

    def _begin(self, style: ExecutionStyle, adding: ExecutionStyle | None = None) -> None:
        """Ask for a part that enters in this style, and averages down in that one."""
        recovery = RecoveryChoice(False)
        if adding is not None:
            tp, sl = (abs(target.pnl_usdt or 0) for target in AFTER)
            recovery = RecoveryChoice(True, TRIGGER, ADDED, Decimal(tp), Decimal(sl), max_steps=1, style=adding)
        draft = self.draft(VALUE, side=self.side, tp=TARGETS[0].pnl_usdt, sl=TARGETS[1].pnl_usdt, entry=style)
        self.part_name = self.open(replace(draft, recovery=recovery))
        self._plan(Purpose.ENTRY, VALUE)

    def _plan(self, purpose: Purpose, value: Decimal) -> None:
        lowest = Price(self._last() * SLACK)
        rules = self.guard.observer.instruments[BTC]
        self.most[self.part_name, purpose] = rules.contracts_for(value, lowest)

    def _limit(self, way: int) -> ExecutionStyle:
        """A limit a little away on our own side: `way` 1 enters, -1 leaves."""
        away = self._last() - way * self.side.sign * Decimal("1.0")
        return replace(LIMIT, price=Price(away.quantize(Decimal("0.1"))))

    def _lose(self) -> None:
        super()._lose()
        self._plan(Purpose.RECOVERY, ADDED)

    def _leave(self, style: ExecutionStyle, *, half: bool = False) -> None:
        part = self.part(self.part_name)
        self.half = part.instrument.round_quantity(part.size / 2) if half else part.size
        self.left = part.size - self.half
        contracts = self.half if half else None
        self.positions.close(self.part_name, self.token(), "trader", contracts=contracts, style=style)

    def _rippling(self, way: int) -> Callable[[], object]:
        """Looks between which the price goes away from what rests and then through it: `way` 1 enters, -1 leaves."""
        turns, base = count(), list[Decimal]()

        def work() -> object:
            base[:] = base or [self._last()]
            again = self.look_through()
            last = base[0] + TICKS[next(turns) % len(TICKS)] * way * self.side.sign * TICK
            self.price(f"{last:.1f}")
            ticker = Ticker(BTC, Price(last), Price(last - TICK), Price(last + TICK), Price(last), self.clock.now())
            self.guard.on_push(Push("prices", BTC, ticker=ticker))
            return again

        return work

    # -- the goals -------------------------------------------------------------------------------------------------

    def _in(self, style: ExecutionStyle, adding: ExecutionStyle | None = None) -> bool:
        """All that will be entered is held and guarded. An entry that was refused for good is asked for anew."""
        if self._ended(ExitReason.NOT_ENTERED):
            self._begin(style, adding)
            return False
        return self.at_rest(self.part_name) and (self._whole() or self._cut_short())

    def _cut_short(self) -> bool:
        """A limit order that the exchange itself cancelled ends its entry with what it had filled."""
        look, part = self.guard.reconciler.last_look, self.part(self.part_name)
        assert look is not None
        key = part.intent.key
        view = View.of(look.desired[key], self.guard.reconciler.results[key].seen, self.clock.now())
        return bool(part.size and entry_over(part, view))

    def _averaged(self) -> bool:
        part = self.part(self.part_name)
        done = part.intent.adding is None and bool(part.steps) and part.targets == AFTER
        return done and self.at_rest(self.part_name)

    def _less(self) -> bool:
        part = self.part(self.part_name)
        return part.intent.reduce_to is None and part.size == self.left and self.at_rest(self.part_name)

    # -- the truth -------------------------------------------------------------------------------------------------

    def _check_counts(self) -> None:
        super()._check_counts()
        filled: dict[tuple[str, Purpose], Decimal] = {}
        for row in self.exchange()["orders"]:
            said = meaning(row["clOrdId"])
            if said is not None and said.purpose.adds_risk:
                at = said.part, said.purpose
                filled[at] = filled.get(at, Decimal(0)) + Decimal(row["accFillSz"] or 0)
        for at, most in self.most.items():
            there = filled.get(at, Decimal(0))
            assert there <= most, f"{at} filled {there} of {most}\n{self.story()}"
        living = [one for one in self.store.parts.intents(self.name) if one.living and one.wanted is Wanted.OPEN]
        assert not any(one.adding or one.closing for one in living), f"still under way\n{self.story()}"
