"""Plain orders and trades as Binance USD-M rows, with their complete field sets."""

from decimal import Decimal

from core.simulator.binance.engine.context import BinanceContext
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.format import SIDES, Row, money, number, text
from core.simulator.engine.state import ZERO, BookedFill, BookOrder

EXPIRES = {"ioc", "fok", "post_only", "nothing_to_close", "position_closed", "knocked_out", "good_till", "price_limit",
           "market"}  # fmt: skip


LISTENS = {"last": "CONTRACT_PRICE", "mark": "MARK_PRICE"}


TIMES_IN_FORCE = {"ioc": "IOC", "fok": "FOK", "post_only": "GTX"}


def contract_of(context: BinanceContext, symbol: str) -> BinanceContract:
    """Return the contract of an instrument as it is listed now."""
    contract = context.owner.contracts[symbol]
    assert isinstance(contract, BinanceContract)
    return contract


def status(order: BookOrder) -> str:
    """Return NEW, PARTIALLY_FILLED, FILLED, CANCELED or EXPIRED."""
    if order.state == "canceled":
        return "EXPIRED" if order.cancel_reason in EXPIRES else "CANCELED"
    return {"live": "NEW", "partially_filled": "PARTIALLY_FILLED", "filled": "FILLED"}[order.state]


def reduces(context: BinanceContext, order: BookOrder) -> bool:
    """Return what the exchange shows as reduceOnly: the flag, or in hedge mode the closing side."""
    return context.owner.closes(order)


def order(context: BinanceContext, one: BookOrder, full: bool, fresh: bool = False) -> Row:
    """Return a plain order; `full` is the form of the reads, `fresh` shows it as it was when it was accepted."""
    contract = contract_of(context, one.instrument)
    places, kind = contract.quantity_precision, str(one.wire.get("type") or "MARKET" if one.price is None else "LIMIT")
    filled = ZERO if fresh else one.filled
    row = {
        "orderId": number(one.order_id), "clientOrderId": one.client_id, "symbol": contract.wire,
        "status": "NEW" if fresh else status(one), "price": text(one.price, 2),
        "origQty": text(one.size, places), "executedQty": text(filled, places), "cumQty": text(filled, places),
        "timeInForce": str(one.wire.get("tif") or TIMES_IN_FORCE.get(one.kind, "GTC")), "type": kind,
        "reduceOnly": reduces(context, one), "closePosition": bool(one.wire.get("cp", False)),
        "side": one.side.upper(), "positionSide": SIDES[one.position_side],
        "stopPrice": text(Decimal(one.wire.get("sp") or 0), 2), "workingType": LISTENS[one.wire.get("wt", "last")],
        "priceProtect": bool(one.wire.get("pP", False)), "origType": kind,
        "priceMatch": str(one.wire.get("pm") or "NONE"),
        "selfTradePreventionMode": str(one.wire.get("stp") or "EXPIRE_MAKER"),
        "goodTillDate": int(one.wire.get("gtd") or 0), "updateTime": one.updated,
    }  # fmt: skip
    if full or context.exchange.behaviour["binance_replies"] == "old":
        row |= {"avgPrice": text(one.average if filled else ZERO, 5), "cumQuote": text(ZERO if fresh else one.paid, 5)}
    if full:
        row |= {"time": one.created, "pair": contract.wire}
        row.pop("cumQty")
    return row


def trade(context: BinanceContext, fill: BookedFill) -> Row:
    """Return a trade as userTrades tells it."""
    contract = contract_of(context, fill.instrument)
    places = contract.quantity_precision
    quantity = text(fill.size, places)
    return {
        "symbol": contract.wire, "pair": contract.wire, "id": number(fill.trade_id), "orderId": number(fill.order_id),
        "side": fill.side.upper(), "price": text(fill.price, 2), "qty": quantity, "baseQty": quantity,
        "realizedPnl": money(fill.pnl), "quoteQty": text(fill.price * fill.size, 5), "marginAsset": "USDT",
        "commission": money(-fill.fee_amount), "commissionAsset": fill.fee_asset, "time": fill.at,
        "positionSide": SIDES[fill.position_side], "maker": fill.maker, "buyer": fill.side == "buy",
    }  # fmt: skip
