"""Where Binance USD-M futures answers. Source: Binance derivatives docs, general info; the demo stream's host as the
official SDK and python-binance have it."""

from __future__ import annotations

from core.domain.account import Environment
from core.domain.errors import Misconfigured

LIVE = ("https://fapi.binance.com", "wss://fstream.binance.com")
DEMO = ("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com")
REGIONS = ("global",)  #: futures are offered from one place only


def addresses(environment: Environment, region: str = "global") -> tuple[str, str]:
    """Return REST and stream address. Raises Misconfigured for a region that is not known, and for paper accounts."""
    if region not in REGIONS:
        raise Misconfigured(f"region {region!r} is not known: one of {', '.join(REGIONS)}")
    if environment is Environment.PAPER:
        raise Misconfigured("a paper account has the address of the simulator, not one of Binance")
    return DEMO if environment is Environment.DEMO else LIVE
