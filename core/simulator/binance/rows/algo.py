"""Conditional orders as Binance USD-M rows: the answer to a placement, the rows of the reads, the event."""

from decimal import Decimal

from core.simulator.binance.engine.algo_order import TRAILING, BinanceAlgo
from core.simulator.binance.engine.context import BinanceContext
from core.simulator.binance.format import SIDES, Row, text
from core.simulator.binance.rows.orders import LISTENS, contract_of
from core.simulator.engine.state import ZERO, BookOrder


def reduces(algo: BinanceAlgo) -> bool:
    """Return what the exchange shows as reduceOnly: the flag, or in hedge mode the closing side."""
    closing = (algo.position_side, algo.side) in (("long", "sell"), ("short", "buy"))
    return algo.close_position or algo.reduce_only or closing


def quantity(context: BinanceContext, algo: BinanceAlgo) -> str:
    """Return the size; a plain 0 for the whole position."""
    return "0" if algo.close_position else text(algo.size, contract_of(context, algo.instrument).quantity_precision)


def placed(context: BinanceContext, algo: BinanceAlgo) -> Row:
    """Return the answer to a placement."""
    row: Row = {
        "algoId": int(algo.algo_id), "clientAlgoId": algo.client_id, "algoType": "CONDITIONAL",
        "orderType": algo.kind, "symbol": contract_of(context, algo.instrument).wire, "side": algo.side.upper(),
        "positionSide": SIDES[algo.position_side], "timeInForce": algo.force, "quantity": quantity(context, algo),
        "algoStatus": algo.state, "triggerPrice": text(algo.trigger, 2), "price": text(algo.price, 2),
        "icebergQuantity": None, "selfTradePreventionMode": algo.stp, "workingType": LISTENS[algo.by],
        "priceMatch": algo.match, "closePosition": algo.close_position, "priceProtect": algo.protect,
        "reduceOnly": reduces(algo), "createTime": algo.created, "updateTime": algo.updated,
        "triggerTime": algo.triggered, "goodTillDate": algo.till,
    }  # fmt: skip
    if algo.kind == TRAILING:
        row |= {"activatePrice": text(algo.active, 2), "callbackRate": text(algo.callback, 1)}
    return row


def child(context: BinanceContext, algo: BinanceAlgo) -> BookOrder | None:
    """Return the plain order that it became."""
    return context.exchange.orders.get(algo.order_id) if algo.order_id else None


def average(order: BookOrder | None) -> Decimal:
    """Return the average price of an order (USDT), 0 where nothing was filled."""
    return order.average or ZERO if order is not None else ZERO


def found(context: BinanceContext, algo: BinanceAlgo, single: bool = False) -> Row:
    """Return the row of a read; `single` is the answer for one."""
    order = child(context, algo)
    row = placed(context, algo) | {
        "actualOrderId": algo.order_id, "actualPrice": text(average(order), 5), "tpTriggerPrice": "0.000",
        "tpPrice": "0.000", "slTriggerPrice": "0.000", "slPrice": "0.000", "tpOrderType": "",
    }  # fmt: skip
    if single:
        places = contract_of(context, algo.instrument).quantity_precision
        row |= {"actualType": "" if order is None else "MARKET" if order.price is None else "LIMIT",
                "actualQty": text(ZERO if order is None else order.filled, places)}  # fmt: skip
    return row


def event(context: BinanceContext, algo: BinanceAlgo) -> Row:
    """ALGO_UPDATE as it is pushed now."""
    order = child(context, algo)
    row: Row = {
        "caid": algo.client_id, "aid": int(algo.algo_id), "at": "CONDITIONAL", "o": algo.kind,
        "s": contract_of(context, algo.instrument).wire, "S": algo.side.upper(), "ps": SIDES[algo.position_side],
        "f": algo.force, "q": quantity(context, algo), "X": algo.state, "ai": algo.order_id,
        "ap": text(average(order), 5), "aq": text(ZERO if order is None else order.filled, 5),
        "act": "0" if order is None else "MARKET" if order.price is None else "LIMIT", "tp": text(algo.trigger),
        "p": text(algo.price), "V": algo.stp, "wt": LISTENS[algo.by], "pm": algo.match, "cp": algo.close_position,
        "pP": algo.protect, "R": reduces(algo), "tt": algo.triggered, "gtd": algo.till, "rm": algo.reason,
    }  # fmt: skip
    if algo.kind == TRAILING:
        row |= {"AP": text(algo.active), "cr": text(algo.callback), "ia": algo.activated}
    return {"e": "ALGO_UPDATE", "T": context.exchange.now, "E": context.exchange.now, "o": row}
