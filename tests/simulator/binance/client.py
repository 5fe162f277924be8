"""A signed Binance USD-M client for tests, written from the exchange's documentation and sharing nothing with ours.

It sends exactly what it is told and hands back exactly what came: HTTP status, headers and decoded body.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

import httpx

BTCUSDT, ETHUSDT, SOLUSDT = "BTCUSDT", "ETHUSDT", "SOLUSDT"


def signature(secret: str, text: str) -> str:
    """Hex of HMAC-SHA256 over the query followed at once by the body."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the exchange, with shortcuts that fail loudly where the answer has another shape."""

    http: int
    body: Any
    headers: httpx.Headers

    @property
    def ok(self) -> Any:
        """The body of a successful answer."""
        assert self.http == 200, self.body
        return self.body

    @property
    def code(self) -> int:
        """The code of a refusal."""
        assert self.http != 200, self.body
        return int(self.body["code"])


class BinanceClient:
    """One key (or none: public calls) at one address. `where` says whether POST, PUT and DELETE carry their
    parameters in the query or in the body.
    """

    def __init__(self, base_url: str, keys: dict[str, str] | None = None, where: str = "query") -> None:
        self.keys: dict[str, str] = keys or {}
        self.where = where
        self.http = httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=10)

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, method: str, path: str, query: str = "", body: str = "", key: str | None = None) -> Reply:
        """The raw exchange of one request; httpx's own errors where no answer comes."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        key = key if key is not None else self.keys["api_key"] if self.keys else ""
        headers |= {"X-MBX-APIKEY": key} if key else {}
        address = path if path.startswith("/") else f"/fapi/{path}"
        answer = self.http.request(
            method, address + (f"?{query}" if query else ""), content=body or None, headers=headers
        )
        return Reply(answer.status_code, answer.json(), answer.headers)

    def signed(self, method: str, path: str, parameters: dict[str, Any], **more: Any) -> Reply:
        """The request with timestamp and signature added; a value of None is left out."""
        assert self.keys, "a signed request needs keys"
        chosen = {name: value for name, value in parameters.items() if value is not None}
        chosen.setdefault("timestamp", int(time.time() * 1000))
        text = urlencode(chosen)
        text += f"&signature={signature(self.keys['secret'], text)}"
        in_query = method == "GET" or self.where == "query"
        return self.send(method, path, text if in_query else "", "" if in_query else text, **more)

    def public(self, path: str, **parameters: Any) -> Any:
        return self.send("GET", path, urlencode(parameters)).ok

    def get(self, path: str, **parameters: Any) -> Reply:
        return self.signed("GET", path, parameters)

    def post(self, path: str, **parameters: Any) -> Reply:
        return self.signed("POST", path, parameters)

    def put(self, path: str, **parameters: Any) -> Reply:
        return self.signed("PUT", path, parameters)

    def delete(self, path: str, **parameters: Any) -> Reply:
        return self.signed("DELETE", path, parameters)

    # -- the few calls that most stories begin with

    def hedge(self) -> None:
        """Put the account into hedge mode."""
        assert self.post("v1/positionSide/dual", dualSidePosition="true").ok["code"] == 200

    def market(self, symbol: str, side: str, position_side: str | None, quantity: str, /, **more: Any) -> Reply:
        """A market order, answered with its final state."""
        base = {"symbol": symbol, "side": side, "positionSide": position_side, "type": "MARKET", "quantity": quantity}
        return self.post("v1/order", **base | {"newOrderRespType": "RESULT"} | more)

    def limit(
        self, symbol: str, side: str, position_side: str | None, quantity: str, price: str | None, /, **more: Any
    ) -> Reply:
        """A limit order, good till cancelled unless `more` says otherwise."""
        base = {"symbol": symbol, "side": side, "positionSide": position_side, "type": "LIMIT", "quantity": quantity}
        return self.post("v1/order", **base | {"price": price, "timeInForce": "GTC"} | more)

    def find(self, symbol: str, **which: Any) -> Any:
        """GET order by orderId or origClientOrderId."""
        return self.get("v1/order", symbol=symbol, **which).ok

    def risk(self, symbol: str, position_side: str) -> Any:
        """The v2 positionRisk row of that side."""
        found = [row for row in self.get("v2/positionRisk", symbol=symbol).ok if row["positionSide"] == position_side]
        assert len(found) == 1, found
        return found[0]

    def usdt(self) -> Any:
        """The USDT row of the balance."""
        return next(row for row in self.get("v3/balance").ok if row["asset"] == "USDT")
