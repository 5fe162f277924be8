"""Acts of a person in the Binance account, and its whole state, for the controls under /sim/.

`place` and `place_algo` take the wire's own words (symbol, side, positionSide, type, quantity, ...); the others take
instId (BTC-USDT-SWAP or BTCUSDT), posSide (long, short, net) and sz in the base coin, as for the other account.
"""

from collections.abc import Callable
from typing import Any

from core.simulator.binance import algo, trade
from core.simulator.binance.endpoints import BinanceCall
from core.simulator.binance.engine.commands import BinanceCancel, BinanceCancelAlgo, BinancePlace, BinancePlaceAlgo
from core.simulator.engine.commands import Deleverage, Deposit, Liquidate
from core.simulator.engine.state import Refusal
from core.simulator.okx.format import text
from core.simulator.okx.rows import account, orders
from core.simulator.runtime import Runtime

Body = dict[str, Any]


class BinanceControl:
    """Serves /sim/intervene and /sim/state for the Binance account."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def intervene(self, body: Body) -> Body:
        """Do what is asked for; Refusal where the exchange says no, ValueError where there is no such act."""
        deeds: dict[str, Callable[[Body], Body]] = {
            "close": self._close, "cancel": self._cancel, "place": self._place, "place_algo": self._place_algo,
            "deposit": self._deposit, "liquidate": self._liquidate, "adl": self._adl,
        }  # fmt: skip
        if body.get("do") not in deeds:
            raise ValueError(f"do is one of {', '.join(deeds)}")
        return deeds[body["do"]](body)

    def symbol(self, body: Body) -> str:
        """Return the engine's name of the instrument; ValueError where there is none."""
        name = str(body.get("instId") or body["symbol"])
        wired = {contract.wire: contract.symbol for contract in self._call(body).contracts()}
        if name not in wired.values() and name not in wired:
            raise ValueError(f"there is no instrument {name}")
        return wired.get(name, name)

    def _call(self, body: Body) -> BinanceCall:
        words = {name: str(value) for name, value in body.items() if name not in ("do", "account")}
        return BinanceCall(self.runtime, "POST", "v1/order", words)

    def _place(self, body: Body) -> Body:
        order = self.runtime.perform(BinancePlace(trade.draft(self._call(body))))
        return {"orderId": int(order.order_id)}

    def _place_algo(self, body: Body) -> Body:
        placed = self.runtime.perform(BinancePlaceAlgo(algo.draft(self._call(body))))
        return {"algoId": int(placed.algo_id)}

    def _close(self, body: Body) -> Body:
        """Close a leg, or as much of it as `sz` says, at market; resting closes that stand in the way are cancelled."""
        context, symbol, side = self.runtime.binance, self.symbol(body), str(body.get("posSide", "net"))
        owner = context.owner
        held = owner.held(symbol, side)
        if not held:
            raise Refusal("reduce_only")
        closing = "sell" if held > 0 else "buy"
        for order in list(context.order_checks.open_orders(owner, symbol)):
            if (order.position_side, order.side) == (side, closing):
                self.runtime.perform(BinanceCancel(symbol, order.order_id))
        asked = {"instrument": symbol, "side": closing, "position_side": side, "kind": "market",
                 "size": str(body.get("sz") or abs(held)), "wire": {"type": "MARKET"},
                 "reduce_only": "true" if side == "net" else None}  # fmt: skip
        return {"orderId": int(self.runtime.perform(BinancePlace(asked)).order_id)}

    def _cancel(self, body: Body) -> Body:
        algo_id, client_algo_id = (
            str(body.get("algoId") or ""),
            str(body.get("clientAlgoId") or body.get("algoClOrdId") or ""),
        )
        if algo_id or client_algo_id:
            self.runtime.perform(BinanceCancelAlgo(algo_id, client_algo_id))
            return {}
        order_id, client_id = str(body.get("orderId") or body.get("ordId") or ""), str(body.get("clOrdId") or "")
        for order in self.runtime.exchange.live.values():
            named = order_id == order.order_id or (client_id and client_id == order.client_id)
            if order.account == "binance" and named:
                self.runtime.perform(BinanceCancel(order.instrument, order.order_id))
                return {}
        raise Refusal("unknown_cancel")

    def _deposit(self, body: Body) -> Body:
        self.runtime.perform(Deposit(str(body["amount"]), "binance", str(body.get("asset", "USDT"))))
        return {}

    def _liquidate(self, body: Body) -> Body:
        self.runtime.perform(Liquidate(self.symbol(body), body.get("posSide", "net"), "binance"))
        return {}

    def _adl(self, body: Body) -> Body:
        size = str(body["sz"]) if body.get("sz") else None
        self.runtime.perform(Deleverage(self.symbol(body), body.get("posSide", "net"), size, "binance"))
        return {}

    # -- everything in the account

    def state(self) -> Body:
        """Return the account as the engine keeps it, in the same rows as the other's; sizes in the base coin."""
        exchange, context, okx = self.runtime.exchange, self.runtime.binance, self.runtime.okx
        owner = context.owner
        return {
            "accounts": {"binance": {
                "balance": text(owner.balance), "equity": text(owner.equity(exchange.prices)),
                "deposits": text(owner.deposits), "realised": text(owner.realised), "fees": text(owner.fees),
                "funding": text(owner.funding), "penalties": text(owner.penalties), "bnb": text(owner.bnb),
                "bnb_deposits": text(owner.bnb_deposits),
                "posMode": "long_short_mode" if owner.hedged else "net_mode",
                "leverage": {symbol: text(value) for symbol, value in owner.leverage.items()},
                "isolated": {f"{symbol} {side}": text(amount) for (symbol, side), amount in owner.wallets.items()},
            }},
            "positions": [account.position(okx, one) for one in owner.positions.values()],
            "lives": [account.life(exchange, one) for one in owner.lives],
            "orders": [orders.order(exchange, one) for one in exchange.orders.values() if one.account == "binance"],
            "fills": [orders.fill(one) for one in exchange.fills.values() if one.account == "binance"],
            "ledger": [account.bill(one) for one in owner.ledger],
            "algos": context.algo_orders.rows(),
        }  # fmt: skip
