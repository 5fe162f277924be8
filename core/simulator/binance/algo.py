"""Binance USD-M REST, algo service: conditional orders placed, found and cancelled (docs, Algo Order endpoints)."""

from decimal import Decimal

from core.simulator.binance.endpoints import DAY_MS, SIGNED, TRADE, BinanceCall, endpoint
from core.simulator.binance.engine.algo_order import KINDS, LIMITS, MARKETS, PLAIN_KINDS, TRAILING, WAITING, BinanceAlgo
from core.simulator.binance.engine.commands import BinanceCancelAlgo, BinanceCancelAlgos, BinancePlaceAlgo
from core.simulator.binance.engine.order_checks import MATCH_LEVELS
from core.simulator.binance.errors import BinanceError, coded
from core.simulator.binance.format import Row
from core.simulator.binance.rows import algo as algo_rows
from core.simulator.binance.rows.orders import LISTENS as OUR_LISTENS
from core.simulator.binance.trade import (
    STP_MODES,
    UNKNOWN,
    good_till,
    position_side_of,
    reduce_only_of,
    rejected,
    resp_type,
    side_of,
)
from core.simulator.engine.state import Refusal

LISTENS = {wire: ours for ours, wire in OUR_LISTENS.items()}


def unwanted(call: BinanceCall, *names: str) -> None:
    """Raise BinanceError where a parameter came that has no meaning here."""
    for name in names:
        if call.get(name) and not (name == "priceMatch" and call.get(name) == "NONE"):
            raise BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def draft(call: BinanceCall) -> Row:
    """Return the order of a request in the engine's words; BinanceError where a parameter makes no sense."""
    contract, side = call.contract(), side_of(call)
    kind = call.choice("type", KINDS, -1116, "Invalid orderType.")
    listens = call.get("workingType", "CONTRACT_PRICE")
    if listens not in LISTENS:
        raise BinanceError(-1130, "Data sent for parameter 'workingType' is not valid.")
    stp = call.get("selfTradePreventionMode", "NONE")
    if stp not in STP_MODES:
        raise BinanceError(-5039, "Invalid self trade prevention mode.")
    resp_type(call)
    made: Row = {
        "instrument": contract.symbol, "side": side, "position_side": position_side_of(call), "kind": kind,
        "reduce_only": reduce_only_of(call), "client_id": call.client_id("clientAlgoId"), "by": LISTENS[listens],
        "protect": bool(call.boolean("priceProtect")), "stp": stp,
        "close_position": bool(call.boolean("closePosition")),
    }  # fmt: skip
    _force(call, made)
    if made["close_position"]:
        _whole(call, kind, made)
    else:
        made["size"] = str(call.number("quantity"))
    _levels(call, kind, made)
    return made


def _force(call: BinanceCall, made: Row) -> None:
    force = call.get("timeInForce", "GTC")
    if force not in PLAIN_KINDS:
        raise BinanceError(-1115, "Invalid timeInForce.")
    made["force"] = "GTE_GTC" if made["close_position"] else force
    if force == "GTD":
        made["till"] = good_till(call)


def _whole(call: BinanceCall, kind: str, made: Row) -> None:
    """Check the parameters that closePosition excludes or requires."""
    if kind not in MARKETS:
        raise coded(Refusal("close_position_trailing", kind))
    if call.get("quantity"):
        raise coded(Refusal("close_position_quantity"))
    if made["reduce_only"] is not None and made["position_side"] == "net":
        if made["reduce_only"] == "false":
            raise coded(Refusal("close_position_reduce_only"))
        unwanted(call, "reduceOnly")


def _levels(call: BinanceCall, kind: str, made: Row) -> None:
    """Trigger, price and trailing, as far as the type has them."""
    if kind == TRAILING:
        if call.get("triggerPrice"):
            raise coded(Refusal("would_trigger"))
        unwanted(call, "price", "priceMatch")
        rate = call.number("callbackRate")
        if not Decimal("0.1") <= rate <= 20 or rate % Decimal("0.1"):
            raise BinanceError(-2007, "Invalid callBackRate.")
        made |= {"callback": str(rate)} | ({"active": call.get("activatePrice")} if call.get("activatePrice") else {})
        return
    made["trigger"] = str(call.number("triggerPrice"))
    unwanted(call, "activatePrice", "callbackRate")
    match = call.get("priceMatch", "NONE")
    if kind not in LIMITS:
        unwanted(call, "price", "priceMatch")
        return
    if match != "NONE" and match not in MATCH_LEVELS:
        raise BinanceError(-5037, "Invalid price match.")
    if match != "NONE":
        unwanted(call, "price")
        made["match"] = match
    else:
        made["price"] = str(call.number("price"))


