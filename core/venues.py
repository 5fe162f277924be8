"""The table of exchanges: client, stream and profile of each; the one place that names the adapters.

Paper, demo and live differ by an address only; another exchange is one more row (`register`), see
docs/adding-an-exchange.md.
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
from core.exchange.binance.profile import PROFILE as BINANCE
from core.exchange.binance.stream.stream import BinanceStream
from core.exchange.okx.addresses import addresses as okx_addresses
from core.exchange.okx.client import OKXClient, OKXTestnetClient
from core.exchange.okx.profile import PROFILE as OKX
from core.exchange.okx.stream.connection import CONNECT_LIMITS
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.port import Credentials, ExchangePort, StreamPort
from core.exchange.profile import ExchangeProfile
from core.exchange.throttle import Throttle


class Client(ExchangePort, Protocol):
    """A port that also tells how much of the exchange's request limits is used."""

    def usage(self) -> dict[str, tuple[int, int]]:
        """Return what is used of each of the exchange's limits, and the limit."""


@dataclass(frozen=True, slots=True)
class Venue:
    """How one exchange is connected to: client, stream and profile."""

    profile: ExchangeProfile
    addresses: Callable[[Environment, str], tuple[str, str]]  #: REST and stream, by environment and region
    client: Callable[[Environment, str, Credentials, Clock], Client]  #: by environment and REST address
    stream: Callable[[Any, str, Credentials, Clock], StreamPort]  #: by client and stream address


_venues: dict[Exchange, Venue] = {}


def register(venue: Venue) -> None:
    """Register one more exchange. Raises Misconfigured where its id is taken."""
    exchange = venue.profile.exchange
    if exchange in _venues:
        raise Misconfigured(f"exchange {exchange} is offered already")
    _venues[exchange] = venue


def withdraw(exchange: Exchange) -> None:
    """Remove an exchange; its accounts stay in the database and are not guarded."""
    del _venues[exchange]


def venue(exchange: Exchange) -> Venue:
    """Return how an exchange is connected to. Raises Misconfigured for one that is not offered."""
    if exchange not in _venues:
        raise Misconfigured(f"exchange {exchange} is not offered: one of {', '.join(_venues)}")
    return _venues[exchange]


def profile_of(exchange: str) -> ExchangeProfile:
    """Return the profile of an exchange. Raises Misconfigured for one that is not offered."""
    return venue(Exchange(exchange)).profile


def profiles() -> Mapping[Exchange, ExchangeProfile]:
    """Return the profile of every exchange that is offered, in the order in which pages list them."""
    return {exchange: venue.profile for exchange, venue in _venues.items()}


# -- the exchanges that Perpdeck speaks to

_okx_connect_limit = Throttle(CONNECT_LIMITS)  #: new connections are counted per machine, over all accounts
_binance_budgets: dict[str, Budget] = {}  #: request weight is counted per machine and address


def _okx_client(environment: Environment, rest_url: str, credentials: Credentials, clock: Clock) -> OKXClient:
    made = OKXTestnetClient if environment is Environment.DEMO else OKXClient
    return made(credentials, rest_url=rest_url, now=clock.now, monotonic=clock.monotonic)


def _okx_stream(client: OKXClient, url: str, credentials: Credentials, clock: Clock) -> OKXStream:
    return OKXStream(
        credentials, url, now=clock.now, exchange_now=client.exchange_now, connect_limit=_okx_connect_limit
    )


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


register(Venue(OKX, okx_addresses, _okx_client, _okx_stream))
register(Venue(BINANCE, binance_addresses, _binance_client, _binance_stream))
