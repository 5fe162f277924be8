"""The catalogue and the market as OKX V5 rows, with their complete field sets."""

from decimal import Decimal

from core.simulator.engine.candles import Candle
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.instruments import Contract
from core.simulator.engine.market import FUNDING_MS, funding_rate
from core.simulator.engine.state import ZERO
from core.simulator.okx.format import Row, blank, text

# -- the catalogue

INSTRUMENT = blank(
    """
    alias auctionEndTime baseCcy category contTdSwTime expTime futureSettlement groupId instCategory issueTime
    ruleType maxIcebergSz maxLmtAmt maxMktAmt openType optType preMktSwTime quoteCcy stk tradeQuoteCcyList
    initPxLmtPct floatPxLmtPct maxPxLmtPct posLmtAmt posLmtPct maxPlatOILmt
    """
)  # fmt: skip


def instrument(contract: Contract, suspended: bool, at: int) -> Row:
    """Return an instrument and its rules at that time (ms), as public/instruments tells them."""
    limit, market = text(contract.max_limit), text(contract.max_market)
    return INSTRUMENT | {
        "instType": "SWAP", "instId": contract.symbol, "instIdCode": contract.code, "instFamily": contract.index,
        "uly": contract.index, "settleCcy": "USDT", "ctType": "linear", "ctVal": text(contract.value), "ctMult": "1",
        "ctValCcy": contract.base, "lotSz": text(contract.lot), "minSz": text(contract.minimum),
        "tickSz": text(contract.tick), "lever": text(contract.max_leverage), "maxMktSz": market, "maxStopSz": market,
        "maxLmtSz": limit, "maxTriggerSz": limit, "maxTwapSz": limit, "maxIcebergSz": limit, "maxLmtAmt": "20000000",
        "state": "suspend" if suspended else "live", "ruleType": "normal", "groupId": "4", "category": "1",
        "instCategory": "1", "listTime": "1573557408000", "upcChg": [], "tradeQuoteCcyList": [],
    }  # fmt: skip


def account_instrument(row: Row) -> Row:
    """Return an instrument as account/instruments tells it."""
    return row | {"posLmtAmt": "50000000", "posLmtPct": "30", "maxPlatOILmt": "1000000000",
                  "longPosRemainingQuota": "50000000", "shortPosRemainingQuota": "50000000"}  # fmt: skip


def tiers(contract: Contract) -> list[Row]:
    """Return the tiers of a contract, as position-tiers tells them."""
    rows, least = [], ZERO
    for number, tier in enumerate(contract.tiers, 1):
        rows.append(blank("baseMaxLoan optMgnFactor quoteMaxLoan") | {
            "instFamily": contract.index, "uly": contract.index, "instId": "", "tier": str(number),
            "minSz": text(least),
            "maxSz": text(tier.max_contracts), "mmr": text(tier.maintenance), "imr": text(1 / tier.max_leverage),
            "maxLever": text(tier.max_leverage),
        })  # fmt: skip
        least = tier.max_contracts
    return rows


# -- market data


def candle(row: Candle, forming: bool, value: Decimal) -> list[str]:
    """Return a candle, as market/candles tells it; `value` is that of a contract in coins."""
    at, opened, high, low, close, coins = row
    volumes = (coins / value, coins, coins * close)
    return [str(at), *map(text, (opened, high, low, close)), *map(text, volumes), "0" if forming else "1"]


def ticker(exchange: ExchangeState, symbol: str) -> Row:
    """Return the ticker of an instrument."""
    market, contract = exchange.markets[symbol], exchange.setup.contracts[symbol]
    day = market.tape.minutes[-1440:]
    coins = sum((minute[5] for minute in day), ZERO)
    spread = Decimal(exchange.behaviour["spread_ticks"])
    ask, bid = market.best(True, spread), market.best(False, spread)
    depth = text(book_size(exchange))
    return {
        "instType": "SWAP", "instId": symbol, "last": text(market.prices.last), "lastSz": "1", "askPx": text(ask),
        "askSz": depth, "bidPx": text(bid), "bidSz": depth, "open24h": text(day[0][1]),
        "high24h": text(max(minute[2] for minute in day)), "low24h": text(min(minute[3] for minute in day)),
        "volCcy24h": text(coins), "vol24h": text((coins / contract.value).quantize(Decimal("0.01"))),
        "sodUtc0": text(opened_since(exchange, symbol, 0)), "sodUtc8": text(opened_since(exchange, symbol, 16)),
        "ts": str(exchange.now),
    }  # fmt: skip


