"""Prices: what moves the last price of an instrument (walk, hold, script, candles), and what mark and index make of it.

Last, mark and index are three numbers. In a hold they go where they are put. Otherwise mark and index follow the last
price smoothly (they close the gap with a time constant of 30 s and are never more than 5 % away), so that a wick of
the last price is shallower in the mark. Everything depends on seed and time alone. The book is one tick wide on each
side of the last price, and an order pays one tick more for every `impact` contracts of its size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

from core.simulator.engine.candles import MINUTE, Candle, Tape, draw, history, volume
from core.simulator.engine.instruments import Contract
from core.simulator.engine.state import near

SMOOTHING_SECONDS = Decimal(30)
FURTHEST = Decimal("0.05")
FUNDING_MS = 8 * 3_600_000
LARGEST_STEP = Decimal("0.0005")  # a price walks there in steps no longer than this
CANDLE_POINTS = (0, 20, 40, 59)  # seconds of a recorded minute at which it opens, turns, turns again, closes
BAND = Decimal("0.02")
HISTORY_MINUTES = 500
WALK_WIDTH = Decimal("0.0001")  # of the seeded history, as a share of the price


@dataclass(slots=True)
class MarketPrices:
    """The three prices of one instrument at one moment (USDT)."""

    last: Decimal
    mark: Decimal
    index: Decimal

    def by(self, kind: str) -> Decimal:
        """Return the price of that kind: last, mark or index."""
        return {"last": self.last, "mark": self.mark, "index": self.index}[kind]


@dataclass
class Market:
    """One instrument's prices and what moves them."""

    contract: Contract
    seed: int
    prices: MarketPrices
    tape: Tape
    source: str = "walk"
    settings: dict[str, Any] = field(default_factory=dict)
    recorded: dict[int, Candle] = field(default_factory=dict)

    def path(self, goal: MarketPrices) -> Iterator[MarketPrices]:
        """Yield the straight way from here to the goal, in small steps."""
        start = MarketPrices(self.prices.last, self.prices.mark, self.prices.index)
        far = max(
            abs(end - begin) / begin
            for begin, end in ((start.last, goal.last), (start.mark, goal.mark), (start.index, goal.index))
        )
        steps = min(2000, max(1, int((far / LARGEST_STEP).to_integral_value(ROUND_CEILING))))
        tick = self.contract.tick
        for number in range(1, steps):
            share = Decimal(number) / steps
            yield MarketPrices(
                *(
                    near(tick, begin + (end - begin) * share)
                    for begin, end in ((start.last, goal.last), (start.mark, goal.mark), (start.index, goal.index))
                )
            )
        yield goal

    def next(self, before: int, now: int) -> MarketPrices | None:
        """Return where the prices go between those times (ms); None where they stay."""
        last = self._last_at(before, now)
        if last is None:
            return None
        last = max(self.contract.tick, near(self.contract.tick, last))
        seconds = Decimal(now - before) / 1000
        return MarketPrices(
            last, self._follow(self.prices.mark, last, seconds), self._follow(self.prices.index, last, seconds)
        )

    def _last_at(self, before: int, now: int) -> Decimal | None:
        if self.source == "walk":
            return self._walked(before, now)
        if self.source == "script":
            return self._scripted(now)
        if self.source == "candles":
            return self._replayed(now)
        return None

    def _walked(self, before: int, now: int) -> Decimal:
        source, seconds = draw(self.seed, self.contract.symbol, now, "walk"), (now - before) / 1000
        width = float(self.settings.get("volatility", 0.0001)) * seconds**0.5
        step = source.gauss(0, 1) * width
        if source.random() < float(self.settings.get("jump_probability", 0.00002)) * seconds:
            step += source.choice((-1, 1)) * float(self.settings.get("jump_size", 0.01))
        return self.prices.last * (1 + Decimal(str(round(max(-0.5, step), 9))))

    def _scripted(self, now: int) -> Decimal:
        points = self.settings["points"]
        if now <= points[0][0] or len(points) == 1:
            return Decimal(points[0][1])
        for (start, begin), (stop, end) in pairwise(points):
            if now <= stop:
                share = Decimal(now - start) / Decimal(stop - start)
                return Decimal(begin) + (Decimal(end) - Decimal(begin)) * share
        return Decimal(points[-1][1])

    def _replayed(self, now: int) -> Decimal | None:
        candle = self.recorded.get(now - now % MINUTE)
        if candle is None:
            return None
        opened, high, low, close = (Decimal(price) for price in candle[1:5])
        turns = (low, high) if close >= opened else (high, low)
        prices, second = (opened, *turns, close), Decimal(now % MINUTE) / 1000
        for (start, begin), (stop, end) in pairwise(zip(CANDLE_POINTS, prices, strict=True)):
            if second <= stop:
                return begin + (end - begin) * (second - start) / (stop - start)
        return close

    def _follow(self, follower: Decimal, last: Decimal, seconds: Decimal) -> Decimal:
        """The follower after the last price went straight to `last` in that time: a first-order lag, solved exactly."""
        if seconds <= 0:
            return follower
        slope = (last - self.prices.last) / seconds * SMOOTHING_SECONDS
        gap = (follower - self.prices.last + slope) * (-seconds / SMOOTHING_SECONDS).exp() - slope
        bound = last * FURTHEST
        return near(self.contract.tick, last + max(-bound, min(bound, gap)))

    def set(self, prices: MarketPrices, at: int) -> None:
        """Set the prices at that time (ms), and mark them on the tape."""
        self.prices = prices
        self.tape.see(at, prices.last)
        if self.tape.minutes[-1][5] == 0:
            recorded = self.recorded.get(self.tape.minutes[-1][0])
            coins = recorded[5] if recorded else volume(self.seed, self.contract.symbol, at - at % MINUTE, prices.last)
            self.tape.minutes[-1][5] = coins

    # -- the book

    def best(self, buying: bool, spread_ticks: Decimal) -> Decimal:
        """Return the price at which a small taker trades: the ask for a buyer, the bid for a seller."""
        away = self.contract.tick * spread_ticks
        return self.prices.last + away if buying else max(self.contract.tick, self.prices.last - away)

    def taken(self, buying: bool, size: Decimal, costs: dict[str, Any]) -> Decimal:
        """Return what a taker of that size pays on average, per coin."""
        ticks = (size / Decimal(costs["impact_contracts_per_tick"])).to_integral_value(ROUND_FLOOR)
        way = 1 if buying else -1
        price = self.best(buying, Decimal(costs["spread_ticks"])) + way * ticks * self.contract.tick
        price *= 1 + way * Decimal(costs["slippage_bps"]) / 10_000
        return max(self.contract.tick, near(self.contract.tick, price))

    def band(self) -> tuple[Decimal, Decimal]:
        """Return the highest price of a buy and the lowest of a sell."""
        high, low = self.prices.last * (1 + BAND), self.prices.last * (1 - BAND)
        return near(self.contract.tick, high), near(self.contract.tick, low)


