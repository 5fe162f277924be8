"""Writes the candles that the replay tests use: five hours of a made-up ETH-USDT market with one violent minute.

All prices come from a seed, so running it again writes the same file: `python -m tests.simulator.make_candles`.
"""

import csv
import random
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "data" / "ETHUSDT-1m-synthetic.csv"
FIRST_MS = 1_740_000_000_000 // 60_000 * 60_000  # 2025-02-19T21:20:00Z
MINUTES = 300
VIOLENT = 180  # this minute falls by a tenth and comes half of the way back
CENT = Decimal("0.01")


def candles() -> list[tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Rows of open time (ms), open, high, low, close (USDT), volume (ETH); each opens where the last closed."""
    draw, price, rows = random.Random(20250219), Decimal("3000.00"), []
    for minute in range(MINUTES):
        opened = price
        if minute == VIOLENT:
            high, low = opened + 3, (opened * Decimal("0.90")).quantize(CENT)
            price, volume = (opened * Decimal("0.95")).quantize(CENT), Decimal("91234.5")
        else:
            price = opened + Decimal(draw.randint(-250, 250)) * CENT
            high = max(opened, price) + Decimal(draw.randint(0, 120)) * CENT
            low = min(opened, price) - Decimal(draw.randint(0, 120)) * CENT
            volume = Decimal(draw.randint(2000, 90000)) / 100
        rows.append((FIRST_MS + minute * 60_000, opened, high, low, price, volume))
    return rows


def main() -> None:
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("open_time", "open", "high", "low", "close", "volume"))
        writer.writerows(candles())


if __name__ == "__main__":
    main()
