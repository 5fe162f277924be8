"""Orders and fills as OKX V5 rows, with their complete field sets."""

from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import AttachedProtection, BookedFill, BookOrder, TriggerLeg
from core.simulator.okx.errors import CODES, fail_code
from core.simulator.okx.format import Row, blank, text

CANCEL_SOURCES = {
    "user": ("1", "Order canceled by user"), "fok": ("13", "FOK order was not filled"), "ioc": ("14", "IOC remainder"),
    "price_limit": ("15", "Order price was beyond the limit"), "liquidation": ("3", "Liquidation"),
    "position_closed": ("17", "The position was already closed"), "dead_man": ("20", "Cancel all after triggered"),
    "nothing_to_close": ("2", "Insufficient position"), "post_only": ("31", "The post-only order would take liquidity"),
}  # fmt: skip
SOURCES = {"": "", "trigger": "6", "protection": "7", "trailing": "25"}


# -- orders

ORDER = blank(
    """
    ccy pxUsd pxVol pxType rebate rebateCcy tgtCcy quickMgnType reqId tpOrdPx tpTriggerPx tpTriggerPxType
    slOrdPx slTriggerPx slTriggerPxType attachAlgoClOrdId stpId tradeQuoteCcy outcome
    """
)  # fmt: skip


def attached(one: AttachedProtection) -> Row:
    """Return an attached protection, as an order lists it."""
    profit, stop = leg_words("tp", one.take_profit), leg_words("sl", one.stop_loss)
    failed = fail_code(one.fail_code)
    reason = CODES.get(one.fail_code, ("", "The attached order was refused"))[1] if failed else ""
    return profit | stop | {
        "attachAlgoId": one.attach_id, "attachAlgoClOrdId": one.client_id, "tpOrdKind": "condition", "sz": "",
        "amendPxOnTriggerType": "0", "failCode": failed, "failReason": reason,
        "callbackRatio": text(one.callback_ratio),
        "callbackSpread": text(one.callback_spread), "activePx": text(one.active), "tpTriggerRatio": "",
        "slTriggerRatio": "",
    }  # fmt: skip


def leg_words(side: str, leg: TriggerLeg | None) -> Row:
    """Return trigger, its kind and price of one leg (side tp or sl); blank where there is none."""
    if leg is None:
        return {f"{side}TriggerPx": "", f"{side}TriggerPxType": "", f"{side}OrdPx": ""}
    price = "-1" if leg.price is None else text(leg.price)
    return {f"{side}TriggerPx": text(leg.trigger), f"{side}TriggerPxType": leg.by, f"{side}OrdPx": price}


def order(exchange: ExchangeState, one: BookOrder) -> Row:
    """Return a plain order, as trade/order tells it."""
    last = exchange.last_fill(one)
    source, why = CANCEL_SOURCES.get(one.cancel_reason, ("", ""))
    linked = {"algoId": next((kept.algo_id for kept in one.attached if kept.algo_id), "")}
    return ORDER | {
        "instType": "SWAP", "instId": one.instrument, "ordId": one.order_id, "clOrdId": one.client_id, "tag": one.tag,
        "px": text(one.price), "sz": text(one.size), "ordType": one.kind, "side": one.side,
        "posSide": one.position_side,
        "tdMode": one.margin_mode, "state": one.state, "accFillSz": text(one.filled), "avgPx": text(one.average),
        "fillPx": text(last.price) if last else "", "fillSz": text(last.size) if last else "0",
        "fillTime": str(last.at) if last else "", "tradeId": one.last_fill, "lever": text(one.leverage),
        "pnl": text(one.pnl), "fee": text(one.fee), "feeCcy": "USDT", "rebate": "0", "rebateCcy": "USDT",
        "source": SOURCES[one.source], "category": one.category, "reduceOnly": "true" if one.reduce_only else "false",
        "algoId": one.algo_id, "algoClOrdId": one.algo_client_id,
        "attachAlgoOrds": [attached(kept) for kept in one.attached],
        "linkedAlgoOrd": linked, "cancelSource": source, "cancelSourceReason": why, "isTpLimit": "false",
        "stpMode": one.self_trade, "cTime": str(one.created), "uTime": str(one.updated),
    }  # fmt: skip


def order_push(exchange: ExchangeState, one: BookOrder, fill: BookedFill | None, more: Row) -> Row:
    """Return the order as a push tells it: the fill fields are about this push alone."""
    row = order(exchange, one)
    about = {
        "avgPx": row["avgPx"] or "0", "fillPx": "", "fillSz": "0", "tradeId": "", "fillTime": "", "fillPnl": "0",
        "fillFee": "0", "fillFeeCcy": "", "execType": "", "fillNotionalUsd": "", "fillMarkPx": "", "fillIdxPx": "",
        "amendResult": "", "amendSource": "", "reqId": "", "code": "0", "msg": "",
        "lastPx": text(exchange.prices(one.instrument).last),
    }  # fmt: skip
    if fill is not None:
        about |= {
            "fillPx": text(fill.price), "fillSz": text(fill.size), "tradeId": fill.trade_id, "fillTime": str(fill.at),
            "fillPnl": text(fill.pnl), "fillFee": text(fill.fee), "fillFeeCcy": "USDT",
            "execType": "M" if fill.maker else "T",
            "fillMarkPx": text(fill.mark), "fillIdxPx": text(fill.index),
        }  # fmt: skip
    price = one.price if one.price is not None else exchange.prices(one.instrument).last
    notional = exchange.accounts[one.account].notional(one.instrument, one.size, price)
    return row | about | {"notionalUsd": text(notional)} | more


def fill(one: BookedFill) -> Row:
    """Return an execution, as trade/fills tells it."""
    return {
        "instType": "SWAP", "instId": one.instrument, "tradeId": one.trade_id, "billId": one.bill_id,
        "ordId": one.order_id,
        "clOrdId": one.client_id, "tag": one.tag, "side": one.side, "posSide": one.position_side,
        "fillPx": text(one.price),
        "fillSz": text(one.size), "fillPnl": text(one.pnl), "fee": text(one.fee), "feeCcy": "USDT", "feeRate": "",
        "execType": "M" if one.maker else "T", "subType": sub_type(one.kind, one.long, one.side, one.position_side),
        "fillTime": str(one.at), "ts": str(one.at), "fillMarkPx": text(one.mark), "fillIdxPx": text(one.index),
        "fillFwdPx": "", "fillMarkVol": "", "fillPxUsd": "", "fillPxVol": "", "tradeQuoteCcy": "",
    }  # fmt: skip


def sub_type(kind: str, long: bool, side: str, position_side: str) -> str:
    """Return the subType of an execution: what it did to which side."""
    if kind == "liquidation":
        return "104" if long else "105"
    if kind == "adl":
        return "125" if long else "126"
    if position_side == "net":
        return "1" if side == "buy" else "2"
    return {("open", True): "3", ("open", False): "4", ("close", True): "5", ("close", False): "6"}[kind, long]
