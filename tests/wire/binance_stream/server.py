"""A WebSocket server that says to a Binance client what a test tells it to say, and the REST half of its stream."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from core.domain.errors import PerpdeckError
from tests.eventually import eventually

Message = dict[str, Any]


@dataclass
class Life:
    """One connection of a client, from its opening on."""

    path: str
    socket: ServerConnection
    heard: list[Message] = field(default_factory=list)
    ended: bool = False

    def say(self, message: Message | str) -> None:
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def close(self, code: int = 1001) -> None:
        self.socket.close(code)

    @property
    def subscribed(self) -> list[str]:
        """The names of all subscriptions so far."""
        return [name for heard in self.heard if heard["method"] == "SUBSCRIBE" for name in heard["params"]]


@dataclass
class ScriptedExchange:
    """Answers as Binance does, except where a test says otherwise."""

    turns_away: dict[str, HTTPStatus] = field(default_factory=dict)  #: start of a path -> answer to the opening
    acknowledges: bool = True
    refuses: Message | None = None  #: what is said to a subscription instead of the acknowledgement
    lives: list[Life] = field(default_factory=list)
    knocks: list[str] = field(default_factory=list)  #: every path that was asked for
    url: str = ""

    def life(self, start: str, number: int = 1) -> Life:
        """The number-th connection whose path begins so; waits until the client has opened it."""

        def found() -> list[Life]:
            return [life for life in self.lives if life.path.startswith(start)][number - 1 : number]

        return eventually(found, words=f"connection {number} to {start}")[0]

    def subscribed(self, start: str, count: int, number: int = 1) -> Life:
        """The same, once it has asked for that many streams."""
        life = self.life(start, number)
        eventually(lambda: len(life.subscribed) >= count, words=f"{count} subscriptions on {start}")
        return life

    def opening(self, socket: ServerConnection, request: Request) -> Response | None:
        self.knocks.append(request.path)
        for start, status in self.turns_away.items():
            if request.path.startswith(start):
                return socket.respond(status, "no\n")
        return None

    def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        life = Life(socket.request.path, socket)
        self.lives.append(life)
        with contextlib.suppress(ConnectionClosed):
            for text in socket:
                heard = json.loads(text)
                life.heard.append(heard)
                if self.refuses is not None:
                    life.say({"id": heard["id"], **self.refuses})
                elif self.acknowledges:
                    life.say({"id": heard["id"], "result": None})
        life.ended = True


@contextlib.contextmanager
def scripted_exchange() -> Iterator[ScriptedExchange]:
    """One, listening on a free port of the loopback until the block ends."""
    exchange = ScriptedExchange()
    with serve(
        exchange.serve, "127.0.0.1", 0, process_request=exchange.opening, close_timeout=0.1, ping_interval=None
    ) as server:
        host, port = server.socket.getsockname()[:2]
        exchange.url = f"ws://{host}:{port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield exchange
        finally:
            for life in exchange.lives:
                life.socket.close()
            server.shutdown()
            thread.join()


@dataclass
class ScriptedRest:
    """The REST calls behind a stream: keys K1, K2, ... and what a test lets go wrong."""

    trouble: PerpdeckError | None = None  #: raised by `make_listen_key`
    renew_trouble: PerpdeckError | None = None
    wrote: datetime | None = None
    new_key_each_time: bool = True
    made: int = 0
    renewed: list[str] = field(default_factory=list)
    forgotten: list[str | None] = field(default_factory=list)
    looks: int = 0  #: how often `last_write` was asked for

    @property
    def last_write(self) -> datetime | None:
        self.looks += 1
        return self.wrote

    def make_listen_key(self) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.made += 1
        return f"K{self.made if self.new_key_each_time else 1}"

    def renew_listen_key(self, key: str) -> None:
        self.renewed.append(key)
        if self.renew_trouble is not None:
            trouble, self.renew_trouble = self.renew_trouble, None
            raise trouble

    def forget_settings(self, symbol: str | None) -> None:
        self.forgotten.append(symbol)
