"""Binance USD-M REST, trade part: plain orders placed, changed, cancelled and found (docs, Trade endpoints)."""

from typing import Any

import orjson

from core.simulator.binance.endpoints import DAY_MS, SIGNED, TRADE, BinanceCall, endpoint
from core.simulator.binance.engine.commands import (
    BinanceAmend,
    BinanceCancel,
    BinanceCancelAll,
    BinanceCountdown,
    BinancePlace,
)
from core.simulator.binance.engine.order_checks import KINDS, MATCH_LEVELS
from core.simulator.binance.errors import BinanceError, coded, malformed, missing
from core.simulator.binance.format import OUR_SIDES, Row
from core.simulator.binance.rows import orders
from core.simulator.engine.state import BookOrder, Refusal
from core.simulator.runtime import PutOff

CONDITIONAL = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE")
UNKNOWN = BinanceError(-2013, "Order does not exist.")
LAST_DATE = 253_402_300_799_000


def side_of(call: BinanceCall) -> str:
    """Return buy or sell; BinanceError -1117 where it is neither."""
    return call.choice("side", ("BUY", "SELL"), -1117, "Invalid side.").lower()


def position_side_of(call: BinanceCall) -> str:
    """Return long, short or net; what is absent is net."""
    wire = call.get("positionSide", "BOTH")
    if wire not in OUR_SIDES:
        raise BinanceError(-4060, "Invalid position side.")
    return OUR_SIDES[wire]


def reduce_only_of(call: BinanceCall) -> str | None:
    """Return "true", "false" or None where it is absent."""
    given = call.boolean("reduceOnly")
    return None if given is None else "true" if given else "false"


def draft(call: BinanceCall) -> Row:
    """Return the order of a request in the engine's words; BinanceError where a parameter makes no sense."""
    contract, side = call.contract(), side_of(call)
    kind = call.needed("type")
    if kind in CONDITIONAL:
        raise coded(Refusal("conditional_here"))
    if kind not in ("LIMIT", "MARKET"):
        raise BinanceError(-1116, "Invalid orderType.")
    made: Row = {
        "instrument": contract.symbol, "side": side, "position_side": position_side_of(call), "kind": "market",
        "size": str(call.number("quantity")), "reduce_only": reduce_only_of(call),
        "client_id": call.client_id("newClientOrderId"),
    }  # fmt: skip
    stp = call.get("selfTradePreventionMode", "EXPIRE_MAKER")
    if stp not in STP_MODES:
        raise BinanceError(-5039, "Invalid self trade prevention mode.")
    wire: Row = {"type": kind, "stp": stp, "resp": resp_type(call)}
    if kind == "MARKET":
        for name in ("price", "timeInForce", "priceMatch"):
            if call.get(name) and not (name == "priceMatch" and call.get(name) == "NONE"):
                code = -1114 if name == "timeInForce" else -1106
                raise BinanceError(code, f"Parameter '{name}' sent when not required.")
    else:
        limit(call, made, wire)
    return made | {"wire": wire}


def limit(call: BinanceCall, made: Row, wire: Row) -> None:
    """Read the price and the life of a limit order into `made` and `wire`."""
    force = call.needed("timeInForce")
    if force not in KINDS:
        raise BinanceError(-1115, "Invalid timeInForce.")
    match = call.get("priceMatch", "NONE")
    if match != "NONE" and match not in MATCH_LEVELS:
        raise BinanceError(-5037, "Invalid price match.")
    if match != "NONE" and call.get("price"):
        raise BinanceError(-1106, "Parameter 'price' sent when not required.")
    if match == "NONE":
        made["price"] = str(call.number("price"))
    made["kind"] = KINDS[force]
    wire |= {"tif": force, "pm": match}
    if force == "GTD":
        wire["gtd"] = good_till(call)


def good_till(call: BinanceCall) -> int:
    """Return the time (ms, whole seconds) at which a GTD order expires; BinanceError where it makes no sense."""
    till = call.whole("goodTillDate")
    if till is None:
        raise missing("goodTillDate")
    if not call.runtime.shown_now() + 600_000 < till < LAST_DATE:
        words = "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
        raise BinanceError(-5040, f"{words} {LAST_DATE}")
    return till // 1000 * 1000


def resp_type(call: BinanceCall) -> str:
    """Return ACK or RESULT; BinanceError -1136 where it is neither."""
    kind = call.get("newOrderRespType", "ACK")
    if kind not in ("ACK", "RESULT"):
        raise BinanceError(-1136, "Invalid newOrderRespType.")
    return kind


