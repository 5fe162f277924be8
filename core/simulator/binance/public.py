"""Binance USD-M REST, public part: time, exchangeInfo, prices, book, candles, funding (docs, Market Data endpoints)."""

from typing import Any

from core.simulator.binance.endpoints import BinanceCall, endpoint
from core.simulator.binance.errors import BinanceError, malformed
from core.simulator.binance.format import Row, text
from core.simulator.binance.rate_limits import weight_limit
from core.simulator.binance.rows import market
from core.simulator.engine.candles import Candle
from core.simulator.engine.market import FUNDING_MS, funding_rate
from core.simulator.engine.state import ZERO

MINUTE = 60_000
STALE_MS = 5 * 86_400_000  # how old exchangeInfo's own clock is on the demo side
DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


@endpoint("GET", "v1/ping")
def ping(call: BinanceCall) -> Row:
    """Answer `GET ping`: nothing, to show that it is there."""
    return {}


@endpoint("GET", "v1/time")
def server_time(call: BinanceCall) -> Row:
    """Answer `GET time`: the exchange's time."""
    return {"serverTime": call.runtime.shown_now()}


@endpoint("GET", "v1/exchangeInfo")
def exchange_info(call: BinanceCall) -> Row:
    """Answer `GET exchangeInfo`: the whole catalogue, whatever symbol is asked for."""
    behaviour = call.exchange.behaviour
    stale = STALE_MS if behaviour["binance_flavour"] == "demo" else 0
    limits: list[Row] = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
         "limit": weight_limit(behaviour)},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1,
         "limit": int(behaviour["binance_orders_1m"])},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
         "limit": int(behaviour["binance_orders_10s"])},
    ]  # fmt: skip
    assets = ["USDT", "BNB"]
    return {
        "timezone": "UTC", "serverTime": call.runtime.shown_now() - stale, "futuresType": "U_MARGINED",
        "rateLimits": limits, "exchangeFilters": [],
        "assets": [{"asset": one, "marginAvailable": True, "autoAssetExchange": "-10000"} for one in assets],
        "symbols": [market.symbol_info(call.exchange, contract) for contract in call.contracts()],
    }  # fmt: skip


def one_or_all(call: BinanceCall, row: Any) -> Row | list[Row]:
    """Return the row of the symbol asked for, or the rows of all."""
    one = call.maybe_contract()
    made: Row | list[Row] = (
        [row(call.exchange, c) for c in call.contracts()] if one is None else row(call.exchange, one)
    )
    return made


@endpoint("GET", "v1/premiumIndex", 1, weight_all=10)
def premium_index(call: BinanceCall) -> Row | list[Row]:
    """Answer `GET premiumIndex`: mark and index prices with the funding rate."""
    return one_or_all(call, market.premium)


@endpoint("GET", "v1/ticker/price", 1, weight_all=2)
@endpoint("GET", "v2/ticker/price", 1, weight_all=2)
def ticker_price(call: BinanceCall) -> Row | list[Row]:
    """Answer `GET ticker/price`: the last price."""
    return one_or_all(call, market.price)


@endpoint("GET", "v1/ticker/bookTicker", 2, weight_all=5)
def book_ticker(call: BinanceCall) -> Row | list[Row]:
    """Answer `GET ticker/bookTicker`: the best bid and ask."""
    return one_or_all(call, market.book_ticker)


@endpoint("GET", "v1/ticker/24hr", 1, weight_all=40)
def ticker_day(call: BinanceCall) -> Row | list[Row]:
    """Answer `GET ticker/24hr`: the last 24 hours."""
    return one_or_all(call, market.day)


@endpoint("GET", "v1/depth", 10)
def depth(call: BinanceCall) -> Row:
    """Answer `GET depth`: the book."""
    contract, limit = call.contract(), call.whole("limit", 500)
    if limit not in DEPTHS:
        raise malformed("limit")
    bids, asks = market.book(call.exchange, contract, limit)
    now = call.exchange.now
    return {"lastUpdateId": call.runtime.book_number(contract.symbol), "E": now, "T": now, "bids": bids, "asks": asks}


