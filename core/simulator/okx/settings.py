"""OKX V5 REST, settings: position mode, leverage, fees, and what an account may do (docs, account)."""

from decimal import Decimal
from typing import Any

from core.simulator.okx.endpoints import OkxCall, decimal, endpoint
from core.simulator.okx.engine.commands import OkxSetLeverage, OkxSetMode
from core.simulator.okx.errors import parameter
from core.simulator.okx.format import blank, text


@endpoint("GET", "account/config", 5)
def config(call: OkxCall) -> list[Any]:
    """Answer `GET account/config`: the account's modes and rights."""
    mode = "long_short_mode" if call.owner.hedged else "net_mode"
    more = blank(
        """
        kycLv liquidationGear opAuth roleType settleCcy spotOffsetType spotRoleType stgyType type traderInsts
        spotTraderInsts settleCcyList feeType
        """
    )  # fmt: skip
    return [more | {
        "uid": "44705892343619584", "mainUid": "44705892343619584", "acctLv": call.exchange.behaviour["acct_lv"],
        "posMode": mode, "autoLoan": False, "enableSpotBorrow": False, "spotBorrowAutoRepay": False, "greeksType": "PA",
        "level": "Lv1", "levelTmp": "", "ctIsoMode": "automatic", "mgnIsoMode": "automatic", "label": "simulator",
        "ip": "", "perm": call.notes.get("permissions", ""), "acctStpMode": "cancel_maker", "settleCcy": "USDT",
        "opAuth": "0", "kycLv": "3", "roleType": "0", "spotRoleType": "0", "type": "0", "traderInsts": [],
        "spotTraderInsts": [], "settleCcyList": ["USDT"], "feeType": "0", "liquidationGear": "-1", "stgyType": "0",
    }]  # fmt: skip


@endpoint("POST", "account/set-position-mode", 5, trades=True)
def set_position_mode(call: OkxCall) -> list[Any]:
    """Answer `POST account/set-position-mode`: set hedge or net mode."""
    mode = call.needed("posMode")
    if mode not in ("long_short_mode", "net_mode"):
        raise parameter("posMode")
    if (mode == "long_short_mode") != call.owner.hedged:
        call.perform(OkxSetMode(call.account, mode == "long_short_mode"))
    return [{"posMode": mode}]


@endpoint("GET", "account/leverage-info", 20)
def leverage_info(call: OkxCall) -> list[Any]:
    """Answer `GET account/leverage-info`: the leverage of instruments."""
    made = []
    for symbol in call.needed("instId").split(","):
        lever = text(call.owner.lever(call.exchange.contract(call.owner, symbol).symbol))
        for side in ("long", "short") if call.owner.hedged else ("net",):
            made.append(
                {"instId": symbol, "ccy": "", "mgnMode": call.get("mgnMode", "cross"), "posSide": side, "lever": lever}
            )
    return made


@endpoint("POST", "account/set-leverage", 20, trades=True)
def set_leverage(call: OkxCall) -> list[Any]:
    """Answer `POST account/set-leverage`: set the leverage of an instrument."""
    symbol, lever = call.needed("instId"), decimal(call.needed("lever"), "lever")
    mode = call.needed("mgnMode")
    if mode not in ("cross", "isolated"):
        raise parameter("mgnMode")
    call.perform(OkxSetLeverage(call.account, symbol, str(lever)))
    return [{"instId": symbol, "lever": text(lever), "mgnMode": mode, "posSide": call.get("posSide")}]


@endpoint("GET", "account/trade-fee", 5)
def trade_fee(call: OkxCall) -> list[Any]:
    """Answer `GET account/trade-fee`: the fees."""
    kind, fees = call.needed("instType"), call.exchange.behaviour["fees"]
    maker, taker = (text(-Decimal(fees[side])) for side in ("maker", "taker"))
    return [blank("makerUSDC takerUSDC delivery exercise settle") | {
        "category": "1", "level": "Lv1", "instType": kind, "maker": maker, "taker": taker, "makerU": maker,
        "takerU": taker,
        "ruleType": "normal", "feeGroup": [{"groupId": "4", "maker": maker, "taker": taker}], "fiat": [],
        "ts": str(call.exchange.now),
    }]  # fmt: skip


@endpoint("GET", "asset/currencies", 6)
def currencies(call: OkxCall) -> list[Any]:
    """Answer `GET asset/currencies`: the coins, as ccxt asks for them."""
    wanted = [name for name in call.get("ccy").split(",") if name]
    bases = sorted({contract.base for contract in call.owner.contracts.values()})
    unknown = "burningFeeRate ctAddr depQuoteDailyLayer2 depQuotaFixed usedDepQuotaFixed logoLink minInternal wdQuota"
    return [blank(unknown) | {
        "ccy": name, "name": name, "chain": f"{name}-Simulated", "canDep": True, "canWd": True, "canInternal": True,
        "minDep": "0.0001", "minWd": "0.001", "maxWd": "1000000", "wdTickSz": "8", "usedWdQuota": "0", "fee": "0",
        "minFee": "0", "maxFee": "0", "minFeeForCtAddr": "0", "maxFeeForCtAddr": "0", "mainNet": True, "needTag": False,
        "minDepArrivalConfirm": "1", "minWdUnlockConfirm": "2", "depEstOpenTime": "", "wdEstOpenTime": "",
    } for name in ["USDT", *bases] if not wanted or name in wanted]  # fmt: skip


@endpoint("GET", "users/subaccount/list", 2)
def subaccounts(call: OkxCall) -> list[Any]:
    """Answer `GET users/subaccount/list`: sub-accounts: there are none."""
    return []


@endpoint("GET", "trade/account-rate-limit", 1, 1)
def account_rate_limit(call: OkxCall) -> list[Any]:
    """Answer `GET trade/account-rate-limit`: how many orders may be placed."""
    return [
        {
            "accRateLimit": "1000",
            "fillRatio": "",
            "mainFillRatio": "",
            "nextAccRateLimit": "",
            "ts": str(call.exchange.now),
        }
    ]
