"""Binance USD-M over HTTP: who is let in (key, signature over the raw bytes, time), how often, and what a fault makes
of the answer.

Source: Binance USD-M documentation, General Info and Error Codes. Parameters may come in the query, in a form body or
in both; the query wins, and the text that is signed is the query followed at once by the body.
"""

import asyncio
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from core.simulator.binance import account, algo, listen_key, public, settings, trade
from core.simulator.binance.endpoints import ENDPOINTS, PUBLIC, TRADE, BinanceCall, BinanceEndpoint
from core.simulator.binance.errors import BinanceError, coded
from core.simulator.binance.rate_limits import BinanceLimits
from core.simulator.engine.candles import draw
from core.simulator.engine.state import Refusal
from core.simulator.fault_responses import ANSWER_FAULTS, fault_answer
from core.simulator.faults import Fault
from core.simulator.runtime import BINANCE_KEY_NAMES, PutOff, Runtime

HANDLERS = (
    algo, listen_key, public, settings, trade, account,
)  # fmt: skip
TRANSPORT_FAULTS = ANSWER_FAULTS | {"code", "http_503", "json_list"}
UNKNOWN_503 = "Unknown error, please check your request or try again later."
BUSY_503 = "Server is currently overloaded with other requests. Please try again in a few minutes."
AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
BEHIND = "Timestamp for this request is outside of the recvWindow."


