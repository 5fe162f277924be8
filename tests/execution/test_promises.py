"""What no style may ever do, tried against an exchange and a trader that do what they like.

The exchange fills partly or not at all, refuses, loses cancels, cuts orders at market short and takes orders away;
time jumps, prices jump, and nobody remembers anything: each question is answered from `Progress` alone, which is
made anew from the orders. Seeds are drawn, and the failing one is named.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from core.domain.instrument import Instrument
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import OrderKind
from core.domain.reason import text
from core.execution import EXECUTION_STRATEGIES
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw
from core.execution.pieces import least
from core.execution.twap import schedule
from tests.builders import COIN, NOON, D, contracts, price

SEEDS = int(os.environ.get("SEEDS", "2000"))
STORM_TURNS = 60
CALM_TURNS = 1500
LATE = timedelta(milliseconds=700)  #: by so much the exchange's clock may lie behind ours


@dataclass(slots=True)
class Sent:
    """An order at the exchange, as it really is."""

    kind: OrderKind
    quantity: Decimal
    price: Price | None
    sent_at: datetime
    filled: Decimal = ZERO
    ended_at: datetime | None = None

    @property
    def live(self) -> bool:
        return self.ended_at is None


class Storm:
    """One execution, from its start until it is complete and stays so."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        dice = self.dice
        step = COIN.quantity_step
        self.rules: Instrument = replace(
            COIN,
            min_quantity=Contracts(step * dice.choice((1, 1, 5, 20))),
            max_market_quantity=contracts(dice.choice((5, 500))),
            max_limit_quantity=contracts(dice.choice((7, 1000))),
            min_notional=D(dice.choice((0, 0, 30, 250))),
        )
        self.planned = Contracts(step * dice.randint(1, 400))
        self.style = self._style()
        self.buys = dice.random() < 0.5
        self.near: Price | None = price(1000)
        self.now = NOON
        self.orders: list[Sent] = []
        self.refusal, self.requested_at = "", None  # type: str, datetime | None
        self.told, self.told_at = "", None  # type: str, datetime | None
        self.calm = self.taken_away = False
        self.behind = dice.choice((timedelta(), LATE))

    def _style(self) -> ExecutionStyle:
        dice = self.dice
        kind = dice.choice(tuple(ExecutionKind))
        at_end, timeout = dice.choice(tuple(AtEnd)), timedelta(seconds=dice.choice((5, 60, 600)))
        at = dice.choice((None, price(990), price(1005)))
        match kind:
            case ExecutionKind.MARKET:
                return ExecutionStyle()
            case ExecutionKind.LIMIT:
                moved = dice.choice((None, timedelta(seconds=dice.choice((2, 30)))))
                return ExecutionStyle(kind, at, timeout, at_end, moved)
            case ExecutionKind.ICEBERG:
                again = dice.choice((None, timedelta(seconds=dice.choice((2, 30)))))
                shown = D(dice.choice(("0.02", "0.3", "1")))
                return ExecutionStyle(kind, at, timeout, at_end, visible=shown, refresh=again)
            case ExecutionKind.TWAP:
                return ExecutionStyle(
                    kind,
                    at_end=at_end,
                    duration=timedelta(seconds=dice.choice((10, 100, 3600))),
                    slices=dice.choice((2, 7, 10)),
                    randomness=D(dice.choice(("0", "0.3", "0.5"))),
                    passive=dice.random() < 0.5,
                )

    # -- what the style sees -------------------------------------------------------------------------------------

    @property
    def filled(self) -> Contracts:
        return Contracts(total(order.filled for order in self.orders))

    def progress(self) -> Progress:
        live = [order for order in self.orders if order.live]
        newest = self.orders[-1] if self.orders else None
        limits = [order for order in self.orders if order.kind is OrderKind.LIMIT]
        resting = [order for order in live if order.kind is OrderKind.LIMIT]
        over = newest is not None and not newest.live
        return Progress(
            style=self.style,
            instrument=self.rules,
            planned=self.planned,
            filled=self.filled,
            working=bool(live),
            orders=len(self.orders),
            refusal=text(self.refusal) if self.refusal else None,
            started_at=NOON,
            withdrawn=self.told == "take back",
            hurried=self.told == "finish",
            hurried_at=self.told_at,
            name="000001/1E",
            buys=self.buys,
            near=self.near,
            sent_at=self.requested_at,
            ended_at=newest.ended_at if newest is not None else None,
            working_price=resting[-1].price if resting else None,
            resting=bool(resting),
            unfilled=Contracts(newest.quantity - newest.filled) if newest is not None and over else NONE_HELD,
            market_orders=len(self.orders) - len(limits),
            first_price=self._first_price(),
        )

    def _first_price(self) -> Price | None:
        if not self.orders:
            return None
        return self.orders[0].price or (price(1000) if self.orders[0].filled else None)

    def step(self) -> Step:
        """What the style wants, after all that it may never do."""
        progress = self.progress()
        step = EXECUTION_STRATEGIES[self.style.kind].next_order(progress, self.now)
        if isinstance(step, Place):
            rules = self.rules
            limit = step.kind is OrderKind.LIMIT
            assert not progress.working, "places beside a live order"
            assert self.filled + step.quantity <= self.planned, f"{self.filled} + {step.quantity} of {self.planned}"
            assert step.quantity >= least(progress), f"{step.quantity} is too small"
            assert step.quantity % rules.quantity_step == ZERO
            assert step.quantity <= (rules.max_limit_quantity if limit else rules.max_market_quantity)
            assert limit == (step.price is not None)
            assert step.price is None or step.price % rules.price_tick == ZERO
            self._no_worse_than_allowed(step)
            self._no_faster_than_planned(progress, step)
            assert not self.taken_away or self.told == "finish", "goes on after a person took its order away"
        elif isinstance(step, Wait):
            assert step.until is None or step.until > self.now, f"waits until {step.until}, and it is {self.now}"
        elif isinstance(step, Withdraw):
            assert progress.resting, "withdraws what does not rest"
        else:
            assert not progress.working, "complete beside a live order"
        return step

    def _no_worse_than_allowed(self, step: Place) -> None:
        style = self.style
        if step.price is None or style.price is None:
            return
        sign = 1 if self.buys else -1
        worst = style.price * (1 + sign * style.follow) if style.reprice is not None else style.price
        assert (step.price - worst) * sign <= 0, f"{step.price} is worse than {worst}"

    def _no_faster_than_planned(self, progress: Progress, step: Place) -> None:
        """A slice is never ahead of its schedule, but for a tail too small to be ordered alone."""
        style, filled = self.style, Contracts(self.filled + step.quantity)
        if style.duration is None or self.told == "finish" or self.now >= NOON + style.duration:
            return
        plan = schedule(progress)
        due = bisect_right(plan.moments, self.now - NOON)
        before = 0 if self.requested_at is None else bisect_right(plan.moments, self.requested_at - NOON)
        assert filled <= plan.amounts[due - 1] or filled == self.planned, f"{filled} of {plan.amounts[due - 1]} due"
        assert style.at_end is AtEnd.MARKET or due > before or self.rules.min_notional, f"slice {due} ordered twice"

    # -- what happens --------------------------------------------------------------------------------------------

    def turn(self) -> Step:
        self._the_exchange()
        if not self.calm:
            self._the_trader()
        step = self.step()
        if isinstance(step, Place):
            self._send(step)
        elif isinstance(step, Withdraw) and (self.calm or self.dice.random() < 0.7):  # else the cancel was lost
            for order in self.orders:
                if order.live:
                    order.ended_at = self.now - self.behind
        self._time(step)
        return step

    def _send(self, step: Place) -> None:
        self.requested_at = self.now
        if not self.calm and self.dice.random() < 0.15:
            self.refusal = "no margin"
            return
        self.refusal = ""
        self.orders.append(Sent(step.kind, step.quantity, step.price, self.now))

    def _the_exchange(self) -> None:
        dice, step = self.dice, self.rules.quantity_step
        for order in self.orders:
            if not order.live:
                continue
            most = int((order.quantity - order.filled) / step)
            if order.kind is OrderKind.MARKET:
                full = self.calm or dice.random() < 0.7
                order.filled += step * (most if full else dice.randint(0, most))
                order.ended_at = self.now - self.behind
            elif self.calm or dice.random() < 0.5:
                order.filled += step * (most if self.calm else dice.randint(0, most))
            if order.filled == order.quantity:
                order.ended_at = order.ended_at or self.now - self.behind
        moved = price(1000 + dice.randint(-30, 30) * self.rules.price_tick)
        self.near = price(1000) if self.calm else dice.choice((self.near, self.near, moved, None))

    def _the_trader(self) -> None:
        dice = self.dice
        if dice.random() < 0.02:
            self.told, self.told_at = dice.choice(("take back", "finish")), self.now
        if dice.random() < 0.02:
            for order in self.orders:
                if order.live and order.kind is OrderKind.LIMIT:
                    order.ended_at = self.now - self.behind
                    self.taken_away = self._before_its_time(order)

    def _before_its_time(self, order: Sent) -> bool:
        """We had no reason yet to withdraw this order ourselves, by whichever clock."""
        style = self.style
        again = style.reprice or style.refresh
        early = self.now + timedelta(seconds=2)
        times = [NOON + style.timeout] if style.timeout is not None else []
        times += [order.sent_at + again] if again is not None else []
        return style.kind is not ExecutionKind.TWAP and all(early < time for time in times)

    def _time(self, step: Step) -> None:
        if self.calm and isinstance(step, Wait) and step.until is not None:
            self.now = step.until
        elif self.calm:
            self.now += timedelta(seconds=1)
        else:
            self.now += timedelta(seconds=self.dice.choice((0, 0.2, 1, 1, 5, 40, 900)))

    # -- the whole -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        for _ in range(STORM_TURNS):
            if isinstance(self.turn(), Complete):
                break
        self.calm = True
        for _ in range(CALM_TURNS):
            if isinstance(self.turn(), Complete):
                break
        else:
            raise AssertionError(f"not complete after {CALM_TURNS} calm turns")
        self._silent()

    def _silent(self) -> None:
        """Complete stays complete, however late it is asked again."""
        for seconds in (0, 1, 100, 100_000):
            self.now += timedelta(seconds=seconds)
            assert isinstance(self.step(), Complete), f"goes on {seconds} s after it was complete"
        if self.told == "finish" and not self.refusal and self.progress().market_orders < 20:
            assert self.progress().missing < least(self.progress()), "finish left something"


