"""OKX V5 REST, public part: catalogue, prices, candles, books, funding, status (OKX V5 docs, public data)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from core.simulator.engine.candles import MINUTE
from core.simulator.engine.market import FUNDING_MS
from core.simulator.engine.state import down_to, near
from core.simulator.okx.endpoints import OkxCall, Row, decimal, endpoint, page
from core.simulator.okx.errors import OkxError
from core.simulator.okx.format import text
from core.simulator.okx.rows import market as market_rows

HOUR = 60 * MINUTE
DAY = 24 * HOUR
BARS = {"1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
        "1H": HOUR, "2H": 2 * HOUR, "4H": 4 * HOUR, "6H": 6 * HOUR, "12H": 12 * HOUR,
        "1D": DAY, "2D": 2 * DAY, "3D": 3 * DAY, "1W": 7 * DAY,
        "6Hutc": 6 * HOUR, "12Hutc": 12 * HOUR, "1Dutc": DAY, "2Dutc": 2 * DAY, "3Dutc": 3 * DAY,
        "1Wutc": 7 * DAY}  # fmt: skip
KINDS = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")


def kind_of(call: OkxCall) -> str:
    """Return the instrument type; OkxError where there is no such type."""
    kind = call.needed("instType")
    if kind not in KINDS:
        raise OkxError("51000", "Parameter instType error")
    return kind


def swaps(call: OkxCall) -> list[str]:
    """Return the instruments that the parameters ask for."""
    if call.get("instType", "SWAP") != "SWAP":
        return []
    if "instId" in call.parameters:
        return [call.symbol()]
    family = call.get("instFamily") or call.get("uly")
    return [symbol for symbol, contract in call.exchange.setup.contracts.items() if family in ("", contract.index)]


def by_index(call: OkxCall, index: str) -> str:
    """Return the instrument that follows this index; OkxError 51001 where there is none."""
    for symbol, contract in call.exchange.setup.contracts.items():
        if contract.index == index:
            return symbol
    raise OkxError("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


@endpoint("GET", "public/time", 10, per="ip")
def time(call: OkxCall) -> list[Any]:
    """Answer `GET public/time`: the exchange's time."""
    return [{"ts": str(call.runtime.shown_now())}]


@endpoint("GET", "public/instruments", 20, per="ip+kind")
def instruments(call: OkxCall) -> list[Any]:
    """Answer `GET public/instruments`: the instruments and their rules."""
    kind_of(call)
    suspended = call.exchange.behaviour["suspended"]
    return [
        market_rows.instrument(call.owner.contracts[symbol], symbol in suspended, call.exchange.now)
        for symbol in swaps(call)
    ]


@endpoint("GET", "public/position-tiers", 10, per="ip")
def position_tiers(call: OkxCall) -> list[Any]:
    """Answer `GET public/position-tiers`: the tiers of margin and leverage."""
    families = [family for family in (call.get("instFamily") or call.get("uly")).split(",") if family]
    symbols = [by_index(call, family) for family in families] or [call.symbol()]
    return [row for symbol in symbols for row in market_rows.tiers(call.owner.contracts[symbol])]


@endpoint("GET", "public/mark-price", 10, per="ip+instrument")
def mark_price(call: OkxCall) -> list[Any]:
    """Answer `GET public/mark-price`: mark prices."""
    if not call.get("instId"):
        kind_of(call)
    return [market_rows.mark_price(call.exchange, symbol) for symbol in swaps(call)]


@endpoint("GET", "public/price-limit", 20, per="ip")
def price_limit(call: OkxCall) -> list[Any]:
    """Answer `GET public/price-limit`: the highest price of a buy and the lowest of a sell."""
    return [market_rows.price_limit(call.exchange, call.symbol())]


@endpoint("GET", "public/funding-rate", 10, per="ip+instrument")
def funding_rate(call: OkxCall) -> list[Any]:
    """Answer `GET public/funding-rate`: the funding rate."""
    symbols = list(call.exchange.markets) if call.get("instId") == "ANY" else [call.symbol()]
    return [market_rows.funding(call.exchange, symbol) for symbol in symbols]


@endpoint("GET", "public/funding-rate-history", 10, per="ip+instrument")
def funding_rate_history(call: OkxCall) -> list[Any]:
    """Answer `GET public/funding-rate-history`: the funding rates of the past."""
    symbol, latest = call.symbol(), call.exchange.now // FUNDING_MS * FUNDING_MS
    known = [market_rows.funding_history(call.exchange, symbol, latest - back * FUNDING_MS) for back in range(270)]
    return page(known, call, lambda row: int(row["fundingTime"]), 400)


@endpoint("GET", "public/open-interest", 20, per="ip")
def open_interest(call: OkxCall) -> list[Any]:
    """Answer `GET public/open-interest`: the open interest."""
    made = []
    for symbol in swaps(call):
        contract, price = call.exchange.setup.contracts[symbol], call.exchange.prices(symbol).last
        coins = contract.value * 2_000_000
        row = {"instType": "SWAP", "instId": symbol, "oi": "2000000", "oiCcy": text(coins)}
        made.append(row | {"oiUsd": text(coins * price), "ts": str(call.exchange.now)})
    return made


