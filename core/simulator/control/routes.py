"""The controls under /sim/: prices, clock, faults, switches, acting in an account by hand, and the whole state."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from aiohttp import web

from core.simulator.binance.errors import BinanceError
from core.simulator.binance.errors import coded as binance_coded
from core.simulator.binance.http import BinanceHttp
from core.simulator.control.binance import BinanceControl
from core.simulator.control.mirror import Mirror
from core.simulator.control.okx import OkxControl
from core.simulator.engine.commands import (
    Advance,
    MovePrice,
    Reset,
    SetBehaviour,
    SetFaults,
    SetMarket,
)
from core.simulator.engine.state import Refusal
from core.simulator.okx.errors import CODES, coded
from core.simulator.okx.format import text
from core.simulator.okx.http import OkxHttp, clean
from core.simulator.runtime import Runtime

Body = Any
SOURCES = ("walk", "hold", "script", "mirror", "candles")


class Control:
    """Every address under /sim/. A senseless request is answered 400 with words."""

    def __init__(self, runtime: Runtime, http: OkxHttp, binance: BinanceHttp) -> None:
        self.runtime, self.http, self.binance = runtime, http, binance
        self.okx_side, self.binance_side = OkxControl(runtime), BinanceControl(runtime)
        self.mirror = Mirror(runtime)

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses under /sim/."""
        table: list[tuple[str, str, Callable[[Body], Any]]] = [
            ("POST", "price", self.price), ("GET", "prices", self.prices), ("POST", "market", self.market),
            ("POST", "clock", self.clock),
            ("GET", "clock", self.clock), ("POST", "faults", self.set_faults), ("GET", "faults", self.faults),
            ("DELETE", "faults", lambda body: self.set_faults([])), ("GET", "state", self.state),
            ("POST", "reset", self.reset),
            ("POST", "intervene", self.intervene), ("POST", "switches", self.set_switches),
            ("GET", "switches", self.switches),
            ("POST", "requests/reset", self.forget_requests), ("POST", "delay", self.delay),
            ("GET", "health", self.health),
            ("GET", "candles", self.candles),
        ]  # fmt: skip
        return [web.route(method, f"/sim/{path}", self._guarded(handler)) for method, path, handler in table]

    def _guarded(self, handler: Callable[[Body], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            """Answer one request with JSON; 400 with words where it makes no sense."""
            try:
                raw = await request.read()
                body = orjson.loads(raw) if raw else dict(request.query)
                if not isinstance(body, (dict, list)):
                    raise ValueError("a JSON object is wanted")
                found, status = handler(body), 200
            except Refusal as refusal:
                found, status = _refused(refusal), 400
            except BinanceError as error:
                found, status = {"error": str(error.code), "message": error.message}, 400
            except (ValueError, KeyError, TypeError, InvalidOperation) as error:
                found, status = {"error": f"{type(error).__name__}: {error}"}, 400
            return web.Response(status=status, body=orjson.dumps(found), content_type="application/json")

        return answer

    # -- prices and time

    def price(self, body: Body) -> Any:
        """Move the prices of an instrument."""
        symbol = self.okx_side.symbol(body)
        prices = {
            name: str(_above_zero(body[name], name)) for name in ("last", "mark", "index") if body.get(name) is not None
        }
        self.runtime.perform(MovePrice(symbol, **prices))
        return {"ok": True}

    def prices(self, body: Body) -> Any:
        """Return the prices of every instrument, and what moves them."""
        return {
            symbol: {"last": text(m.prices.last), "mark": text(m.prices.mark), "index": text(m.prices.index),
                     "source": m.source}
            for symbol, m in self.runtime.exchange.markets.items()
        }  # fmt: skip

    def market(self, body: Body) -> Any:
        """Set what moves the prices from now on."""
        source, symbol = body["source"], self.okx_side.symbol(body) if body.get("instId") else None
        if source not in SOURCES:
            raise ValueError(f"source is one of {', '.join(SOURCES)}")
        settings = {name: value for name, value in body.items() if name not in ("source", "instId")}
        if source == "script":
            points = [(float(seconds), _above_zero(price, "price")) for seconds, price in settings["path"]]
            if not points or [s for s, _ in points] != sorted({s for s, _ in points}) or points[0][0] <= 0:
                raise ValueError("a path is points of rising seconds, the first after now")
        self.mirror.stop()
        if source == "mirror":
            self.mirror.start(str(body["base_url"]), symbol)
            source, settings = "hold", {}
        self.runtime.perform(SetMarket(source, symbol, settings))
        return {"ok": True}

    def clock(self, body: Body) -> Any:
        """Move a stepped clock on, and return the time."""
        if "advance_seconds" in body:
            if self.runtime.clock.kind != "stepped":
                raise ValueError("only a stepped clock is moved by hand")
            seconds = float(body["advance_seconds"])
            if not 0 <= seconds <= 400 * 86400:
                raise ValueError("advance_seconds is out of reach")
            self.runtime.perform(Advance(self.runtime.exchange.now + round(seconds * 1000)))
        now = datetime.fromtimestamp(self.runtime.now() / 1000, UTC).isoformat(timespec="milliseconds")
        return {"now": now.replace("+00:00", "Z"), "clock": self.runtime.clock.kind}

    # -- faults and switches

    def set_faults(self, body: Body) -> Any:
        """Replace the active faults, and return them."""
        self.runtime.perform(SetFaults(body))
        return self.faults(body)

    def faults(self, body: Body) -> Any:
        """Return the active faults with how often each has struck."""
        return self.runtime.exchange.faults.shown()

    def set_switches(self, body: Body) -> Any:
        """Choose behaviours, and return all of them."""
        for name in body:
            if name not in self.runtime.exchange.behaviours:
                raise ValueError(f"there is no switch {name}")
        self.runtime.perform(SetBehaviour(body))
        return self.switches(body)

    def switches(self, body: Body) -> Any:
        """Return all behaviours."""
        return self.runtime.exchange.behaviour | {"demo_keys": self.runtime.keys["okx_demo"]}

    # -- what a person does in an account

    def intervene(self, body: Body) -> Any:
        """Act in an account by hand, as the body's "do" says; ValueError where there is no such act."""
        side = self.binance_side if body.get("account") == "binance" else self.okx_side
        return {"ok": True} | side.intervene(clean(body))

    # -- starting afresh, and looking

    def reset(self, body: Body) -> Any:
        """Begin everything anew under the same keys."""
        self.mirror.stop()
        self.runtime.journal.perform(Reset(body.get("seed"), body.get("balance")))
        self.runtime.clock.restart(self.runtime.exchange.now)
        self.runtime.requests.clear()
        self.runtime.delay_seconds = 0.0
        self.http.limits.forget()
        self.binance.limits.forget()
        return {"ok": True}

    def forget_requests(self, body: Body) -> Any:
        """Begin to count requests anew."""
        self.runtime.requests.clear()
        return {"ok": True}

    def delay(self, body: Body) -> Any:
        """Hold back every answer and push by so many ms."""
        self.runtime.delay_seconds = max(0.0, float(body["ms"]) / 1000)
        return {"ok": True, "ms": body["ms"]}

    def health(self, body: Body) -> Any:
        """Return that it is there, its time and its seed."""
        return {
            "ok": True,
            "now": self.clock({})["now"],
            "clock": self.runtime.clock.kind,
            "seed": self.runtime.exchange.seed,
        }

    def candles(self, body: Body) -> Any:
        """Return the latest one-minute candles of an instrument."""
        market = self.runtime.exchange.markets[self.okx_side.symbol(body)]
        chosen = market.tape.minutes[-int(body.get("limit", 300)) :]
        return {"candles": [[candle[0], *map(text, candle[1:])] for candle in chosen]}

    def state(self, body: Body) -> Any:
        """Return everything the exchange knows, as no client sees it."""
        self.runtime.tick()
        exchange = self.runtime.exchange
        return {
            "now": self.clock({})["now"],
            "seed": exchange.seed,
            "clock": self.runtime.clock.kind,
            "config": exchange.behaviour,
            "prices": self.prices(body),
            "requests": dict(self.runtime.requests),
            "binance": self.binance_side.state() | {"weight": self.binance.limits.total},
        } | self.okx_side.state()


def _refused(refusal: Refusal) -> dict[str, str]:
    """The refusal in the code and words of the side that it came from."""
    if refusal.reason in CODES:
        return dict(zip(("error", "message"), coded(refusal), strict=True))
    error = binance_coded(refusal)
    return {"error": str(error.code), "message": error.message}


def _above_zero(value: Any, name: str) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{name} is a number above zero")
    return number
