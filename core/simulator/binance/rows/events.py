"""Events of the Binance account's user stream (docs, User Data Streams, each event's page).

E and T are the exchange's time in ms. What has no meaning for an event is left out where the real one leaves it out:
a trade without a fee names neither its asset nor its amount.
"""

from decimal import Decimal

from core.simulator.binance.engine.context import BinanceContext
from core.simulator.binance.format import SIDES, Row, money, number, text
from core.simulator.binance.rows import account as account_rows
from core.simulator.binance.rows import orders
from core.simulator.engine.account import Key
from core.simulator.engine.state import ZERO, BookedFill, BookOrder

EXPIRY = {"ioc": "2", "knocked_out": "4", "nothing_to_close": "4", "liquidation": "5", "position_closed": "6",
          "market": "9", "price_limit": "9", "fok": "10", "post_only": "11"}  # fmt: skip
REASONS = {"deposit": "DEPOSIT", "funding_fee": "FUNDING_FEE", "margin": "MARGIN_TRANSFER"}
CALL_SHARE = Decimal("0.8")  # a margin call comes when maintenance is this share of the equity


def order(context: BinanceContext, one: BookOrder, fill: BookedFill | None) -> Row:
    """Return ORDER_TRADE_UPDATE of an order, or of one fill of it."""
    contract = orders.contract_of(context, one.instrument)
    places, status = contract.quantity_precision, orders.status(one)
    if fill is not None:
        execution = "CALCULATED" if fill.kind == "liquidation" else "TRADE"
    else:
        execution = str(one.wire.get("x") or (status if status in ("CANCELED", "EXPIRED") else "NEW"))
    kind = "MARKET" if one.price is None else "LIMIT"
    bids, asks = notionals(context, one)
    row: Row = {
        "s": contract.wire, "c": one.client_id, "S": one.side.upper(), "o": kind,
        "f": str(one.wire.get("tif") or orders.TIMES_IN_FORCE.get(one.kind, "GTC")), "q": text(one.size, places),
        "p": text(one.price), "ap": text(one.average), "sp": text(Decimal(one.wire.get("sp") or 0)), "x": execution,
        "X": status, "i": number(one.order_id), "l": text(fill.size if fill else ZERO, places),
        "z": text(one.filled, places), "L": text(fill.price if fill else ZERO),
        "T": context.exchange.now, "t": number(fill.trade_id) if fill else 0, "b": text(bids), "a": text(asks),
        "m": fill.maker if fill else False, "R": orders.reduces(context, one),
        "wt": orders.LISTENS[one.wire.get("wt", "last")], "ot": kind, "ps": SIDES[one.position_side],
        "cp": bool(one.wire.get("cp", False)), "rp": text(fill.pnl if fill else ZERO),
        "pP": bool(one.wire.get("pP", False)), "si": 0, "ss": 0, "V": str(one.wire.get("stp") or "EXPIRE_MAKER"),
        "pm": str(one.wire.get("pm") or "NONE"), "gtd": int(one.wire.get("gtd") or 0),
        "er": EXPIRY.get(one.cancel_reason, "0") if not one.living else "0",
    }  # fmt: skip
    if fill is not None and fill.fee_amount:
        row |= {"N": fill.fee_asset, "n": text(-fill.fee_amount)}
    return {"e": "ORDER_TRADE_UPDATE", "E": context.exchange.now, "T": context.exchange.now, "o": row}


def notionals(context: BinanceContext, one: BookOrder) -> tuple[Decimal, Decimal]:
    """Return what all open buys and sells of that instrument are worth at their prices (USDT)."""
    worth = {"buy": ZERO, "sell": ZERO}
    for other in context.order_checks.open_orders(context.owner, one.instrument):
        worth[other.side] += other.left * (other.price or ZERO)
    return worth["buy"], worth["sell"]


def trade_lite(context: BinanceContext, one: BookOrder, fill: BookedFill) -> Row:
    """Return TRADE_LITE: the trade alone, without its leg and its cost."""
    contract = orders.contract_of(context, one.instrument)
    places = contract.quantity_precision
    return {
        "e": "TRADE_LITE", "E": context.exchange.now, "T": context.exchange.now, "s": contract.wire,
        "q": text(one.size, places), "p": text(one.price, 2), "m": fill.maker, "c": one.client_id,
        "S": one.side.upper(), "L": text(fill.price, 2), "l": text(fill.size, places), "t": number(fill.trade_id),
        "i": number(one.order_id),
    }  # fmt: skip


# -- ACCOUNT_UPDATE