def planned(call: BinanceCall) -> Row:
    """Return what faults want of this one order."""
    plan: Row = {}
    fault = call.fault("not_found")
    if fault is not None:
        plan["hidden"] = fault.get("seconds", 5)
    fault = call.fault("algo_vanish")
    if fault is not None:
        plan |= {"vanish": fault.get("seconds", 53), "as": fault.get("as", "CANCELED")}
    return plan


@endpoint("POST", "v1/algoOrder", 0, TRADE, orders=1)
def place(call: BinanceCall) -> Row:
    """Answer `POST algoOrder`: place a conditional order."""
    if call.needed("algoType") != "CONDITIONAL":
        raise BinanceError(-1130, "Data sent for parameter 'algoType' is not valid.")
    asked = draft(call)
    rejected(call)
    algo = call.perform(BinancePlaceAlgo(asked, planned(call)))
    return algo_rows.placed(call.context, algo)


def which(call: BinanceCall) -> tuple[str, str]:
    """Return algoId and clientAlgoId, of which one must be there; the first wins."""
    number, name = call.whole("algoId"), call.get("clientAlgoId")
    if number is None and not name:
        raise BinanceError(-1102, "Param 'algoid' or 'clientalgoid' must be sent, but both were empty/null!")
    return ("", name) if number is None else (str(number), "")


@endpoint("DELETE", "v1/algoOrder", 1, TRADE)
def cancel(call: BinanceCall) -> Row:
    """Answer `DELETE algoOrder`: cancel a conditional order."""
    rejected(call)
    algo_id, client_id = which(call)
    algo = call.perform(BinanceCancelAlgo(algo_id, client_id))
    return {"algoId": int(algo.algo_id), "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}


@endpoint("DELETE", "v1/algoOpenOrders", 1, TRADE)
def cancel_all(call: BinanceCall) -> Row:
    """Answer `DELETE algoOpenOrders`: cancel all conditional orders of an instrument that wait."""
    call.perform(BinanceCancelAlgos(call.contract().symbol))
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


# -- finding


def visible(call: BinanceCall, algo: BinanceAlgo) -> bool:
    """Return whether it can be found: not while hidden, nor 3 days after an end without an order, 90 after any."""
    if not call.context.algo_orders.findable(algo):
        return False
    if not algo.ended or not call.exchange.behaviour["binance_retention"]:
        return True
    order = algo_rows.child(call.context, algo)
    return call.exchange.now - algo.updated <= (90 if order is not None and order.filled else 3) * DAY_MS


@endpoint("GET", "v1/algoOrder", 1, SIGNED)
def find(call: BinanceCall) -> Row:
    """Answer `GET algoOrder`: one conditional order, by id or client id."""
    algo = call.context.algo_orders.find(*which(call))
    if algo is None or not visible(call, algo):
        raise UNKNOWN
    return algo_rows.found(call.context, algo, single=True)


@endpoint("GET", "v1/openAlgoOrders", 1, SIGNED, weight_all=40)
def open_algos(call: BinanceCall) -> list[Row]:
    """Answer `GET openAlgoOrders`: those that wait or are being triggered; once triggered, the plain order is open."""
    symbols, number = {contract.symbol for contract in call.chosen()}, call.whole("algoId")
    if call.get("algoType") not in ("", "CONDITIONAL"):
        return []
    states = WAITING if call.exchange.behaviour["binance_open_algos"] == "waiting" else (*WAITING, "TRIGGERED")
    return [
        algo_rows.found(call.context, algo)
        for algo in call.context.algo_orders.open.values()
        if algo.instrument in symbols and algo.state in states and visible(call, algo)
        and number in (None, int(algo.algo_id))
    ]  # fmt: skip


@endpoint("GET", "v1/allAlgoOrders", 5, SIGNED)
def all_algos(call: BinanceCall) -> list[Row]:
    """Answer `GET allAlgoOrders`: the conditional orders of an instrument, ended ones too."""
    symbol, least, most = call.contract().symbol, call.whole("algoId"), call.limit(500, 1000)
    mine = [a for a in call.context.algo_orders.algos.values() if a.instrument == symbol and visible(call, a)]
    if least is not None:
        mine = [algo for algo in mine if int(algo.algo_id) >= least][:most]
    else:
        begin, end = call.span(7)
        mine = [algo for algo in mine if begin <= algo.created <= end]
        mine = mine[:most] if call.get("startTime") else mine[-most:]
    return [algo_rows.found(call.context, algo) for algo in mine]
