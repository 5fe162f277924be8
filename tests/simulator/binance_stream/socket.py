"""A small Binance websocket client for tests: sends what it is told, keeps all that came, waits within bounds."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.simulator.binance.client import signature

WAIT_SECONDS = 5.0
Message = dict[str, Any]


class BinanceSocket:
    """One connection to `path`; `seen` holds every message in the order of its arrival."""

    def __init__(self, ws_url: str, path: str) -> None:
        self._open = ExitStack()
        opening = connect(f"{ws_url}/{path}", proxy=None, ping_interval=None, max_size=4 * 1024 * 1024)
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
        """The next message, decoded; TimeoutError, ConnectionClosed."""
        message = json.loads(self.connection.recv(timeout=seconds))
        self.seen.append(message)
        return message

    def until(self, wanted: Callable[[Any], bool], seconds: float = WAIT_SECONDS) -> Any:
        """The first message that is wanted; AssertionError with all that came instead."""
        deadline, passed = time.monotonic() + seconds, []
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.receive(left)
            except TimeoutError:
                break
            if wanted(message):
                return message
            passed.append(message)
        raise AssertionError(f"not among {len(passed)} messages: {passed[-5:]}")

    def event(self, name: str, seconds: float = WAIT_SECONDS, **fields: Any) -> Any:
        """The first event of that name, taken out of its envelope, whose fields (or those of its `o`) are so."""

        def inner(message: Any) -> Any:
            return message.get("data", message) if isinstance(message, dict) else message

        def wanted(message: Any) -> bool:
            told = inner(message)
            if not isinstance(told, dict) or told.get("e") != name:
                return False
            row = told.get("o", told)
            return all(row.get(key) == fields[key] for key in fields)

        return inner(self.until(wanted, seconds))

    def names(self, until: str, **fields: Any) -> list[str]:
        """The names of the events up to that one, with the state of those that have one."""
        begin = len(self.seen)
        self.event(until, **fields)
        events = [message.get("data", message) for message in self.seen[begin:]]
        return [" ".join(filter(None, (told["e"], told.get("o", {}).get("X")))) for told in events if "e" in told]

    def silent(self, seconds: float = 0.4) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.receive(seconds)
        except TimeoutError:
            return True
        return False

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

    def ask(self, method: str, *params: Any, identity: Any = 1) -> Any:
        """A request of the streams; its reply."""
        self.send({"method": method, "params": list(params), "id": identity})

        def wanted(message: Any) -> bool:
            return isinstance(message, dict) and message.get("id", "") == identity and "e" not in message

        return self.until(wanted)

    def request(self, method: str, keys: dict[str, str] | None = None, secret: str | None = None, **params: Any) -> Any:
        """A request of the trading API, signed where keys are given; its reply."""
        if keys is not None:
            params |= {"apiKey": keys["api_key"], "timestamp": params.get("timestamp", int(time.time() * 1000))}
            text = "&".join(f"{name}={params[name]}" for name in sorted(params))
            params["signature"] = signature(secret or keys["secret"], text)
        self.send({"id": "r-1", "method": method, "params": params})
        return self.until(lambda message: message.get("id") in ("r-1", None))