@endpoint("GET", "public/convert-contract-coin", 10, per="ip")
def convert(call: OkxCall) -> list[Any]:
    """Answer `GET public/convert-contract-coin`: contracts as coins, or coins as contracts."""
    symbol, size = call.symbol(), decimal(call.needed("sz"), "sz")
    contract, price = call.owner.contracts[symbol], call.exchange.prices(symbol).last
    if call.get("px"):
        price = decimal(call.get("px"), "px")
    unit = price if call.get("unit") == "usds" else Decimal(1)
    if call.get("type", "1") == "1":
        steps = down_to if call.get("opType", "close") == "open" else near
        size = steps(contract.lot, size / (contract.value * unit))
    else:
        size = size * contract.value * unit
    names = {name: call.get(name) for name in ("type", "px", "unit", "opType")}
    return [names | {"instId": symbol, "sz": text(size)}]


@endpoint("GET", "market/ticker", 20, per="ip")
def ticker(call: OkxCall) -> list[Any]:
    """Answer `GET market/ticker`: the ticker of an instrument."""
    return [market_rows.ticker(call.exchange, call.symbol())]


@endpoint("GET", "market/tickers", 20, per="ip")
def tickers(call: OkxCall) -> list[Any]:
    """Answer `GET market/tickers`: the tickers of all instruments."""
    kind_of(call)
    return [market_rows.ticker(call.exchange, symbol) for symbol in swaps(call)]


@endpoint("GET", "market/index-tickers", 20, per="ip")
def index_tickers(call: OkxCall) -> list[Any]:
    """Answer `GET market/index-tickers`: the tickers of indexes."""
    symbols = [by_index(call, call.get("instId"))] if call.get("instId") else list(call.exchange.markets)
    return [market_rows.index_ticker(call.exchange, symbol) for symbol in symbols]


@endpoint("GET", "market/books", 40, per="ip")
def books(call: OkxCall) -> list[Any]:
    """Answer `GET market/books`: the book."""
    asks, bids = market_rows.book(call.exchange, call.symbol(), min(400, call.whole("sz", 1) or 1))
    return [{"asks": asks, "bids": bids, "ts": str(call.exchange.now), "seqId": call.exchange.numbers}]


@endpoint("GET", "market/trades", 100, per="ip")
def trades(call: OkxCall) -> list[Any]:
    """Answer `GET market/trades`: one trade for each minute's close."""
    symbol, made = call.symbol(), []
    for minute in reversed(call.exchange.markets[symbol].tape.minutes[-call.limit(500) :]):
        side = "buy" if minute[4] >= minute[1] else "sell"
        number = minute[0] // MINUTE
        made.append({"instId": symbol, "tradeId": str(number), "px": text(minute[4]), "sz": "1", "side": side,
                     "ts": str(minute[0]), "count": "1", "source": "0"})  # fmt: skip
    return made


def bars(call: OkxCall, symbol: str, most: int) -> list[Any]:
    """Return the candles that the parameters ask for, newest first."""
    name = call.get("bar", "1m")
    if name not in BARS:
        raise OkxError("51000", "Parameter bar error")
    length = BARS[name]
    offset = 16 * HOUR if length >= 6 * HOUR and not name.endswith("utc") else 0
    if length >= 7 * DAY:
        offset += 4 * DAY  # weeks begin on Monday
    market = call.exchange.markets[symbol]
    made, value = market.tape.bars(length, offset), market.contract.value
    forming = market.tape.minutes[-1][0]
    chosen = page(made[::-1], call, lambda candle: int(candle[0]), most)
    return [market_rows.candle(candle, candle[0] + length > forming, value) for candle in chosen]


@endpoint("GET", "market/candles", 40, per="ip")
def candles(call: OkxCall) -> list[Any]:
    """Answer `GET market/candles`: the latest candles."""
    return bars(call, call.symbol(), 300)


@endpoint("GET", "market/history-candles", 20, per="ip")
def history_candles(call: OkxCall) -> list[Any]:
    """Answer `GET market/history-candles`: candles of the past."""
    return bars(call, call.symbol(), 300)


def milliseconds(moment: Any) -> int:
    """Return a time (ISO text or ms) as ms."""
    text = str(moment)
    return int(text) if text.isdigit() else int(datetime.fromisoformat(text).timestamp() * 1000)


def maintenance(window: Row | None, now: int) -> list[Row]:
    """Return the maintenance window as system/status tells it; no row where there is none."""
    if not window:
        return []
    begin, end = milliseconds(window["begin"]), milliseconds(window["end"])
    state = "scheduled" if now < begin else "ongoing" if now < end else "completed"
    return [{"title": "Trading system upgrade", "state": state, "begin": str(begin), "end": str(end),
             "preOpenBegin": "", "href": "", "serviceType": "5", "system": "unified",
             "scheDesc": "", "maintType": "1", "env": "1",
             "ts": str(now)}]  # fmt: skip


@endpoint("GET", "system/status", 1, 5, per="ip")
def status(call: OkxCall) -> list[Any]:
    """Answer `GET system/status`: the maintenance that is planned."""
    found = maintenance(call.exchange.behaviour["maintenance"], call.runtime.now())
    wanted = call.get("state")
    return [row for row in found if row["state"] == wanted or (not wanted and row["state"] != "completed")]