def planned(call: BinanceCall) -> Row:
    """Return what faults want of this one order."""
    plan: Row = {}
    for kind, word in (("not_found", "hidden"), ("accept_delay", "accept_delay")):
        fault = call.fault(kind)
        if fault is not None:
            plan[word] = fault.get("seconds", 5)
    fault = call.fault("partial_fill")
    if fault is not None:
        plan |= {"fraction": fault.get("fraction", "0.5"), "rest": fault.get("rest", "work")}
    return plan


def rejected(call: BinanceCall) -> None:
    """Raise the error that a fault wants of this order."""
    fault = call.fault("reject")
    if fault is not None:
        raise BinanceError(int(fault["code"]), str(fault.get("message", "Operation failed.")))


@endpoint("POST", "v1/order", 0, TRADE, orders=1)
def place(call: BinanceCall) -> Row:
    """Answer `POST order`: place a plain order."""
    asked = draft(call)
    rejected(call)
    order = call.perform(BinancePlace(asked, planned(call)))
    return orders.order(call.context, order, False, fresh=asked["wire"]["resp"] == "ACK")


@endpoint("POST", "v1/order/test", 0, TRADE)
def place_test(call: BinanceCall) -> Row:
    """Answer `POST order/test`: check a plain order without placing it."""
    call.context.order_checks.order(call.owner, draft(call))
    return {}


def which(call: BinanceCall) -> tuple[str, str]:
    """Return orderId and origClientOrderId, of which one must be there; the first wins."""
    number, name = call.whole("orderId"), call.get("origClientOrderId")
    if number is None and not name:
        raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return ("", name) if number is None else (str(number), "")


def cancelled(call: BinanceCall) -> Row:
    """Cancel the order that the parameters name, and return its row."""
    contract, (order_id, client_id) = call.contract(), which(call)
    return orders.order(call.context, call.perform(BinanceCancel(contract.symbol, order_id, client_id)), False)


@endpoint("DELETE", "v1/order", 1, TRADE)
def cancel(call: BinanceCall) -> Row:
    """Answer `DELETE order`: cancel a plain order."""
    rejected(call)
    return cancelled(call)


@endpoint("PUT", "v1/order", 0, TRADE, orders=1)
def amend(call: BinanceCall) -> Row:
    """Answer `PUT order`: change size and price of a limit order."""
    rejected(call)
    contract, side, (order_id, client_id) = call.contract(), side_of(call), which(call)
    match = call.get("priceMatch", "NONE")
    if match != "NONE" and match not in MATCH_LEVELS:
        raise BinanceError(-5037, "Invalid price match.")
    price = "" if match != "NONE" else str(call.number("price"))
    size, match = str(call.number("quantity")), "" if match == "NONE" else match
    order = call.perform(BinanceAmend(contract.symbol, side, order_id, client_id, size, price, match))
    row = orders.order(call.context, order, False)
    return row | {"pair": contract.wire} | ({"modifyId": call.whole("modifyId")} if call.get("modifyId") else {})


@endpoint("DELETE", "v1/allOpenOrders", 1, TRADE)
def cancel_all(call: BinanceCall) -> Row:
    """Answer `DELETE allOpenOrders`: cancel all plain orders of an instrument."""
    call.perform(BinanceCancelAll(call.contract().symbol))
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


# -- several at once


def listed(call: BinanceCall, name: str, most: int) -> list[Any]:
    """Return the JSON list in a parameter; BinanceError where it is none or too long."""
    try:
        found = orjson.loads(call.needed(name))
    except orjson.JSONDecodeError:
        raise malformed(name) from None
    if not isinstance(found, list) or not found:
        raise malformed(name)
    if len(found) > most:
        raise BinanceError(-4082, "Invalid number of batch place orders.")
    return found


def each(call: BinanceCall, requests: list[Row], one: Any) -> list[Row]:
    """Return each request's own answer, or its code and message."""
    answered = []
    for request in requests:
        parameters = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in request.items() if value not in (None, "")
        }  # fmt: skip
        single = BinanceCall(call.runtime, call.method, call.path, parameters, call.deadline, call.late_ms)
        try:
            answered.append(one(single))
        except Refusal as refusal:
            answered.append(coded(refusal).body)
        except BinanceError as error:
            answered.append(error.body)
        except PutOff:
            continue
    return answered


@endpoint("POST", "v1/batchOrders", 5, TRADE, orders=5)
def place_batch(call: BinanceCall) -> list[Row]:
    """Answer `POST batchOrders`: place up to five plain orders."""
    asked = listed(call, "batchOrders", 5)
    if not all(isinstance(one, dict) for one in asked):
        raise malformed("batchOrders")
    return each(call, [{"selfTradePreventionMode": "NONE", **one} for one in asked], place)


