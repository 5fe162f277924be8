"""OKX V5 REST, trade part: plain orders placed, changed, cancelled and found (OKX V5 docs, trading)."""

from typing import Any

from core.simulator.engine.state import BookOrder, Refusal
from core.simulator.okx.endpoints import OkxCall, Row, boolean, endpoint, page
from core.simulator.okx.engine.commands import (
    OkxAmend,
    OkxCancel,
    OkxCancelAllAfter,
    OkxClosePosition,
    OkxPlace,
)
from core.simulator.okx.errors import OkxError
from core.simulator.okx.rows import orders as order_rows

DAY_MS = 86_400_000
UNKNOWN = OkxError("51603", "Order does not exist")


def leg(row: Row, side: str, new: str = "") -> Row | None:
    """Return trigger, price and by of one leg; None where nothing of it is there."""

    def key(word: str) -> str:
        """Return the name of a field of the leg."""
        return f"{new}{side[0].upper() + side[1:] if new else side}{word}"

    made = {"trigger": row.get(key("TriggerPx")), "price": row.get(key("OrdPx")), "by": row.get(key("TriggerPxType"))}
    return made if any(value not in (None, "") for value in made.values()) else None


def legs(row: Row, new: str = "") -> Row:
    """Return both legs of a row, each as trigger, price and by, or None."""
    return {"take_profit": leg(row, "tp", new), "stop_loss": leg(row, "sl", new)}


def trailing(row: Row) -> Row:
    """Return callback and activation price of a row."""
    return {
        "callback_ratio": row.get("callbackRatio"),
        "callback_spread": row.get("callbackSpread"),
        "active": row.get("activePx"),
    }


def draft(row: Row) -> Row:
    """Return an order of the wire in the engine's words."""
    asked = row.get("attachAlgoOrds") or []
    attached = [
        legs(one) | trailing(one) | {"client_id": one.get("attachAlgoClOrdId")}
        for one in asked
        if isinstance(one, dict)
    ]
    return {
        "instrument": row.get("instId"), "side": row.get("side"), "position_side": row.get("posSide"),
        "kind": row.get("ordType"), "size": row.get("sz"), "price": row.get("px"), "client_id": row.get("clOrdId"),
        "reduce_only": boolean(row.get("reduceOnly")), "tag": row.get("tag"), "margin_mode": row.get("tdMode"),
        "self_trade": row.get("stpMode"), "clamp": str(row.get("pxAmendType")) == "1", "attached": attached,
    }  # fmt: skip


def which(row: Row) -> dict[str, str]:
    """Return order id and client id of a row, "" where absent."""
    return {"order_id": str(row.get("ordId") or ""), "client_id": str(row.get("clOrdId") or "")}


def which_algo(row: Row) -> dict[str, str]:
    """Return algo id and client id of a row, "" where absent."""
    return {"algo_id": str(row.get("algoId") or ""), "client_id": str(row.get("algoClOrdId") or "")}


def in_time(call: OkxCall) -> None:
    """Raise OkxError 50036 where the expTime of the request has passed."""
    if call.deadline is not None and call.deadline < call.runtime.now():
        raise OkxError(
            "50036",
            "The expTime can't be earlier than the current system time. Please adjust the expTime and try again.",
        )


def listed(call: OkxCall, most: int = 20) -> list[Row]:
    """Return the rows of a batch; OkxError where there are none or too many."""
    if not isinstance(call.parameters, list) or not call.parameters:
        raise OkxError("50002", "Incorrect json data format", 400)
    if len(call.parameters) > most:
        raise OkxError("51000", f"Parameter data error: at most {most}")
    return call.parameters


# -- plain orders


def empty(row: Row) -> Row:
    """Return the row of an order that was refused, without its code."""
    return {
        "ordId": str(row.get("ordId") or ""),
        "clOrdId": str(row.get("clOrdId") or ""),
        "tag": str(row.get("tag") or ""),
        "ts": "",
    }


def place_one(call: OkxCall, row: Row) -> Row:
    """Place one order, and return its row."""
    plan: Row = {}
    for kind, word in (("not_found", "hidden"), ("accept_delay", "accept_delay")):
        fault = call.fault(kind, row)
        if fault is not None:
            plan[word] = fault.get("seconds", 5)
    fault = call.fault("partial_fill", row)
    if fault is not None:
        plan |= {"fraction": fault.get("fraction", "0.5"), "rest": fault.get("rest", "work")}
    order = call.perform(OkxPlace(call.account, draft(row), plan))
    return {"ordId": order.order_id, "clOrdId": order.client_id, "tag": order.tag, "ts": str(order.created),
            "sMsg": "Order placed", "subCode": ""}  # fmt: skip


