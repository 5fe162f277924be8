"""A signed OKX V5 client for tests, written from the exchange's documentation and sharing nothing with ours.

It sends exactly what it is told and hands back exactly what came: HTTP status and decoded body, judged by nobody.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

import httpx

BTC, ETH, SOL = "BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP"


def signature(secret: str, prehash: str) -> str:
    """Base64 of HMAC-SHA256, as OKX V5 signs REST requests and websocket logins."""
    return base64.b64encode(hmac.new(secret.encode(), prehash.encode(), hashlib.sha256).digest()).decode()


def iso_milliseconds(moment: datetime) -> str:
    """2020-12-08T09:08:57.715Z, the form of the OK-ACCESS-TIMESTAMP header."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the exchange, with shortcuts that fail loudly where the answer has another shape."""

    http: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body["code"])

    @property
    def rows(self) -> list[Any]:
        """The data of a successful answer."""
        assert self.code == "0", self.body
        return list(self.body["data"])

    @property
    def row(self) -> Any:
        """The only row of a successful answer."""
        assert len(self.rows) == 1, self.body
        return self.rows[0]

    @property
    def refusal(self) -> str:
        """Why it was refused: the first row's sCode where there is one, else the envelope's code."""
        rows = self.body.get("data") or [{}]
        return str(rows[0].get("sCode") or self.code)


class OkxClient:
    """One key (or none: public calls) at one address; `demo` adds the header of the demo world."""

    def __init__(self, base_url: str, keys: dict[str, str] | None = None, demo: str | None = None) -> None:
        self.keys = keys
        self._demo = demo
        self.http = httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=10)

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def headers(self, method: str, path: str, body: str = "", at: datetime | None = None) -> dict[str, str]:
        """The headers of a request signed at that time (now, if none is given)."""
        headers = {"Content-Type": "application/json"}
        if self._demo is not None:
            headers["x-simulated-trading"] = self._demo
        if self.keys is not None:
            stamp = iso_milliseconds(at or datetime.now(UTC))
            headers["OK-ACCESS-KEY"] = self.keys["api_key"]
            headers["OK-ACCESS-SIGN"] = signature(self.keys["secret"], stamp + method + path + body)
            headers["OK-ACCESS-TIMESTAMP"] = stamp
            headers["OK-ACCESS-PASSPHRASE"] = self.keys["passphrase"]
        return headers

    def send(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
        """The raw exchange of one request; httpx's own errors where no answer comes."""
        return self.http.request(
            method, path, content=body or None, headers=self.headers(method, path, body) | (headers or {})
        )

    def get(self, path: str, **parameters: Any) -> Answer:
        """`path` is what follows /api/v5/."""
        path = f"/api/v5/{path}" + (f"?{urlencode(parameters, safe=',')}" if parameters else "")
        answer = self.send("GET", path)
        return Answer(answer.status_code, answer.json())

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        answer = self.send("POST", f"/api/v5/{path}", json.dumps(body), headers)
        return Answer(answer.status_code, answer.json())

    # -- the few calls that most stories begin with

    def order(self, instrument: str, side: str, position_side: str, size: str, /, **more: Any) -> Answer:
        """POST trade/order: market, cross margin, unless `more` says otherwise (OKX's own words)."""
        return self.post("trade/order", order(instrument, side, position_side, size, **more))

    def algo(self, instrument: str, side: str, position_side: str, kind: str, /, **more: Any) -> Answer:
        """POST trade/order-algo, cross margin."""
        body = {"instId": instrument, "tdMode": "cross", "side": side, "ordType": kind}
        return self.post("trade/order-algo", body | ({"posSide": position_side} if position_side else {}) | more)

    def positions(self, **parameters: str) -> list[Any]:
        return self.get("account/positions", **parameters).rows

    def position(self, instrument: str, position_side: str) -> Any:
        """The one row of that position; AssertionError where it is not held."""
        rows = [row for row in self.positions() if (row["instId"], row["posSide"]) == (instrument, position_side)]
        assert len(rows) == 1, rows
        return rows[0]

    def find(self, instrument: str, **which: str) -> Any:
        """GET trade/order by ordId or clOrdId."""
        return self.get("trade/order", instId=instrument, **which).row

    def find_algo(self, **which: str) -> Any:
        """GET trade/order-algo by algoId or algoClOrdId."""
        return self.get("trade/order-algo", **which).row

    def pending_algos(self, kinds: str) -> list[Any]:
        return self.get("trade/orders-algo-pending", ordType=kinds).rows

    def usdt(self) -> Any:
        """The USDT row of the balance."""
        details = self.get("account/balance", ccy="USDT").row["details"]
        assert [row["ccy"] for row in details] == ["USDT"]
        return details[0]


def order(instrument: str, side: str, position_side: str, size: str, /, **more: Any) -> dict[str, Any]:
    """The body of an order; an empty position side leaves posSide out (net mode)."""
    body = {"instId": instrument, "tdMode": "cross", "side": side, "ordType": "market", "sz": size}
    return body | ({"posSide": position_side} if position_side else {}) | more
