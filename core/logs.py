"""Sets up logging: a file in the data folder, and warnings on the terminal."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

LINE = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
FILE_BYTES = 5_000_000
FILES = 5


def log_to(folder: Path) -> None:
    """Send our own log to `<folder>/perpdeck.log`, warnings of everybody to the terminal. Safe to call twice."""
    ours = logging.getLogger("perpdeck")
    ours.setLevel(logging.INFO)
    for old in [handler for handler in ours.handlers if isinstance(handler, RotatingFileHandler)]:
        ours.removeHandler(old)
        old.close()
    folder.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(folder / "perpdeck.log", maxBytes=FILE_BYTES, backupCount=FILES, delay=True)
    file.setFormatter(logging.Formatter(LINE))
    ours.addHandler(file)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