@endpoint("PUT", "v1/batchOrders", 5, TRADE, orders=5)
def amend_batch(call: BinanceCall) -> list[Row]:
    """Answer `PUT batchOrders`: change up to five limit orders."""
    return each(call, listed(call, "batchOrders", 5), amend)


@endpoint("DELETE", "v1/batchOrders", 1, TRADE)
def cancel_batch(call: BinanceCall) -> list[Row]:
    """Answer `DELETE batchOrders`: cancel up to ten plain orders."""
    call.contract()
    name = "orderIdList" if call.get("orderIdList") else "origClientOrderIdList"
    word = {"orderIdList": "orderId", "origClientOrderIdList": "origClientOrderId"}[name]
    return each(call, [{"symbol": call.get("symbol"), word: one} for one in listed(call, name, 10)], cancelled)


@endpoint("POST", "v1/countdownCancelAll", 10, TRADE)
def count_down(call: BinanceCall) -> Row:
    """Answer `POST countdownCancelAll`: cancel all orders of an instrument unless this is asked again in time."""
    contract, milliseconds = call.contract(), call.whole("countdownTime")
    if milliseconds is None:
        raise missing("countdownTime")
    call.perform(BinanceCountdown(contract.symbol, max(0, milliseconds)))
    return {"symbol": contract.wire, "countdownTime": str(milliseconds)}


# -- finding


def remembered(call: BinanceCall, order: BookOrder) -> bool:
    """Return whether the order is still known: ended without a fill it is forgotten after 3 days, any after 90."""
    if order.living or not call.exchange.behaviour["binance_retention"]:
        return True
    return call.exchange.now - order.updated <= (90 if order.filled else 3) * DAY_MS


def visible(call: BinanceCall, order: BookOrder) -> bool:
    """Return whether the order is of this account, neither hidden nor forgotten."""
    return order.account == "binance" and call.context.orders.findable(order) and remembered(call, order)


def found(call: BinanceCall) -> BookOrder:
    """Return the order that the parameters name; BinanceError -2013 where it cannot be found."""
    contract, (order_id, client_id) = call.contract(), which(call)
    order = call.context.orders.find(contract.symbol, order_id, client_id)
    if order is None or not visible(call, order):
        raise UNKNOWN
    return order


@endpoint("GET", "v1/order", 1, SIGNED)
def find(call: BinanceCall) -> Row:
    """Answer `GET order`: one plain order."""
    return orders.order(call.context, found(call), True)


@endpoint("GET", "v1/openOrder", 1, SIGNED)
def find_open(call: BinanceCall) -> Row:
    """Answer `GET openOrder`: one plain order that rests."""
    order = found(call)
    if not order.living:
        raise UNKNOWN
    return orders.order(call.context, order, True)


@endpoint("GET", "v1/openOrders", 1, SIGNED, weight_all=40)
def open_orders(call: BinanceCall) -> list[Row]:
    """Answer `GET openOrders`: the plain orders that rest."""
    symbols = {contract.symbol for contract in call.chosen()}
    mine = [o for o in call.exchange.live.values() if o.instrument in symbols and visible(call, o)]
    return [orders.order(call.context, order, True) for order in mine]


@endpoint("GET", "v1/allOrders", 5, SIGNED)
def all_orders(call: BinanceCall) -> list[Row]:
    """Answer `GET allOrders`: plain orders, ended ones too."""
    symbols, least, most = {contract.symbol for contract in call.chosen()}, call.whole("orderId"), call.limit(500, 1000)
    mine = [o for o in call.exchange.orders.values() if o.instrument in symbols and visible(call, o)]
    if least is not None:
        mine = [order for order in mine if int(order.order_id) >= least][:most]
    else:
        begin, end = call.span(7)
        mine = [order for order in mine if begin <= order.created <= end]
        mine = mine[:most] if call.get("startTime") else mine[-most:]
    return [orders.order(call.context, order, True) for order in mine]


@endpoint("GET", "v1/orderAmendment", 1, SIGNED)
def amendments(call: BinanceCall) -> list[Row]:
    """Answer `GET orderAmendment`: the changes of a limit order."""
    order = found(call)
    return [
        {"amendmentId": change["id"], "symbol": call.get("symbol"), "pair": call.get("symbol"),
         "orderId": int(order.order_id), "clientOrderId": order.client_id, "time": change["at"],
         "amendment": {"price": dict(zip(("before", "after"), change["price"], strict=True)),
                       "origQty": dict(zip(("before", "after"), change["size"], strict=True)), "count": number},
         "priceMatch": "NONE"}
        for number, change in enumerate(order.wire.get("changes", []), 1)
    ]  # fmt: skip
