"""A few lines of HTTP on the loopback that answer as Binance would, as scripted, and check each signature by the bytes.

Knows nothing of ours: paths below /fapi, parameters as they came, and the HMAC over exactly what was sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.wire.stub import Page, Vanish

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """One message, whole."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def refused(code: int, words: str = "words of Binance", status: int = 400) -> Page:
    """A refusal in Binance's form."""
    return Page(status, json.dumps({"code": code, "msg": words}), "application/json")


@dataclass(frozen=True)
class Answer:
    """A body with a status and headers of its own."""

    body: Any
    headers: Mapping[str, str]
    status: int = 200


@dataclass(frozen=True)
class Asked:
    """One request as it came in, without what signs it."""

    endpoint: str  #: "GET v1/openOrders"
    parameters: dict[str, str]
    stamp: dict[str, str]  #: timestamp and recvWindow, where they were sent
    headers: dict[str, str]
    raw: str


@dataclass
class Stub:
    """Scripted answers by endpoint: each list is used up in order, and its last one stays."""

    secret: str
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, endpoint: str, *answers: Any) -> None:
        """Names of payloads, bodies, pages, a function of the request, or Vanish."""
        self.answers[endpoint] = deque(answers)

    def to(self, endpoint: str) -> list[Asked]:
        return [request for request in self.asked if request.endpoint == endpoint]

    def only(self, endpoint: str) -> Asked:
        found = self.to(endpoint)
        assert len(found) == 1, found
        return found[0]

    def endpoints(self) -> list[str]:
        return [request.endpoint for request in self.asked]

    def _next(self, asked: Asked) -> Any:
        queue = self.answers[asked.endpoint]
        if not queue:
            return refused(-5000, f"nothing is scripted for {asked.endpoint}", 404)
        answer = queue.popleft() if len(queue) > 1 else queue[0]
        if isinstance(answer, Callable) and answer is not Vanish:
            answer = answer(asked)
        return payload(answer) if isinstance(answer, str) else answer

    def read(self, method: str, target: str, body: str, headers: dict[str, str]) -> tuple[Asked, Any]:
        path, _, query = target.partition("?")
        raw = query + body
        sent = dict(parse_qsl(raw, keep_blank_values=True))
        stamp = {name: sent.pop(name) for name in ("timestamp", "recvWindow", "signature") if name in sent}
        asked = Asked(f"{method} {path.removeprefix('/fapi/')}", sent, stamp, headers, raw)
        self.asked.append(asked)
        if "signature" in stamp:
            text, _, signature = raw.rpartition("&signature=")
            due = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            if signature != due:
                return asked, refused(-1022, "Signature for this request is not valid.")
        return asked, self._next(asked)

    def serve(self) -> ThreadingHTTPServer:
        """Start on a free port; the caller shuts it down."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Tests read `asked` instead."""

            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                _, answer = stub.read(self.command, self.path, body, dict(self.headers))
                if answer is Vanish:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                told = answer.headers if isinstance(answer, Answer) else {}
                if isinstance(answer, Answer):
                    answer = Page(answer.status, json.dumps(answer.body), "application/json")
                page = answer if isinstance(answer, Page) else Page(200, json.dumps(answer), "application/json")
                content = page.text.encode()
                self.send_response(page.status)
                for name, value in told.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", page.kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = reply

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server
