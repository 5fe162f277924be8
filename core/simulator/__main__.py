"""`python -m core.simulator`: reads the command line, loads what the state folder holds, and serves."""

import argparse
import asyncio
import logging
import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.simulator.clock import KINDS, STEPPED_START, SimulatorClock
from core.simulator.engine.candles import Candle, read
from core.simulator.engine.exchange import Setup
from core.simulator.engine.instruments import Contract
from core.simulator.journal import CommandJournal, Occupied
from core.simulator.okx.engine.instruments import contracts
from core.simulator.runtime import Runtime, Sides
from core.simulator.server import serve

BALANCES = {"okx": "10000", "binance": "100000"}  # USDT to begin with


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m core.simulator", description="A paper exchange on the loopback.")
    parser.add_argument("--port", type=int, default=9700, help="0: any free port")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps everything; one process at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clock", choices=KINDS, default="real")
    parser.add_argument("--speed", type=float, default=60.0, help="with --clock fast: simulated seconds per second")
    parser.add_argument("--start", help="when the clock begins, ISO 8601")
    parser.add_argument(
        "--candles", action="append", default=[], metavar="SYMBOL=FILE", help="replay one-minute candles"
    )
    parser.add_argument("--instruments", type=Path, help="more instruments, a JSON list in OKX field names")
    parser.add_argument("--balance", help="USDT to begin with; else 10000 on the OKX side, 100000 on the Binance side")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="hold every answer and push back this long")
    return parser.parse_args()


def moment(text: str) -> int:
    """Return an ISO time as ms; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def recorded(asked: list[str], known: dict[str, Contract]) -> dict[str, list[Candle]]:
    """Return the candles of each SYMBOL=FILE; ValueError where the symbol is not known."""
    found = {}
    for one in asked:
        name, _, file = one.partition("=")
        symbols = [
            symbol for symbol, contract in known.items() if name in (symbol, f"{contract.base}USDT", contract.index)
        ]
        if not symbols or not file:
            raise ValueError(f"--candles {one}: SYMBOL=FILE with a known symbol is wanted")
        found[symbols[0]] = read(Path(file), known[symbols[0]].tick)
    return found


def runtime(options: argparse.Namespace) -> Runtime:
    """Return the exchange that the options describe, with what its state folder holds."""
    known = contracts(options.instruments)
    candles = recorded(options.candles, known)
    clock_start = {"stepped": STEPPED_START}.get(options.clock, int(datetime.now(UTC).timestamp() * 1000))
    first = min((rows[0][0] for rows in candles.values()), default=clock_start)
    start = moment(options.start) if options.start else first
    balances = {side: Decimal(options.balance or usual) for side, usual in BALANCES.items()}
    sides = Sides(Setup(options.seed, start, balances, known, candles, options.clock != "stepped"))
    journal = CommandJournal(options.state, sides.engine)
    clock = SimulatorClock(options.clock, options.speed, bool(candles or options.start), sides.engine.exchange.now)
    made = Runtime(sides, journal, clock)
    made.delay_seconds = options.delay_ms / 1000
    return made


def main() -> int:
    """Serve until a signal ends it; return 1 where it could not be started."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options = arguments()
    try:
        made = runtime(options)
        asyncio.run(serve(made, options.port))
    except (Occupied, OSError, ValueError, KeyError, InvalidOperation) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
