"""Binance USD-M REST, account part: balances, positions, trades, income, forced orders (docs, Account endpoints)."""

from collections.abc import Iterator

from core.simulator.binance.endpoints import DAY_MS, SIGNED, BinanceCall, endpoint
from core.simulator.binance.errors import BinanceError
from core.simulator.binance.format import Row, money, number
from core.simulator.binance.rows import account as account_rows
from core.simulator.binance.rows import orders
from core.simulator.engine.state import Bill, BookedFill

KEPT_DAYS = 90
FORCED = {"LIQUIDATION": "autoclose-", "ADL": "adl_autoclose"}


@endpoint("GET", "v2/balance", 5, SIGNED)
@endpoint("GET", "v3/balance", 5, SIGNED)
def balance(call: BinanceCall) -> list[Row]:
    """Answer `GET balance`: the balances of the futures wallet."""
    return account_rows.balances(call.context)


@endpoint("GET", "v2/account", 5, SIGNED)
@endpoint("GET", "v3/account", 5, SIGNED)
def account(call: BinanceCall) -> Row:
    """Answer `GET account`: balances, assets and positions of the account."""
    return account_rows.account(call.context, int(call.path[1]))


@endpoint("GET", "v2/positionRisk", 5, SIGNED)
@endpoint("GET", "v3/positionRisk", 5, SIGNED)
def position_risk(call: BinanceCall) -> list[Row]:
    """Answer `GET positionRisk`: the positions with margin and liquidation price."""
    return account_rows.risks(call.context, [contract.symbol for contract in call.chosen()], int(call.path[1]))


@endpoint("GET", "v1/adlQuantile", 5, SIGNED)
def adl_quantile(call: BinanceCall) -> list[Row]:
    """Answer `GET adlQuantile`: the place of each position in the queue of auto-deleveraging."""
    shown = [contract for contract in call.chosen() if any(key[0] == contract.symbol for key in call.owner.positions)]
    return [{"symbol": one.wire, "adlQuantile": {"LONG": 1, "SHORT": 1, "BOTH": 1}} for one in shown]


@endpoint("GET", "v1/userTrades", 5, SIGNED)
def user_trades(call: BinanceCall) -> list[Row]:
    """Answer `GET userTrades`: the trades of the account on one instrument."""
    contract, most, least = call.contract(), call.limit(500, 1000), call.whole("fromId")
    order_id, oldest = call.whole("orderId"), call.exchange.now - KEPT_DAYS * DAY_MS
    if least is not None and (call.get("startTime") or call.get("endTime")):
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    found: list[BookedFill] = [
        fill for fill in call.exchange.fills.values()
        if (fill.account, fill.instrument) == ("binance", contract.symbol) and fill.at >= oldest
        and (order_id is None or number(fill.order_id) == order_id)
    ]  # fmt: skip
    if least is not None:
        found = [fill for fill in found if number(fill.trade_id) >= least][:most]
    elif call.get("startTime") or call.get("endTime") or order_id is None:
        begin, end = call.span(7)
        found = [fill for fill in found if begin <= fill.at <= end]
        found = found[:most] if call.get("startTime") else found[-most:]
    return [orders.trade(call.context, fill) for fill in found[:most]]


# -- income


def incomes(call: BinanceCall, bill: Bill) -> Iterator[Row]:
    """Yield the rows of one change of the balance: a trade is its profit and its commission."""
    fill = call.exchange.fills.get(bill.trade_id)
    contract = orders.contract_of(call.context, bill.instrument) if bill.instrument else None
    base: Row = {"symbol": contract.wire if contract else "", "asset": "USDT", "info": "", "time": bill.at,
                 "tranId": number(bill.bill_id), "tradeId": ""}  # fmt: skip
    if bill.kind == "trade" and fill is not None:
        base |= {"info": str(number(fill.trade_id)), "tradeId": str(number(fill.trade_id))}
        if fill.fee_amount:
            yield base | {"incomeType": "COMMISSION", "income": money(fill.fee_amount), "asset": fill.fee_asset}
        if bill.pnl:
            yield base | {"incomeType": "REALIZED_PNL", "income": money(bill.pnl)}
    elif bill.kind != "trade":
        kinds = {"deposit": "TRANSFER", "funding": "FUNDING_FEE", "liquidation_penalty": "INSURANCE_CLEAR"}
        yield base | {"incomeType": kinds[bill.kind], "income": money(bill.change), "info": kinds[bill.kind]}


@endpoint("GET", "v1/income", 30, SIGNED)
def income(call: BinanceCall) -> list[Row]:
    """Answer `GET income`: changes of the balance: profit, commission, funding, transfers."""
    contract, kind, most = call.maybe_contract(), call.get("incomeType"), call.limit(100, 1000)
    begin, end, now = call.whole("startTime"), call.whole("endTime"), call.exchange.now
    if begin is None and end is None:
        begin = now - 7 * DAY_MS
    begin, end = max(begin or 0, now - KEPT_DAYS * DAY_MS), now if end is None else end
    found = [
        row for bill in call.owner.ledger if begin <= bill.at <= end for row in incomes(call, bill)
        if (contract is None or row["symbol"] == contract.wire) and kind in ("", row["incomeType"])
    ]  # fmt: skip
    return found[:most] if call.get("startTime") else found[-most:]


@endpoint("GET", "v1/forceOrders", 20, SIGNED, weight_all=50)
def forced_orders(call: BinanceCall) -> list[Row]:
    """Answer `GET forceOrders`: the orders by which the exchange closed positions."""
    symbols, kind, most = {c.symbol for c in call.chosen()}, call.get("autoCloseType"), call.limit(50, 100)
    prefixes = (FORCED[kind],) if kind in FORCED else tuple(FORCED.values())
    begin, end = call.span(7)
    found = [
        order for order in call.exchange.orders.values()
        if order.account == "binance" and order.instrument in symbols and order.client_id.startswith(prefixes)
        and begin <= order.created <= end
    ]  # fmt: skip
    return [orders.order(call.context, order, True) for order in found[-most:]]
