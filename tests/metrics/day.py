"""A scripted day: everything that the boards tell of happens, on both exchanges, and may happen again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import count

from core.domain.account import Exchange
from core.domain.instrument import Side
from core.domain.intent import ExitReason, Limits
from tests.metrics.conftest import Station
from tests.stack import Stack

ETH = "ETH-USDT-PERP"
SETTINGS = {
    "recovery_enabled": True,
    "recovery_max_steps": 1,
    "reopen_enabled": True,
    "reopen_after": ["take_profit"],
}
REJECTED = {"kind": "reject", "code": "51008", "match": {"path": "trade/order"}, "count": 1}


def morning(station: Station) -> Stack:
    """Settings, a short that is held all day, and an account at Binance that holds one part."""
    stack = station.stack
    stack.store.settings.set_all(SETTINGS, "test")
    binance = Stack(stack.store, stack.simulator, Exchange.BINANCE)
    stack.store.settings.set_all(SETTINGS, "test")  # a stack begins with neither
    binance._tokens = (f"binance-{number}" for number in count(1))
    binance.look()
    binance.opened(replace(binance.draft(), strategy="carry"))
    beat(binance)
    stack.clock.advance((binance.clock.now() - stack.clock.now()).total_seconds())
    stack.opened(replace(stack.draft(symbol=ETH, side=Side.SHORT), strategy="carry"))
    station.stack.guard.stream.connected = True  # type: ignore[misc]
    station.stack.guard.stream.last_heard = stack.clock.now()  # type: ignore[misc]
    stack.store.alarms.raise_alarm(stack.name, "sentinel-stale/x", "as an example", stack.clock.now())
    beat(stack)
    return binance


def hours(station: Station) -> None:
    """A target, a reopening, a recovery, a stop; an order that the exchange refuses, and one that we do."""
    stack = station.stack
    stack.price("100000")
    part = stack.opened(replace(stack.draft(), strategy="breakout"))
    stack.price("106000")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    stack.price("99000")
    stack.until(lambda: len(stack.part(part).steps) == 1 and stack.at_rest(part), seconds=60)
    stack.price("85000")
    stack.until(lambda: stack.store.history.cycles(stack.name, part)[0].number == 2, seconds=60)
    assert stack.store.history.cycles(stack.name, part)[0].reason is ExitReason.STOP_LOSS
    stack.price("100000")

    stack.simulator.faults(REJECTED)
    refused = stack.open(replace(stack.draft(), strategy="breakout"))
    assert stack.ended(refused).reason is ExitReason.NOT_ENTERED
    stack.simulator.faults()

    vetoed = stack.open(replace(stack.draft(), strategy="breakout"))
    stack.store.settings.set_all({"max_order_value": Decimal(500)}, "test")
    stack.settle(2)
    stack.positions.close(vetoed, stack.token(), "trader")
    stack.settle(3)
    stack.store.settings.set_all({"max_order_value": Limits().max_order_value}, "test")
    beat(stack)


def beat(stack: Stack) -> None:
    """What the bot's own schedule does beside its looks: a sign of life, a sample of the equity, a new snapshot."""
    stack.store.bots.heartbeat(stack.name, stack.clock.now())
    stack.store.equity.add(stack.name, stack.clock.now(), stack.guard.refresh_account().equity)
    stack.look()
