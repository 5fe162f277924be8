"""OKX V5 REST, account part: balance, positions and their history, sizes that fit, bills (OKX V5 docs, account)."""

from decimal import Decimal
from typing import Any

from core.simulator.engine.state import ZERO, down_to
from core.simulator.okx import public
from core.simulator.okx.endpoints import OkxCall, decimal, endpoint, page
from core.simulator.okx.format import text
from core.simulator.okx.rows import account, market

QUARTER_MS = 92 * 86_400_000


@endpoint("GET", "account/balance", 10)
def balance(call: OkxCall) -> list[Any]:
    """Answer `GET account/balance`: the balance of the account."""
    row = account.balance(call.context, call.owner)
    wanted = [name for name in call.get("ccy").split(",") if name]
    row["details"] = [detail for detail in row["details"] if not wanted or detail["ccy"] in wanted]
    return [row]


@endpoint("GET", "account/positions", 10)
def positions(call: OkxCall) -> list[Any]:
    """Answer `GET account/positions`: the positions that are held; asked for by instrument, flat ones too."""
    symbols = [name for name in call.get("instId").split(",") if name]
    ids = [name for name in call.get("posId").split(",") if name]
    if call.get("instType", "SWAP") not in ("SWAP", "ANY"):
        return []
    found = list(call.owner.positions.values())
    if symbols:
        keys = [key for key in call.owner.position_ids if key[0] in symbols]
        flat = (call.owner.flat_position(key, call.exchange.now, call.exchange.retention_ms) for key in keys)
        found += [position for position in flat if position is not None]
    found = [p for p in found if (not symbols or p.instrument in symbols) and (not ids or p.position_id in ids)]
    found.sort(key=lambda position: (position.created, int(position.position_id)), reverse=True)
    return [account.position(call.context, position) for position in found]


@endpoint("GET", "account/positions-history", 10)
def positions_history(call: OkxCall) -> list[Any]:
    """Answer `GET account/positions-history`: the lives of positions that were closed."""
    lag = int(float(call.exchange.behaviour["position_history_lag_seconds"]) * 1000)
    now, wanted = (
        call.exchange.now,
        {name: call.get(name) for name in ("instId", "mgnMode", "type", "posId", "instType")},
    )
    ready = [life for life in call.owner.lives if now - QUARTER_MS <= life.updated <= now - lag]
    ready.sort(key=lambda life: life.updated)
    made = [account.life(call.exchange, life) for life in reversed(ready)]
    return page(
        [row for row in made if all(not value or row[name] == value for name, value in wanted.items())],
        call,
        lambda row: int(row["uTime"]),
    )


@endpoint("GET", "account/max-size", 20)
def max_size(call: OkxCall) -> list[Any]:
    """Answer `GET account/max-size`: how many contracts may be opened."""
    made = []
    for symbol in call.needed("instId").split(","):
        contract = call.exchange.contract(call.owner, symbol)
        lever = decimal(call.get("leverage"), "leverage") if call.get("leverage") else call.owner.lever(symbol)
        sizes = []
        for buying in (True, False):
            price = call.exchange.markets[symbol].best(buying, Decimal(call.exchange.behaviour["spread_ticks"]))
            if call.get("px"):
                price = decimal(call.get("px"), "px")
            each = contract.value * price * (1 / lever + Decimal(call.exchange.behaviour["fees"]["taker"]))
            sizes.append(text(down_to(contract.lot, max(ZERO, call.context.margin.free(call.owner)) / each)))
        made.append({"instId": symbol, "ccy": "USDT", "maxBuy": sizes[0], "maxSell": sizes[1]})
    return made


@endpoint("GET", "account/max-avail-size", 20)
def max_available(call: OkxCall) -> list[Any]:
    """Answer `GET account/max-avail-size`: the margin that is free."""
    free = text(max(ZERO, call.context.margin.free(call.owner)))
    return [{"instId": symbol, "availBuy": free, "availSell": free} for symbol in call.needed("instId").split(",")]


@endpoint("GET", "account/bills", 5)
@endpoint("GET", "account/bills-archive", 5)
def bills(call: OkxCall) -> list[Any]:
    """Answer `GET account/bills-archive`: changes of the balance."""
    wanted = {name: call.get(name) for name in ("instType", "instId", "type", "subType", "ccy", "mgnMode")}
    begin, end = call.whole("begin"), call.whole("end")
    made = [account.bill(bill) for bill in reversed(call.owner.ledger)
            if (begin is None or bill.at >= begin) and (end is None or bill.at <= end)]  # fmt: skip
    made = [row for row in made if all(not value or row[name] == value for name, value in wanted.items())]
    return page(made, call, lambda row: int(row["billId"]))


@endpoint("GET", "account/instruments", 20, per="user+kind")
def instruments(call: OkxCall) -> list[Any]:
    """Answer `GET account/instruments`: the instruments as the account may trade them."""
    return [market.account_instrument(row) for row in public.instruments(call)]
