"""The simulator's own controls under /sim/: prices, clock, faults, switches, a person's hand, and the whole truth."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from aiohttp import web

from core.simulator.behaviour import DEFAULTS
from core.simulator.binance.errors import BinanceError
from core.simulator.binance.errors import coded as binance_coded
from core.simulator.binance.http import BinanceHttp
from core.simulator.control.binance import BinanceControl
from core.simulator.control.mirror import Mirror
from core.simulator.engine.state import Refusal
from core.simulator.okx import trade
from core.simulator.okx.errors import CODES, coded
from core.simulator.okx.format import text
from core.simulator.okx.http import OkxHttp, clean
from core.simulator.okx.rows import account, orders
from core.simulator.runtime import House

Body = Any
SOURCES = ("walk", "hold", "script", "mirror", "candles")


class Control:
    """Every address under /sim/. A senseless request is answered 400 with words."""

    def __init__(self, house: House, http: OkxHttp, binance: BinanceHttp) -> None:
        self.house, self.http, self.binance = house, http, binance
        self.binance_hand = BinanceControl(house)
        self.mirror = Mirror(house)

    def routes(self) -> list[web.RouteDef]:
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
        symbol = self._symbol(body)
        prices = {
            name: str(_above_zero(body[name], name)) for name in ("last", "mark", "index") if body.get(name) is not None
        }
        self.house.perform({"do": "price", "symbol": symbol, "last": prices.pop("last"), **prices})
        return {"ok": True}

    def prices(self, body: Body) -> Any:
        return {
            symbol: {"last": text(m.prices.last), "mark": text(m.prices.mark), "index": text(m.prices.index),
                     "source": m.source}
            for symbol, m in self.house.engine.markets.items()
        }  # fmt: skip

    def _symbol(self, body: Body) -> str:
        symbol = str(body["instId"])
        if symbol.endswith("USDT") and "-" not in symbol:  # BTCUSDT is the same market
            symbol = f"{symbol.removesuffix('USDT')}-USDT-SWAP"
        if symbol not in self.house.engine.markets:
            raise ValueError(f"there is no instrument {symbol}")
        return symbol

    def market(self, body: Body) -> Any:
        source, symbol = body["source"], self._symbol(body) if body.get("instId") else None
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
        self.house.perform({"do": "market", "source": source, "symbol": symbol, "settings": settings})
        return {"ok": True}

    def clock(self, body: Body) -> Any:
        if "advance_seconds" in body:
            if self.house.clock.kind != "stepped":
                raise ValueError("only a stepped clock is moved by hand")
            seconds = float(body["advance_seconds"])
            if not 0 <= seconds <= 400 * 86400:
                raise ValueError("advance_seconds is out of reach")
            self.house.perform({"do": "advance", "to": self.house.engine.now + round(seconds * 1000)})
        now = datetime.fromtimestamp(self.house.now() / 1000, UTC).isoformat(timespec="milliseconds")
        return {"now": now.replace("+00:00", "Z"), "clock": self.house.clock.kind}

    # -- faults and switches

    def set_faults(self, body: Body) -> Any:
        self.house.perform({"do": "faults", "asked": body})
        return self.faults(body)

    def faults(self, body: Body) -> Any:
        return self.house.engine.faults.shown()

    def set_switches(self, body: Body) -> Any:
        for name in body:
            if name not in DEFAULTS:
                raise ValueError(f"there is no switch {name}")
        self.house.perform({"do": "switches", "values": body})
        return self.switches(body)

    def switches(self, body: Body) -> Any:
        return self.house.engine.switches | {"demo_keys": self.house.keys["okx_demo"]}

    # -- the account

    def intervene(self, body: Body) -> Any:
        deeds = {"close": self._close, "cancel": self._cancel, "place": self._place, "place_algo": self._place_algo,
                 "amend_algo": self._amend_algo, "deposit": self._deposit, "liquidate": self._liquidate,
                 "adl": self._adl}  # fmt: skip
        if body.get("account") == "binance":
            return {"ok": True} | self.binance_hand.intervene(clean(body))
        if body.get("do") not in deeds:
            raise ValueError(f"do is one of {', '.join(deeds)}")
        return {"ok": True} | (deeds[body["do"]](clean(body)) or {})

    def _close(self, body: Body) -> Any:
        command = {"account": "live", "symbol": self._symbol(body), "side": body.get("posSide", "net")}
        if body.get("sz"):
            order = self.house.perform({"do": "close_part", **command, "size": str(body["sz"])})
        else:
            order = self.house.perform({"do": "close", **command, "cancel_orders": True})
        return {"ordId": order.order_id}

    def _cancel(self, body: Body) -> Any:
        if body.get("algoId") or body.get("algoClOrdId"):
            self.house.perform({"do": "cancel_algo", "account": "live", **trade.which_algo(body)})
            return None
        which = trade.which(body)
        for order in self.house.engine.live.values():
            if which["order_id"] == order.order_id or (which["client_id"] and which["client_id"] == order.client_id):
                command = {"do": "cancel", "account": "live", "symbol": order.instrument, "order_id": order.order_id}
                self.house.perform(command)
                return None
        raise Refusal("cancel_gone")

    def _place(self, body: Body) -> Any:
        row = {"tdMode": "cross", **body}
        order = self.house.perform({"do": "place", "account": "live", "order": trade.draft(row)})
        return {"ordId": order.order_id}

    def _place_algo(self, body: Body) -> Any:
        row = {"tdMode": "cross", **body}
        algo = self.house.perform({"do": "place_algo", "account": "live", "algo": trade.algo_draft(row)})
        return {"algoId": algo.algo_id}

    def _amend_algo(self, body: Body) -> Any:
        trigger = {
            "trigger": body.get("newTriggerPx"),
            "price": body.get("newOrdPx"),
            "by": body.get("newTriggerPxType"),
        }
        change = trade.legs(body, "new") | {"trigger": trigger, "size": body.get("newSz")}
        self.house.perform({"do": "amend_algo", "account": "live", **trade.which_algo(body), "change": change})

    def _deposit(self, body: Body) -> Any:
        self.house.perform({"do": "deposit", "amount": str(Decimal(str(body["amount"])))})

    def _liquidate(self, body: Body) -> Any:
        self.house.perform({"do": "liquidate", "symbol": self._symbol(body), "side": body.get("posSide", "net")})

    def _adl(self, body: Body) -> Any:
        size = str(body["sz"]) if body.get("sz") else None
        self.house.perform(
            {"do": "adl", "symbol": self._symbol(body), "side": body.get("posSide", "net"), "size": size}
        )

    # -- the whole truth

    def reset(self, body: Body) -> Any:
        self.mirror.stop()
        fresh = {name: body[name] for name in ("seed", "balance") if body.get(name) is not None}
        self.house.journal.perform({"do": "reset", **fresh})
        self.house.clock.restart(self.house.engine.now)
        self.house.requests.clear()
        self.house.delay_seconds = 0.0
        self.http.forget_limits()
        self.binance.limits.forget()
        return {"ok": True}

    def forget_requests(self, body: Body) -> Any:
        self.house.requests.clear()
        return {"ok": True}

    def delay(self, body: Body) -> Any:
        self.house.delay_seconds = max(0.0, float(body["ms"]) / 1000)
        return {"ok": True, "ms": body["ms"]}

    def health(self, body: Body) -> Any:
        return {
            "ok": True,
            "now": self.clock({})["now"],
            "clock": self.house.clock.kind,
            "seed": self.house.engine.seed,
        }

    def candles(self, body: Body) -> Any:
        market = self.house.engine.markets[self._symbol(body)]
        chosen = market.tape.minutes[-int(body.get("limit", 300)) :]
        return {"candles": [[candle[0], *map(text, candle[1:])] for candle in chosen]}

    def state(self, body: Body) -> Any:
        engine = self.house.engine
        self.house.tick()
        worlds = ["live", "demo"] if engine.switches["two_worlds"] else ["live"]
        owners = [engine.accounts[name] for name in worlds]
        return {
            "now": self.clock({})["now"], "seed": engine.seed, "clock": self.house.clock.kind,
            "config": engine.switches,
            "prices": self.prices(body),
            "accounts": {owner.name: {
                "balance": text(owner.balance), "equity": text(owner.equity(engine.prices)),
                "deposits": text(owner.deposits), "realised": text(owner.realised),
                "fees": text(owner.fees),
                "funding": text(owner.funding), "penalties": text(owner.penalties),
                "posMode": "long_short_mode" if owner.hedged else "net_mode",
                "leverage": {symbol: text(value) for symbol, value in owner.leverage.items()},
            } for owner in owners},
            "positions": [account.position(engine, p) for owner in owners for p in owner.positions.values()],
            "lives": [account.life(engine, life) for owner in owners for life in owner.lives],
            "orders": [orders.order(engine, order) for order in engine.orders.values() if order.account in worlds],
            "algos": [orders.algo(engine, algo) for algo in engine.algos.values() if algo.account in worlds],
            "fills": [orders.fill(fill) for fill in engine.fills.values() if fill.account in worlds],
            "ledger": [account.bill(bill) for owner in owners for bill in owner.ledger],
            "requests": dict(self.house.requests),
            "binance": self.binance_hand.state() | {"weight": self.binance.limits.total},
        }  # fmt: skip


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
