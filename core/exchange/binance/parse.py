"""Parses Binance's orders, positions and prices. Binance's own words end here, in tables.

An unknown word raises Unavailable naming the field. Rows are those of REST; the stream's are brought into the same
shape first. Source of all fields: Binance USD-M docs, trade and account, and recorded payloads.
"""

from __future__ import annotations

from datetime import datetime

from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.money import Contracts, Price
from core.domain.observation import Ticker
from core.domain.order import Leg, Order, OrderKind, OrderStatus
from core.exchange.binance.fields import (
    either,
    moment,
    moment_or_none,
    number,
    number_or_zero,
    price,
    price_or_none,
    text,
    to_symbol,
    word,
)
from core.exchange.fields import Row, truth
from core.exchange.orders import ClientId, held_side, read_client_id

ORDER_SIDE = {"BUY": OrderSide.BUY, "SELL": OrderSide.SELL}
POSITION_SIDE = {"LONG": Side.LONG, "SHORT": Side.SHORT, "BOTH": None}
TRIGGER_BY = {"CONTRACT_PRICE": TriggerBy.LAST, "MARK_PRICE": TriggerBy.MARK}
LIMIT_KIND = {
    "GTC": OrderKind.LIMIT,
    "GTD": OrderKind.LIMIT,
    "GTE_GTC": OrderKind.LIMIT,
    "GTX": OrderKind.POST_ONLY,
    "RPI": OrderKind.POST_ONLY,
    "IOC": OrderKind.IOC,
    "FOK": OrderKind.FOK,
}  #: a LIMIT order by its time in force
ALGO_KIND = {
    "STOP_MARKET": OrderKind.CONDITIONAL,
    "TAKE_PROFIT_MARKET": OrderKind.CONDITIONAL,
    "STOP": OrderKind.TRIGGER,
    "TAKE_PROFIT": OrderKind.TRIGGER,
    "TRAILING_STOP_MARKET": OrderKind.TRAILING,
}
ORDER_KIND = {
    "MARKET": OrderKind.MARKET,
    "LIQUIDATION": OrderKind.IOC,
    **ALGO_KIND,  # an ordinary row may still name the kind of the order that it came from
}  #: all but LIMIT
LEG = {
    "STOP_MARKET": Leg.STOP_LOSS,
    "STOP": Leg.STOP_LOSS,
    "TAKE_PROFIT_MARKET": Leg.TAKE_PROFIT,
    "TAKE_PROFIT": Leg.TAKE_PROFIT,
}
ORDER_STATUS = {
    "NEW": OrderStatus.WORKING,
    "PARTIALLY_FILLED": OrderStatus.WORKING,
    "PENDING_CANCEL": OrderStatus.WORKING,
    "NEW_INSURANCE": OrderStatus.WORKING,  # of liquidations
    "NEW_ADL": OrderStatus.WORKING,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REFUSED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
ALGO_STATUS = {
    "NEW": OrderStatus.WORKING,
    "TRIGGERING": OrderStatus.WORKING,
    "TRIGGERED": OrderStatus.WORKING,
    "FINISHED": OrderStatus.WORKING,  # how it ended is told by the order it placed
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REFUSED,
    "EXPIRED": OrderStatus.EXPIRED,
}
SET_OFF = frozenset({"TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED"})  #: REJECTED: only the trigger tries the order
EXPIRY = {
    "1": "it met an order of the same account",
    "2": "what was left of it could not be filled at once",
    "3": "what was left of it met an order of the same account",
    "4": "another reduce-only order took its place, or it would have turned the position",
    "5": "the account was liquidated",
    "6": "the position it depended on is gone",
    "7": "the contract is no longer listed",
    "8": "the order it came from has ended",
    "9": "what was left of it found no counterparty",
}  #: `er` of the stream's order event


# -- orders ------------------------------------------------------------------------------------------------------


def parse_order(row: Row) -> Order:
    """Return an ordinary order. Replies to placements lack the average price, and none of the rows has a fee."""
    name = read_client_id(text(row, "clientOrderId"))
    side = word(row, "side", ORDER_SIDE)
    status = word(row, "status", ORDER_STATUS)
    filled = Contracts(number_or_zero(row, either(row, "executedQty", "cumQty")))
    return Order(
        client_order_id=text(row, "clientOrderId"),
        exchange_order_id=text(row, "orderId"),
        symbol=to_symbol(text(row, "symbol")),
        position_side=_position_side(row, side, name),
        part=name.part,
        cycle=name.cycle,
        purpose=name.purpose,
        side=side,
        kind=_kind(row),
        quantity=Contracts(number(row, "origQty")),
        status=status,
        price=price_or_none(row, "price"),
        reduce_only=truth(row, "reduceOnly"),
        filled=filled,
        average_price=_average(row, filled),
        failure=_why_ended(row, status),
        created_at=moment_or_none(row, "time", "updateTime"),
        updated_at=moment_or_none(row, "updateTime", "time"),
    )


def parse_algo(row: Row) -> Order:
    """Return a conditional order. Triggered, it is WORKING with a leg until `fold` is given the order that it
    placed.
    """
    name = read_client_id(text(row, "clientAlgoId"))
    side = word(row, "side", ORDER_SIDE)
    told = either(row, "orderType", "type")
    kind, leg = word(row, told, ALGO_KIND), LEG.get(text(row, told))
    status = word(row, "algoStatus", ALGO_STATUS)
    trigger = price_or_none(row, "triggerPrice")
    child = str(row.get("actualOrderId") or "")
    return Order(
        client_order_id=text(row, "clientAlgoId"),
        exchange_order_id=text(row, "algoId"),
        symbol=to_symbol(text(row, "symbol")),
        position_side=_position_side(row, side, name),
        part=name.part,
        cycle=name.cycle,
        purpose=name.purpose,
        side=side,
        kind=kind,
        quantity=Contracts(number_or_zero(row, "quantity")),  # 0 where it closes whatever is held
        status=status,
        price=price_or_none(row, "activatePrice" if kind is OrderKind.TRAILING else "price"),
        tp_trigger=trigger if leg is Leg.TAKE_PROFIT else None,
        sl_trigger=trigger if leg is Leg.STOP_LOSS else None,
        trigger_by=word(row, "workingType", TRIGGER_BY) if row.get("workingType") else None,
        reduce_only=truth(row, "reduceOnly"),
        dies_with_position=truth(row, "closePosition"),
        triggered_leg=(leg or Leg.STOP_LOSS) if text(row, "algoStatus") in SET_OFF else None,
        child_order_ids=(child,) if child not in ("", "0") else (),
        failure=_why_failed(row, status),
        created_at=moment_or_none(row, "createTime", "updateTime"),
        updated_at=moment_or_none(row, "updateTime", "createTime"),
    )


def fold(algo: Order, child: Order) -> Order:
    """Return a triggered conditional order with what the order that it placed has done so far."""
    if not algo.working:
        return algo
    return algo.but(
        status=child.status,
        triggered_leg=algo.triggered_leg or _leg_of(algo),
        child_order_ids=algo.child_order_ids or (child.exchange_order_id,),
        filled=child.filled,
        average_price=child.average_price,
        fee=child.fee,
        failure=child.failure,
        updated_at=max((at for at in (algo.updated_at, child.updated_at) if at is not None), default=None),
    )


def _leg_of(algo: Order) -> Leg:
    return Leg.TAKE_PROFIT if algo.tp_trigger is not None else Leg.STOP_LOSS


def _kind(row: Row) -> OrderKind:
    if text(row, "type") == "LIMIT":
        return word(row, "timeInForce", LIMIT_KIND)
    return word(row, "type", ORDER_KIND)


def _position_side(row: Row, side: OrderSide, name: ClientId) -> Side:
    """Return the side of the position that an order concerns; in one-way mode by its purpose."""
    told = word(row, "positionSide", POSITION_SIDE) if row.get("positionSide") else None
    if told is not None:
        return told
    closes = truth(row, "reduceOnly") or truth(row, "closePosition")
    return held_side(side, name.opens(closes))


def _average(row: Row, filled: Contracts) -> Price | None:
    """Return the average price, where the row tells it or the value of what was filled."""
    told = price_or_none(row, "avgPrice")
    if told is not None or not filled:
        return told
    value = price_or_none(row, "cumQuote")
    return None if value is None else Price(value / filled)


def _why_ended(row: Row, status: OrderStatus) -> str:
    if status is OrderStatus.REFUSED:
        return "the exchange refused it"
    if status is not OrderStatus.EXPIRED:
        return ""
    reason = str(row.get("er") or "0")
    return EXPIRY.get(reason, "the exchange ended it" if reason == "0" else f"the exchange ended it, reason {reason}")


def _why_failed(row: Row, status: OrderStatus) -> str:
    """Return the reason `rm`, where the order was refused or ended by the exchange; elsewhere it may be stale."""
    told = str(row.get("rm") or "")
    if status is OrderStatus.REFUSED:
        return told or "the order it set off was refused"
    if status is OrderStatus.EXPIRED:
        return told or "the exchange ended it"
    return ""


# -- prices ------------------------------------------------------------------------------------------------------


def parse_ticker(newest: Row, book: Row, mark: Row, at: datetime | None = None) -> Ticker:
    """Return the newest prices, which Binance tells in three places. `at`: when we heard them (else Binance's own
    time).
    """
    last = price(newest, "price")
    return Ticker(
        symbol=to_symbol(text(newest, "symbol")),
        last=last,
        bid=price_or_none(book, "bidPrice") or last,
        ask=price_or_none(book, "askPrice") or last,
        mark=price(mark, "markPrice"),
        at=at or moment(mark, "time"),
    )
