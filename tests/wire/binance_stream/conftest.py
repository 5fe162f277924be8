"""A stream between a scripted exchange and a listener that keeps everything it is told."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from core.exchange.binance.stream.stream import BinanceStream, Upkeep
from core.exchange.connection import CONNECT, Pace
from core.exchange.port import Push
from core.exchange.throttle import Limit, Throttle
from tests.eventually import eventually
from tests.wire.binance_stream.server import ScriptedExchange, ScriptedRest, scripted_exchange

QUICK = Pace(open=2, answer=0.5, silence=60, pong=60, close=0.1, first_back_off=0.01, longest_back_off=0.05)
CALM = Upkeep(renew=3600, silent_after=3600, watch=3600, prices=0.0)


class Heard:
    """Everything one stream told its listener."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []

    def __call__(self, push: Push) -> None:
        self.pushes.append(push)

    @property
    def words(self) -> list[str]:
        return [push.words for push in self.pushes if push.channel == "connection"]

    def said(self, start: str) -> bool:
        return any(words.startswith(start) for words in self.words)


@pytest.fixture
def exchange() -> Iterator[ScriptedExchange]:
    with scripted_exchange() as exchange:
        yield exchange


@pytest.fixture
def rest() -> ScriptedRest:
    return ScriptedRest()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make_stream(exchange: ScriptedExchange, rest: ScriptedRest) -> Iterator[Callable[..., BinanceStream]]:
    """A stream with another pace or upkeep than the calm one; stopped at the end."""
    made: list[BinanceStream] = []

    def make(pace: dict[str, float] | None = None, **upkeep: float) -> BinanceStream:
        connect_limit, quick = Throttle({CONNECT: Limit(10_000, 1.0)}), replace(QUICK, **(pace or {}))
        made.append(
            BinanceStream(rest, exchange.url, connect_limit=connect_limit, pace=quick, upkeep=replace(CALM, **upkeep))
        )
        return made[-1]

    yield make
    for stream in made:
        stream.stop()


@pytest.fixture
def stream(make_stream: Callable[..., BinanceStream]) -> BinanceStream:
    return make_stream()


def connect(stream: BinanceStream, heard: Heard) -> None:
    stream.start(heard)
    eventually(lambda: heard.said("connected"))
