"""The real bot over recorded minutes: candles move the exchange's price, a simple trader keeps several parts open.

Nothing is pushed, so whatever happens is found by the next look, up to `WATCH_SECONDS` later: worse than life. After
every step the exchange's own state is held against what ought to be true; nothing is taken on the bot's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.domain.errors import Misconfigured
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import ExecutionKind, ExecutionStyle, ExitReason, Target
from core.domain.money import Price
from core.domain.order import Order
from core.domain.part import Part
from core.services.trading.requests import Draft
from db.records import CycleRecord
from db.store import Store
from tests.simulator_process import SimulatorProcess
from tests.stack import ACCOUNT, Stack

WATCH_SECONDS = 5.0  #: the safety net's cadence where no push comes
FASTEST_SECONDS = 0.25
PAUSE = timedelta(minutes=2)  #: a slot that has ended is opened again after so long
BREAK_EVEN_AT = Decimal("0.6")  #: of the way to the target; then the stop moves to the entry
ZERO = Decimal(0)
NAMES = {"BTC": "BTC-USDT-PERP", "ETH": "ETH-USDT-PERP", "SOL": "SOL-USDT-PERP"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing the trader wants open all the time. Money in USDT, `offset` in percent of the price."""

    name: str
    side: Side
    value: int
    take_profit: int
    stop_loss: int
    by: TriggerBy = TriggerBy.MARK
    offset: Decimal | None = None  #: a limit entry so far away; None: at market


SLOTS = (
    Slot("long, stop by mark", Side.LONG, 2000, 60, -40),
    Slot("long, stop by last", Side.LONG, 2000, 60, -40, TriggerBy.LAST),
    Slot("long, wide stop", Side.LONG, 1000, 100, -120),
    Slot("short, stop by mark", Side.SHORT, 2000, 80, -40),
    Slot("short, tight stop by last", Side.SHORT, 1500, 60, -15, TriggerBy.LAST),
    Slot("long, limit entry 2 % below", Side.LONG, 1500, 45, -45, offset=Decimal(-2)),
    Slot("short, limit entry 1 % above", Side.SHORT, 1500, 45, -30, offset=Decimal(1)),
)


@dataclass(frozen=True, slots=True)
class Exit:
    """One closing order of a part, as the exchange carried it out. Money in USDT."""

    slot: Slot
    part: str
    cycle: CycleRecord
    order: Order
    level: Decimal  #: the price that was waited for
    asked: Decimal  #: PnL of what it closed, had it been closed at exactly that price
    at: datetime
    mark: Decimal  #: when it was filled
    price: Decimal

    @property
    def is_stop(self) -> bool:
        return self.cycle.reason is ExitReason.STOP_LOSS

    @property
    def by(self) -> TriggerBy:
        return self.order.trigger_by or TriggerBy.MARK

    @property
    def gap(self) -> Decimal:
        """USDT by which it went worse than at its level; negative: better."""
        return self.asked - self.cycle.realised_pnl

    @property
    def gap_bp(self) -> Decimal:
        return self._worse(self.level, self.price) / self.level * 10_000

    @property
    def overshoot(self) -> Decimal:
        """How far beyond the level the price that sets it off stood when it was filled (USDT a coin)."""
        return self._worse(self.level, self.mark) if self.by is TriggerBy.MARK else self._worse(self.level, self.price)

    @property
    def behind(self) -> Decimal:
        """How much worse than the mark price the book was (USDT a coin): what a stop by mark pays in a wick."""
        return self._worse(self.mark, self.price)

    def _worse(self, wanted: Decimal, got: Decimal) -> Decimal:
        return (wanted - got) * self.slot.side.sign


@dataclass
class Run:
    """What happened."""

    symbol: str
    begin: datetime
    end: datetime
    cycles: list[CycleRecord] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    slots: dict[str, Slot] = field(default_factory=dict)  #: by part
    refusals: list[str] = field(default_factory=list)
    edits: int = 0
    looks: int = 0
    bare_seconds: Decimal = ZERO  #: with contracts held for which no stop-loss rested at the exchange
    orphan_seconds: Decimal = ZERO  #: with a protection of ours resting beside no position
    ledger: dict[str, Decimal] = field(default_factory=dict)
    orders: int = 0
    low: Decimal = ZERO
    high: Decimal = ZERO
    left: list[str] = field(default_factory=list)  #: what remained at the exchange in the end

    @property
    def ours(self) -> dict[str, Decimal]:
        """Our cycles added up, under the ledger's names."""
        sums = {
            "pnl": sum((cycle.realised_pnl for cycle in self.cycles), ZERO),
            "fees": sum((cycle.fees for cycle in self.cycles), ZERO),
            "funding": sum((cycle.funding for cycle in self.cycles), ZERO),
        }
        return {**sums, "all": sum(sums.values(), ZERO)}

    @property
    def stops(self) -> list[Exit]:
        return [exit_ for exit_ in self.exits if exit_.is_stop]