def sign(secret: str, text: bytes) -> str:
    """Return the hex HMAC-SHA256 of the text, as Binance signs requests."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def unsigned(text: bytes) -> bytes:
    """Return the parameters without their signature, byte for byte."""
    return b"&".join(part for part in text.split(b"&") if not part.startswith(b"signature="))


class BinanceHttp:
    """Answers everything under /fapi/ and /sapi/."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.limits = BinanceLimits(runtime)
        self._answers = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses that `answer` answers."""
        return [web.route("*", f"/{{base:fapi|sapi}}/{path}", self.answer) for path in ("{path:.*}",)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, from the raw bytes to the raw answer."""
        base, path = request.match_info["base"], request.match_info["path"].rstrip("/")
        self.runtime.requests[f"{request.method} /{base}/{path}"] += 1
        body, fault, headers = await request.read(), None, {}
        name = path if base == "fapi" else f"sapi/{path}"
        query = request.raw_path.partition("?")[2].encode()
        try:
            found = ENDPOINTS.get((request.method, name))
            if base == "sapi" and self.runtime.exchange.behaviour["binance_flavour"] == "demo":
                raise BinanceError(0, "Forbidden", 403)
            if found is None:
                raise BinanceError(-5000, f"Path /{base}/{path}, Method {request.method} is invalid", 404)
            call = BinanceCall(self.runtime, request.method, name, _parameters(query, body))
            headers = self.limits.admit(self._weight(found, call), request.remote or "")
            self.admit(found, call, request.headers.get("X-MBX-APIKEY", ""), query, body)
            fault = self.runtime.exchange.faults.strike(TRANSPORT_FAULTS, call.about())
            status, answered = self.carried_out(call, found, fault)
            headers |= call.headers
        except BinanceError as error:
            status, answered = error.http, error.body
            headers = headers or self.limits.header()
        if self.runtime.delay_seconds:
            await asyncio.sleep(self.runtime.delay_seconds)
        if fault is not None:
            instead = await fault_answer(request, fault)
            if instead is not None:
                return instead
        raw = answered if isinstance(answered, bytes) else orjson.dumps(answered)
        return web.Response(status=status, body=raw, content_type="application/json", headers=headers)

    def _weight(self, found: BinanceEndpoint, call: BinanceCall) -> int:
        if call.path in WEIGHED:
            return WEIGHED[call.path](call)
        return found.weight if call.get("symbol") else found.weight_all

    # -- who is calling

    def admit(self, found: BinanceEndpoint, call: BinanceCall, key: str, query: bytes, body: bytes) -> None:
        """Raise BinanceError unless key, signature and time of the request are as the endpoint wants them."""
        if found.security == PUBLIC:
            return
        name = self.caller(key)
        if found.security == "key":
            return
        self.in_time(call)
        text = unsigned(query) + unsigned(body)
        if not call.get("signature"):
            raise BinanceError(-1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")
        if not hmac.compare_digest(sign(self.runtime.keys[name]["secret"], text), call.get("signature").lower()):
            raise BinanceError(-1022, "Signature for this request is not valid.")
        if found.security == TRADE and name != "binance":
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def caller(self, key: str) -> str:
        """Return the name of that key; BinanceError where there is none."""
        if len(key) != 64:
            raise BinanceError(-2014, "API-key format invalid.", 401)
        for name in BINANCE_KEY_NAMES:
            if hmac.compare_digest(self.runtime.keys[name]["api_key"].encode(), key.encode()):
                return name
        raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def in_time(self, call: BinanceCall) -> None:
        """Raise BinanceError -1021 unless the request's time fits the machine's clock or the simulated one."""
        stamp, window = call.whole("timestamp"), call.whole("recvWindow", 5000)
        if stamp is None:
            raise BinanceError(-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")
        assert window is not None
        most = int(self.runtime.exchange.behaviour["binance_recv_window_max"])
        if most and window > most:
            raise BinanceError(-1131, f"recvWindow must be less than {most}.")
        offset = float(self.runtime.exchange.behaviour["clock_offset_seconds"]) * 1000
        clocks = [int(time.time() * 1000 + offset), self.runtime.shown_now()]
        for now in clocks:
            if stamp < now + 1000 and now - stamp <= window:
                call.deadline = self.runtime.now() + window - (now - stamp)
                return
        raise BinanceError(-1021, AHEAD if all(stamp >= now + 1000 for now in clocks) else BEHIND)

    # -- answering

    def carried_out(self, call: BinanceCall, found: BinanceEndpoint, fault: Fault | None) -> tuple[int, Any]:
        """Return status and body, once the call has been carried out or kept from it by the fault."""
        asked = fault.asked if fault is not None else {}
        kind = asked.get("kind")
        executed = kind in (None, "lost_after", "late", "slow") or bool(asked.get("executed", False))
        if kind == "http_503" and asked.get("variant") == "C" and spared(call):
            kind, executed = None, True
        if kind == "late":
            call.late_ms = int(float(asked.get("seconds", 5)) * 1000)
        status: int = 200
        answered: Any = {}
        if executed:
            try:
                counts = self.limits.admit_orders(found.orders) if found.orders else {}
                status, answered = 200, self._extended(found.handler(call))
                call.headers |= counts
            except Refusal as refusal:
                error = coded(refusal)
                status, answered = error.http, error.body
            except BinanceError as error:
                status, answered = error.http, error.body
            except PutOff:
                pass  # put off: nobody will read this answer
        if kind == "code":
            return int(asked.get("http", 400)), {
                "code": int(asked["code"]),
                "msg": str(asked.get("message", "")) or words(asked),
            }
        if kind == "http_503":
            return 503, {"A": {"code": -1000, "msg": UNKNOWN_503}, "B": {"code": -1016, "msg": "Service Unavailable."},
                         "C": {"code": -1008, "msg": BUSY_503}}[str(asked.get("variant", "A"))]  # fmt: skip
        if kind == "json_list":
            return int(asked.get("http", 400)), [{"code": -1000, "msg": UNKNOWN_503}]
        return status, answered

    def _extended(self, answered: Any) -> Any:
        """The answer, with an unknown field in each row where `extra_fields` is chosen."""
        if not self.runtime.exchange.behaviour["extra_fields"]:
            return answered
        self._answers += 1
        source = draw(self.runtime.exchange.seed, self._answers, "extra")
        more = {f"new{source.randint(1, 9)}Field": str(source.randint(0, 99))}
        if isinstance(answered, list):
            return [row | more if isinstance(row, dict) else row for row in answered]
        return answered | more


def _parameters(query: bytes, body: bytes) -> dict[str, str]:
    """All parameters; the query wins, and an empty one counts as absent."""
    try:
        pairs = [dict(parse_qsl(part.decode(), keep_blank_values=True)) for part in (body, query)]
    except UnicodeDecodeError:
        raise BinanceError(-1100, "Illegal characters found in a parameter.") from None
    return {name: value for name, value in (pairs[0] | pairs[1]).items() if value != ""}


def words(asked: dict[str, Any]) -> str:
    """Return the usual message of a code that a fault wants."""
    return {
        -1000: "An unknown error occurred while processing the request.",
        -1001: "Internal error; unable to process your request. Please try again.",
        -1006: "An unexpected response was received from the message bus. Execution status unknown.",
        -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        -1008: BUSY_503,
        -1021: BEHIND,
        -5028: "Timestamp for this request is outside of the ME recvWindow",
    }.get(int(asked["code"]), "Operation failed.")


def spared(call: BinanceCall) -> bool:
    """Return whether an overload lets it through: closing orders and cancels, but nothing of the algo service."""
    if call.method == "DELETE" or call.path not in ("v1/order", "v1/batchOrders", "v1/order/test"):
        return call.method in ("DELETE", "GET")
    closes = call.get("side") + call.get("positionSide") in ("SELLLONG", "BUYSHORT")
    return call.method == "GET" or closes or call.get("reduceOnly").lower() == "true"


def _klines(call: BinanceCall) -> int:
    limit = call.whole("limit", 500) or 500
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


def _depth(call: BinanceCall) -> int:
    limit = call.whole("limit", 500) or 500
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


WEIGHED = {"v1/klines": _klines, "v1/markPriceKlines": _klines, "v1/depth": _depth}
