"""Positions and balances as Binance USD-M rows, with their complete field sets."""

from decimal import Decimal

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.context import BinanceContext
from core.simulator.binance.format import SIDES, Row, money, text
from core.simulator.binance.rows.orders import contract_of
from core.simulator.engine.state import ZERO, HeldPosition

# -- positions


def sides(owner: BinanceAccount) -> tuple[str, ...]:
    """Return the position sides of the account's mode."""
    return ("long", "short") if owner.hedged else ("net",)


def break_even(position: HeldPosition, taker: Decimal) -> Decimal:
    """Return the price at which closing would undo everything this life has cost, its own closing fee included."""
    way = 1 if position.contracts > 0 else -1
    held = abs(position.contracts)
    return (position.average * held - way * position.realised) / (held * (1 - way * taker))


def order_margin(context: BinanceContext, symbol: str, side: str) -> tuple[Decimal, Decimal, Decimal]:
    """Return what resting orders of that side hold back (USDT), and their bid and ask notionals."""
    owner, held = context.owner, ZERO
    notionals = {"buy": ZERO, "sell": ZERO}
    for one in context.order_checks.open_orders(owner, symbol):
        if one.position_side == side:
            price = one.price if one.price is not None else context.exchange.prices(symbol).last
            held += context.margin.opening(owner, one) * price / owner.lever(symbol)
            notionals[one.side] += one.left * price
    return held, notionals["buy"], notionals["sell"]


def risk(context: BinanceContext, symbol: str, side: str, version: int) -> Row:
    """Return one row of positionRisk; a side that holds nothing shows zeros."""
    owner, contract, mark = context.owner, contract_of(context, symbol), context.exchange.prices(symbol).mark
    held = owner.positions.get((symbol, side))
    wallet = owner.wallets.get((symbol, side), ZERO)
    amount = held.contracts if held else ZERO
    gained = owner.unrealised(held, mark) if held else ZERO
    taker = Decimal(context.exchange.behaviour["fees"]["taker"])
    row: Row = {
        "symbol": contract.wire, "positionSide": SIDES[side],
        "positionAmt": text(amount, contract.quantity_precision),
        "entryPrice": text(held.average if held else ZERO, 1),
        "breakEvenPrice": text(break_even(held, taker).quantize(Decimal("0.00000001")) if held else ZERO, 1),
        "markPrice": text(mark, 8), "unRealizedProfit": money(gained),
        "liquidationPrice": text(owner.liquidation_price_of(held, context.exchange.prices) if held else ZERO),
        "isolatedMargin": money(wallet + gained if wallet else ZERO), "notional": money(amount * mark),
        "isolatedWallet": money(wallet), "updateTime": held.updated if held else 0,
    }  # fmt: skip
    if version == 2:
        return row | {
            "leverage": text(owner.lever(symbol)), "marginType": "isolated" if symbol in owner.isolated else "cross",
            "maxNotionalValue": text(contract.largest_notional(owner.lever(symbol))), "isAutoAddMargin": "false",
        }  # fmt: skip
    orders, bid, ask = order_margin(context, symbol, side)
    margin = owner.margin(held, mark) if held else ZERO
    maintenance = owner.maintenance(held, mark) if held else ZERO
    return row | {
        "marginAsset": "USDT", "initialMargin": money(margin + orders), "maintMargin": money(maintenance),
        "positionInitialMargin": money(margin), "openOrderInitialMargin": money(orders), "adl": 1 if held else 0,
        "bidNotional": money(bid), "askNotional": money(ask),
    }  # fmt: skip


def risks(context: BinanceContext, symbols: list[str], version: int) -> list[Row]:
    """positionRisk: version 2 lists every instrument, version 3 those with a position or an open order."""
    owner = context.owner
    if version == 3:
        busy = {key[0] for key in owner.positions} | {
            o.instrument for o in context.exchange.live.values() if o.account == owner.name
        }
        symbols = [symbol for symbol in symbols if symbol in busy]
    return [risk(context, symbol, side, version) for symbol in symbols for side in sides(owner)]


def account_position(context: BinanceContext, symbol: str, side: str, version: int) -> Row:
    """Return a position inside the account's answer."""
    row, owner = risk(context, symbol, side, 3), context.owner
    made = {
        "symbol": row["symbol"], "positionSide": row["positionSide"], "positionAmt": row["positionAmt"],
        "unrealizedProfit": row["unRealizedProfit"], "isolatedMargin": row["isolatedMargin"],
        "notional": row["notional"], "isolatedWallet": row["isolatedWallet"], "initialMargin": row["initialMargin"],
        "maintMargin": row["maintMargin"], "updateTime": row["updateTime"],
    }  # fmt: skip
    if version == 3:
        return made
    contract = contract_of(context, symbol)
    return made | {
        "positionInitialMargin": row["positionInitialMargin"], "openOrderInitialMargin": row["openOrderInitialMargin"],
        "leverage": text(owner.lever(symbol)), "isolated": symbol in owner.isolated, "entryPrice": row["entryPrice"],
        "breakEvenPrice": row["breakEvenPrice"], "bidNotional": row["bidNotional"], "askNotional": row["askNotional"],
        "maxNotional": text(contract.largest_notional(owner.lever(symbol))),
    }  # fmt: skip


