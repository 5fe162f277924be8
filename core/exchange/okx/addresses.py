"""OKX's addresses, by the region an account was registered in. Source: OKX V5 docs, overview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.account import Environment
from core.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Region:
    """The addresses of one region; a key is known to its own region only."""

    rest_url: str
    live_stream: str
    demo_stream: str


REGIONS: Mapping[str, Region] = {
    "global": Region("https://openapi.okx.com", "wss://ws.okx.com:8443", "wss://wspap.okx.com:8443"),
    "eea": Region("https://eea.okx.com", "wss://wseea.okx.com:8443", "wss://wseeapap.okx.com:8443"),
    "us": Region("https://us.okx.com", "wss://wsus.okx.com:8443", "wss://wsuspap.okx.com:8443"),
}


def addresses(environment: Environment, region: str) -> tuple[str, str]:
    """Return REST and stream address. Raises Misconfigured for a region that is not known, and for paper accounts."""
    if region not in REGIONS:
        raise Misconfigured(f"region {region!r} is not known: one of {', '.join(REGIONS)}")
    if environment is Environment.PAPER:
        raise Misconfigured("a paper account has the address of the simulator, not one of OKX")
    of = REGIONS[region]
    return of.rest_url, of.demo_stream if environment is Environment.DEMO else of.live_stream
