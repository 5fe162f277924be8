"""OKX V5 over HTTP: who is let in (signature, time, key), how often, what a fault does to the answer, the envelope.

Source of headers, signature and codes: OKX V5 docs, overview, authentication; auth errors come without a data key.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from core.simulator.engine.candles import draw
from core.simulator.engine.state import Refusal
from core.simulator.fault_responses import ANSWER_FAULTS, fault_answer
from core.simulator.faults import Fault
from core.simulator.okx import account, algo, public, settings, trade
from core.simulator.okx.endpoints import ENDPOINTS, OkxCall, OkxEndpoint
from core.simulator.okx.errors import OkxError, coded
from core.simulator.okx.rate_limits import OkxLimits
from core.simulator.runtime import KEY_NAMES, PutOff, Runtime

HANDLERS = (account, algo, public, settings, trade)
SKEW_MS = 30_000
TRANSPORT_FAULTS = ANSWER_FAULTS | {"code"}
BARE = {f"501{number:02}" for number in (*range(8), *range(10, 15), 19)}  # their answers carry no data


def sign(secret: str, prehash: str) -> str:
    """Return the base64 HMAC-SHA256 of the text, as OKX signs requests."""
    return base64.b64encode(hmac.new(secret.encode(), prehash.encode(), hashlib.sha256).digest()).decode()


class OkxHttp:
    """Answers everything under /api/v5/, behind any path prefix."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.before_call: Callable[[OkxCall], None] | None = (
            None  # what wants to know of a call before it is carried out
        )
        self.limits = OkxLimits(runtime)
        self._answers = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses that `answer` answers."""
        return [web.route("*", "/{prefix:.*}api/v5/{path:.*}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, from the raw bytes to the raw answer."""
        raw = request.raw_path[request.raw_path.index("/api/v5/") :]
        path = raw.partition("?")[0].removeprefix("/api/v5/").rstrip("/")
        self.runtime.requests[f"{request.method} /api/v5/{path}"] += 1
        body, began = await request.read(), time.time_ns() // 1000
        found, fault = ENDPOINTS.get((request.method, path)), None
        try:
            if found is None:
                raise OkxError("404", "Not Found", 404)
            call = self._understood(request, found, raw, path, body)
            self._as_list(call, path)
            self.limits.admit(call, found, request.remote or "")
            fault = self.runtime.exchange.faults.strike(TRANSPORT_FAULTS, call.about())
            status, answered = self._carried_out(call, found, fault, began)
        except OkxError as error:
            status, answered = error.http, self._refusal(error)
        if self.runtime.delay_seconds:
            await asyncio.sleep(self.runtime.delay_seconds)
        if fault is not None:
            instead = await fault_answer(request, fault)
            if instead is not None:
                return instead
        return web.Response(status=status, body=orjson.dumps(answered), content_type="application/json")

    # -- understanding

    def _understood(self, request: web.Request, found: OkxEndpoint, raw: str, path: str, body: bytes) -> OkxCall:
        demo = request.headers.get("x-simulated-trading") == "1" and self.runtime.exchange.behaviour["two_worlds"]
        call = OkxCall(self.runtime, request.method, path, {}, "demo" if demo else "live")
        if found.private:
            name = self._caller(request, raw, body)
            world, permissions = KEY_NAMES[name]
            if self.runtime.exchange.behaviour["two_worlds"] and (world == "demo") != demo:
                raise OkxError("50101", "APIKey does not match current environment.", 401)
            call.account = world
            call.notes = {"permissions": permissions}
            if found.trades and "trade" not in permissions:
                raise OkxError("50120", "This API key doesn't have permission to use this function")
        call.parameters = self._parameters(request, found, body)
        if deadline := request.headers.get("expTime"):
            if not deadline.isdigit():
                raise OkxError("50014", "Parameter expTime error", 400)
            call.deadline = int(deadline) - (self.runtime.shown_now() - self.runtime.now())  # as the engine counts
        return call

    def _caller(self, request: web.Request, raw: str, body: bytes) -> str:
        """The name of the key that signed; OkxError with OKX's own code where something is wrong."""
        headers = request.headers
        wanted = {
            "OK-ACCESS-KEY": "50103",
            "OK-ACCESS-PASSPHRASE": "50104",
            "OK-ACCESS-SIGN": "50106",
            "OK-ACCESS-TIMESTAMP": "50107",
        }
        for header, code in wanted.items():
            if not headers.get(header):
                raise OkxError(code, f"Request header {header} cannot be empty.", 401)
        stamp = headers["OK-ACCESS-TIMESTAMP"]
        try:
            signed_at = datetime.fromisoformat(stamp)
            if not stamp.endswith("Z"):
                raise ValueError(stamp)
        except ValueError:
            raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP", 401) from None
        if not self.close_enough(signed_at.timestamp() * 1000):
            raise OkxError("50102", "Timestamp request expired", 401)
        name, key = self.key(headers["OK-ACCESS-KEY"])
        if not hmac.compare_digest(headers["OK-ACCESS-PASSPHRASE"].encode(), key["passphrase"].encode()):
            raise OkxError("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
        expected = sign(key["secret"], stamp + request.method + raw + body.decode(errors="replace"))
        if not hmac.compare_digest(headers["OK-ACCESS-SIGN"].encode(), expected.encode()):
            raise OkxError("50113", "Invalid Sign", 401)
        return name

    def close_enough(self, signed_ms: float) -> bool:
        """Return whether the time of a signature is within 30 s of the machine's clock or the simulated one."""
        offset = float(self.runtime.exchange.behaviour["clock_offset_seconds"]) * 1000
        return any(abs(signed_ms - now) <= SKEW_MS for now in (time.time() * 1000 + offset, self.runtime.shown_now()))

    def key(self, api_key: str) -> tuple[str, dict[str, str]]:
        """Return name and key of that api key; OkxError 50119 where there is none."""
        for name in KEY_NAMES:
            key = self.runtime.keys[name]
            if hmac.compare_digest(key["api_key"].encode(), api_key.encode()):
                return name, key
        raise OkxError("50119", "API key doesn't exist", 401)

    def _parameters(self, request: web.Request, found: OkxEndpoint, body: bytes) -> Any:
        if request.method == "GET":
            return {name: value for name, value in request.query.items() if value != ""}
        if "json" not in request.headers.get("Content-Type", ""):
            raise OkxError("50006", "Invalid Content-Type. Please use application/JSON.", 400)
        try:
            sent = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise OkxError("50002", "Incorrect json data format", 400) from None
        if isinstance(sent, list) and all(isinstance(row, dict) for row in sent) and sent:
            return [clean(row) for row in sent]
        if not isinstance(sent, dict):
            raise OkxError("50002", "Incorrect json data format", 400)
        return clean(sent)

    def _as_list(self, call: OkxCall, path: str) -> None:
        """Make the parameters a list where the call takes one; OkxError where a list comes that is not wanted."""
        if isinstance(call.parameters, list) != (path in LISTS):
            if path not in LISTS:
                raise OkxError("50002", "Incorrect json data format", 400)
            call.parameters = [call.parameters]

    # -- answering

    def _carried_out(self, call: OkxCall, found: OkxEndpoint, fault: Fault | None, began: int) -> tuple[int, Any]:
        asked = fault.asked if fault is not None else {}
        kind = asked.get("kind")
        executed = kind in (None, "lost_after", "late", "slow") or bool(asked.get("executed", False))
        if kind == "late":
            call.late_ms = int(float(asked.get("seconds", 5)) * 1000)
        status, answered = 200, {"code": "0", "msg": "", "data": []}
        if executed:
            if self.before_call is not None:
                self.before_call(call)
            try:
                status, answered = self._envelope(found, found.handler(call), began)
            except Refusal as refusal:
                status, answered = 200, self._refusal(OkxError(*coded(refusal)))
            except OkxError as error:
                status, answered = error.http, self._refusal(error)
            except PutOff:
                pass  # put off: nobody will read this answer
        if kind == "code":
            words, status = str(asked.get("message", "Service temporarily unavailable")), int(asked.get("http", 200))
            return status, self._refusal(OkxError(str(asked["code"]), words, status))
        return status, answered

    def _envelope(self, found: OkxEndpoint, rows: list[Any], began: int) -> tuple[int, Any]:
        answered: dict[str, Any] = {"code": "0", "data": rows, "msg": ""}
        if found.orders:
            answered["code"], answered["msg"] = top(rows)
            if self.runtime.exchange.behaviour["fail_envelope_zero"]:
                answered["code"], answered["msg"] = "0", ""
            answered |= {"inTime": str(began), "outTime": str(time.time_ns() // 1000)}
        if self.runtime.exchange.behaviour["extra_fields"]:
            self._answers += 1
            for row in rows:
                if isinstance(row, dict):
                    source = draw(self.runtime.exchange.seed, self._answers, "extra")
                    row[f"new{source.randint(1, 9)}Field"] = str(source.randint(0, 99))
        return 200, answered

    def _refusal(self, error: OkxError) -> dict[str, Any]:
        if error.code in BARE or error.http == 404:
            return {"msg": error.message, "code": error.code}
        return {"code": error.code, "data": [], "msg": error.message}


LISTS = {
    "trade/batch-orders",
    "trade/cancel-batch-orders",
    "trade/amend-batch-orders",
    "trade/cancel-algos",
    "trade/cancel-advance-algos",
}


def clean(row: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that were really sent: "" and null mean absent, in nested rows too."""
    made = {}
    for name, value in row.items():
        if value is None or value == "":
            continue
        made[name] = (
            [clean(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
        )
    return made


def top(rows: list[Any]) -> tuple[str, str]:
    """Return the envelope's code and message from what became of the rows."""
    failed = sum(row.get("sCode") != "0" for row in rows)
    if not failed:
        return "0", ""
    return ("1", "All operations failed") if failed == len(rows) else ("2", "Bulk operation partially succeeded.")
