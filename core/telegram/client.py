"""A client of Telegram's bot API, as far as it is used: long-poll for updates, send a message.

The token is part of every address, so no address leaves this file, in no error and no log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.reason import Reason

HOST = "https://api.telegram.org"
PATIENCE = 10.0  #: seconds beyond what Telegram was asked to wait
LONGEST = 4000  #: letters of a message; Telegram takes 4096

logging.getLogger("httpx").setLevel(logging.WARNING)  # beneath, it logs addresses


@dataclass(frozen=True, slots=True)
class Update:
    """A message that was written to the bot."""

    id: int
    chat: int
    user: int
    text: str
    at: datetime


class TelegramClient:
    """A client for one bot token."""

    def __init__(self, token: str, host: str = HOST) -> None:
        self._address = f"{host}/bot{token}"

    def __repr__(self) -> str:
        return "Line(...)"

    def updates(self, first: int, seconds: int) -> list[Update]:
        """Return messages from this update on, waiting so long for the first. Raises Unavailable, Misconfigured.

        Asking from an update on tells Telegram that the earlier ones are done with. What is no text message comes
        as an update without text.
        """
        asked = {"offset": first, "timeout": seconds, "allowed_updates": ["message"]}
        return [_update(one) for one in self._call("getUpdates", asked, seconds)]

    def say(self, chat: int, words: str) -> None:
        """Send a message to a chat. Raises Unavailable, Misconfigured."""
        text = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
        self._call("sendMessage", {"chat_id": chat, "text": text, "disable_notification": False}, 0)

    def _call(self, method: str, asked: Mapping[str, Any], seconds: float) -> Any:
        trouble: PerpdeckError
        try:
            answer = httpx.post(f"{self._address}/{method}", json=asked, timeout=seconds + PATIENCE)
            told = answer.json()
        except httpx.TimeoutException:
            trouble = Unavailable(Reason("telegram.late"))
        except httpx.HTTPError as error:
            trouble = Unavailable(Reason("telegram.not_reached", why=type(error).__name__))
        except ValueError:
            trouble = Unavailable(Reason("telegram.no_json", status=answer.status_code))
        else:
            if isinstance(told, dict) and told.get("ok"):
                return told["result"]
            if answer.status_code in (401, 404):
                trouble = Misconfigured(Reason("telegram.token_unknown"))
            elif answer.status_code == 409:
                trouble = Unavailable(Reason("telegram.another_program"))
            else:
                trouble = Unavailable(Reason("telegram.status", status=answer.status_code))
        raise trouble from None


def _update(found: Mapping[str, Any]) -> Update:
    message = found.get("message") or {}
    return Update(
        id=int(found["update_id"]),
        chat=int(message.get("chat", {}).get("id", 0)),
        user=int(message.get("from", {}).get("id", 0)),
        text=str(message.get("text", "")),
        at=datetime.fromtimestamp(int(message.get("date", 0)), UTC),
    )
