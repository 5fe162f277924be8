"""The few calls to the algo service that most stories begin with, on top of the raw signed client."""

from typing import Any

from tests.simulator.binance.client import BinanceClient, Reply


def conditional(
    client: BinanceClient, kind: str, side: str, position_side: str | None, trigger: str | None, **more: Any
) -> Reply:
    """POST algoOrder for 0.01 BTC, unless `more` says otherwise."""
    base = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": side, "positionSide": position_side, "type": kind}
    quantity = None if more.get("closePosition") == "true" else "0.010"
    return client.post("v1/algoOrder", **base | {"triggerPrice": trigger, "quantity": quantity} | more)


def stop(client: BinanceClient, trigger: str = "99000", **more: Any) -> Reply:
    """A stop-loss of a long at market."""
    return conditional(
        client, "STOP_MARKET", more.pop("side", "SELL"), more.pop("positionSide", "LONG"), trigger, **more
    )


def target(client: BinanceClient, trigger: str = "101000", **more: Any) -> Reply:
    """A take-profit of a long at market."""
    return conditional(client, "TAKE_PROFIT_MARKET", "SELL", more.pop("positionSide", "LONG"), trigger, **more)


def found(client: BinanceClient, name: str) -> Any:
    """GET algoOrder by the client's id."""
    return client.get("v1/algoOrder", clientAlgoId=name).ok


def status(client: BinanceClient, name: str) -> str:
    return str(found(client, name)["algoStatus"])


def listed(client: BinanceClient) -> list[str]:
    """The client ids in openAlgoOrders of BTCUSDT."""
    return [row["clientAlgoId"] for row in client.get("v1/openAlgoOrders", symbol="BTCUSDT").ok]
