"""What each exchange's requests are called in the fault table, and where they pass on their way out.

Names come from the address and from what a client order id means, so that a step which the code adds or moves is
found by itself. Knows the innermost call of each client; promises nothing about what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from core.domain.account import Exchange
from core.domain.ids import meaning
from core.exchange.binance import rest_session
from tests.faults.harness.kinds import Where

Send = Callable[[], Any]
Watch = Callable[["Request", Send], Any]

OKX_ROOT, BINANCE_ROOT = "/api/v5/", "/fapi/"
OKX_DO = {
    "POST trade/order": ("{} order", Where.PLACEMENT),
    "POST trade/order-algo": ("{} placed", Where.ALGO),
    "POST trade/amend-algos": ("protection amended", Where.WRITE),
    "POST trade/cancel-algos": ("protection cancelled", Where.WRITE),
    "POST trade/cancel-order": ("order cancelled", Where.WRITE),
    "POST account/set-leverage": ("leverage set", Where.WRITE),
}
BINANCE_DO = {
    "POST v1/order": ("{} order", Where.PLACEMENT),
    "PUT v1/order": ("order amended", Where.WRITE),
    "DELETE v1/order": ("order cancelled", Where.WRITE),
    "POST v1/algoOrder": ("{} placed", Where.ALGO),
    "DELETE v1/algoOrder": ("{} cancelled", Where.WRITE),
    "POST v1/leverage": ("leverage set", Where.WRITE),
    "POST v1/marginType": ("margin type set", Where.WRITE),
}
OKX_ROWS = {
    "account/leverage-info": "leverage read",
    "trade/fills": "fills read",
    "trade/fills-history": "fills read",
    "account/bills": "funding read",
    "account/bills-archive": "funding read",
    "account/positions-history": "lives read",
}
BINANCE_ROWS = {
    "v1/userTrades": "fills read",
    "v1/income": "funding read",
    "v1/allOrders": "names read",
}
#: asked for by the clock and not by a flow, so that calm weather cannot foretell when
NO_STEP = frozenset(
    {
        "v1/listenKey", "v1/time", "v1/symbolConfig", "v1/accountConfig", "v1/leverageBracket", "v1/ping",
        "v1/order/test", "v1/multiAssetsMargin", "v3/account",
    }
)  # fmt: skip
ID_NAMES = ("clOrdId", "algoClOrdId", "newClientOrderId", "origClientOrderId", "clientAlgoId")


@dataclass(frozen=True, slots=True)
class Request:
    """One request on its way: what it is called, and how a fault finds it."""

    step: str  #: empty: it is no step
    where: Where
    method: str
    endpoint: str


class Wire(Protocol):
    """One client's way out."""

    def watch(self, watch: Watch) -> None:
        """Let every request from now on pass here first."""

    def impatient(self, seconds: float) -> AbstractContextManager[object]:
        """Within it the client waits only so long for an answer."""


class OkxWire:
    """Every request passes the client's one HTTP session."""

    def __init__(self, client: Any) -> None:
        self._line = client._session
        self._timeout: float | None = None

    def watch(self, watch: Watch) -> None:
        send = self._line.request

        def request(method: str, path: str, **more: Any) -> Any:
            def on() -> Any:
                return send(method, path, **(more if self._timeout is None else more | {"timeout": self._timeout}))

            endpoint = urlsplit(path).path.removeprefix(OKX_ROOT)
            body = json.loads(more.get("content") or b"{}") if method != "GET" else {}
            return watch(_named(method, endpoint, body[0] if isinstance(body, list) else body, OKX_DO, OKX_ROWS), on)

        self._line.request = request

    def impatient(self, seconds: float) -> AbstractContextManager[object]:
        return patch.object(self, "_timeout", seconds)


class BinanceWire:
    """Every request passes the one method of the session that sends what was signed."""

    def __init__(self, client: Any) -> None:
        self._session = client._session

    def watch(self, watch: Watch) -> None:
        send = self._session._sent

        def sent(method: str, uri: str, asked: str) -> Any:
            endpoint = urlsplit(uri).path.removeprefix(BINANCE_ROOT)
            named = _named(method.upper(), endpoint, dict(parse_qsl(asked)), BINANCE_DO, BINANCE_ROWS)
            return watch(named, lambda: send(method, uri, asked))

        self._session._sent = sent

    def impatient(self, seconds: float) -> AbstractContextManager[object]:
        return patch.object(rest_session, "TIMEOUT", (seconds, seconds))


WIRES: Mapping[Exchange, Callable[[Any], Wire]] = {Exchange.OKX: OkxWire, Exchange.BINANCE: BinanceWire}


def unhurried(seconds: float | None, wire: Wire) -> AbstractContextManager[object]:
    return nullcontext() if seconds is None else wire.impatient(seconds)


def _named(
    method: str,
    endpoint: str,
    row: Mapping[str, Any],
    do: Mapping[str, tuple[str, Where]],
    rows: Mapping[str, str],
) -> Request:
    if endpoint in NO_STEP:
        return Request("", Where.READ, method, endpoint)
    if method == "GET":
        return Request(rows.get(endpoint, "look"), Where.READ, method, endpoint)
    words, where = do[f"{method} {endpoint}"]
    identity = next((str(row[name]) for name in ID_NAMES if row.get(name)), "")
    return Request(words.format(purpose(identity)), where, method, endpoint)


def purpose(client_order_id: str) -> str:
    """What an order of ours is for, in words; "other" where it is not one of ours."""
    said = meaning(client_order_id)
    return said.purpose.name.lower().replace("_", " ") if said is not None else "other"