@pytest.mark.parametrize("seeds", [range(first, first + 500) for first in range(0, max(SEEDS, 500), 500)], ids=str)
def test_whatever_happens(seeds: range) -> None:
    """Never more than planned, never an order too small or too large, an end, and silence after it."""
    for seed in seeds:
        try:
            Storm(seed).run()
        except AssertionError as broken:
            raise AssertionError(f"SEED={seed}: {broken}") from broken


@pytest.mark.parametrize("seeds", [range(500)], ids=str)
def test_in_calm_weather_all_is_filled(seeds: range) -> None:
    """Where nothing goes wrong every style fills the whole, to the last step that may be ordered."""
    for seed in seeds:
        storm = Storm(seed)
        storm.rules = replace(storm.rules, max_market_quantity=contracts(500), max_limit_quantity=contracts(500))
        if storm.style.kind is not ExecutionKind.TWAP:
            storm.style = replace(storm.style, timeout=None)
        storm.calm, small = True, storm.planned < least(storm.progress())
        storm.run()
        missing = storm.planned - storm.filled
        assert missing == ZERO or small, f"SEED={seed}: {storm.filled} of {storm.planned}"
        if storm.style.kind is ExecutionKind.TWAP:
            assert len(storm.orders) <= (storm.style.slices or 0), f"SEED={seed}: {len(storm.orders)} orders"
