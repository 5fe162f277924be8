"""Algo orders as OKX V5 rows, with their complete field sets."""

from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import ZERO
from core.simulator.okx.engine.algo_order import OkxAlgo
from core.simulator.okx.engine.triggers import trail
from core.simulator.okx.errors import fail_code
from core.simulator.okx.format import Row, blank, text
from core.simulator.okx.rows.orders import leg_words

ALGO = blank(
    """
    ccy clOrdId tgtCcy tpTriggerRatio slTriggerRatio activePx callbackRatio callbackSpread moveTriggerPx pxVar
    pxSpread pxLimit szLimit timeInterval quickMgnType amendPxOnTriggerType chaseType chaseVal maxChaseType
    maxChaseVal last failReason triggerPx triggerPxType ordPx advanceOrdType tradeQuoteCcy tpOrdKind
    """
)  # fmt: skip


def algo(exchange: ExchangeState, one: OkxAlgo) -> Row:
    """Return an algo order, as trade/order-algo tells it."""
    failed = {"live": "", "canceled": "", "effective": exchange.behaviour["effective_fail_code"]}.get(one.state)
    whole = one.size is None
    trigger = one.trigger
    words = leg_words("tp", one.take_profit) | leg_words("sl", one.stop_loss)
    if trigger is not None:
        price = "-1" if trigger.price is None else text(trigger.price)
        words |= {"triggerPx": text(trigger.trigger), "triggerPxType": trigger.by, "ordPx": price}
    return ALGO | words | {
        "instType": "SWAP", "instId": one.instrument, "algoId": one.algo_id, "algoClOrdId": one.client_id,
        "ordId": one.order_ids[0] if one.order_ids else "", "ordIdList": list(one.order_ids), "sz": text(one.size),
        "closeFraction": "1" if whole else "", "ordType": one.kind, "side": one.side, "posSide": one.position_side,
        "tdMode": one.margin_mode, "state": one.state, "lever": text(one.leverage), "tag": one.tag,
        "actualSz": text(one.actual_size) if one.actual_size else "0", "actualPx": text(one.actual_price),
        "actualSide": one.actual_side, "triggerTime": str(one.triggered) if one.triggered else "0",
        "reduceOnly": "" if one.kind == "trigger" else "true" if one.reduce_only else "false",
        "failCode": fail_code(one.fail_code) if failed is None else failed, "cTime": str(one.created),
        "uTime": str(one.updated), "callbackRatio": text(one.callback_ratio),
        "callbackSpread": text(one.callback_spread),
        "activePx": text(one.active), "moveTriggerPx": text(trail(one)) if one.kind == "move_order_stop" else "",
        "last": text(exchange.prices(one.instrument).last), "linkedOrd": {"ordId": ""}, "attachAlgoOrds": [],
        "isTradeBorrowMode": "", "amendPxOnTriggerType": "0", "subAlgoIdList": [],
        "cxlOnClosePos": "true" if one.tied else "false",
    }  # fmt: skip


def algo_push(exchange: ExchangeState, one: OkxAlgo) -> Row:
    """Return an algo order as a push tells it."""
    size = one.size if one.size is not None else ZERO
    notional = exchange.accounts[one.account].notional(one.instrument, size, exchange.prices(one.instrument).last)
    return algo(exchange, one) | {"notionalUsd": text(notional), "amendResult": "", "reqId": ""}
