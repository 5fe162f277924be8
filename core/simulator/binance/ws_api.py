"""Binance's trading API over a websocket (/ws-fapi/v1): the same calls as REST in other envelopes.

A request is {id, method, params}; what must be signed bears apiKey, timestamp and a signature over all parameters in
the order of the alphabet. Every reply bears the rate limits, whose counters are those of REST.
Source: Binance USD-M documentation, Websocket API General Info and each method's page.
"""

import hmac
from typing import Any

import orjson
from aiohttp import web

from core.simulator.binance.connection import BinanceConnection
from core.simulator.binance.endpoints import ENDPOINTS, PUBLIC, TRADE, BinanceCall
from core.simulator.binance.errors import BinanceError
from core.simulator.binance.format import Row
from core.simulator.binance.http import TRANSPORT_FAULTS, BinanceHttp, sign
from core.simulator.runtime import Runtime

METHODS = {
    "depth": ("GET", "v1/depth"), "ticker.price": ("GET", "v2/ticker/price"),
    "ticker.book": ("GET", "v1/ticker/bookTicker"), "order.place": ("POST", "v1/order"),
    "order.modify": ("PUT", "v1/order"), "order.cancel": ("DELETE", "v1/order"), "order.status": ("GET", "v1/order"),
    "algoOrder.place": ("POST", "v1/algoOrder"), "algoOrder.cancel": ("DELETE", "v1/algoOrder"),
    "account.balance": ("GET", "v2/balance"), "v2/account.balance": ("GET", "v3/balance"),
    "account.status": ("GET", "v2/account"), "v2/account.status": ("GET", "v3/account"),
    "account.position": ("GET", "v2/positionRisk"), "v2/account.position": ("GET", "v3/positionRisk"),
    "userDataStream.start": ("POST", "v1/listenKey"), "userDataStream.ping": ("PUT", "v1/listenKey"),
    "userDataStream.stop": ("DELETE", "v1/listenKey"),
}  # fmt: skip
HANDSHAKE_WEIGHT = 5
AUTH = {"apiKey", "signature"}


class BinanceWsApi:
    """Answers requests on any connection; keeps nothing about it, because no key here can log on to a session."""

    def __init__(self, runtime: Runtime, http: BinanceHttp) -> None:
        self.runtime, self.http = runtime, http

    def turned_away(self, remote: str) -> web.Response | None:
        """Return the refusal of a handshake that exceeds the limits, else None."""
        try:
            self.http.limits.admit(HANDSHAKE_WEIGHT, remote)
        except BinanceError as error:
            return web.json_response(error.body, status=error.http)
        return None

    def answer(self, connection: BinanceConnection, text: str, remote: str) -> None:
        """Answer one request of a session."""
        try:
            asked = orjson.loads(text)
            identity, method, sent = asked.get("id"), str(asked["method"]), asked.get("params", {})
            if not isinstance(sent, dict):
                raise TypeError("params is an object")
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            self._send(connection, {"id": None, "status": 400, "error": {"code": -1000, "msg": "Invalid request."}})
            return
        reply: Row = {"id": identity}
        delay = 0.0
        try:
            status, result, delay = self._answered(connection, method, sent, remote)
        except BinanceError as error:
            status, result = error.http, error.body
        except ConnectionAbortedError:
            connection.end()
            return
        self._send(connection, reply | {"status": status, "result" if status == 200 else "error": result}, delay)

    def _send(self, connection: BinanceConnection, reply: Row, delay: float = 0.0) -> None:
        connection.send(reply | {"rateLimits": self._limits()}, self.runtime.delay_seconds + delay)

    def _answered(self, connection: BinanceConnection, method: str, sent: Row, remote: str) -> tuple[int, Any, float]:
        """Return status, result and delay (s); ConnectionAbortedError where a fault takes the connection away."""
        self.runtime.requests[f"WS {method}"] += 1
        if method.startswith("session."):
            return 200, self._session(connection, method), 0.0
        if method not in METHODS:
            raise BinanceError(-1000, "Unknown method.", 400)
        verb, path = METHODS[method]
        found = ENDPOINTS[verb, path]
        parameters = {name: _text(value) for name, value in sent.items() if value not in (None, "")}
        call = BinanceCall(
            self.runtime, verb, path, {name: value for name, value in parameters.items() if name not in AUTH}
        )
        self.http.limits.admit(max(1, found.weight), remote)
        if found.security != PUBLIC:
            self._admit(found.security, call, sent, parameters)
        fault = self.runtime.exchange.faults.strike(TRANSPORT_FAULTS, call.about() | {"op": method})
        status, answered = self.http.carried_out(call, found, fault)
        if fault is not None and fault.kind in ("lost_after", "lost_before", "late", "reset"):
            raise ConnectionAbortedError
        slow = float(fault.asked.get("seconds", 1)) if fault is not None and fault.kind == "slow" else 0.0
        return status, answered, slow

    def _admit(self, security: str, call: BinanceCall, sent: Row, parameters: dict[str, str]) -> None:
        """BinanceError unless key, time and signature are good."""
        name = self.http.caller(parameters.get("apiKey", ""))
        if security == "key":
            return
        if not isinstance(sent.get("timestamp"), int):
            raise BinanceError(-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")
        self.http.in_time(call)
        signed = "&".join(f"{key}={parameters[key]}" for key in sorted(parameters) if key != "signature")
        given = parameters.get("signature", "").lower()
        if not hmac.compare_digest(sign(self.runtime.keys[name]["secret"], signed.encode()), given):
            raise BinanceError(-1022, "Signature for this request is not valid.")
        if security == TRADE and name != "binance":
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def _session(self, connection: BinanceConnection, method: str) -> Row:
        """Sessions are for Ed25519 keys; these are not."""
        if method == "session.logon":
            raise BinanceError(-1022, "Signature for this request is not valid.")
        if method not in ("session.status", "session.logout"):
            raise BinanceError(-1000, "Unknown method.", 400)
        return {"apiKey": None, "authorizedSince": None, "connectedSince": connection.opened,
                "returnRateLimits": True, "serverTime": self.runtime.shown_now()}  # fmt: skip

    def _limits(self) -> list[Row]:
        used, short, long = self.http.limits.counts()
        behaviour = self.runtime.exchange.behaviour
        orders: list[Row] = [
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
             "limit": int(behaviour["binance_orders_10s"]), "count": short},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1,
             "limit": int(behaviour["binance_orders_1m"]), "count": long},
        ]  # fmt: skip
        return [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                 "limit": int(behaviour["binance_weight_limit"]), "count": used}, *orders]  # fmt: skip


def _text(value: Any) -> str:
    """A JSON value as it is signed and read."""
    return str(value).lower() if isinstance(value, bool) else str(value)
