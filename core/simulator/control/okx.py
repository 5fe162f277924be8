"""Acts of a person in the OKX accounts, and their whole state, for the controls under /sim/.

`place`, `place_algo` and `amend_algo` take the wire's own words; the others take instId (BTC-USDT-SWAP or BTCUSDT),
posSide (long, short, net) and sz in contracts.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.simulator.engine.commands import Deleverage, Deposit, Liquidate
from core.simulator.engine.state import Refusal
from core.simulator.okx import algo, trade
from core.simulator.okx.engine.commands import (
    OkxAmendAlgo,
    OkxCancel,
    OkxCancelAlgo,
    OkxClosePart,
    OkxClosePosition,
    OkxPlace,
    OkxPlaceAlgo,
)
from core.simulator.okx.format import text
from core.simulator.okx.rows import account, orders
from core.simulator.okx.rows import algo as algo_rows
from core.simulator.okx.trade import which_algo
from core.simulator.runtime import Runtime

Body = dict[str, Any]


class OkxControl:
    """Serves /sim/intervene and /sim/state for the OKX accounts."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def intervene(self, body: Body) -> Body:
        """Do what is asked for; Refusal where the exchange says no, ValueError where there is no such act."""
        acts: dict[str, Callable[[Body], Body | None]] = {
            "close": self._close, "cancel": self._cancel, "place": self._place, "place_algo": self._place_algo,
            "amend_algo": self._amend_algo, "deposit": self._deposit, "liquidate": self._liquidate,
            "adl": self._adl,
        }  # fmt: skip
        if body.get("do") not in acts:
            raise ValueError(f"do is one of {', '.join(acts)}")
        return acts[body["do"]](body) or {}

    def symbol(self, body: Body) -> str:
        """Return the engine's name of the instrument; ValueError where there is none."""
        symbol = str(body["instId"])
        if symbol.endswith("USDT") and "-" not in symbol:  # BTCUSDT is the same market
            symbol = f"{symbol.removesuffix('USDT')}-USDT-SWAP"
        if symbol not in self.runtime.exchange.markets:
            raise ValueError(f"there is no instrument {symbol}")
        return symbol

    def _close(self, body: Body) -> Any:
        symbol, side = self.symbol(body), body.get("posSide", "net")
        if body.get("sz"):
            order = self.runtime.perform(OkxClosePart("live", symbol, side, str(body["sz"])))
        else:
            order = self.runtime.perform(OkxClosePosition("live", symbol, side, cancel_orders=True))
        return {"ordId": order.order_id}

    def _cancel(self, body: Body) -> Any:
        if body.get("algoId") or body.get("algoClOrdId"):
            self.runtime.perform(OkxCancelAlgo("live", **which_algo(body)))
            return None
        which = trade.which(body)
        for order in self.runtime.exchange.live.values():
            if which["order_id"] == order.order_id or (which["client_id"] and which["client_id"] == order.client_id):
                self.runtime.perform(OkxCancel("live", order.instrument, order.order_id))
                return None
        raise Refusal("cancel_gone")

    def _place(self, body: Body) -> Any:
        row = {"tdMode": "cross", **body}
        order = self.runtime.perform(OkxPlace("live", trade.draft(row)))
        return {"ordId": order.order_id}

    def _place_algo(self, body: Body) -> Any:
        row = {"tdMode": "cross", **body}
        placed = self.runtime.perform(OkxPlaceAlgo("live", algo.algo_draft(row)))
        return {"algoId": placed.algo_id}

    def _amend_algo(self, body: Body) -> Any:
        trigger = {
            "trigger": body.get("newTriggerPx"),
            "price": body.get("newOrdPx"),
            "by": body.get("newTriggerPxType"),
        }
        change = trade.legs(body, "new") | {"trigger": trigger, "size": body.get("newSz")}
        self.runtime.perform(OkxAmendAlgo("live", **which_algo(body), change=change))

    def _deposit(self, body: Body) -> Any:
        self.runtime.perform(Deposit(str(Decimal(str(body["amount"])))))

    def _liquidate(self, body: Body) -> Any:
        self.runtime.perform(Liquidate(self.symbol(body), body.get("posSide", "net")))

    def _adl(self, body: Body) -> Any:
        size = str(body["sz"]) if body.get("sz") else None
        self.runtime.perform(Deleverage(self.symbol(body), body.get("posSide", "net"), size))

    # -- everything in the accounts

    def state(self) -> Body:
        """Return the accounts as the engine keeps them, in the rows of the wire."""
        exchange, context = self.runtime.exchange, self.runtime.okx
        worlds = ["live", "demo"] if exchange.behaviour["two_worlds"] else ["live"]
        owners = [exchange.accounts[name] for name in worlds]
        return {
            "accounts": {owner.name: {
                "balance": text(owner.balance), "equity": text(owner.equity(exchange.prices)),
                "deposits": text(owner.deposits), "realised": text(owner.realised),
                "fees": text(owner.fees),
                "funding": text(owner.funding), "penalties": text(owner.penalties),
                "posMode": "long_short_mode" if owner.hedged else "net_mode",
                "leverage": {symbol: text(value) for symbol, value in owner.leverage.items()},
            } for owner in owners},
            "positions": [account.position(context, p) for owner in owners for p in owner.positions.values()],
            "lives": [account.life(exchange, life) for owner in owners for life in owner.lives],
            "orders": [orders.order(exchange, order) for order in exchange.orders.values() if order.account in worlds],
            "algos": [algo_rows.algo(exchange, one) for one in context.algo_book.all.values() if one.account in worlds],
            "fills": [orders.fill(fill) for fill in exchange.fills.values() if fill.account in worlds],
            "ledger": [account.bill(bill) for owner in owners for bill in owner.ledger],
        }  # fmt: skip
