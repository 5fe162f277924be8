"""Which client and which stream speak to which exchange: the one table that names the adapters.

Paper, demo and live differ by an address only; a third exchange is one more row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.clock import Clock
from core.domain.account import Environment, Exchange
from core.domain.errors import Misconfigured
from core.exchange.binance.addresses import addresses as binance_addresses
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.limits import Budget
from core.exchange.binance.stream.stream import BinanceStream
from core.exchange.okx.addresses import addresses as okx_addresses
from core.exchange.okx.client import OKXClient, OKXTestnetClient
from core.exchange.okx.stream.connection import DOORS
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.port import Credentials, ExchangePort, StreamPort
from core.exchange.throttle import Throttle


class Client(ExchangePort, Protocol):
    """A port that tells how much of the exchange's patience is used."""

    def usage(self) -> dict[str, tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class Venue:
    """How one exchange is reached."""

    addresses: Callable[[Environment, str], tuple[str, str]]  #: REST and stream, by environment and region
    client: Callable[[Environment, str, Credentials, Clock], Client]
    stream: Callable[[Any, str, Credentials, Clock], StreamPort]


_okx_doors = Throttle(DOORS)  #: new connections are counted per machine, over all accounts
_binance_budgets: dict[str, Budget] = {}  #: request weight is counted per machine and address


def _okx_client(environment: Environment, rest_url: str, credentials: Credentials, clock: Clock) -> OKXClient:
    made = OKXTestnetClient if environment is Environment.DEMO else OKXClient
    return made(credentials, rest_url=rest_url, now=clock.now, monotonic=clock.monotonic)


def _okx_stream(client: OKXClient, url: str, credentials: Credentials, clock: Clock) -> OKXStream:
    return OKXStream(credentials, url, now=clock.now, exchange_now=client.exchange_now, doors=_okx_doors)


def _binance_client(environment: Environment, rest_url: str, credentials: Credentials, clock: Clock) -> BinanceClient:
    budget = _binance_budgets.setdefault(rest_url, Budget())
    return BinanceClient(
        credentials,
        rest_url=rest_url,
        demo=environment is Environment.DEMO,
        budget=budget,
        now=clock.now,
        monotonic=clock.monotonic,
    )


def _binance_stream(client: BinanceClient, url: str, credentials: Credentials, clock: Clock) -> BinanceStream:
    return BinanceStream(client, url, now=clock.now)


VENUES: Mapping[Exchange, Venue] = {
    Exchange.OKX: Venue(okx_addresses, _okx_client, _okx_stream),
    Exchange.BINANCE: Venue(binance_addresses, _binance_client, _binance_stream),
}


def venue(exchange: Exchange) -> Venue:
    """Raises Misconfigured for an exchange that is not offered."""
    if exchange not in VENUES:
        raise Misconfigured(f"exchange {exchange} is not offered: one of {', '.join(VENUES)}")
    return VENUES[exchange]
