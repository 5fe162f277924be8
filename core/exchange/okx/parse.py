"""Parses OKX's orders, positions and prices. OKX's own words end here, in tables.

An unknown word raises Unavailable naming the field. Source of all fields: OKX V5 docs, trade and account, REST and
the orders, orders-algo and positions channels, whose rows have the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.money import ZERO, Contracts, Price, total
from core.domain.observation import Position, Ticker
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.exchange.fields import Row, truth
from core.exchange.okx.fields import moment, number, number_or_zero, price, price_or_none, text, to_symbol, word
from core.exchange.orders import ClientId, held_side, read_client_id

ORDER_SIDE = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}
POSITION_SIDE = {"long": Side.LONG, "short": Side.SHORT, "net": None}
TRIGGER_BY = {"last": TriggerBy.LAST, "mark": TriggerBy.MARK, "index": TriggerBy.INDEX}
LEG = {"tp": Leg.TAKE_PROFIT, "sl": Leg.STOP_LOSS, "": None}
ORDER_KIND = {
    "market": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "post_only": OrderKind.POST_ONLY,
    "ioc": OrderKind.IOC,
    "fok": OrderKind.FOK,
    "optimal_limit_ioc": OrderKind.IOC,
    "mmp": OrderKind.LIMIT,
    "mmp_and_post_only": OrderKind.POST_ONLY,
    "op_fok": OrderKind.FOK,
    "rpi": OrderKind.POST_ONLY,
    "elp": OrderKind.POST_ONLY,
}
ORDER_STATUS = {
    "live": OrderStatus.WORKING,
    "partially_filled": OrderStatus.WORKING,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "mmp_canceled": OrderStatus.CANCELED,
}
ALGO_KIND = {
    "oco": OrderKind.OCO,
    "conditional": OrderKind.CONDITIONAL,
    "trigger": OrderKind.TRIGGER,
    "move_order_stop": OrderKind.TRAILING,
}
ALGO_STATUS = {
    "live": OrderStatus.WORKING,
    "pause": OrderStatus.WORKING,
    "effective": OrderStatus.WORKING,  # set off: its child orders tell the rest
    "partially_effective": OrderStatus.WORKING,
    "canceled": OrderStatus.CANCELED,
    "order_failed": OrderStatus.REFUSED,
    "partially_failed": OrderStatus.REFUSED,
}
BY_USER = ("", "1")  #: cancelSource: none told, or a person's or program's own cancel


# -- orders ------------------------------------------------------------------------------------------------------


def parse_order(row: Row) -> Order:
    """Return an ordinary order, from REST or from a push."""
    name = read_client_id(text(row, "clOrdId"))
    side = word(row, "side", ORDER_SIDE)
    status = word(row, "state", ORDER_STATUS)
    return Order(
        client_order_id=text(row, "clOrdId"),
        exchange_order_id=text(row, "ordId"),
        symbol=to_symbol(text(row, "instId")),
        position_side=_position_side(row, side, name),
        part=name.part,
        cycle=name.cycle,
        purpose=name.purpose,
        side=side,
        kind=word(row, "ordType", ORDER_KIND),
        quantity=Contracts(number(row, "sz")),
        status=status,
        price=price_or_none(row, "px"),
        reduce_only=truth(row, "reduceOnly"),
        filled=Contracts(number_or_zero(row, "accFillSz")),
        average_price=price_or_none(row, "avgPx"),
        fee=number_or_zero(row, "fee"),
        failure=_why_canceled(row) if status is OrderStatus.CANCELED else "",
        created_at=moment(row, "cTime"),
        updated_at=moment(row, "uTime"),
    )


def parent_of(row: Row) -> str:
    """Return the client id of the algo of ours that placed this ordinary order; "" for every other order.

    Such an order is not listed: the algo it came from carries what it fills.
    """
    parent = str(row.get("algoClOrdId") or "")
    return parent if read_client_id(parent).ours else ""


def parse_algo(row: Row) -> Order:
    """Return a conditional order, from REST or a push. Triggered, it is WORKING with a leg until `fold` is
    told more.
    """
    name = read_client_id(text(row, "algoClOrdId"))
    side = word(row, "side", ORDER_SIDE)
    kind = word(row, "ordType", ALGO_KIND)
    status = word(row, "state", ALGO_STATUS)
    return Order(
        client_order_id=text(row, "algoClOrdId"),
        exchange_order_id=text(row, "algoId"),
        symbol=to_symbol(text(row, "instId")),
        position_side=_position_side(row, side, name),
        part=name.part,
        cycle=name.cycle,
        purpose=name.purpose,
        side=side,
        kind=kind,
        quantity=Contracts(number_or_zero(row, "sz")),  # "" where it closes whatever is held (closeFraction)
        status=status,
        price=price_or_none(row, "moveTriggerPx" if kind is OrderKind.TRAILING else "triggerPx"),
        tp_trigger=price_or_none(row, "tpTriggerPx"),
        sl_trigger=price_or_none(row, "slTriggerPx"),
        trigger_by=_trigger_by(row),
        reduce_only=truth(row, "reduceOnly"),
        dies_with_position=_dies_with_position(row, name),
        triggered_leg=word({"actualSide": row.get("actualSide") or ""}, "actualSide", LEG),
        child_order_ids=_children(row),
        failure=_why_failed(row) if status is OrderStatus.REFUSED else "",
        created_at=moment(row, "cTime"),
        updated_at=moment(row, "uTime"),
    )


def fold(algo: Order, children: Sequence[Order]) -> Order:
    """Return a triggered conditional order with what its child orders have done so far."""
    if not algo.working or not children:
        return algo
    filled = total(child.filled for child in children)
    value = total(child.filled * (child.average_price or ZERO) for child in children)
    if any(child.working for child in children):
        status = OrderStatus.WORKING
    elif all(child.status is OrderStatus.FILLED for child in children):
        status = OrderStatus.FILLED
    else:
        status = OrderStatus.CANCELED
    last = max(children, key=lambda child: (child.updated_at or algo.updated_at or child.created_at, child.filled))
    return algo.but(
        status=status,
        filled=Contracts(filled),
        average_price=Price(value / filled) if filled else None,
        fee=total(child.fee for child in children),
        failure="; ".join(child.failure for child in children if child.failure),
        updated_at=last.updated_at or algo.updated_at,
    )


def _position_side(row: Row, side: OrderSide, name: ClientId) -> Side:
    """Return the side of the position that an order concerns; in net mode by its purpose."""
    told = word(row, "posSide", POSITION_SIDE)
    if told is not None:
        return told
    return held_side(side, name.opens(closes=truth(row, "reduceOnly")))


def _trigger_by(row: Row) -> TriggerBy | None:
    for field in ("slTriggerPxType", "tpTriggerPxType", "triggerPxType"):
        if row.get(field):
            return word(row, field, TRIGGER_BY)
    return None


def _dies_with_position(row: Row, name: ClientId) -> bool:
    """Return whether an order ends with its position: OKX does not always show `cxlOnClosePos`; a part's own protection
    has it, that attached to an entry has not.
    """
    if row.get("cxlOnClosePos") not in (None, ""):
        return truth(row, "cxlOnClosePos")
    return name.ours and name.purpose is Purpose.PROTECT


def _children(row: Row) -> tuple[str, ...]:
    listed = row.get("ordIdList") or ([row["ordId"]] if row.get("ordId") else [])
    return tuple(str(order_id) for order_id in listed)


def _why_canceled(row: Row) -> str:
    source = str(row.get("cancelSource") or "")
    if source in BY_USER:
        return ""
    return str(row.get("cancelSourceReason") or "") or f"canceled by the exchange, source {source}"


def _why_failed(row: Row) -> str:
    code = str(row.get("failCode") or "")
    reason = str(row.get("failReason") or "")
    return f"{code} {reason}".strip() or "the order it set off was refused"


# -- positions, fills, money -------------------------------------------------------------------------------------


def parse_position(row: Row) -> Position | None:
    """Return a cross position; None where the row says that nothing is held."""
    held = number(row, "pos")
    if held == ZERO:
        return None
    side = word(row, "posSide", POSITION_SIDE) or (Side.LONG if held > ZERO else Side.SHORT)
    return Position(
        symbol=to_symbol(text(row, "instId")),
        side=side,
        contracts=Contracts(abs(held)),
        average_price=price(row, "avgPx"),
        mark_price=price(row, "markPx"),
        last_price=price_or_none(row, "last"),
        liquidation_price=price_or_none(row, "liqPx"),
        leverage=number(row, "lever"),
        margin=number_or_zero(row, "imr") or number_or_zero(row, "margin"),
        unrealised_pnl=number(row, "upl"),
        realised_pnl=number_or_zero(row, "realizedPnl"),
        funding=number_or_zero(row, "fundingFee"),
        position_id=text(row, "posId"),
        opened_at=moment(row, "cTime"),
        updated_at=moment(row, "uTime"),
    )


def parse_ticker(row: Row, mark: Price, at: datetime | None = None) -> Ticker:
    """Return the newest prices; `mark` comes by a channel of its own. `at`: when we heard it (else OKX's own time)."""
    last = price(row, "last")
    return Ticker(
        symbol=to_symbol(text(row, "instId")),
        last=last,
        bid=price_or_none(row, "bidPx") or last,
        ask=price_or_none(row, "askPx") or last,
        mark=mark,
        at=at or moment(row, "ts"),
    )


def parse_mark(row: Row) -> tuple[str, Price]:
    """Return symbol and mark price."""
    return to_symbol(text(row, "instId")), price(row, "markPx")
