"""A few lines of HTTP on the loopback that answer what a test scripted and remember what was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """One recorded message, whole."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def rows(name: str) -> list[Any]:
    return payload(name)["data"]


def row(name: str) -> Any:
    return rows(name)[0]


@dataclass(frozen=True)
class Page:
    """An answer that is not OKX's JSON, or has another HTTP status."""

    status: int
    text: str
    kind: str = "text/html"


class Vanish:
    """The connection is cut instead of an answer."""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str  #: below /api/v5/, without the query
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class Stub:
    """Scripted answers by path: each list is used up in order, and its last one stays."""

    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, *answers: Any) -> None:
        """Names of payloads, bodies, pages, or Vanish."""
        self.answers[path] = deque(answers)

    def to(self, path: str) -> list[Asked]:
        return [request for request in self.asked if request.path == path]

    def only(self, path: str) -> Asked:
        found = self.to(path)
        assert len(found) == 1, found
        return found[0]

    def _next(self, path: str) -> Any:
        queue = self.answers[path]
        assert queue, f"nothing is scripted for {path}"
        return queue.popleft() if len(queue) > 1 else queue[0]

    def serve(self) -> ThreadingHTTPServer:
        """Start on a free port; the caller shuts it down."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Tests read `asked` instead."""

            def do_GET(self) -> None:
                self.reply(None)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.reply(json.loads(body))

            def reply(self, body: Any) -> None:
                path, _, query = self.path.partition("?")
                path = path.removeprefix("/api/v5/")
                stub.asked.append(Asked(self.command, path, query, dict(self.headers), body))
                answer = stub._next(path)
                if answer is Vanish:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if isinstance(answer, str):
                    answer = payload(answer)
                page = answer if isinstance(answer, Page) else Page(200, json.dumps(answer), "application/json")
                content = page.text.encode()
                self.send_response(page.status)
                self.send_header("Content-Type", page.kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server
