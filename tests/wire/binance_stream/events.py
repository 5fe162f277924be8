"""Events of the user stream as Binance writes them, told by what is special about them."""

from typing import Any

Event = dict[str, Any]

AT = 1_790_000_000_000  #: 2026-09-21T13:33:20Z
ENTRY, STOP, TARGET = "op00a7k203E01", "op00a7k203S01", "op00a7k203T01"


def order(status: str, at: int = AT, **changes: Any) -> Event:
    """ORDER_TRADE_UPDATE of an entry: buy 0.02 BTC at market; fields by Binance's letters."""
    row = {
        "s": "BTCUSDT", "c": ENTRY, "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.020", "p": "0", "ap": "0",
        "sp": "0", "x": "NEW", "X": status, "i": 8886774, "l": "0", "z": "0", "L": "0", "T": at, "t": 0, "b": "0",
        "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "MARKET", "ps": "LONG", "cp": False,
        "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": at + 1, "T": at, "o": row | changes}


def traded(number: int, size: str, total: str, *, of: str = "0.020", at: int = AT + 5, **changes: Any) -> Event:
    """A trade of that order at 100,000 with its fee of 0.05 %; `total` is what it has filled with this one."""
    status = "FILLED" if total == of else "PARTIALLY_FILLED"
    news = {
        "x": "TRADE", "l": size, "z": total, "L": "100000.10", "ap": "100000.10", "t": number, "N": "USDT",
        "n": f"{float(size) * 50:.8f}", "q": of,
    }  # fmt: skip
    return order(status, at, **(news | changes))


def algo(status: str, at: int = AT, **changes: Any) -> Event:
    """ALGO_UPDATE of the stop of that entry: sell 0.02 BTC once the mark price is at 95,000."""
    row = {
        "caid": STOP, "aid": 1000000033225453, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
        "ps": "LONG", "f": "GTC", "q": "0.020", "X": status, "ai": "", "ap": "0.00000", "aq": "0.00000",
        "act": "0", "tp": "95000.00", "p": "0", "V": "EXPIRE_MAKER", "wt": "MARK_PRICE", "pm": "NONE", "cp": False,
        "pP": False, "R": True, "tt": 0, "gtd": 0, "rm": "",
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "E": at + 1, "T": at, "o": row | changes}


CHILD = {"c": STOP, "S": "SELL", "i": 8886999}  #: what is special about the order that the stop set off


def account(reason: str = "ORDER", positions: tuple[str, ...] = ("BTCUSDT",)) -> Event:
    rows = [
        {"s": name, "pa": amount, "ep": "0", "bep": "0", "cr": "0", "up": "0", "mt": "cross", "iw": "0", "ps": side}
        for name in positions
        for side, amount in (("BOTH", "0"), ("LONG", "0.020"), ("SHORT", "0"))
    ]
    money = [{"a": "USDT", "wb": "9999.0", "cw": "9999.0", "bc": "0"}]
    return {"e": "ACCOUNT_UPDATE", "E": AT, "T": AT, "a": {"m": reason, "B": money, "P": rows}}


def early(number: int = 7, name: str = "BTCUSDT") -> Event:
    """TRADE_LITE; in Binance's own sample E is before T."""
    return {
        "e": "TRADE_LITE", "E": AT, "T": AT + 1, "s": name, "q": "0.020", "p": "0", "m": False, "c": ENTRY, "S": "BUY",
        "L": "100000.10", "l": "0.020", "t": number, "i": 8886774,
    }  # fmt: skip