def candles(call: BinanceCall) -> list[list[Any]]:
    """Return the candles that the parameters ask for, oldest first."""
    contract, interval, most = call.contract(), call.needed("interval"), call.limit(500, 1500)
    if interval not in market.INTERVALS:
        raise BinanceError(-1120, "Invalid interval.")
    begin, end = call.whole("startTime"), call.whole("endTime")
    found: list[Candle] = market.bars(call.exchange, contract, interval)
    found = [bar for bar in found if (begin is None or bar[0] >= begin) and (end is None or bar[0] <= end)]
    length = market.INTERVALS[interval] * MINUTE
    return [market.kline(bar, length) for bar in (found[:most] if begin is not None else found[-most:])]


@endpoint("GET", "v1/klines", 5)
@endpoint("GET", "v1/markPriceKlines", 5)
def klines(call: BinanceCall) -> list[list[Any]]:
    """Answer `GET markPriceKlines`: candles of an instrument."""
    return candles(call)


@endpoint("GET", "v1/continuousKlines", 5)
@endpoint("GET", "v1/indexPriceKlines", 5)
def pair_klines(call: BinanceCall) -> list[list[Any]]:
    """Answer `GET indexPriceKlines`: candles of a pair."""
    call.parameters["symbol"] = call.needed("pair")
    return candles(call)


@endpoint("GET", "v1/fundingRate", 1)
def funding_rates(call: BinanceCall) -> list[Row]:
    """Answer `GET fundingRate`: the funding rates of the past."""
    contracts, most = call.chosen(), call.limit(100, 1000)
    begin, end, now = call.whole("startTime"), call.whole("endTime"), call.exchange.now
    last = min(now, end) if end is not None else now
    first = begin if begin is not None else last - most * FUNDING_MS
    times = list(range(-(-first // FUNDING_MS) * FUNDING_MS, last + 1, FUNDING_MS))
    times = times[:most] if begin is not None else times[-most:]
    return [
        {"symbol": c.wire, "fundingTime": at, "fundingRate": text(funding_rate(call.exchange.seed, c.symbol, at), 8),
         "markPrice": text(call.exchange.prices(c.symbol).mark, 8)}
        for at in times for c in contracts
    ][:most]  # fmt: skip


@endpoint("GET", "v1/fundingInfo", 0)
def funding_info(call: BinanceCall) -> list[Row]:
    """Answer `GET fundingInfo`: instruments with unusual funding: there are none."""
    return []


@endpoint("GET", "v1/openInterest", 1)
def open_interest(call: BinanceCall) -> Row:
    """Answer `GET openInterest`: the open interest."""
    contract = call.contract()
    held = sum((abs(p.contracts) for key, p in call.owner.positions.items() if key[0] == contract.symbol), ZERO)
    return {"symbol": contract.wire, "openInterest": text(held + 10_000, 3), "time": call.exchange.now}


@endpoint("GET", "v1/trades", 5)
@endpoint("GET", "v1/aggTrades", 20)
def recent_trades(call: BinanceCall) -> list[Row]:
    """Answer `GET aggTrades`: one trade for each minute's close."""
    contract, most = call.contract(), call.limit(500, 1000)
    size = text(contract.lot * 10, contract.quantity_precision)
    made = []
    for number, minute in enumerate(call.exchange.markets[contract.symbol].tape.minutes[-most:], 1):
        at, price = minute[0], text(minute[4], 2)
        if call.path == "v1/aggTrades":
            made.append({"a": number, "p": price, "q": size, "f": number, "l": number, "T": at, "m": False})
        else:
            quote = text(minute[4] * contract.lot * 10, 5)
            made.append(
                {"id": number, "price": price, "qty": size, "quoteQty": quote, "time": at, "isBuyerMaker": False}
            )
    return made
