"""Parses OKX's fills, funding fees and balances (OKX V5 docs, trade and account)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.domain.account import AccountState
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import Side
from core.domain.money import ZERO, Contracts
from core.domain.order import Fill, Funding
from core.exchange.fields import Row
from core.exchange.okx.fields import (
    moment,
    number,
    number_or_none,
    number_or_zero,
    price,
    price_or_none,
    text,
    to_symbol,
    word,
)
from core.exchange.okx.parse import ORDER_SIDE, POSITION_SIDE
from core.exchange.orders import held_side, read_client_id

LIQUIDATION, DELEVERAGING = range(100, 108), range(125, 129)  #: subType of a fill
DIRECTION = {"long": Side.LONG, "short": Side.SHORT}
LAST_CLOSE = {
    "1": LastClose.PARTIAL,
    "2": LastClose.FULL,
    "3": LastClose.LIQUIDATED,
    "4": LastClose.LIQUIDATED_IN_PART,
    "5": LastClose.DELEVERAGED_IN_PART,
    "6": LastClose.DELEVERAGED,
}  #: type of a row of the positions' history


def parse_life(row: Row) -> ClosedPosition:
    """Return a position of the positions' history; its side is told by `direction`, in net mode too."""
    return ClosedPosition(
        symbol=to_symbol(text(row, "instId")),
        side=word(row, "direction", DIRECTION),
        position_id=text(row, "posId"),
        opened_at=moment(row, "cTime"),
        updated_at=moment(row, "uTime"),
        last_close=word(row, "type", LAST_CLOSE),
        closed=Contracts(number_or_zero(row, "closeTotalPos")),
        largest=Contracts(number_or_zero(row, "openMaxPos")),
        average_entry=price_or_none(row, "openAvgPx"),
        average_exit=price_or_none(row, "closeAvgPx"),
        pnl=number_or_zero(row, "pnl"),
        fees=number_or_zero(row, "fee"),
        funding=number_or_zero(row, "fundingFee"),
        penalty=number_or_zero(row, "liqPenalty"),
        realised=number_or_zero(row, "realizedPnl"),
        leverage=number_or_zero(row, "lever"),
    )


def parse_fill(row: Row) -> Fill:
    """Return an execution. Known by its bill, because a trade's id is unique within one contract only."""
    side = word(row, "side", ORDER_SIDE)
    client_id = str(row.get("clOrdId") or "")
    profit = number_or_zero(row, "fillPnl")
    opens = read_client_id(client_id).opens(closes=profit != ZERO)
    return Fill(
        exchange_fill_id=text(row, "billId"),
        exchange_order_id=text(row, "ordId"),
        client_order_id=client_id,
        symbol=to_symbol(text(row, "instId")),
        position_side=word(row, "posSide", POSITION_SIDE) or held_side(side, opens),
        side=side,
        quantity=Contracts(number(row, "fillSz")),
        price=price(row, "fillPx"),
        fee=number_or_zero(row, "fee"),
        maker=word(row, "execType", {"M": True, "T": False, "": False}),
        realised_pnl=profit,
        at=moment(row, "fillTime" if row.get("fillTime") else "ts"),
        origin=_origin(row),
    )


def _origin(row: Row) -> str:
    kind = int(number_or_zero(row, "subType"))
    if kind in LIQUIDATION:
        return "liquidation"
    return "deleveraging" if kind in DELEVERAGING else "order"


def parse_funding(row: Row) -> Funding:
    """Return a funding fee from the account's bills, which do not say which side of a contract it was for."""
    side = POSITION_SIDE.get(str(row.get("posSide") or "net"))
    return Funding(
        symbol=to_symbol(text(row, "instId")),
        position_side=side,
        amount=number(row, "balChg"),
        at=moment(row, "ts"),
        exchange_id=text(row, "billId"),
    )


def parse_account(balance: Row, config: Row, as_of: datetime) -> AccountState:
    """Return money in USDT and mode. A currency of which nothing is held is absent from OKX's answer."""
    usdt = next((row for row in balance.get("details") or [] if row.get("ccy") == "USDT"), {"ccy": "USDT"})
    permissions = text(config, "perm").split(",")
    return AccountState(
        equity=number_or_zero(usdt, "eq"),
        available=number_or_zero(usdt, "availEq"),
        margin_used=_margin_used(usdt, balance),
        unrealised_pnl=number_or_zero(usdt, "upl"),
        hedge_mode=word(config, "posMode", {"long_short_mode": True, "net_mode": False}),
        can_trade="trade" in permissions and text(config, "acctLv") != "1",  # level 1 is spot alone
        can_withdraw="withdraw" in permissions,
        as_of=as_of,
        addresses=str(config.get("ip") or ""),
    )


def _margin_used(usdt: Row, balance: Row) -> Decimal:
    """Return the initial margin; told per currency in Futures mode and for the whole account in the others."""
    used = number_or_none(usdt, "imr")
    return used if used is not None else number_or_zero(balance, "imr")
