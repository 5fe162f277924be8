"""The other side of the wire: a real HTTP server on the loopback that keeps what it is sent, and fails when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Hears JSON messages under any path, and bare requests."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.requests: list[str] = []  #: method and path of each, in order
        self.status = 200
        self.before_answering = lambda: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.requests.append(f"POST {self.path}")
                if outer.status < 300:
                    outer.heard.append(json.loads(body))
                self._answer()

            def do_GET(self) -> None:
                outer.requests.append(f"GET {self.path}")
                self._answer()

            def _answer(self) -> None:
                outer.before_answering()
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def address(self, path: str = "ops-9f2c") -> str:
        """Where apprise finds it."""
        return f"json://{self.place}/{path}"

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.heard]

    @property
    def bodies(self) -> list[str]:
        return [one["message"] for one in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
