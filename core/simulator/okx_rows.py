"""What the exchange knows, as OKX V5 rows: complete field sets, every value a string, "" for not applicable."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from core.simulator.account import Account
from core.simulator.algos import trail
from core.simulator.candles import Candle
from core.simulator.engine import Engine
from core.simulator.instruments import Contract
from core.simulator.market import FUNDING_MS, funding_rate
from core.simulator.okx_codes import CODES, fail_code
from core.simulator.values import ZERO, Algo, Attached, Bill, Fill, Leg, Order, Position

Row = dict[str, Any]
SHOWN = Decimal("0.000000000001")
CANCEL_SOURCES = {
    "user": ("1", "Order canceled by user"), "fok": ("13", "FOK order was not filled"), "ioc": ("14", "IOC remainder"),
    "price_limit": ("15", "Order price was beyond the limit"), "liquidation": ("3", "Liquidation"),
    "position_closed": ("17", "The position was already closed"), "dead_man": ("20", "Cancel all after triggered"),
    "nothing_to_close": ("2", "Insufficient position"), "post_only": ("31", "The post-only order would take liquidity"),
}  # fmt: skip
SOURCES = {"": "", "trigger": "6", "protection": "7", "trailing": "25"}
BILL_TYPES = {"deposit": "1", "trade": "2", "funding": "8", "liquidation_penalty": "5"}
LIFE_TYPES = {"partial": "1", "full": "2", "liquidation": "3", "partial_liquidation": "4", "adl": "5", "full_adl": "6"}


def text(value: Decimal | None) -> str:
    """The number without exponent and trailing zeros; "" for none."""
    if value is None:
        return ""
    shown = format(value.quantize(SHOWN), "f")
    return shown.rstrip("0").rstrip(".") or "0" if shown.strip("-0.") else "0"


def blank(names: str) -> Row:
    return dict.fromkeys(names.split(), "")


# -- the catalogue

INSTRUMENT = blank("""alias auctionEndTime baseCcy category contTdSwTime expTime futureSettlement groupId instCategory
    issueTime ruleType maxIcebergSz maxLmtAmt maxMktAmt openType optType preMktSwTime quoteCcy stk tradeQuoteCcyList
    initPxLmtPct floatPxLmtPct maxPxLmtPct posLmtAmt posLmtPct maxPlatOILmt""")  # fmt: skip


def instrument(contract: Contract, suspended: bool, at: int) -> Row:
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
    return row | {"posLmtAmt": "50000000", "posLmtPct": "30", "maxPlatOILmt": "1000000000",
                  "longPosRemainingQuota": "50000000", "shortPosRemainingQuota": "50000000"}  # fmt: skip


def tiers(contract: Contract) -> list[Row]:
    rows, least = [], ZERO
    for number, tier in enumerate(contract.tiers, 1):
        rows.append(blank("baseMaxLoan optMgnFactor quoteMaxLoan") | {
            "instFamily": contract.index, "uly": contract.index, "instId": "", "tier": str(number), "minSz": text(least),
            "maxSz": text(tier.max_contracts), "mmr": text(tier.maintenance), "imr": text(1 / tier.max_leverage),
            "maxLever": text(tier.max_leverage),
        })  # fmt: skip
        least = tier.max_contracts
    return rows


# -- market data


def candle(row: Candle, forming: bool, value: Decimal) -> list[str]:
    at, opened, high, low, close, coins = row
    volumes = (coins / value, coins, coins * close)
    return [str(at), *map(text, (opened, high, low, close)), *map(text, volumes), "0" if forming else "1"]


def ticker(engine: Engine, symbol: str) -> Row:
    market, contract = engine.markets[symbol], engine.setup.contracts[symbol]
    day = market.tape.minutes[-1440:]
    coins = sum((minute[5] for minute in day), ZERO)
    spread = Decimal(engine.switches["spread_ticks"])
    ask, bid = market.best(True, spread), market.best(False, spread)
    depth = text(book_size(engine))
    return {
        "instType": "SWAP", "instId": symbol, "last": text(market.prices.last), "lastSz": "1", "askPx": text(ask),
        "askSz": depth, "bidPx": text(bid), "bidSz": depth, "open24h": text(day[0][1]),
        "high24h": text(max(minute[2] for minute in day)), "low24h": text(min(minute[3] for minute in day)),
        "volCcy24h": text(coins), "vol24h": text((coins / contract.value).quantize(Decimal("0.01"))),
        "sodUtc0": text(opened_since(engine, symbol, 0)), "sodUtc8": text(opened_since(engine, symbol, 16)),
        "ts": str(engine.now),
    }  # fmt: skip


def opened_since(engine: Engine, symbol: str, hour: int) -> Decimal:
    """The price at which the day began that begins at that hour (UTC), or the oldest known."""
    offset = hour * 3_600_000
    begin = (engine.now - offset) // 86_400_000 * 86_400_000 + offset
    for minute in engine.markets[symbol].tape.minutes:
        if minute[0] >= begin:
            return Decimal(minute[1])
    return engine.prices(symbol).last


def book_size(engine: Engine) -> Decimal:
    return min(Decimal(engine.switches["impact_contracts_per_tick"]), Decimal(1_000_000))


def book(engine: Engine, symbol: str, depth: int) -> tuple[list[list[str]], list[list[str]]]:
    """Asks and bids, best first: the same size on every tick, as takers find it."""
    market, spread = engine.markets[symbol], Decimal(engine.switches["spread_ticks"])
    tick, size = market.contract.tick, text(book_size(engine))
    ask, bid = market.best(True, spread), market.best(False, spread)
    asks = [[text(ask + tick * level), size, "0", "1"] for level in range(depth)]
    bids = [[text(bid - tick * level), size, "0", "1"] for level in range(depth) if bid > tick * level]
    return asks, bids


def index_ticker(engine: Engine, symbol: str) -> Row:
    row, index = ticker(engine, symbol), engine.prices(symbol).index
    names = ("open24h", "high24h", "low24h", "sodUtc0", "sodUtc8", "ts")
    return {"instId": engine.setup.contracts[symbol].index, "idxPx": text(index)} | {name: row[name] for name in names}


def mark_price(engine: Engine, symbol: str) -> Row:
    mark = text(engine.prices(symbol).mark)
    return {"instType": "SWAP", "instId": symbol, "markPx": mark, "ts": str(engine.now)}


def price_limit(engine: Engine, symbol: str) -> Row:
    high, low = engine.markets[symbol].band()
    row = {"instType": "SWAP", "instId": symbol, "buyLmt": text(high), "sellLmt": text(low)}
    return row | {"notEnabled": "", "enabled": True, "ts": str(engine.now)}


def funding(engine: Engine, symbol: str) -> Row:
    due = engine.now // FUNDING_MS * FUNDING_MS + FUNDING_MS
    rates = [funding_rate(engine.seed, symbol, at) for at in (due, due - FUNDING_MS)]
    return {
        "instType": "SWAP", "instId": symbol, "fundingRate": text(rates[0]), "fundingTime": str(due),
        "nextFundingRate": "", "nextFundingTime": str(due + FUNDING_MS), "settFundingRate": text(rates[1]),
        "settState": "settled", "minFundingRate": "-0.015", "maxFundingRate": "0.015", "method": "current_period",
        "formulaType": "withRate", "premium": "0", "interestRate": "0.0001", "impactValue": "20000",
        "prevFundingTime": str(due - FUNDING_MS), "ts": str(engine.now),
    }  # fmt: skip


def funding_history(engine: Engine, symbol: str, at: int) -> Row:
    rate = text(funding_rate(engine.seed, symbol, at))
    return {"instType": "SWAP", "instId": symbol, "fundingRate": rate, "realizedRate": rate, "fundingTime": str(at),
            "method": "current_period", "formulaType": "withRate"}  # fmt: skip


# -- orders

ORDER = blank("""ccy pxUsd pxVol pxType rebate rebateCcy tgtCcy quickMgnType reqId tpOrdPx tpTriggerPx tpTriggerPxType
    slOrdPx slTriggerPx slTriggerPxType attachAlgoClOrdId stpId tradeQuoteCcy outcome""")  # fmt: skip


def attached(one: Attached) -> Row:
    profit, stop = leg_words("tp", one.take_profit), leg_words("sl", one.stop_loss)
    failed = fail_code(one.fail_code)
    reason = CODES.get(one.fail_code, ("", "The attached order was refused"))[1] if failed else ""
    return profit | stop | {
        "attachAlgoId": one.attach_id, "attachAlgoClOrdId": one.client_id, "tpOrdKind": "condition", "sz": "",
        "amendPxOnTriggerType": "0", "failCode": failed, "failReason": reason, "callbackRatio": text(one.callback_ratio),
        "callbackSpread": text(one.callback_spread), "activePx": text(one.active), "tpTriggerRatio": "", "slTriggerRatio": "",
    }  # fmt: skip


def leg_words(side: str, leg: Leg | None) -> Row:
    if leg is None:
        return {f"{side}TriggerPx": "", f"{side}TriggerPxType": "", f"{side}OrdPx": ""}
    price = "-1" if leg.price is None else text(leg.price)
    return {f"{side}TriggerPx": text(leg.trigger), f"{side}TriggerPxType": leg.by, f"{side}OrdPx": price}


def order(engine: Engine, one: Order) -> Row:
    last = engine.last_fill(one)
    source, why = CANCEL_SOURCES.get(one.cancel_reason, ("", ""))
    linked = {"algoId": next((kept.algo_id for kept in one.attached if kept.algo_id), "")}
    return ORDER | {
        "instType": "SWAP", "instId": one.instrument, "ordId": one.order_id, "clOrdId": one.client_id, "tag": one.tag,
        "px": text(one.price), "sz": text(one.size), "ordType": one.kind, "side": one.side, "posSide": one.position_side,
        "tdMode": one.margin_mode, "state": one.state, "accFillSz": text(one.filled), "avgPx": text(one.average),
        "fillPx": text(last.price) if last else "", "fillSz": text(last.size) if last else "0",
        "fillTime": str(last.at) if last else "", "tradeId": one.last_fill, "lever": text(one.leverage),
        "pnl": text(one.pnl), "fee": text(one.fee), "feeCcy": "USDT", "rebate": "0", "rebateCcy": "USDT",
        "source": SOURCES[one.source], "category": one.category, "reduceOnly": "true" if one.reduce_only else "false",
        "algoId": one.algo_id, "algoClOrdId": one.algo_client_id, "attachAlgoOrds": [attached(kept) for kept in one.attached],
        "linkedAlgoOrd": linked, "cancelSource": source, "cancelSourceReason": why, "isTpLimit": "false",
        "stpMode": one.self_trade, "cTime": str(one.created), "uTime": str(one.updated),
    }  # fmt: skip


def order_push(engine: Engine, one: Order, fill: Fill | None, more: Row) -> Row:
    """The order as a push tells it: the fill fields are about this push alone."""
    row = order(engine, one)
    about = {
        "avgPx": row["avgPx"] or "0", "fillPx": "", "fillSz": "0", "tradeId": "", "fillTime": "", "fillPnl": "0",
        "fillFee": "0", "fillFeeCcy": "", "execType": "", "fillNotionalUsd": "", "fillMarkPx": "", "fillIdxPx": "",
        "amendResult": "", "amendSource": "", "reqId": "", "code": "0", "msg": "",
        "lastPx": text(engine.prices(one.instrument).last),
    }  # fmt: skip
    if fill is not None:
        about |= {
            "fillPx": text(fill.price), "fillSz": text(fill.size), "tradeId": fill.trade_id, "fillTime": str(fill.at),
            "fillPnl": text(fill.pnl), "fillFee": text(fill.fee), "fillFeeCcy": "USDT", "execType": "M" if fill.maker else "T",
            "fillMarkPx": text(fill.mark), "fillIdxPx": text(fill.index),
        }  # fmt: skip
    price = one.price if one.price is not None else engine.prices(one.instrument).last
    notional = engine.accounts[one.account].notional(one.instrument, one.size, price)
    return row | about | {"notionalUsd": text(notional)} | more


def fill(one: Fill) -> Row:
    return {
        "instType": "SWAP", "instId": one.instrument, "tradeId": one.trade_id, "billId": one.bill_id, "ordId": one.order_id,
        "clOrdId": one.client_id, "tag": one.tag, "side": one.side, "posSide": one.position_side, "fillPx": text(one.price),
        "fillSz": text(one.size), "fillPnl": text(one.pnl), "fee": text(one.fee), "feeCcy": "USDT", "feeRate": "",
        "execType": "M" if one.maker else "T", "subType": sub_type(one.kind, one.long, one.side, one.position_side),
        "fillTime": str(one.at), "ts": str(one.at), "fillMarkPx": text(one.mark), "fillIdxPx": text(one.index),
        "fillFwdPx": "", "fillMarkVol": "", "fillPxUsd": "", "fillPxVol": "", "tradeQuoteCcy": "",
    }  # fmt: skip


def sub_type(kind: str, long: bool, side: str, position_side: str) -> str:
    if kind == "liquidation":
        return "104" if long else "105"
    if kind == "adl":
        return "125" if long else "126"
    if position_side == "net":
        return "1" if side == "buy" else "2"
    return {("open", True): "3", ("open", False): "4", ("close", True): "5", ("close", False): "6"}[kind, long]


# -- algos

ALGO = blank("""ccy clOrdId tgtCcy tpTriggerRatio slTriggerRatio activePx callbackRatio callbackSpread moveTriggerPx pxVar
    pxSpread pxLimit szLimit timeInterval quickMgnType amendPxOnTriggerType chaseType chaseVal maxChaseType maxChaseVal
    last failReason triggerPx triggerPxType ordPx advanceOrdType tradeQuoteCcy tpOrdKind""")  # fmt: skip


def algo(engine: Engine, one: Algo) -> Row:
    failed = {"live": "", "canceled": "", "effective": engine.switches["effective_fail_code"]}.get(one.state)
    whole = one.size is None
    trigger = one.trigger
    words = leg_words("tp", one.take_profit) | leg_words("sl", one.stop_loss)
    if trigger is not None:
        price = "-1" if trigger.price is None else text(trigger.price)
        words |= {"triggerPx": text(trigger.trigger), "triggerPxType": trigger.by, "ordPx": price}
    return ALGO | words | {
        "instType": "SWAP", "instId": one.instrument, "algoId": one.algo_id, "algoClOrdId": one.client_id,
        "ordId": one.order_ids[0] if one.order_ids else "", "ordIdList": list(one.order_ids), "sz": text(one.size),
        "closeFraction": "1" if whole else "", "ordType": one.kind, "side": one.side, "posSide": one.position_side,
        "tdMode": one.margin_mode, "state": one.state, "lever": text(one.leverage), "tag": one.tag,
        "actualSz": text(one.actual_size) if one.actual_size else "0", "actualPx": text(one.actual_price),
        "actualSide": one.actual_side, "triggerTime": str(one.triggered) if one.triggered else "0",
        "reduceOnly": "" if one.kind == "trigger" else "true" if one.reduce_only else "false",
        "failCode": fail_code(one.fail_code) if failed is None else failed, "cTime": str(one.created),
        "uTime": str(one.updated), "callbackRatio": text(one.callback_ratio), "callbackSpread": text(one.callback_spread),
        "activePx": text(one.active), "moveTriggerPx": text(trail(one)) if one.kind == "move_order_stop" else "",
        "last": text(engine.prices(one.instrument).last), "linkedOrd": {"ordId": ""}, "attachAlgoOrds": [],
        "isTradeBorrowMode": "", "amendPxOnTriggerType": "0", "subAlgoIdList": [],
        "cxlOnClosePos": "true" if one.tied else "false",
    }  # fmt: skip


def algo_push(engine: Engine, one: Algo) -> Row:
    size = one.size if one.size is not None else ZERO
    notional = engine.accounts[one.account].notional(one.instrument, size, engine.prices(one.instrument).last)
    return algo(engine, one) | {"notionalUsd": text(notional), "amendResult": "", "reqId": ""}


# -- positions and money


def position(engine: Engine, one: Position) -> Row:
    account, prices = engine.accounts[one.account], engine.prices(one.instrument)
    contract = account.contracts[one.instrument]
    value = one.contracts * contract.value
    upl, upl_last = value * (prices.mark - one.average), value * (prices.last - one.average)
    opened = abs(value) * one.average / account.lever(one.instrument)
    ratios = (upl / opened, upl_last / opened) if opened else (ZERO, ZERO)
    margin, maintenance = account.margin(one, prices.mark), account.maintenance(one, prices.mark)
    fee_rate = Decimal(engine.switches["fees"]["taker"])
    held = sum((account.maintenance(p, engine.prices(p.instrument).mark) + abs(p.contracts)
                * account.contracts[p.instrument].value * engine.prices(p.instrument).mark * fee_rate
                for p in account.positions.values()), ZERO)  # fmt: skip
    size = one.contracts if one.side == "net" else abs(one.contracts)
    closing = [a for a in engine.guarding.of_position(account, one.instrument, one.side) if a.size is None]
    flat = one.contracts == 0
    even = one.average
    if not flat:
        way = 1 if one.contracts > 0 else -1
        even = (one.average * abs(value) - way * one.realised) / (abs(value) * (1 - way * fee_rate))
    return blank("""baseBal baseBorrowed baseInterest quoteBal quoteBorrowed quoteInterest interest liab liabCcy posCcy
        optVal deltaBS deltaPA gammaBS gammaPA thetaBS thetaPA vegaBS vegaPA spotInUseAmt spotInUseCcy bizRefId bizRefType
        clSpotInUseAmt maxSpotInUseAmt usdPx pendingCloseOrdLiabVal hedgedPos""") | {
        "instType": "SWAP", "instId": one.instrument, "mgnMode": one.margin_mode, "posId": one.position_id,
        "posSide": one.side, "pos": text(size), "availPos": "", "avgPx": text(one.average), "bePx": "" if flat else text(even),
        "markPx": text(prices.mark), "last": text(prices.last), "idxPx": text(prices.index), "upl": text(upl),
        "uplRatio": text(ratios[0]), "uplLastPx": text(upl_last), "uplRatioLastPx": text(ratios[1]),
        "lever": text(account.lever(one.instrument)), "ccy": "USDT", "notionalUsd": text(abs(value) * prices.mark),
        "imr": text(margin), "margin": "", "mmr": text(maintenance),
        "mgnRatio": text(account.equity(engine.prices) / held) if held else "",
        "liqPx": "" if flat else text(account.liquidation_price(one.instrument, engine.prices)), "adl": "0" if flat else "1",
        "realizedPnl": text(one.realised), "pnl": text(one.pnl), "fee": text(one.fee), "fundingFee": text(one.funding),
        "liqPenalty": text(one.penalty), "settledPnl": "", "closeOrderAlgo": [closing_algo(a) for a in closing],
        "tradeId": one.trade_id, "cTime": str(one.created), "uTime": str(one.updated),
        "nonSettleAvgPx": "",
    }  # fmt: skip


def closing_algo(one: Algo) -> Row:
    words = leg_words("tp", one.take_profit) | leg_words("sl", one.stop_loss)
    return {name: word for name, word in words.items() if not name.endswith("OrdPx")} | {
        "algoId": one.algo_id,
        "closeFraction": "1",
    }


def life(engine: Engine, one: Position) -> Row:
    """One life of a position, as the history keeps it."""
    contract = engine.accounts[one.account].contracts[one.instrument]
    margin = one.average * one.closed * contract.value / one.leverage
    return {
        "instType": "SWAP", "instId": one.instrument, "mgnMode": one.margin_mode, "type": LIFE_TYPES[one.last_close],
        "posId": one.position_id, "posSide": one.side, "direction": "long" if one.long else "short",
        "openAvgPx": text(one.average), "closeAvgPx": text(one.closed_value / one.closed), "openMaxPos": text(one.largest),
        "closeTotalPos": text(one.closed), "pnl": text(one.pnl), "pnlRatio": text(one.realised / margin),
        "fee": text(one.fee), "fundingFee": text(one.funding), "liqPenalty": text(one.penalty),
        "realizedPnl": text(one.realised), "settledPnl": "", "triggerPx": text(one.end_price), "lever": f"{one.leverage:.1f}",
        "ccy": "USDT", "uly": contract.index, "cTime": str(one.created), "uTime": str(one.updated), "nonSettleAvgPx": "",
    }  # fmt: skip


def bill(one: Bill) -> Row:
    kinds = {"deposit": "11", "liquidation_penalty": "110", "funding": "173" if one.change < 0 else "174"}
    side = "buy" if one.long == (one.fill_kind == "open") else "sell"
    kind = kinds.get(one.kind) or sub_type(one.fill_kind, one.long, side, "")
    return blank("interest from to notes earnAmt earnApr fillFwdPx fillMarkPx fillIdxPx fillMarkVol fillPxUsd fillPxVol") | {
        "billId": one.bill_id, "ts": str(one.at), "type": BILL_TYPES[one.kind], "subType": kind, "ccy": "USDT",
        "instType": "SWAP" if one.instrument else "", "instId": one.instrument, "ordId": one.order_id,
        "clOrdId": one.client_id, "balChg": text(one.change), "bal": text(one.balance), "posBal": "0", "posBalChg": "0",
        "px": text(one.price), "sz": text(one.size) if one.size is not None else text(abs(one.change)),
        "pnl": text(one.change if one.kind == "funding" else one.pnl), "fee": text(one.fee), "mgnMode": "cross",
        "execType": "" if one.maker is None else "M" if one.maker else "T", "tag": "", "fillTime": str(one.at),
        "tradeId": "",
    }  # fmt: skip


def balance(engine: Engine, account: Account) -> Row:
    equity, margin = account.equity(engine.prices), account.held_margin(engine.prices)
    frozen, maintenance = engine.trading.frozen(account), account.held_maintenance(engine.prices)
    upl, notional = (
        equity - account.balance,
        sum(
            (
                account.notional(p.instrument, p.contracts, engine.prices(p.instrument).mark)
                for p in account.positions.values()
            ),
            ZERO,
        ),
    )
    ratio = text(equity / maintenance) if maintenance else ""
    free = text(max(ZERO, equity - margin - frozen))
    usdt = blank("""borrowFroz coinUsdPrice colBorrAutoConversion colRes collateralBorrowAutoConversion collateralEnabled
        collateralRestrict crossLiab eqUsd fixedBal interest isoEq isoLiab isoUpl liab maxLoan maxSpotInUse openAvgPx
        rewardBal smtSyncEq spotBal spotCopyTradingEq spotInUseAmt spotIsoBal spotUpl spotUplRatio stgyEq totalPnl
        totalPnlRatio twap uplLiab autoLendAmt autoLendMtAmt autoLendStatus frpType clSpotInUseAmt accAvgPx""") | {
        "ccy": "USDT", "eq": text(equity), "cashBal": text(account.balance), "availEq": free, "availBal": free,
        "frozenBal": text(margin + frozen), "ordFrozen": text(frozen), "upl": text(upl), "imr": text(margin),
        "mmr": text(maintenance), "mgnRatio": ratio, "notionalLever": text(notional / equity) if equity > 0 else "0",
        "eqUsd": text(equity), "disEq": text(equity), "isoEq": "0", "uTime": str(engine.now), "coinUsdPrice": "1",
    }  # fmt: skip
    whole = blank("adjEq availEq borrowFroz imr mmr mgnRatio notionalUsd notionalUsdForBorrow notionalUsdForFutures "
                  "notionalUsdForOption notionalUsdForSwap upl delta deltaLever deltaNeutralStatus")  # fmt: skip
    empty = account.balance == 0 and equity == 0
    return whole | {
        "totalEq": text(equity),
        "isoEq": "0",
        "ordFroz": "",
        "uTime": str(engine.now),
        "details": [] if empty else [usdt],
    }


def newest_first(rows: Iterable[Any]) -> list[Any]:
    return list(reversed(list(rows)))