class Replay:
    """One run, step by step."""

    def __init__(self, stack: Stack, symbol: str, minutes: int, slots: Sequence[Slot]) -> None:
        self.stack, self.slots = stack, slots
        self.wire = symbol.replace("-PERP", "-SWAP")
        begin = stack.clock.now()
        self.run = Run(symbol, begin, begin + timedelta(minutes=minutes))
        self._part_of: dict[str, str] = {}  #: slot name -> its newest part
        self._last: dict[str, Part] = {}
        self._guarded: set[str] = set()  #: parts whose stop lies at the entry already
        self._next_minute = begin

    def go(self) -> Run:
        """Until the time is over; then everything is closed and the books are compared."""
        while self.stack.clock.now() < self.run.end:
            if self.stack.clock.now() >= self._next_minute:
                self._react()
                self._next_minute += timedelta(minutes=1)
            self._step(self._look())
        for part in self._living():
            self.stack.positions.close(part, self.stack.token(), "trader")
        for _ in range(60):
            if not self._living():
                break
            self._step(min(1.0, self._look()))
        self._sum_up()
        return self.run

    # -- time ------------------------------------------------------------------------------------------------

    def _look(self) -> float:
        """One pass; returns the seconds until the next, as the worker would wait."""
        again = self.stack.look()
        self.run.looks += 1
        self._last.update({part.name: part for part in self.stack.parts()})
        wish = WATCH_SECONDS if again is None else again.total_seconds()
        return max(FASTEST_SECONDS, min(WATCH_SECONDS, wish))

    def _step(self, seconds: float) -> None:
        until_minute = (self._next_minute - self.stack.clock.now()).total_seconds()
        seconds = min(seconds, until_minute) if until_minute > 0 else seconds
        self.stack.step(seconds)
        self._audit(Decimal(str(seconds)))

    def _audit(self, seconds: Decimal) -> None:
        """The exchange's own state against what must be true of it at every moment."""
        truth = self.stack.exchange()
        last = Decimal(truth["prices"][self.wire]["last"])
        self.run.low, self.run.high = min(self.run.low or last, last), max(self.run.high, last)
        for side in ("long", "short"):
            held = sum((Decimal(row["pos"]) for row in truth["positions"] if row["posSide"] == side), ZERO)
            resting = [row for row in truth["algos"] if row["state"] == "live" and row["posSide"] == side]
            covered = sum((Decimal(row["sz"]) for row in resting if row["slTriggerPx"]), ZERO)
            if held > covered:
                self.run.bare_seconds += seconds
            if not held and resting:
                self.run.orphan_seconds += seconds

    # -- the trader ------------------------------------------------------------------------------------------

    def _react(self) -> None:
        """Once a minute: open again what has ended, and move the stop of what runs well to its entry."""
        self.stack.hear(self.run.symbol)
        ended = {cycle.part: cycle.ended for cycle in self.stack.store.history.cycles(ACCOUNT, limit=1000)}
        for slot in self.slots:
            part = self._part_of.get(slot.name)
            if part is not None and part not in ended:
                self._break_even(slot, part)
            elif part is None or self.stack.clock.now() - ended[part] >= PAUSE:
                self._open(slot)

    def _open(self, slot: Slot) -> None:
        try:
            part = self.stack.positions.open(self._draft(slot), self.stack.token(), "trader", again=True).part
        except Misconfigured as refusal:
            self.run.refusals.append(f"{self.stack.clock.now():%H:%M:%S} {slot.name}: {refusal}")
            return
        self._part_of[slot.name] = part
        self.run.slots[part] = slot

    def _draft(self, slot: Slot) -> Draft:
        entry = ExecutionStyle()
        if slot.offset is not None:
            ticker = self.stack.client.ticker(self.run.symbol)
            price = self.stack.guard.observer.instrument(self.run.symbol).round_down(
                ticker.last * (1 + slot.offset / 100)
            )
            entry = ExecutionStyle(ExecutionKind.LIMIT, Price(price), timedelta(minutes=10))
        made = self.stack.draft(slot.value, side=slot.side, symbol=self.run.symbol, entry=entry)
        return replace(
            made,
            take_profit=Target(pnl_usdt=Decimal(slot.take_profit), trigger_by=slot.by),
            stop_loss=Target(pnl_usdt=Decimal(slot.stop_loss), trigger_by=slot.by),
        )

    def _break_even(self, slot: Slot, name: str) -> None:
        part = self._last.get(name)
        if part is None or name in self._guarded or not part.size or part.average_entry is None:
            return
        mark = self.stack.client.ticker(self.run.symbol).mark
        if part.unrealised_pnl(mark) < slot.take_profit * BREAK_EVEN_AT:
            return
        stop = Target(price=part.average_entry, trigger_by=slot.by)
        try:
            self.stack.positions.edit_targets(name, part.intent.take_profit, stop, self.stack.token(), "trader")
        except Misconfigured as refusal:
            self.run.refusals.append(f"{self.stack.clock.now():%H:%M:%S} {slot.name}: {refusal}")
            return
        self._guarded.add(name)
        self.run.edits += 1

    def _living(self) -> list[str]:
        return [intent.part for intent in self.stack.store.parts.intents(ACCOUNT) if intent.living]

    # -- the sum ---------------------------------------------------------------------------------------------

    def _sum_up(self) -> None:
        run, truth = self.run, self.stack.exchange()
        run.cycles = sorted(self.stack.store.history.cycles(ACCOUNT, limit=1000), key=lambda one: (one.ended, one.part))
        run.ledger = self.stack.money()
        run.orders = len(truth["orders"])
        run.left = [f"position {row['posSide']} {row['pos']}" for row in truth["positions"]]
        run.left += [f"order {row['ordId']}" for row in self.stack.working()]
        run.left += [f"protection {row['algoClOrdId']}" for row in self.stack.resting()]
        run.left += [f"living part {part}" for part in self._living()]
        fills = {row["ordId"]: row for row in truth["fills"]}
        for cycle in run.cycles:
            part = self._last.get(cycle.part)
            if part is None or cycle.reason not in (ExitReason.STOP_LOSS, ExitReason.TAKE_PROFIT):
                continue
            run.exits += self._exits(cycle, part, fills)

    def _exits(self, cycle: CycleRecord, part: Part, fills: dict[str, dict[str, Any]]) -> Iterator[Exit]:
        for order in part.exits:
            for number in order.child_order_ids or (order.exchange_order_id,):
                fill = fills.get(number)
                if not order.filled or fill is None or part.average_entry is None:
                    continue
                level = order.sl_trigger if cycle.reason is ExitReason.STOP_LOSS else order.tp_trigger
                level = level or (part.stop_price() if cycle.reason is ExitReason.STOP_LOSS else None)
                if level is None:
                    continue
                yield Exit(
                    slot=self.run.slots[cycle.part],
                    part=cycle.part,
                    cycle=cycle,
                    order=order,
                    level=level,
                    asked=part.instrument.pnl(part.side, cycle.contracts, part.average_entry, level),
                    at=datetime.fromtimestamp(int(fill["fillTime"]) / 1000, UTC),
                    mark=Decimal(fill["fillMarkPx"]),
                    price=Decimal(fill["fillPx"]),
                )


@contextmanager
def replaying(store: Store, candles: dict[str, Path], start: datetime, balance: str = "10000") -> Iterator[Stack]:
    """A stack whose exchange replays these candle files (by "ETHUSDT") from `start` on."""
    with SimulatorProcess(candles=candles, start_at=start.isoformat(), balance=balance) as simulator:
        stack = Stack(store, simulator)
        stack.look()
        yield stack
        stack.client.close()


def replay(store: Store, file: Path, coin: str, start: datetime, minutes: int, slots: Sequence[Slot] = SLOTS) -> Run:
    """Run the bot over that stretch of one coin's file."""
    with replaying(store, {f"{coin}USDT": file.absolute()}, start) as stack:
        return Replay(stack, NAMES[coin], minutes, slots).go()