def opened_since(exchange: ExchangeState, symbol: str, hour: int) -> Decimal:
    """Return the price at which the day began that begins at that hour (UTC), or the oldest known."""
    offset = hour * 3_600_000
    begin = (exchange.now - offset) // 86_400_000 * 86_400_000 + offset
    for minute in exchange.markets[symbol].tape.minutes:
        if minute[0] >= begin:
            return Decimal(minute[1])
    return exchange.prices(symbol).last


def book_size(exchange: ExchangeState) -> Decimal:
    """Return what every level of the book holds (contracts)."""
    return min(Decimal(exchange.behaviour["impact_contracts_per_tick"]), Decimal(1_000_000))


def book(exchange: ExchangeState, symbol: str, depth: int) -> tuple[list[list[str]], list[list[str]]]:
    """Return asks and bids, best first: the same size on every tick, as takers find it."""
    market, spread = exchange.markets[symbol], Decimal(exchange.behaviour["spread_ticks"])
    tick, size = market.contract.tick, text(book_size(exchange))
    ask, bid = market.best(True, spread), market.best(False, spread)
    asks = [[text(ask + tick * level), size, "0", "1"] for level in range(depth)]
    bids = [[text(bid - tick * level), size, "0", "1"] for level in range(depth) if bid > tick * level]
    return asks, bids


def index_ticker(exchange: ExchangeState, symbol: str) -> Row:
    """Return the ticker of the index that the instrument follows."""
    row, index = ticker(exchange, symbol), exchange.prices(symbol).index
    names = ("open24h", "high24h", "low24h", "sodUtc0", "sodUtc8", "ts")
    return {"instId": exchange.setup.contracts[symbol].index, "idxPx": text(index)} | {
        name: row[name] for name in names
    }


def mark_price(exchange: ExchangeState, symbol: str) -> Row:
    """Return the mark price of an instrument."""
    mark = text(exchange.prices(symbol).mark)
    return {"instType": "SWAP", "instId": symbol, "markPx": mark, "ts": str(exchange.now)}


def price_limit(exchange: ExchangeState, symbol: str) -> Row:
    """Return the highest price of a buy and the lowest of a sell."""
    high, low = exchange.markets[symbol].band()
    row = {"instType": "SWAP", "instId": symbol, "buyLmt": text(high), "sellLmt": text(low)}
    return row | {"notEnabled": "", "enabled": True, "ts": str(exchange.now)}


def funding(exchange: ExchangeState, symbol: str) -> Row:
    """Return the funding rate of the next funding time."""
    due = exchange.now // FUNDING_MS * FUNDING_MS + FUNDING_MS
    rates = [funding_rate(exchange.seed, symbol, at) for at in (due, due - FUNDING_MS)]
    return {
        "instType": "SWAP", "instId": symbol, "fundingRate": text(rates[0]), "fundingTime": str(due),
        "nextFundingRate": "", "nextFundingTime": str(due + FUNDING_MS), "settFundingRate": text(rates[1]),
        "settState": "settled", "minFundingRate": "-0.015", "maxFundingRate": "0.015", "method": "current_period",
        "formulaType": "withRate", "premium": "0", "interestRate": "0.0001", "impactValue": "20000",
        "prevFundingTime": str(due - FUNDING_MS), "ts": str(exchange.now),
    }  # fmt: skip


def funding_history(exchange: ExchangeState, symbol: str, at: int) -> Row:
    """Return the funding rate of that funding time (ms)."""
    rate = text(funding_rate(exchange.seed, symbol, at))
    return {"instType": "SWAP", "instId": symbol, "fundingRate": rate, "realizedRate": rate, "fundingTime": str(at),
            "method": "current_period", "formulaType": "withRate"}  # fmt: skip