def account(
    context: BinanceContext, reason: str, change: Decimal, symbols: list[str], assets: tuple[str, ...] = ("USDT",)
) -> Row:
    """Return ACCOUNT_UPDATE: these balances, and every side of these instruments; a reason of "" is left out."""
    owner = context.owner
    balances = {"USDT": (owner.balance, owner.cross_balance(), change), "BNB": (owner.bnb, owner.bnb, ZERO)}
    made: Row = {
        "m": reason,
        "B": [
            {"a": asset, "wb": money(whole), "cw": money(cross), "bc": text(moved)}
            for asset, (whole, cross, moved) in balances.items() if asset in assets
        ],
        "P": [position(context, symbol, side) for symbol in symbols
              for side in (("net", "long", "short") if owner.hedged else ("net",))],
    }  # fmt: skip
    if reason == "FUNDING_FEE" and owner.ledger:
        made["S"] = orders.contract_of(context, owner.ledger[-1].instrument).wire
    return {"e": "ACCOUNT_UPDATE", "E": context.exchange.now, "T": context.exchange.now, "a": made}


def position(context: BinanceContext, symbol: str, side: str) -> Row:
    """Return one side of an instrument as ACCOUNT_UPDATE tells it; a short is below zero."""
    row, owner = account_rows.risk(context, symbol, side, 3), context.owner
    held = owner.positions.get((symbol, side))
    return {
        "s": row["symbol"], "pa": row["positionAmt"], "ep": row["entryPrice"], "bep": row["breakEvenPrice"],
        "cr": text(held.pnl if held else ZERO), "up": text(Decimal(row["unRealizedProfit"])),
        "mt": "isolated" if symbol in owner.isolated else "cross", "iw": row["isolatedWallet"], "ps": SIDES[side],
        "ma": "USDT",
    }  # fmt: skip


def filled(context: BinanceContext, fill: BookedFill) -> Row:
    """Return ACCOUNT_UPDATE of one trade."""
    assets = ("USDT", "BNB") if fill.fee_asset == "BNB" else ("USDT",)
    return account(context, "ADL" if fill.kind == "adl" else "ORDER", ZERO, [fill.instrument], assets)


def money_moved(context: BinanceContext, reason: str, key: Key | None) -> Row:
    """Return ACCOUNT_UPDATE of a deposit, of funding (on a cross position without it) or of margin moved by hand."""
    owner = context.owner
    symbols = [key[0]] if key is not None and (reason != "funding_fee" or key[0] in owner.isolated) else []
    change = owner.ledger[-1].change if reason in ("deposit", "funding_fee") and owner.ledger else ZERO
    assets = ("USDT", "BNB") if reason == "deposit" and owner.bnb_deposits else ("USDT",)
    return account(context, REASONS[reason], change, symbols, assets)


# -- settings and warnings


def leverage(context: BinanceContext, symbol: str) -> Row:
    """Return ACCOUNT_CONFIG_UPDATE of one instrument's leverage."""
    said = {"s": orders.contract_of(context, symbol).wire, "l": int(context.owner.lever(symbol))}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": context.exchange.now, "T": context.exchange.now, "ac": said}


def multi_assets(context: BinanceContext) -> Row:
    """Return ACCOUNT_CONFIG_UPDATE of the account's mode."""
    said = {"j": context.owner.multi_assets}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": context.exchange.now, "T": context.exchange.now, "ai": said}


def endangered(context: BinanceContext) -> list[Row]:
    """Return the cross positions whose account has come close to its liquidation, as MARGIN_CALL lists them."""
    owner = context.owner
    cross = [one for key, one in owner.positions.items() if key not in owner.wallets]
    maintenance = sum((owner.maintenance(one, context.exchange.prices(one.instrument).mark) for one in cross), ZERO)
    if not cross or maintenance < owner.cross_equity(context.exchange.prices) * CALL_SHARE:
        return []
    risks = [(one, account_rows.risk(context, one.instrument, one.side, 3)) for one in cross]
    return [
        {"s": row["symbol"], "ps": SIDES[one.side], "pa": row["positionAmt"], "mt": "CROSSED", "iw": "0",
         "mp": row["markPrice"], "up": row["unRealizedProfit"], "mm": row["maintMargin"]}
        for one, row in risks
    ]  # fmt: skip


def margin_call(context: BinanceContext, positions: list[Row]) -> Row:
    """Return MARGIN_CALL for these positions."""
    return {"e": "MARGIN_CALL", "E": context.exchange.now, "cw": money(context.owner.cross_balance()), "p": positions}


def listen_key_expired(context: BinanceContext, key: str) -> Row:
    """Return listenKeyExpired; its E is a string, as in the documentation."""
    return {"e": "listenKeyExpired", "E": str(context.exchange.now), "listenKey": key}
