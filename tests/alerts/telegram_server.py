"""The other side of Telegram's wire: updates that wait until they are asked for, and messages that are kept."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from tests.local_server import LocalServer

TOKEN = "123456789:AAE-abcdefghijklmnopqrstuvwxyz01234"


class TelegramServer(LocalServer):
    """Knows one bot. Asking from an update on forgets the earlier ones, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[int, str]] = []  #: chat and text, in order
        self.asked: list[int] = []  #: the offsets
        self.status = 200
        self._updates: list[dict[str, Any]] = []
        self._number = 500

    @property
    def host(self) -> str:
        return f"http://{self.place}"

    def write(self, text: str, at: datetime, user: int = 42, chat: int | None = None) -> None:
        """Somebody writes to the bot."""
        self._number += 1
        message = {"date": int(at.timestamp()), "text": text, "from": {"id": user}, "chat": {"id": chat or user}}
        self._updates.append({"update_id": self._number, "message": message})

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        status, told = self._told(path, json.loads(body))
        return status, json.dumps(told).encode()

    def _told(self, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.status != 200:
            return self.status, {"ok": False, "error_code": self.status, "description": f"no good: {path}"}
        if path == f"/bot{TOKEN}/getUpdates":
            self.asked.append(asked["offset"])
            end = time.monotonic() + asked["timeout"]
            while not (found := self._from(asked["offset"])) and time.monotonic() < end:
                time.sleep(0.01)  # the answer is held open, as the real server does
            return 200, {"ok": True, "result": found}
        if path == f"/bot{TOKEN}/sendMessage":
            self.said.append((asked["chat_id"], asked["text"]))
            return 200, {"ok": True, "result": {"message_id": len(self.said)}}
        return 404, {"ok": False, "error_code": 404, "description": "Not Found"}

    def _from(self, offset: int) -> list[dict[str, Any]]:
        self._updates = [one for one in self._updates if one["update_id"] >= offset]
        return list(self._updates)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.said]
