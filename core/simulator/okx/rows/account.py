"""Positions, their history, the balance and the bills as OKX V5 rows, with their complete field sets."""

from decimal import Decimal

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import ZERO, Bill, HeldPosition
from core.simulator.okx.engine.algo_order import OkxAlgo
from core.simulator.okx.engine.context import OkxContext
from core.simulator.okx.format import Row, blank, text
from core.simulator.okx.rows.orders import leg_words, sub_type

BILL_TYPES = {"deposit": "1", "trade": "2", "funding": "8", "liquidation_penalty": "5"}
LIFE_TYPES = {"partial": "1", "full": "2", "liquidation": "3", "partial_liquidation": "4", "adl": "5", "full_adl": "6"}


# -- positions and money


def position(context: OkxContext, one: HeldPosition) -> Row:
    """Return a position, as account/positions and the positions channel tell it."""
    account, prices = context.exchange.accounts[one.account], context.exchange.prices(one.instrument)
    contract = account.contracts[one.instrument]
    value = one.contracts * contract.value
    upl, upl_last = value * (prices.mark - one.average), value * (prices.last - one.average)
    opened = abs(value) * one.average / account.lever(one.instrument)
    ratios = (upl / opened, upl_last / opened) if opened else (ZERO, ZERO)
    margin, maintenance = account.margin(one, prices.mark), account.maintenance(one, prices.mark)
    fee_rate = Decimal(context.exchange.behaviour["fees"]["taker"])
    held = sum((account.maintenance(p, context.exchange.prices(p.instrument).mark) + abs(p.contracts)
                * account.contracts[p.instrument].value * context.exchange.prices(p.instrument).mark * fee_rate
                for p in account.positions.values()), ZERO)  # fmt: skip
    size = one.contracts if one.side == "net" else abs(one.contracts)
    closing = [a for a in context.algo_book.of_position(account, one.instrument, one.side) if a.size is None]
    flat = one.contracts == 0
    even = one.average
    if not flat:
        way = 1 if one.contracts > 0 else -1
        even = (one.average * abs(value) - way * one.realised) / (abs(value) * (1 - way * fee_rate))
    return blank(
        """
        baseBal baseBorrowed baseInterest quoteBal quoteBorrowed quoteInterest interest liab liabCcy posCcy
        optVal deltaBS deltaPA gammaBS gammaPA thetaBS thetaPA vegaBS vegaPA spotInUseAmt spotInUseCcy bizRefId
        bizRefType clSpotInUseAmt maxSpotInUseAmt usdPx pendingCloseOrdLiabVal hedgedPos
        """
    ) | {
        "instType": "SWAP", "instId": one.instrument, "mgnMode": one.margin_mode, "posId": one.position_id,
        "posSide": one.side, "pos": text(size), "availPos": "", "avgPx": text(one.average),
        "bePx": "" if flat else text(even),
        "markPx": text(prices.mark), "last": text(prices.last), "idxPx": text(prices.index), "upl": text(upl),
        "uplRatio": text(ratios[0]), "uplLastPx": text(upl_last), "uplRatioLastPx": text(ratios[1]),
        "lever": text(account.lever(one.instrument)), "ccy": "USDT", "notionalUsd": text(abs(value) * prices.mark),
        "imr": text(margin), "margin": "", "mmr": text(maintenance),
        "mgnRatio": text(account.equity(context.exchange.prices) / held) if held else "",
        "liqPx": "" if flat else text(account.liquidation_price(one.instrument, context.exchange.prices)),
        "adl": "0" if flat else "1",
        "realizedPnl": text(one.realised), "pnl": text(one.pnl), "fee": text(one.fee), "fundingFee": text(one.funding),
        "liqPenalty": text(one.penalty), "settledPnl": "", "closeOrderAlgo": [closing_algo(a) for a in closing],
        "tradeId": one.trade_id, "cTime": str(one.created), "uTime": str(one.updated),
        "nonSettleAvgPx": "",
    }  # fmt: skip


def closing_algo(one: OkxAlgo) -> Row:
    """Return an algo order for the whole position, as a position lists it."""
    words = leg_words("tp", one.take_profit) | leg_words("sl", one.stop_loss)
    return {name: word for name, word in words.items() if not name.endswith("OrdPx")} | {
        "algoId": one.algo_id,
        "closeFraction": "1",
    }


