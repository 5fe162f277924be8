"""Runs the bot alone, without a dashboard, on the same database: `python -m core.monitor`."""

from __future__ import annotations

import signal
import sys
import threading

from core.domain.errors import PerpdeckError
from core.wiring import start_everything


def main() -> int:
    """Run until SIGTERM or Ctrl-C. Trading is started and stopped by the button of a dashboard."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        running = start_everything()
    except PerpdeckError as error:
        print(f"Perpdeck cannot start: {error}", file=sys.stderr)
        return 1
    print("The bot is up; a dashboard on the same database starts and stops it.", flush=True)
    try:
        ending.wait()
    finally:
        running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
