"""One-minute candles: kept, made longer, read from files, and the seeded history from before the start.

A candle is [open time ms, open, high, low, close, volume in coins]; prices in USDT, newest last.
"""

import csv
import gzip
import random
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.simulator.engine.state import ZERO, near

MINUTE = 60_000
KEPT_MINUTES = 20_000
Candle = list[Any]


def draw(*key: object) -> random.Random:
    """Return a random source that depends on the key alone, so that nothing needs to remember how far it has come."""
    return random.Random(":".join(map(str, key)))


def volume(seed: int, symbol: str, minute: int, price: Decimal) -> Decimal:
    """Return a believable volume (coins) of one minute."""
    value = draw(seed, symbol, minute, "volume").lognormvariate(13, 0.7)
    return (Decimal(str(round(value, 2))) / price).quantize(Decimal("0.0001")) + Decimal("0.0001")


def history(
    seed: int, symbol: str, price: Decimal, tick: Decimal, end: int, minutes: int, width: Decimal
) -> list[Candle]:
    """Return minutes of a seeded walk that ends at `price` at the time `end` (ms)."""
    return [list(candle) for candle in _walked(seed, symbol, price, tick, end, minutes, width)]


@lru_cache(maxsize=64)  # an exchange that is begun anew has the same past
def _walked(
    seed: int, symbol: str, price: Decimal, tick: Decimal, end: int, minutes: int, width: Decimal
) -> tuple[Candle, ...]:
    close, made = price, []
    for back in range(1, minutes + 1):
        at = end - back * MINUTE
        source = draw(seed, symbol, at, "history")
        step = Decimal(str(round(source.gauss(0, 1), 6))) * width * 8
        opened = near(tick, close / (1 + step))
        wicks = [Decimal(str(round(abs(source.gauss(0, 0.4)), 6))) * width * 8 * close for _ in range(2)]
        high, low = near(tick, max(opened, close) + wicks[0]), near(tick, min(opened, close) - wicks[1])
        made.append([at, opened, high, low, close, volume(seed, symbol, at, close)])
        close = opened
    return tuple(made[::-1])


def read(file: Path, tick: Decimal) -> list[Candle]:
    """Return the candles of a csv file (plain or .gz; open_time,open,high,low,close,volume), rounded to the tick.

    Raises OSError where it cannot be opened and ValueError where a row is no candle.
    """
    packed = file.suffix == ".gz"
    with gzip.open(file, "rt", newline="") if packed else file.open(newline="") as lines:
        rows = []
        for row in csv.DictReader(lines):
            prices = [near(tick, Decimal(row[name])) for name in ("open", "high", "low", "close")]
            rows.append([int(row["open_time"]), *prices, Decimal(row["volume"])])
    if not rows:
        raise ValueError(f"{file}: no candle in it")
    return rows


class Tape:
    """The minutes of one instrument, the last of them still forming."""

    def __init__(self, minutes: list[Candle]) -> None:
        self.minutes = minutes

    def see(self, at: int, price: Decimal) -> None:
        """Mark a price at that time (ms)."""
        opened = at - at % MINUTE
        if not self.minutes or self.minutes[-1][0] < opened:
            before = self.minutes[-1][4] if self.minutes else price
            for missed in range(self.minutes[-1][0] + MINUTE if self.minutes else opened, opened, MINUTE):
                self.minutes.append([missed, before, before, before, before, ZERO])
            self.minutes.append([opened, price, price, price, price, ZERO])
            del self.minutes[: max(0, len(self.minutes) - KEPT_MINUTES)]
            return
        candle = self.minutes[-1]
        candle[2], candle[3], candle[4] = max(candle[2], price), min(candle[3], price), price

    def bars(self, length: int, offset: int = 0) -> list[Candle]:
        """Return candles of that length (ms), which open at multiples of it plus the offset; oldest first."""
        if length == MINUTE:
            return self.minutes
        made: list[Candle] = []
        for at, opened, high, low, close, coins in self.minutes:
            start = (at - offset) // length * length + offset
            if made and made[-1][0] == start:
                bar = made[-1]
                bar[2], bar[3], bar[4], bar[5] = max(bar[2], high), min(bar[3], low), close, bar[5] + coins
            else:
                made.append([start, opened, high, low, close, coins])
        return made
