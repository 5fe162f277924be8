"""Simulated weeks on the whole stack: a seeded market, parts that recover and reopen, hands, faults, deaths.

The clock goes from event to event: to the minute in which the market reaches something that rests or waits, to a
funding time, to the moment at which the bot itself wants to look again. In between nothing would be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core.alerts import Alerts
from core.domain.account import Exchange
from core.domain.errors import Misconfigured, PerpdeckError
from core.domain.money import Price
from core.domain.observation import Ticker
from core.domain.part import Part
from core.exchange.port import Push
from core.monitor.guard import AccountGuard
from core.monitor.history import bring_home
from core.services.trading.requests import Draft
from core.wiring import build_guard
from db.store import Store
from tests.faults.harness.fault_catalogue import FAULTS
from tests.faults.harness.invariants import Died
from tests.faults.harness.random_faults import Mortal
from tests.scenario.path import Path
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, Deaf, Stack

ETH, SOL = "ETH-USDT-PERP", "SOL-USDT-PERP"
INSTRUMENTS = {BTC: "BTC-USDT-SWAP", ETH: "ETH-USDT-SWAP", SOL: "SOL-USDT-SWAP"}
MINUTE, FUNDING_EVERY = timedelta(minutes=1), timedelta(hours=8)
SOON = timedelta(seconds=40)  #: the bot's own wishes up to here are followed to the second, later ones to the minute
STORM_LOOKS = 20  #: foul weather that keeps the bot busy for longer ends then: the market waits for nobody
CALM_LOOKS = 200
A_DAY = 1440  #: minutes


@dataclass(frozen=True, slots=True)
class Weather:
    """How often something happens that no calm day knows; chances are per event of the market."""

    storms: float = 0.12  #: faults on the wire for a few events
    hands: float = 0.06  #: the trader closes for later or takes half, or somebody closes at the exchange
    restarts_a_day: float = 0.7  #: the bot is stopped and started by its trader


@dataclass(slots=True)
class Report:
    """What the days were like."""

    looks: int = 0
    events: int = 0
    failed_looks: int = 0
    restarts: int = 0
    deaths: int = 0  #: in the middle of an action; each is followed by a start
    storms: int = 0
    hands: int = 0
    bare_seconds: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)


class Days(Stack):
    """One account for weeks. `live` lets them pass, a day at a time; `rest` waits until the bot has nothing to do."""

    def __init__(
        self,
        store: Store,
        simulator: SimulatorProcess,
        seed: int,
        days: int,
        weather: Weather,
        exchange: Exchange = Exchange.OKX,
    ) -> None:
        self.weather, self.dice, self.fates = weather, Random(seed), Random(f"{seed}/deaths")
        self.report, self.chance_of_death, self._storm_left = Report(), 0.0, 0
        self._drawn: list[dict[str, Any]] = []
        self._bare: list[str] = []  #: parts without their stop at the last look
        super().__init__(store, simulator, exchange)
        store.settings.set_all({"recovery_enabled": True, "reopen_enabled": True}, "test")
        self.began, self.minutes = self.clock.now(), days * A_DAY
        prices, rules = simulator.state()["prices"], self.client.instruments()
        self.paths = {
            symbol: Path.drawn(seed, symbol, Decimal(prices[name]["last"]), rules[symbol].price_tick, self.minutes)
            for symbol, name in INSTRUMENTS.items()
        }
        self._looked_at = self.began
        self._priced = 0  #: the minute of the path at which the exchange's prices stand
        self.look()

    def another_bot(self, holder: str = "") -> AccountGuard:
        client: Any = Mortal(self.client, self.fates, lambda: self.chance_of_death)
        store: Any = Mortal(self.store, self.fates, lambda: self.chance_of_death)
        holder = holder or next(self._holders)
        return build_guard(self.account, client, Deaf(), store, Alerts([]), self.clock, holder)

    @property
    def day(self) -> int:
        """The number of the day that is being lived, from 1."""
        return self._priced // A_DAY + 1

    def begin(self, drafts: Iterable[Draft]) -> list[str]:
        """Ask for all of these; returns their parts."""
        return [self.open(draft) for draft in drafts]

    def live(self) -> Iterator[int]:
        """Let the days pass; yields the number of each day that has ended, with fair weather and the bot at rest."""
        day = 1
        while self._priced < self.minutes:
            again = self._work()
            until = min(day * A_DAY, self.minutes)
            self._go_on(again, until)
            if self._priced >= until:
                self.rest()
                yield day
                day += 1
            else:
                self._something_happens()

    # -- the bot -------------------------------------------------------------------------------------------------

    def _work(self) -> timedelta | None:
        """Look until the bot has nothing to do for a while; returns when it wants to look again."""
        for number in range(CALM_LOOKS):
            again = self.look_or_die()
            if again is None or again > SOON:
                assert not self._bare, f"{self._bare} are bare and the bot rests\n{self.story()}"
                return again
            self.step(max(again.total_seconds(), 0.1))
            if number == STORM_LOOKS and self._storm_left:
                self._end_storm()
        raise AssertionError(f"no rest after {CALM_LOOKS} looks\n{self.story()}")

    def look_or_die(self) -> timedelta | None:
        """One look; after a death the next bot's, after an error the loop's own back-off."""
        self.report.looks += 1
        self._hear_prices()
        try:
            again = self.look()
            self._count_bare()
            return again
        except Died:
            self.report.deaths += 1
            self._rise_again()
        except PerpdeckError:
            self.report.failed_looks += 1
        return timedelta(seconds=1)

    def _hear_prices(self) -> None:
        """What the price stream tells all day: the exchange's prices as they stand, its book one tick wide."""
        for symbol, path in self.paths.items():
            last, tick = path.price(self._priced), path.tick
            at = self.clock.now()
            ticker = Ticker(symbol, Price(last), Price(last - tick), Price(last + tick), Price(last), at)
            self.guard.on_push(Push("prices", symbol, ticker=ticker))

    def _count_bare(self) -> None:
        """Seconds in which a part was held without its stop, from the look that saw it so to the one that did not."""
        now, before = self.clock.now(), self._bare
        self.report.bare_seconds += len(before) * (now - self._looked_at).total_seconds()
        self._bare, self._looked_at = [part.name for part in self.parts() if not part.protected], now

    def _rise_again(self) -> None:
        chance, self.chance_of_death = self.chance_of_death, 0.0
        self.crash()
        self.chance_of_death = chance

    def rest(self) -> None:
        """Fair weather until the bot has nothing left to do or to ask."""
        self._end_storm()
        quiet = 0
        for _ in range(CALM_LOOKS):
            again = self.look_or_die()
            quiet = 0 if self._busy() else quiet + 1
            if quiet > 2:
                return
            wait = min(again or timedelta(seconds=4), timedelta(seconds=4))
            self.step(max(wait.total_seconds(), 0.25))
        raise AssertionError(f"no rest after {CALM_LOOKS} looks\n{self.story()}")

    def _busy(self) -> bool:
        results = self.guard.reconciler.results.values()
        acts = [action for action in self.acts() if not action.startswith("raise alarm")]
        missing = any(sum(part.size for part in result.parts) != result.seen.contracts for result in results)
        unsettled = any(not result.seen.settled or not result.seen.confirmed for result in results)
        return bool(
            acts or missing or unsettled or any(one.unresolved for one in self.store.orders.commands(self.name))
        )

    # -- the clock -----------------------------------------------------------------------------------------------

    def step(self, seconds: float) -> None:
        """Let time pass; the market follows its path on the way."""
        until = self.clock.now() + timedelta(seconds=seconds)
        path = getattr(self, "_priced", None)
        while path is not None and self._priced < self.minutes and self._time(self._priced + 1) <= until:
            self._to_minute(self._priced + 1)
        super().step((until - self.clock.now()).total_seconds())

    def _go_on(self, again: timedelta | None, end: int) -> None:
        """To the next event, whichever is first: the market's, a funding time, the bot's own."""
        self.report.events += 1
        now = self.clock.now()
        until = min(self._minute_of(self._next_funding()), end)
        if again is not None:
            until = min(until, self._minute_of(now + again))
        levels: dict[str, list[Decimal]] = {symbol: [] for symbol in INSTRUMENTS}
        for symbol, level in self._levels():
            levels[symbol].append(level)
        for symbol, path in self.paths.items():
            until = path.leaves(self._priced, until, levels[symbol])
        self._to_minute(min(max(until, self._priced + 1), self.minutes))

    def _to_minute(self, minute: int) -> None:
        super().step(max((self._time(minute) - self.clock.now()).total_seconds(), 0.0))
        if minute * MINUTE % FUNDING_EVERY == timedelta():
            super().step(
                1
            )  # payments and fills of one instant have a story of their own in tests.monitor.safety.test_shared
        for symbol, path in self.paths.items():
            if path.ticks[minute] != path.ticks[self._priced]:
                self.price(path.price(minute), symbol=INSTRUMENTS[symbol])
        self._priced = minute

    def _time(self, minute: int) -> Any:
        return self.began + minute * MINUTE

    def _minute_of(self, at: Any) -> int:
        """The first minute of the path that is not before."""
        return -int((self.began - at) // MINUTE)

    def _next_funding(self) -> Any:
        now = self._time(self._priced)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return day + FUNDING_EVERY * ((now - day) // FUNDING_EVERY + 1)

    def _levels(self) -> Iterator[tuple[str, Decimal]]:
        """Every price at which something of ours happens, as the last look knew it."""
        for part in self.parts():
            symbol = part.intent.key.symbol
            for order in part.orders:
                if order.working:
                    levels = (order.tp_trigger, order.sl_trigger, order.price)
                    yield from ((symbol, level) for level in levels if level)
            trigger = _recovery_level(part)
            if trigger is not None:
                yield symbol, trigger

    # -- what nobody asked for -----------------------------------------------------------------------------------

    def _something_happens(self) -> None:
        dice, weather = self.dice, self.weather
        if self._storm_left:
            self._storm_left -= 1
            if not self._storm_left:
                self._end_storm()
        elif dice.random() < weather.storms:
            self._begin_storm()
        if dice.random() < weather.hands:
            self._hand()
        if dice.random() < weather.restarts_a_day / max(self.report.events / (self._priced / A_DAY), 1):
            self.report.restarts += 1
            self._rise_again()
        if self._priced % (A_DAY // 3) == 0 and not self._storm_left:
            bring_home(self.guard)

    def _begin_storm(self) -> None:
        self.report.storms += 1
        self._storm_left = self.dice.randint(1, 4)
        self._drawn = self.dice.sample(FAULTS[self.wire], 3)
        seed = self.dice.randrange(10**6)
        self.simulator.faults(*({"probability": 0.25, "seed": seed, **one} for one in self._drawn))
        self.chance_of_death = self.dice.choice((0.0, 0.005))

    def _end_storm(self) -> None:
        self._storm_left, self.chance_of_death = 0, 0.0
        for fault, hits in zip(self._drawn, self.simulator.fault_hits() if self._drawn else (), strict=True):
            self.report.struck[fault["kind"]] += hits
        self._drawn = []
        self.simulator.faults()

    def _hand(self) -> None:
        held = sorted((part for part in self.parts() if part.size and part.intent.living), key=lambda part: part.name)
        if not held:
            return
        part, deed = self.dice.choice(held), self.dice.choice(("later", "half", "at the exchange"))
        name, side = INSTRUMENTS[part.intent.key.symbol], str(part.side)
        try:
            if deed == "later":
                self.positions.close(part.name, self.token(), "trader", reopen=True)
            elif deed == "half":
                half = part.instrument.round_quantity(part.size / 2)
                self.positions.close(part.name, self.token(), "trader", contracts=half)
            elif self.held(side, name):
                self.by_hand("close", instId=name, posSide=side)
            else:
                return  # the market has closed it since the bot's last look
        except Misconfigured:
            return  # the page says why; the trader leaves it at that
        self.report.hands += 1


def _recovery_level(part: Part) -> Decimal | None:
    """The price under which the next recovery step is due; None where there is none."""
    rule = part.intent.recovery
    if rule is None or not part.size or part.average_entry is None:
        return None
    if rule.max_steps is not None and len(part.steps) >= rule.max_steps:
        return None
    return part.average_entry + part.side.sign * rule.trigger_pnl / (part.size * part.instrument.contract_value)
