"""The other side of the wire: a real HTTP server on the loopback that keeps what it is sent, and fails when told to."""

from __future__ import annotations

import json
from typing import Any

from tests.local_server import LocalServer


class Receiver(LocalServer):
    """Hears JSON messages under any path, and bare requests."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[dict[str, Any]] = []
        self.requests: list[str] = []  #: method and path of each, in order
        self.status = 200
        self.before_answering = lambda: None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.requests.append(f"{method} {path}")
        if body and self.status < 300:
            self.heard.append(json.loads(body))
        self.before_answering()
        return self.status, b""

    def address(self, path: str = "ops-9f2c") -> str:
        """Where apprise finds it."""
        return f"json://{self.place}/{path}"

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.heard]

    @property
    def bodies(self) -> list[str]:
        return [one["message"] for one in self.heard]
