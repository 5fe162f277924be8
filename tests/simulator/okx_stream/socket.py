"""A small OKX V5 websocket client for tests: sends what it is told, keeps all that came, waits within bounds."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.simulator.okx.client import signature

WAIT_SECONDS = 5.0
Message = dict[str, Any]


class OkxSocket:
    """One connection to /ws/v5/{kind}; `seen` holds every message in the order of its arrival."""

    def __init__(self, ws_url: str, kind: str, query: str = "") -> None:
        self._open = ExitStack()
        opening = connect(f"{ws_url}/ws/v5/{kind}{query}", proxy=None, ping_interval=None)
        self.connection: ClientConnection = self._open.enter_context(opening)
        self.seen: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def send(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str) else json.dumps(message))

    def receive(self, seconds: float = WAIT_SECONDS) -> Any:
        """The next message, decoded unless it is the bare text pong; TimeoutError, ConnectionClosed."""
        text = self.connection.recv(timeout=seconds)
        message: Any = text if text == "pong" else json.loads(text)
        self.seen.append(message)
        return message

    def until(self, wanted: Callable[[Any], bool], seconds: float = WAIT_SECONDS) -> Message:
        """The first message that is wanted; AssertionError with all that came instead."""
        deadline, passed = time.monotonic() + seconds, []
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.receive(left)
            except TimeoutError:
                break
            if wanted(message):
                return dict(message)
            passed.append(message)
        raise AssertionError(f"not among {len(passed)} messages: {passed[-5:]}")

    def closed(self, seconds: float = WAIT_SECONDS) -> int:
        """The close code, once the other side has closed; AssertionError where it stays open."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self.receive(left)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd is not None else 1006
            except TimeoutError:
                break
        raise AssertionError("the connection stays open")

    # -- the words of the exchange

    def login(self, keys: dict[str, str], timestamp: str | float | None = None, secret: str | None = None) -> Message:
        """Log in (at that time in seconds, now if none is given) and return the answer, good or bad."""
        stamp = str(int(time.time())) if timestamp is None else timestamp
        sign = signature(secret or keys["secret"], f"{stamp}GET/users/self/verify")
        arguments = {"apiKey": keys["api_key"], "passphrase": keys["passphrase"], "timestamp": stamp, "sign": sign}
        self.send({"op": "login", "args": [arguments]})
        return self.until(lambda message: message != "pong" and message.get("event") in ("login", "error"))

    def subscribe(self, channel: str, **arguments: Any) -> Message:
        """Subscribe to one channel and return its acknowledgement, or the error."""
        self.send({"id": "1", "op": "subscribe", "args": [{"channel": channel, **arguments}]})
        return self.until(lambda message: message != "pong" and message.get("event") in ("subscribe", "error"))

    def operation(self, op: str, *arguments: Message, **more: Any) -> Message:
        """An order operation; its answer."""
        self.send({"id": "7", "op": op, "args": list(arguments), **more})
        return self.until(lambda message: message != "pong" and message.get("op") == op)

    def push(self, channel: str, seconds: float = WAIT_SECONDS, **fields: str) -> Any:
        """The first row pushed on the channel whose fields have these values."""
        found: list[Any] = []

        def wanted(message: Any) -> bool:
            if message == "pong" or message.get("arg", {}).get("channel") != channel or "data" not in message:
                return False
            found.extend(row for row in message["data"] if all(row.get(key) == fields[key] for key in fields))
            return bool(found)

        self.until(wanted, seconds)
        return found[0]
