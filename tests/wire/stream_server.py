"""A WebSocket server that says to an OKX client what a test tells it to say, and keeps all that it heard."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.eventually import eventually

Message = dict[str, Any]
GOOD_LOGIN: Message = {"event": "login", "code": "0", "msg": "", "connId": "a1"}


@dataclass
class Life:
    """One connection of a client, from its opening on."""

    path: str
    socket: ServerConnection
    heard: list[Any] = field(default_factory=list)

    def say(self, message: Message | str) -> None:
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def close(self, code: int = 1001) -> None:
        self.socket.close(code)

    @property
    def subscribed(self) -> list[Message]:
        """The arguments of all subscriptions so far."""
        return [one for heard in self.heard if heard != "ping" and heard["op"] == "subscribe" for one in heard["args"]]


@dataclass
class ScriptedExchange:
    """Answers as OKX does, except where a test says otherwise."""

    login: Message = field(default_factory=lambda: dict(GOOD_LOGIN))
    refused: dict[str, str] = field(default_factory=dict)  #: instId or channel -> code
    answers_pings: bool = True
    acknowledges: bool = True
    lives: list[Life] = field(default_factory=list)
    url: str = ""

    def life(self, name: str, number: int = 1) -> Life:
        """The number-th connection to that address; waits until the client has opened it."""

        def found() -> list[Life]:
            lives = [life for life in self.lives if life.path == f"/ws/v5/{name}"]
            return lives[number - 1 : number]

        return eventually(found, words=f"connection {number} to {name}")[0]

    def subscribed(self, name: str, count: int, number: int = 1) -> Life:
        """The same, once it has sent that many subscriptions."""
        life = self.life(name, number)
        eventually(lambda: len(life.subscribed) >= count, words=f"{count} subscriptions on {name}")
        return life

    def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        life = Life(socket.request.path, socket)
        self.lives.append(life)
        with contextlib.suppress(ConnectionClosed):
            for text in socket:
                heard = text if text == "ping" else json.loads(text)
                life.heard.append(heard)
                self._answer(life, heard)

    def _answer(self, life: Life, heard: Any) -> None:
        if heard == "ping":
            if self.answers_pings:
                life.say("pong")
        elif heard["op"] == "login":
            life.say(self.login)
        elif self.acknowledges:
            for argument in heard["args"]:
                code = self.refused.get(argument.get("instId", "")) or self.refused.get(argument["channel"])
                wrong = {"event": "error", "code": code, "msg": "Wrong channel."}
                right = {"event": heard["op"], "arg": argument}
                life.say({"id": heard["id"], "connId": "a1", **(wrong if code else right)})


@contextlib.contextmanager
def scripted_exchange() -> Iterator[ScriptedExchange]:
    """One, listening on a free port of the loopback until the block ends."""
    exchange = ScriptedExchange()
    with serve(exchange._serve, "127.0.0.1", 0, close_timeout=0.1) as server:
        exchange.url = _address(server)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield exchange
        finally:
            for life in exchange.lives:
                life.socket.close()
            server.shutdown()
            thread.join()


def _address(server: Server) -> str:
    host, port = server.socket.getsockname()[:2]
    return f"ws://{host}:{port}"
