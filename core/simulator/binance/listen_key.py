"""Binance USD-M REST, listen key: made, kept alive, given up (docs, User Data Streams). A key header, no signature."""

import secrets
import string

from core.simulator.binance.endpoints import KEY, BinanceCall, endpoint
from core.simulator.binance.engine.commands import BinanceDropListenKey, BinanceMakeListenKey, BinanceRenewListenKey
from core.simulator.binance.errors import BinanceError
from core.simulator.binance.format import Row
from core.simulator.engine.state import Refusal


def letters() -> str:
    """Return 64 random letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


@endpoint("POST", "v1/listenKey", 1, KEY)
def make(call: BinanceCall) -> Row:
    """Answer `POST listenKey`: make the listen key, or keep it alive."""
    return {"listenKey": call.runtime.perform(BinanceMakeListenKey(letters()))}


@endpoint("PUT", "v1/listenKey", 1, KEY)
def renew(call: BinanceCall) -> Row:
    """Answer `PUT listenKey`: keep the listen key alive; a parameter that comes is not looked at."""
    try:
        return {"listenKey": call.runtime.perform(BinanceRenewListenKey())}
    except Refusal:
        raise BinanceError(-1125, "This listenKey does not exist.") from None


@endpoint("DELETE", "v1/listenKey", 1, KEY)
def drop(call: BinanceCall) -> Row:
    """Answer `DELETE listenKey`: end the listen key."""
    call.runtime.perform(BinanceDropListenKey())
    return {}
