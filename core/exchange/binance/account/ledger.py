"""Parses Binance's executions, income and balances (Binance USD-M docs, account and trade)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.account import AccountState
from core.domain.instrument import OrderSide, Side
from core.domain.money import ZERO, Contracts, Price
from core.domain.order import Fill, Funding
from core.exchange.binance.fields import moment, number, number_or_zero, price, text, to_symbol, word
from core.exchange.binance.parse import ORDER_SIDE, POSITION_SIDE
from core.exchange.fields import Row, truth
from core.exchange.orders import held_side, read_client_id

SETTLE = "USDT"
FUNDING_FEE, INSURANCE = "FUNDING_FEE", "INSURANCE_CLEAR"
LIQUIDATION, DELEVERAGING = ("autoclose-",), ("adl_autoclose",)  #: how the client ids of such orders begin


@dataclass(frozen=True, slots=True)
class Trade:
    """An execution as the exchange lists it; it has the order's number and not its client id."""

    id: int  #: counted per contract
    order_id: str
    symbol: str
    side: OrderSide
    position_side: Side | None  #: None: one-way mode
    quantity: Contracts
    price: Price
    fee: Decimal  #: in USDT, negative = paid
    realised_pnl: Decimal
    maker: bool
    at: datetime

    @property
    def key(self) -> Hashable:
        return self.id

    @property
    def signed(self) -> Decimal:
        """Return what it added to the position: bought positive, sold negative."""
        return self.quantity if self.side is OrderSide.BUY else -self.quantity


@dataclass(frozen=True, slots=True)
class Income:
    """A booking in the account: funding, a realised profit, a fee."""

    kind: str
    symbol: str  #: Binance's own; "" for bookings that concern no contract
    amount: Decimal
    at: datetime
    id: str  #: unique within one kind

    @property
    def key(self) -> Hashable:
        return self.kind, self.id, self.symbol


def paid(row: Row) -> tuple[Decimal, str]:
    """Return the fee of an execution, negative = paid, and its currency; both are absent where there was none."""
    return -number_or_zero(row, "commission"), str(row.get("commissionAsset") or SETTLE)


def parse_trade(row: Row, fee: Decimal) -> Trade:
    """Return an execution, with its fee in USDT."""
    return Trade(
        id=int(number(row, "id")),
        order_id=text(row, "orderId"),
        symbol=to_symbol(text(row, "symbol")),
        side=word(row, "side", ORDER_SIDE),
        position_side=word(row, "positionSide", POSITION_SIDE) if row.get("positionSide") else None,
        quantity=Contracts(number(row, "qty")),
        price=price(row, "price"),
        fee=fee,
        realised_pnl=number_or_zero(row, "realizedPnl"),
        maker=truth(row, "maker"),
        at=moment(row, "time"),
    )


def parse_fill(trade: Trade, client_id: str) -> Fill:
    """Return an execution with its order's client id. Trades are counted per contract, so the contract is in its id."""
    opens = read_client_id(client_id).opens(closes=trade.realised_pnl != ZERO)
    return Fill(
        exchange_fill_id=f"{trade.symbol}:{trade.id}",
        exchange_order_id=trade.order_id,
        client_order_id=client_id,
        symbol=trade.symbol,
        position_side=trade.position_side or held_side(trade.side, opens),
        side=trade.side,
        quantity=trade.quantity,
        price=trade.price,
        fee=trade.fee,
        maker=trade.maker,
        realised_pnl=trade.realised_pnl,
        at=trade.at,
        origin=origin_of(client_id),
    )


def origin_of(client_id: str) -> str:
    """Return who sent an order: one of the exchange's own is known by the beginning of its client id."""
    if client_id.startswith(LIQUIDATION):
        return "liquidation"
    return "deleveraging" if client_id.startswith(DELEVERAGING) else "order"


def parse_income(row: Row) -> Income:
    """Return a booking; its number is in the field tranId."""
    return Income(
        kind=text(row, "incomeType"),
        symbol=str(row.get("symbol") or ""),
        amount=number(row, "income"),
        at=moment(row, "time"),
        id=text(row, "tranId"),
    )


def parse_funding(income: Income) -> Funding:
    """Return a funding fee. Binance does not say which side of a contract it was for."""
    return Funding(
        symbol=to_symbol(income.symbol),
        position_side=None,
        amount=income.amount,
        at=income.at,
        exchange_id=income.id,
    )


def parse_account(account: Row, config: Row, as_of: datetime) -> AccountState:
    """Return money in USDT and mode. A currency of which nothing is held may be absent from the answer.

    Whether the account may trade is told here, and not what the key may. Whether the key may withdraw, and from where
    it may be used, Binance tells at an address of its spot exchange only.
    """
    usdt = next((row for row in account.get("assets") or [] if row.get("asset") == SETTLE), {"asset": SETTLE})
    return AccountState(
        equity=number_or_zero(usdt, "marginBalance"),
        available=number_or_zero(usdt, "availableBalance"),
        margin_used=number_or_zero(usdt, "initialMargin"),
        unrealised_pnl=number_or_zero(usdt, "unrealizedProfit"),
        hedge_mode=truth(config, "dualSidePosition"),
        can_trade=truth(config, "canTrade"),
        can_withdraw=False,
        as_of=as_of,
    )