def first_market(contract: Contract, seed: int, start: int, candles: list[Candle]) -> Market:
    """Return the market of a contract at the start (ms) of a run, with its past: recorded candles, or a seeded walk."""
    recorded = {candle[0]: candle for candle in candles}
    price, minute = contract.price, start - start % MINUTE
    before = [recorded[at] for at in sorted(recorded) if at < minute][-HISTORY_MINUTES * 40 :]
    if recorded:
        here = recorded.get(minute) or next((recorded[at] for at in sorted(recorded) if at > minute), None)
        price = here[1] if here else before[-1][4]
    past = [list(c) for c in before] or history(
        seed, contract.symbol, price, contract.tick, minute, HISTORY_MINUTES, WALK_WIDTH
    )
    prices = MarketPrices(price, price, price)
    market = Market(contract, seed, prices, Tape(past), "candles" if recorded else "walk", {}, recorded)
    market.set(MarketPrices(price, price, price), start)
    return market


def funding_rate(seed: int, symbol: str, at: int) -> Decimal:
    """Return the rate charged at that funding time (ms): above zero longs pay. Never exactly zero."""
    rate = Decimal(str(round(draw(seed, symbol, at // FUNDING_MS, "funding").gauss(0.0001, 0.00008), 8)))
    return rate if rate else Decimal("0.0001")