def cancel_one(call: OkxCall, row: Row) -> Row:
    """Cancel one order, and return its row."""
    order = call.perform(OkxCancel(call.account, str(row.get("instId")), **which(row)))
    return {"ordId": order.order_id, "clOrdId": order.client_id, "sMsg": "", "ts": str(call.exchange.now)}


def amend_one(call: OkxCall, row: Row) -> Row:
    """Change one order, and return its row."""
    attached = row.get("attachAlgoOrds") or []
    change = {"size": row.get("newSz"), "price": row.get("newPx")}
    change["attached"] = [
        legs(one, "new") | {"attach_id": one.get("attachAlgoId"), "client_id": one.get("attachAlgoClOrdId")}
        for one in attached if isinstance(one, dict)
    ]  # fmt: skip
    call.notes |= {"reqId": str(row.get("reqId") or ""), "amendResult": "0", "amendSource": "1"}
    try:
        order = call.perform(OkxAmend(call.account, str(row.get("instId")), **which(row), change=change))
    except Refusal:
        if boolean(row.get("cxlOnFail")):
            call.perform(OkxCancel(call.account, str(row.get("instId")), **which(row)))
        raise
    finally:
        call.notes.clear()
    return {"ordId": order.order_id, "clOrdId": order.client_id, "reqId": str(row.get("reqId") or ""), "sMsg": "",
            "subCode": "", "ts": str(call.exchange.now)}  # fmt: skip


@endpoint("POST", "trade/order", 60, per="instrument", trades=True, orders=True)
def place(call: OkxCall) -> list[Any]:
    """Answer `POST trade/order`: place a plain order."""
    in_time(call)
    return call.rows([call.parameters], place_one, empty)


@endpoint("POST", "trade/batch-orders", 300, per="instrument", trades=True, orders=True)
def place_batch(call: OkxCall) -> list[Any]:
    """Answer `POST trade/batch-orders`: place up to twenty plain orders."""
    in_time(call)
    return call.rows(listed(call), place_one, empty)


@endpoint("POST", "trade/cancel-order", 60, per="instrument", trades=True, orders=True)
def cancel(call: OkxCall) -> list[Any]:
    """Answer `POST trade/cancel-order`: cancel a plain order."""
    return call.rows([call.parameters], cancel_one, empty)


@endpoint("POST", "trade/cancel-batch-orders", 300, per="instrument", trades=True, orders=True)
def cancel_batch(call: OkxCall) -> list[Any]:
    """Answer `POST trade/cancel-batch-orders`: cancel up to twenty plain orders."""
    return call.rows(listed(call), cancel_one, empty)


@endpoint("POST", "trade/amend-order", 60, per="instrument", trades=True, orders=True)
def amend(call: OkxCall) -> list[Any]:
    """Answer `POST trade/amend-order`: change a plain order."""
    in_time(call)
    return call.rows([call.parameters], amend_one, lambda row: empty(row) | {"reqId": str(row.get("reqId") or "")})


@endpoint("POST", "trade/amend-batch-orders", 300, per="instrument", trades=True, orders=True)
def amend_batch(call: OkxCall) -> list[Any]:
    """Answer `POST trade/amend-batch-orders`: change up to twenty plain orders."""
    in_time(call)
    return call.rows(listed(call), amend_one, lambda row: empty(row) | {"reqId": str(row.get("reqId") or "")})


@endpoint("POST", "trade/close-position", 20, per="instrument", trades=True)
def close_position(call: OkxCall) -> list[Any]:
    """Answer `POST trade/close-position`: close a position at market."""
    fault = call.fault("reject", call.parameters)
    if fault is not None:
        raise OkxError(fault["code"], "Operation failed.")
    cancels, symbol = boolean(call.parameters.get("autoCxl")), call.needed("instId")
    client_id, tag = call.get("clOrdId"), call.get("tag")
    call.perform(OkxClosePosition(call.account, symbol, call.get("posSide"), cancels, client_id, tag))
    side = call.get("posSide") or "net"
    return [{"instId": call.get("instId"), "posSide": side, "clOrdId": call.get("clOrdId"), "tag": call.get("tag")}]


