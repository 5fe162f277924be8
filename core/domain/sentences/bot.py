"""What the bot says of itself and its account: levels raised by themselves, the watchdog, start and stop."""

from __future__ import annotations

SENTENCES: dict[str, str] = {}
