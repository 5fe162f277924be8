"""The catalogue and the market as Binance USD-M rows, for REST and for streams."""

from decimal import Decimal
from typing import Any

from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.format import Row, text
from core.simulator.engine.candles import Candle
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.market import FUNDING_MS, funding_rate
from core.simulator.engine.state import ZERO

ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
             "12h": 720, "1d": 1440, "3d": 4320, "1w": 10080, "1M": 43200}  # fmt: skip
MINUTE = 60_000


def symbol_info(exchange: ExchangeState, contract: BinanceContract) -> Row:
    """One instrument of exchangeInfo."""
    step, suspended = (
        text(contract.lot, contract.quantity_precision),
        contract.symbol in exchange.behaviour["suspended"],
    )
    lot = {"minQty": text(contract.minimum, contract.quantity_precision), "stepSize": step}
    return {
        "symbol": contract.wire, "pair": contract.wire, "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000, "status": "SETTLING" if suspended else "TRADING",
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": contract.base,
        "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": contract.price_precision,
        "quantityPrecision": contract.quantity_precision, "baseAssetPrecision": 8, "quotePrecision": 8,
        "underlyingType": "COIN", "underlyingSubType": ["PoW"], "triggerProtect": str(contract.protect),
        "liquidationFee": text(contract.liquidation_fee, 6), "marketTakeBound": str(contract.bound),
        "maxMoveOrderLimit": 10000, "permissionSets": ["GRID", "COPY", "DCA", "PSB"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": text(contract.min_price, 2),
             "maxPrice": text(contract.max_price), "tickSize": contract.tick_text},
            {"filterType": "LOT_SIZE", **lot, "maxQty": text(contract.max_limit)},
            {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": text(contract.max_market)},
            {"filterType": "MAX_NUM_ORDERS", "limit": contract.max_orders},
            {"filterType": "MIN_NOTIONAL", "notional": text(contract.notional)},
            {"filterType": "PERCENT_PRICE", "multiplierUp": text(contract.up, 4),
             "multiplierDown": text(contract.down, 4), "multiplierDecimal": "4"},
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
        ],
        "orderTypes": ORDER_TYPES, "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }  # fmt: skip


def premium(exchange: ExchangeState, contract: BinanceContract) -> Row:
    """Return mark and index price with the funding rate, as premiumIndex tells them."""
    prices, due = exchange.prices(contract.symbol), exchange.now // FUNDING_MS * FUNDING_MS + FUNDING_MS
    return {
        "symbol": contract.wire, "markPrice": text(prices.mark, 8), "indexPrice": text(prices.index, 8),
        "estimatedSettlePrice": text(prices.index, 8),
        "lastFundingRate": text(funding_rate(exchange.seed, contract.symbol, due), 8),
        "interestRate": "0.00010000", "nextFundingTime": due, "time": exchange.now,
    }  # fmt: skip


def price(exchange: ExchangeState, contract: BinanceContract) -> Row:
    """Return the last price, as ticker/price tells it."""
    return {"symbol": contract.wire, "price": text(exchange.prices(contract.symbol).last, 2), "time": exchange.now}


def best(exchange: ExchangeState, contract: BinanceContract) -> tuple[Decimal, Decimal]:
    """Return the best bid and ask."""
    market, spread = exchange.markets[contract.symbol], Decimal(exchange.behaviour["spread_ticks"])
    return market.best(False, spread), market.best(True, spread)


def book_size(exchange: ExchangeState, contract: BinanceContract) -> str:
    """Return what every level of the book holds, in the base coin: as much as moves the price by a tick."""
    value = exchange.markets[contract.symbol].contract.value
    size = Decimal(exchange.behaviour["impact_contracts_per_tick"]) * value
    return text(min(size, Decimal(1_000_000)), contract.quantity_precision)


def book_ticker(exchange: ExchangeState, contract: BinanceContract) -> Row:
    """Return the best bid and ask, as bookTicker tells them."""
    bid, ask = best(exchange, contract)
    size = book_size(exchange, contract)
    return {"symbol": contract.wire, "bidPrice": text(bid, 2), "bidQty": size, "askPrice": text(ask, 2),
            "askQty": size, "time": exchange.now, "lastUpdateId": exchange.now}  # fmt: skip


def book(exchange: ExchangeState, contract: BinanceContract, depth: int) -> tuple[list[list[str]], list[list[str]]]:
    """Bids and asks, best first: the same size on every tick, as takers find it."""
    bid, ask = best(exchange, contract)
    tick, size = exchange.markets[contract.symbol].contract.tick, book_size(exchange, contract)
    bids = [[text(bid - tick * level, 2), size] for level in range(depth) if bid > tick * level]
    return bids, [[text(ask + tick * level, 2), size] for level in range(depth)]


def day(exchange: ExchangeState, contract: BinanceContract) -> Row:
    """Return the last 24 hours of one instrument, in the words of ticker/24hr."""
    minutes = exchange.markets[contract.symbol].tape.minutes[-1440:]
    last, opened = exchange.prices(contract.symbol).last, Decimal(minutes[0][1])
    coins = sum((minute[5] for minute in minutes), ZERO)
    money = sum((minute[5] * minute[4] for minute in minutes), ZERO)
    return {
        "symbol": contract.wire, "priceChange": text(last - opened, 2),
        "priceChangePercent": text(((last - opened) / opened * 100).quantize(Decimal("0.001")), 3),
        "weightedAvgPrice": text((money / coins).quantize(Decimal("0.01")) if coins else last, 2),
        "lastPrice": text(last, 2), "lastQty": text(contract.lot * 10, contract.quantity_precision),
        "openPrice": text(opened, 2), "highPrice": text(max(minute[2] for minute in minutes), 2),
        "lowPrice": text(min(minute[3] for minute in minutes), 2), "volume": text(coins, 3),
        "quoteVolume": text(money.quantize(Decimal("0.01")), 2), "openTime": minutes[0][0], "closeTime": exchange.now,
        "firstId": 1, "lastId": len(minutes), "count": len(minutes),
    }  # fmt: skip


def bars(exchange: ExchangeState, contract: BinanceContract, interval: str) -> list[Candle]:
    """Candles of that interval, oldest first."""
    length = INTERVALS[interval] * MINUTE
    offset = 4 * 86_400_000 if interval == "1w" else 0  # weeks begin on Monday, the epoch on a Thursday
    return exchange.markets[contract.symbol].tape.bars(length, offset)


def kline(row: Candle, length: int) -> list[Any]:
    """Return a candle of that length (ms), as klines tells it."""
    at, opened, high, low, close, coins = row
    half = coins / 2
    return [at, text(opened, 2), text(high, 2), text(low, 2), text(close, 2), text(coins, 3), at + length - 1,
            text((coins * close).quantize(Decimal("0.00001")), 5), max(1, int(coins)), text(half, 3),
            text((half * close).quantize(Decimal("0.00001")), 5), "0"]  # fmt: skip
