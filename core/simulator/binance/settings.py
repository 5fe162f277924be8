"""Binance USD-M REST, settings: position mode, leverage, margin type, multi-assets mode, and what an account may do."""

from core.simulator.binance.endpoints import SIGNED, TRADE, BinanceCall, endpoint
from core.simulator.binance.engine.commands import (
    BinanceMoveMargin,
    BinanceSetLeverage,
    BinanceSetMarginType,
    BinanceSetMode,
    BinanceSetMultiAssets,
)
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.errors import BinanceError, missing
from core.simulator.binance.format import OUR_SIDES, Row, text

DONE = {"code": 200, "msg": "success"}


@endpoint("GET", "v1/positionSide/dual", 30, SIGNED)
def position_mode(call: BinanceCall) -> Row:
    """Answer `GET positionSide/dual`: whether the account is in hedge mode."""
    return {"dualSidePosition": call.owner.hedged}


@endpoint("POST", "v1/positionSide/dual", 1, TRADE)
def set_position_mode(call: BinanceCall) -> Row:
    """Answer `POST positionSide/dual`: set hedge or one-way mode."""
    wanted = call.boolean("dualSidePosition")
    if wanted is None:
        raise missing("dualSidePosition")
    call.perform(BinanceSetMode(wanted))
    return DONE


@endpoint("GET", "v1/multiAssetsMargin", 30, SIGNED)
def multi_assets(call: BinanceCall) -> Row:
    """Answer `GET multiAssetsMargin`: whether the account is in multi-assets mode."""
    return {"multiAssetsMargin": call.owner.multi_assets}


@endpoint("POST", "v1/multiAssetsMargin", 1, TRADE)
def set_multi_assets(call: BinanceCall) -> Row:
    """Answer `POST multiAssetsMargin`: set multi-assets or single-asset mode."""
    wanted = call.boolean("multiAssetsMargin")
    if wanted is None:
        raise missing("multiAssetsMargin")
    call.perform(BinanceSetMultiAssets(wanted))
    return DONE


@endpoint("POST", "v1/leverage", 1, TRADE)
def set_leverage(call: BinanceCall) -> Row:
    """Answer `POST leverage`: set the leverage of an instrument."""
    contract, leverage = call.contract(), call.whole("leverage")
    if leverage is None:
        raise missing("leverage")
    call.perform(BinanceSetLeverage(contract.symbol, leverage))
    return {"leverage": leverage, "maxNotionalValue": most(call, contract), "symbol": contract.wire}


def most(call: BinanceCall, contract: BinanceContract) -> str:
    """Return the notional (USDT) that the leverage allows, as text."""
    return text(contract.largest_notional(call.owner.lever(contract.symbol)))


@endpoint("POST", "v1/marginType", 1, TRADE)
def set_margin_type(call: BinanceCall) -> Row:
    """Answer `POST marginType`: set isolated or cross margin."""
    contract = call.contract()
    kind = call.choice("marginType", ("ISOLATED", "CROSSED"), -4040, "Invalid margin type.")
    call.perform(BinanceSetMarginType(contract.symbol, kind == "ISOLATED"))
    return DONE