@endpoint("POST", "trade/cancel-all-after", 1, 1, trades=True)
def cancel_all_after(call: OkxCall) -> list[Any]:
    """Answer `POST trade/cancel-all-after`: cancel all orders unless this is asked again in time."""
    seconds = call.whole("timeOut")
    if seconds is None or (seconds != 0 and not 10 <= seconds <= 120):
        raise OkxError("51000", "Parameter timeOut error")
    call.perform(OkxCancelAllAfter(call.account, seconds))
    at = str(call.exchange.now + seconds * 1000) if seconds else "0"
    return [{"triggerTime": at, "tag": call.get("tag"), "ts": str(call.exchange.now)}]


# -- finding plain orders


def hidden(call: OkxCall, identity: str) -> bool:
    """Return whether the order of that id cannot be found yet."""
    return call.exchange.hidden.get(identity, 0) > call.exchange.now


def remembered(call: OkxCall, order: BookOrder) -> bool:
    """Return whether the order is still known: forgotten two hours after a cancel without a fill, else in a week."""
    if order.living:
        return True
    age = call.exchange.now - order.updated
    return age <= (float(call.exchange.behaviour["order_retention_seconds"]) * 1000 if not order.filled else 7 * DAY_MS)


@endpoint("GET", "trade/order", 60, per="instrument")
def find(call: OkxCall) -> list[Any]:
    """Answer `GET trade/order`: one plain order."""
    if not (call.get("ordId") or call.get("clOrdId")):
        raise OkxError("50015", "Either parameter ordId or clOrdId is required", 400)
    symbol = call.needed("instId")
    order = call.context.book.find(
        call.account, symbol, call.get("ordId"), "" if call.get("ordId") else call.get("clOrdId")
    )
    if order is None or hidden(call, order.order_id) or not remembered(call, order):
        raise UNKNOWN
    return [order_rows.order(call.exchange, order)]


def chosen(call: OkxCall, orders: list[BookOrder]) -> list[Row]:
    """Return the rows of those orders that the parameters ask for, newest first."""
    begin, end = call.whole("begin"), call.whole("end")
    orders = [order for order in orders if order.account == call.account and not hidden(call, order.order_id)]
    orders = [o for o in orders if (begin is None or o.created >= begin) and (end is None or o.created <= end)]
    found = [order_rows.order(call.exchange, order) for order in orders]
    wanted = {
        name: call.get(name).split(",")
        for name in ("instType", "instId", "ordType", "state", "category")
        if call.get(name)
    }
    found = [row for row in found if all(row[name] in values for name, values in wanted.items())]
    found.sort(key=lambda row: int(row["ordId"]), reverse=True)
    return page(found, call, lambda row: int(row["ordId"]))


@endpoint("GET", "trade/orders-pending", 60)
def pending(call: OkxCall) -> list[Any]:
    """Answer `GET trade/orders-pending`: the plain orders that rest."""
    return chosen(call, list(call.exchange.live.values()))


@endpoint("GET", "trade/orders-history", 40)
def history(call: OkxCall) -> list[Any]:
    """Answer `GET trade/orders-history`: the plain orders that have ended."""
    call.needed("instType")
    return chosen(call, [o for o in call.exchange.orders.values() if not o.living and remembered(call, o)])


@endpoint("GET", "trade/orders-history-archive", 20)
def archive(call: OkxCall) -> list[Any]:
    """Answer `GET trade/orders-history-archive`: the plain orders that have ended, over three months."""
    call.needed("instType")
    return chosen(
        call, [o for o in call.exchange.orders.values() if not o.living and (o.filled or remembered(call, o))]
    )


def executions(call: OkxCall, days: int) -> list[Row]:
    """Return the rows of the executions of so many days that the parameters ask for."""
    begin, end, since = call.whole("begin"), call.whole("end"), call.exchange.now - days * DAY_MS
    fills = [
        fill for fill in reversed(call.exchange.fills.values()) if fill.account == call.account and fill.at >= since
    ]
    fills = [f for f in fills if (begin is None or f.at >= begin) and (end is None or f.at <= end)]
    wanted = {name: call.get(name) for name in ("instType", "instId", "ordId", "clOrdId", "subType") if call.get(name)}
    found = [row for row in map(order_rows.fill, fills) if all(row[name] == value for name, value in wanted.items())]
    return page(found, call, lambda row: int(row["billId"]))


@endpoint("GET", "trade/fills", 60)
def fills(call: OkxCall) -> list[Any]:
    """Answer `GET trade/fills`: the executions of three days."""
    return executions(call, 3)


@endpoint("GET", "trade/fills-history", 10)
def fills_history(call: OkxCall) -> list[Any]:
    """Answer `GET trade/fills-history`: the executions of three months."""
    call.needed("instType")
    return executions(call, 92)
