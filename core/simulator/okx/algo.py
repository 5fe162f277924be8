"""OKX V5 REST, algo part: algo orders placed, changed, cancelled and found (OKX V5 docs, algo trading)."""

from typing import Any

from core.simulator.okx.endpoints import OkxCall, Row, boolean, endpoint, page
from core.simulator.okx.engine.algo_order import OkxAlgo
from core.simulator.okx.engine.commands import (
    OkxAmendAlgo,
    OkxCancelAlgo,
    OkxPlaceAlgo,
)
from core.simulator.okx.errors import OkxError
from core.simulator.okx.rows import algo as algo_rows
from core.simulator.okx.trade import UNKNOWN, hidden, legs, listed, trailing, which_algo


def algo_draft(row: Row) -> Row:
    """Return an algo of the wire in the engine's words."""
    trigger = {"trigger": row.get("triggerPx"), "price": row.get("orderPx"), "by": row.get("triggerPxType")}
    return legs(row) | trailing(row) | {
        "instrument": row.get("instId"), "side": row.get("side"), "position_side": row.get("posSide"),
        "kind": row.get("ordType"), "size": row.get("sz"), "whole": str(row.get("closeFraction") or "") == "1",
        "client_id": row.get("algoClOrdId"), "reduce_only": boolean(row.get("reduceOnly")),
        "tied": boolean(row.get("cxlOnClosePos")), "tag": row.get("tag"), "margin_mode": row.get("tdMode"),
        "trigger": trigger if trigger["trigger"] or trigger["price"] else None,
    }  # fmt: skip


def empty_algo(row: Row) -> Row:
    """Return the row of an algo that was refused, without its code."""
    names = {name: str(row.get(name) or "") for name in ("algoId", "algoClOrdId", "tag")}
    return names | {"clOrdId": ""}


def algo_one(call: OkxCall, row: Row) -> Row:
    """Place one algo, and return its row."""
    plan: Row = {}
    fault = call.fault("not_found", row)
    if fault is not None:
        plan["hidden"] = fault.get("seconds", 5)
    algo = call.perform(OkxPlaceAlgo(call.account, algo_draft(row), plan))
    return {"algoId": algo.algo_id, "algoClOrdId": algo.client_id, "clOrdId": "", "tag": algo.tag, "sMsg": ""}


def cancel_algo_one(call: OkxCall, row: Row) -> Row:
    """Cancel one algo, and return its row."""
    algo = call.perform(OkxCancelAlgo(call.account, **which_algo(row)))
    return {"algoId": algo.algo_id, "algoClOrdId": algo.client_id, "clOrdId": "", "tag": algo.tag, "sMsg": ""}


def amend_algo_one(call: OkxCall, row: Row) -> Row:
    """Change one algo, and return its row."""
    trigger = {"trigger": row.get("newTriggerPx"), "price": row.get("newOrdPx"), "by": row.get("newTriggerPxType")}
    change = legs(row, "new") | {"trigger": trigger, "size": row.get("newSz")}
    call.notes |= {"reqId": str(row.get("reqId") or ""), "amendResult": "0"}
    try:
        algo = call.perform(OkxAmendAlgo(call.account, **which_algo(row), change=change))
    finally:
        call.notes.clear()
    return {"algoId": algo.algo_id, "algoClOrdId": algo.client_id, "reqId": str(row.get("reqId") or ""), "sMsg": ""}


@endpoint("POST", "trade/order-algo", 20, per="instrument", trades=True, orders=True)
def place_algo(call: OkxCall) -> list[Any]:
    """Answer `POST trade/order-algo`: place an algo order."""
    return call.rows([call.parameters], algo_one, empty_algo)


@endpoint("POST", "trade/cancel-algos", 20, per="instrument", trades=True, orders=True)
@endpoint("POST", "trade/cancel-advance-algos", 20, per="instrument", trades=True, orders=True)
def cancel_algos(call: OkxCall) -> list[Any]:
    """Answer `POST trade/cancel-advance-algos`: cancel up to ten algo orders."""
    return call.rows(listed(call, 10), cancel_algo_one, empty_algo)


@endpoint("POST", "trade/amend-algos", 20, per="instrument", trades=True, orders=True)
def amend_algos(call: OkxCall) -> list[Any]:
    """Answer `POST trade/amend-algos`: change an algo order."""
    return call.rows(
        [call.parameters], amend_algo_one, lambda row: empty_algo(row) | {"reqId": str(row.get("reqId") or "")}
    )


def shown(call: OkxCall, algos: list[OkxAlgo]) -> list[Row]:
    """Return the rows of those algos that the parameters ask for, newest first."""
    kinds = call.needed("ordType").split(",")
    if len(kinds) > 1 and set(kinds) - {"conditional", "oco"}:
        raise OkxError("51000", "Parameter ordType error")
    wanted = {
        name: call.get(name) for name in ("instType", "instId", "algoId", "algoClOrdId", "state") if call.get(name)
    }
    algos = [a for a in algos if a.account == call.account and a.kind in kinds and not hidden(call, a.algo_id)]
    found = [algo_rows.algo(call.exchange, algo) for algo in reversed(algos)]
    found = [row for row in found if all(row[name] == value for name, value in wanted.items())]
    return page(found, call, lambda row: int(row["algoId"]))


@endpoint("GET", "trade/orders-algo-pending", 20)
def pending_algos(call: OkxCall) -> list[Any]:
    """Answer `GET trade/orders-algo-pending`: the algo orders that wait."""
    return shown(call, list(call.context.algo_book.waiting.values()))


@endpoint("GET", "trade/orders-algo-history", 20)
def algo_history(call: OkxCall) -> list[Any]:
    """Answer `GET trade/orders-algo-history`: the algo orders that have ended."""
    if not (call.get("state") or call.get("algoId")):
        raise OkxError("50015", "Either parameter state or algoId is required", 400)
    return shown(call, [algo for algo in call.context.algo_book.all.values() if algo.state != "live"])


@endpoint("GET", "trade/order-algo", 20)
def find_algo(call: OkxCall) -> list[Any]:
    """Answer `GET trade/order-algo`: one algo order."""
    if not (call.get("algoId") or call.get("algoClOrdId")):
        raise OkxError("50015", "Either parameter algoId or algoClOrdId is required", 400)
    algo = call.context.algo_book.find(call.account, call.get("algoId"), call.get("algoClOrdId"))
    if algo is None or hidden(call, algo.algo_id):
        raise UNKNOWN
    return [algo_rows.algo(call.exchange, algo)]