@endpoint("POST", "v1/positionMargin", 1, TRADE)
def set_position_margin(call: BinanceCall) -> Row:
    """Answer `POST positionMargin`: move margin into an isolated position, or out of it."""
    contract, kind = call.contract(), call.choice("type", ("1", "2"))
    wire, amount = call.get("positionSide", "BOTH"), call.number("amount")
    if wire not in OUR_SIDES:
        raise BinanceError(-4060, "Invalid position side.")
    call.perform(BinanceMoveMargin(contract.symbol, OUR_SIDES[wire], str(amount), kind == "1"))
    return {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.", "type": int(kind)}


@endpoint("GET", "v1/symbolConfig", 5, SIGNED)
def symbol_config(call: BinanceCall) -> list[Row]:
    """Answer `GET symbolConfig`: margin type and leverage of each instrument."""
    owner = call.owner
    return [
        {"symbol": c.wire, "marginType": "ISOLATED" if c.symbol in owner.isolated else "CROSSED",
         "isAutoAddMargin": False, "leverage": int(owner.lever(c.symbol)), "maxNotionalValue": most(call, c)}
        for c in call.chosen()
    ]  # fmt: skip


@endpoint("GET", "v1/accountConfig", 5, SIGNED)
def account_config(call: BinanceCall) -> Row:
    """Answer `GET accountConfig`: the account's modes and rights."""
    owner = call.owner
    return {"feeTier": 0, "canTrade": call.exchange.behaviour["binance_can_trade"], "canDeposit": True,
            "canWithdraw": True, "dualSidePosition": owner.hedged, "updateTime": 0,
            "multiAssetsMargin": owner.multi_assets, "tradeGroupId": -1}  # fmt: skip


@endpoint("GET", "v1/leverageBracket", 1, SIGNED)
def leverage_brackets(call: BinanceCall) -> list[Row]:
    """Answer `GET leverageBracket`: the leverage brackets of each instrument."""
    return [
        {"symbol": c.wire, "notionalCoef": 1.0, "brackets": [
            {"bracket": one.number, "initialLeverage": one.leverage, "notionalCap": int(one.cap),
             "notionalFloor": int(one.floor), "maintMarginRatio": float(one.maintenance), "cum": float(one.cumulated)}
            for one in c.brackets
        ]}
        for c in call.chosen()
    ]  # fmt: skip


@endpoint("GET", "v1/commissionRate", 20, SIGNED)
def commission_rate(call: BinanceCall) -> Row:
    """Answer `GET commissionRate`: the fees of an instrument."""
    fees = call.exchange.behaviour["fees"]
    return {"symbol": call.contract().wire, "makerCommissionRate": fees["maker"], "takerCommissionRate": fees["taker"],
            "rpiCommissionRate": "0.00005"}  # fmt: skip


@endpoint("GET", "v1/rateLimit/order", 1, SIGNED)
def order_limits(call: BinanceCall) -> list[Row]:
    """Answer `GET rateLimit/order`: how many orders may be placed."""
    behaviour = call.exchange.behaviour
    return [
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": int(behaviour["binance_orders_10s"]),
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": int(behaviour["binance_orders_1m"]),
        },
    ]


@endpoint("GET", "v1/feeBurn", 30, SIGNED)
def fee_burn(call: BinanceCall) -> Row:
    """Answer `GET feeBurn`: whether fees are paid in BNB."""
    return {"feeBurn": call.exchange.behaviour["binance_fee_asset"] == "BNB"}


@endpoint("GET", "v1/apiTradingStatus", 1, SIGNED, weight_all=10)
def trading_status(call: BinanceCall) -> Row:
    """Answer `GET apiTradingStatus`: the indicators of good trading: there are none."""
    return {"indicators": {}, "updateTime": call.exchange.now}


@endpoint("GET", "sapi/v1/account/apiRestrictions", 1, SIGNED)
def restrictions(call: BinanceCall) -> Row:
    """Answer `GET sapi/v1/account/apiRestrictions`: what the API key may do."""
    return {"ipRestrict": False, "createTime": 1_700_000_000_000, "enableReading": True, "enableFutures": True,
            "enableWithdrawals": False, "enableInternalTransfer": False, "enableMargin": False,
            "enableSpotAndMarginTrading": False, "permitsUniversalTransfer": False}  # fmt: skip


@endpoint("GET", "sapi/v1/capital/config/getall", 10, SIGNED)
def currencies(call: BinanceCall) -> list[Row]:
    """Answer `GET sapi/v1/capital/config/getall`: the coins and their networks, as ccxt asks for them."""
    coins = ["USDT", "BNB", *sorted({contract.base for contract in call.contracts()} - {"BNB"})]
    return [
        {"coin": coin, "depositAllEnable": True, "withdrawAllEnable": True, "name": coin, "free": "0", "locked": "0",
         "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0", "isLegalMoney": False,
         "trading": True, "networkList": [
             {"network": "ETH", "coin": coin, "withdrawIntegerMultiple": "0.00000001", "isDefault": True,
              "depositEnable": True, "withdrawEnable": True, "name": "Ethereum (ERC20)", "withdrawFee": "1",
              "withdrawMin": "2", "withdrawMax": "1000000", "minConfirm": 12, "unLockConfirm": 0}]}
        for coin in coins
    ]  # fmt: skip


@endpoint("GET", "sapi/v1/system/status")
def system_status(call: BinanceCall) -> Row:
    """Answer `GET sapi/v1/system/status`: that the system works."""
    return {"status": 0, "msg": "normal"}


@endpoint("GET", "sapi/v1/margin/allPairs", 1, "key")
def margin_pairs(call: BinanceCall) -> list[Row]:
    """Answer `GET sapi/v1/margin/allPairs`: margin pairs: there are none."""
    return []


@endpoint("GET", "sapi/v1/margin/isolated/allPairs", 10, SIGNED)
def isolated_pairs(call: BinanceCall) -> list[Row]:
    """Answer `GET sapi/v1/margin/isolated/allPairs`: isolated margin pairs: there are none."""
    return []
