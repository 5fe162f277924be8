"""Binance USD-M REST, listen key: made, kept alive, given up (docs, User Data Streams). A key header, no signature."""

import secrets
import string

from core.simulator.binance.endpoints import KEY, Call, endpoint
from core.simulator.binance.engine.commands import BinanceDropListenKey, BinanceMakeListenKey, BinanceRenewListenKey
from core.simulator.binance.errors import BinanceError
from core.simulator.binance.format import Row
from core.simulator.engine.state import Refusal


def letters() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


@endpoint("POST", "v1/listenKey", 1, KEY)
def make(call: Call) -> Row:
    return {"listenKey": call.runtime.perform(BinanceMakeListenKey(letters()))}


@endpoint("PUT", "v1/listenKey", 1, KEY)
def renew(call: Call) -> Row:
    """Needs no parameter; one that comes is not looked at."""
    try:
        return {"listenKey": call.runtime.perform(BinanceRenewListenKey())}
    except Refusal:
        raise BinanceError(-1125, "This listenKey does not exist.") from None


@endpoint("DELETE", "v1/listenKey", 1, KEY)
def drop(call: Call) -> Row:
    call.runtime.perform(BinanceDropListenKey())
    return {}