# -- money


def totals(context: BinanceContext) -> dict[str, Decimal]:
    """Return the account's sums in USDT, by name."""
    owner, prices = context.owner, context.exchange.prices
    orders, margin = context.margin.frozen(owner), owner.held_margin(prices)
    gained = owner.equity(prices) - owner.balance
    cross = owner.cross_equity(prices) - owner.cross_balance()
    return {
        "wallet": owner.balance, "gained": gained, "equity": owner.balance + gained, "orders": orders,
        "positions": margin, "maintenance": owner.held_maintenance(prices), "cross_wallet": owner.cross_balance(),
        "cross_gained": cross, "available": max(ZERO, context.margin.free(owner)),
    }  # fmt: skip


def balances(context: BinanceContext) -> list[Row]:
    """Return the rows of /balance: USDT, and BNB as the fee asset."""
    sums, owner = totals(context), context.owner
    base = {"accountAlias": "SgsR", "marginAvailable": True, "updateTime": context.exchange.now}
    usdt = {
        "asset": "USDT", "balance": money(sums["wallet"]), "crossWalletBalance": money(sums["cross_wallet"]),
        "crossUnPnl": money(sums["cross_gained"]), "availableBalance": money(sums["available"]),
        "maxWithdrawAmount": money(min(sums["available"], max(ZERO, sums["cross_wallet"]))),
    }  # fmt: skip
    bnb = {"asset": "BNB", "balance": money(owner.bnb), "crossWalletBalance": money(owner.bnb),
           "crossUnPnl": money(ZERO), "availableBalance": money(owner.bnb),
           "maxWithdrawAmount": money(owner.bnb)}  # fmt: skip
    return [base | bnb, base | usdt]


def assets(context: BinanceContext) -> list[Row]:
    """Return the assets inside the account's answer."""
    sums, rows = totals(context), balances(context)
    made = []
    for row in rows:
        usdt = row["asset"] == "USDT"
        here = sums if usdt else dict.fromkeys(sums, ZERO)
        made.append({
            "asset": row["asset"], "walletBalance": row["balance"], "unrealizedProfit": money(here["gained"]),
            "marginBalance": money(here["equity"]) if usdt else row["balance"],
            "maintMargin": money(here["maintenance"]), "initialMargin": money(here["positions"] + here["orders"]),
            "positionInitialMargin": money(here["positions"]), "openOrderInitialMargin": money(here["orders"]),
            "crossWalletBalance": row["crossWalletBalance"], "crossUnPnl": row["crossUnPnl"],
            "availableBalance": row["availableBalance"], "maxWithdrawAmount": row["maxWithdrawAmount"],
            "marginAvailable": True, "updateTime": row["updateTime"],
        })  # fmt: skip
    return made


def account(context: BinanceContext, version: int) -> Row:
    """Return the account as version 2 or 3 of the call tells it."""
    sums, owner = totals(context), context.owner
    symbols = list(owner.contracts)
    if version == 3:
        shown = {row["symbol"] for row in risks(context, symbols, 3)}
        symbols = [symbol for symbol in symbols if contract_of(context, symbol).wire in shown]
    all_sides = ("net", "long", "short") if version == 2 else sides(owner)
    row: Row = {
        "totalInitialMargin": money(sums["positions"] + sums["orders"]), "totalMaintMargin": money(sums["maintenance"]),
        "totalWalletBalance": money(sums["wallet"]), "totalUnrealizedProfit": money(sums["gained"]),
        "totalMarginBalance": money(sums["equity"]), "totalPositionInitialMargin": money(sums["positions"]),
        "totalOpenOrderInitialMargin": money(sums["orders"]), "totalCrossWalletBalance": money(sums["cross_wallet"]),
        "totalCrossUnPnl": money(sums["cross_gained"]), "availableBalance": money(sums["available"]),
        "maxWithdrawAmount": money(min(sums["available"], max(ZERO, sums["cross_wallet"]))),
        "assets": assets(context),
        "positions": [account_position(context, symbol, side, version) for symbol in symbols for side in all_sides],
    }  # fmt: skip
    if version == 3:
        return row
    return row | {
        "feeTier": 0, "feeBurn": context.exchange.behaviour["binance_fee_asset"] == "BNB",
        "canTrade": context.exchange.behaviour["binance_can_trade"], "canDeposit": True, "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": owner.multi_assets, "tradeGroupId": -1,
    }  # fmt: skip