def life(exchange: ExchangeState, one: HeldPosition) -> Row:
    """Return one life of a position, as the history keeps it."""
    contract = exchange.accounts[one.account].contracts[one.instrument]
    margin = one.average * one.closed * contract.value / one.leverage
    return {
        "instType": "SWAP", "instId": one.instrument, "mgnMode": one.margin_mode, "type": LIFE_TYPES[one.last_close],
        "posId": one.position_id, "posSide": one.side, "direction": "long" if one.long else "short",
        "openAvgPx": text(one.average), "closeAvgPx": text(one.closed_value / one.closed),
        "openMaxPos": text(one.largest),
        "closeTotalPos": text(one.closed), "pnl": text(one.pnl), "pnlRatio": text(one.realised / margin),
        "fee": text(one.fee), "fundingFee": text(one.funding), "liqPenalty": text(one.penalty),
        "realizedPnl": text(one.realised), "settledPnl": "", "triggerPx": text(one.end_price),
        "lever": f"{one.leverage:.1f}",
        "ccy": "USDT", "uly": contract.index, "cTime": str(one.created), "uTime": str(one.updated),
        "nonSettleAvgPx": "",
    }  # fmt: skip


def bill(one: Bill) -> Row:
    """Return a change of the balance, as account/bills tells it."""
    kinds = {"deposit": "11", "liquidation_penalty": "110", "funding": "173" if one.change < 0 else "174"}
    side = "buy" if one.long == (one.fill_kind == "open") else "sell"
    kind = kinds.get(one.kind) or sub_type(one.fill_kind, one.long, side, "")
    return blank(
        """
        interest from to notes earnAmt earnApr fillFwdPx fillMarkPx fillIdxPx fillMarkVol fillPxUsd fillPxVol
        """
    ) | {
        "billId": one.bill_id, "ts": str(one.at), "type": BILL_TYPES[one.kind], "subType": kind, "ccy": "USDT",
        "instType": "SWAP" if one.instrument else "", "instId": one.instrument, "ordId": one.order_id,
        "clOrdId": one.client_id, "balChg": text(one.change), "bal": text(one.balance), "posBal": "0", "posBalChg": "0",
        "px": text(one.price), "sz": text(one.size) if one.size is not None else text(abs(one.change)),
        "pnl": text(one.change if one.kind == "funding" else one.pnl), "fee": text(one.fee), "mgnMode": "cross",
        "execType": "" if one.maker is None else "M" if one.maker else "T", "tag": "", "fillTime": str(one.at),
        "tradeId": "",
    }  # fmt: skip


def balance(context: OkxContext, account: ExchangeAccount) -> Row:
    """Return the balance, as account/balance and the account channel tell it."""
    equity, margin = account.equity(context.exchange.prices), account.held_margin(context.exchange.prices)
    frozen, maintenance = context.margin.frozen(account), account.held_maintenance(context.exchange.prices)
    upl, notional = (
        equity - account.balance,
        sum(
            (
                account.notional(p.instrument, p.contracts, context.exchange.prices(p.instrument).mark)
                for p in account.positions.values()
            ),
            ZERO,
        ),
    )
    ratio = text(equity / maintenance) if maintenance else ""
    free = text(max(ZERO, equity - margin - frozen))
    usdt = blank(
        """
        borrowFroz coinUsdPrice colBorrAutoConversion colRes collateralBorrowAutoConversion collateralEnabled
        collateralRestrict crossLiab eqUsd fixedBal interest isoEq isoLiab isoUpl liab maxLoan maxSpotInUse
        openAvgPx rewardBal smtSyncEq spotBal spotCopyTradingEq spotInUseAmt spotIsoBal spotUpl spotUplRatio
        stgyEq totalPnl totalPnlRatio twap uplLiab autoLendAmt autoLendMtAmt autoLendStatus frpType
        clSpotInUseAmt accAvgPx
        """
    ) | {
        "ccy": "USDT", "eq": text(equity), "cashBal": text(account.balance), "availEq": free, "availBal": free,
        "frozenBal": text(margin + frozen), "ordFrozen": text(frozen), "upl": text(upl), "imr": text(margin),
        "mmr": text(maintenance), "mgnRatio": ratio, "notionalLever": text(notional / equity) if equity > 0 else "0",
        "eqUsd": text(equity), "disEq": text(equity), "isoEq": "0", "uTime": str(context.exchange.now),
        "coinUsdPrice": "1",
    }  # fmt: skip
    whole = blank(
        """
        adjEq availEq borrowFroz imr mmr mgnRatio notionalUsd notionalUsdForBorrow notionalUsdForFutures
        notionalUsdForOption notionalUsdForSwap upl delta deltaLever deltaNeutralStatus
        """
    )  # fmt: skip
    empty = account.balance == 0 and equity == 0
    return whole | {
        "totalEq": text(equity),
        "isoEq": "0",
        "ordFroz": "",
        "uTime": str(context.exchange.now),
        "details": [] if empty else [usdt],
    }
