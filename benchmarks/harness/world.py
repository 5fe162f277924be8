"""A place to measure in: a database that keeps its promises, a simulator, and a bot that opened its parts itself.

The database runs with PostgreSQL's own durable settings, unlike the one of the tests. Nothing outlives `close`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import text

from core.domain.account import Exchange
from core.domain.ids import client_order_id, part_name
from core.domain.money import plain
from core.domain.order import Order, Purpose
from core.domain.part import Part
from core.exchange.binance.client import BinanceClient
from core.exchange.port import Push
from core.exchange.throttle import Limit, Throttle
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from db.store import Store
from tests.postgres import folder_for_server
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, Stack

RENAMED = "'part', name, 'client_order_id', replace(old.client_order_id, old.part, name)"
COPIED = {
    "positions": "'part', name, 'token', name",
    "orders": f"{RENAMED}, 'exchange_order_id', ''",
    "commands": RENAMED,
}  #: table: what differs in a copy
ENTRIES = {"positions": "", "orders": "AND purpose = 'E'", "commands": "AND purpose = 'E'"}
PART_USDT = 110  #: a thousandth of a bitcoin, the smallest step at Binance
BALANCE = "100000000"
NO_LIMIT = Limit(10**9, 1.0)


class World:
    """A data folder as the product has it, with its database running."""

    def __init__(self, *, empty: bool = False) -> None:
        """`empty`: the folder alone, for a product that makes everything itself; it has no `store` then."""
        self.home: Path = folder_for_server()
        self._postgres = EmbeddedPostgres(self.home / "postgres")
        if not empty:
            url = self._postgres.start()
            upgrade(url)
            self.store = Store.open(url)

    def close(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        self._postgres.stop()
        shutil.rmtree(self.home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def simulator(self, clock: str, delay_ms: int = 0) -> SimulatorProcess:
        """The paper exchange of this folder; what was held in it is held again."""
        return SimulatorProcess(
            clock=clock,
            delay_ms=delay_ms,
            state_dir=self.home / "simulator",
            balance=BALANCE,
            start_at=datetime.now(UTC).isoformat() if clock == "stepped" else None,
        )

    @contextmanager
    def stack(self, exchange: Exchange = Exchange.OKX) -> Iterator[Stack]:
        """A bot on this folder under a stepped clock, free of our own request budget."""
        with self.simulator("stepped") as simulator:
            simulator.market("hold")
            stack = Stack(self.store, simulator, exchange)
            without_budget(stack)
            hear_price(stack)
            stack.look()
            yield stack
            stack.guard.lease.release()


def without_budget(stack: Stack) -> None:
    """What is asked is counted, not slowed: time stands still here."""
    client: Any = stack.client
    if isinstance(client, BinanceClient):
        client._orders = client._session._orders = Throttle({}, otherwise=NO_LIMIT)
    else:
        client.throttle = client._session._throttle = Throttle({}, otherwise=NO_LIMIT)


def hear_price(stack: Stack) -> None:
    """What the price stream would say now."""
    stack.guard.on_push(Push("prices", symbol=BTC, ticker=stack.client.ticker(BTC)))


def populate(stack: Stack, parts: int) -> None:
    """The bot opens one part; the others are its copies, in our book and at the exchange. All are protected."""
    held = [intent.part for intent in stack.store.parts.intents(stack.account.id) if intent.living]
    if not held:
        held = [stack.open(stack.draft(PART_USDT, tp=5, sl=-10))]
        calm(stack)
    first = stack.part(held[-1])
    names = _copied_in_the_book(stack.store, first.name, parts - len(held))
    if names:
        copied_at_the_exchange = _at_binance if stack.wire is Exchange.BINANCE else _at_okx
        copied_at_the_exchange(stack, first, names)
    calm(stack)
    safe = [part.protected for result in stack.guard.reconciler.results.values() for part in result.parts]
    assert safe == [True] * parts, f"{sum(safe)} of {len(safe)} parts are protected, {parts} were to be"


def _at_okx(stack: Stack, first: Part, names: list[str]) -> None:
    """What these parts hold, and an OCO for each, placed by hand."""
    resting = first.protection[0]
    assert resting.tp_trigger is not None
    assert resting.sl_trigger is not None
    place = {"instId": "BTC-USDT-SWAP", "posSide": "long"}
    bought = {"side": "buy", "ordType": "market", "sz": plain(first.size * len(names))}
    protected = {
        "side": "sell",
        "ordType": "oco",
        "sz": plain(first.size),
        "tpOrdPx": "-1",
        "slOrdPx": "-1",
        "tpTriggerPx": plain(resting.tp_trigger),
        "slTriggerPx": plain(resting.sl_trigger),
        "tpTriggerPxType": "mark",
        "slTriggerPxType": "mark",
    }
    stack.simulator.intervene("place", **place, **bought)
    for name in names:
        identity = client_order_id(name, 1, Purpose.SAFETY_NET, 1)
        stack.simulator.intervene("place_algo", **place, **protected, algoClOrdId=identity)


def _at_binance(stack: Stack, first: Part, names: list[str]) -> None:
    """What these parts hold, and two legs for each, placed by hand."""
    place = {"account": "binance", "symbol": "BTCUSDT", "positionSide": "LONG"}
    stack.simulator.intervene("place", **place, side="BUY", type="MARKET", quantity=plain(first.size * len(names)))
    for name in names:
        for leg in first.protection:
            stack.simulator.intervene("place_algo", **place, **_leg(leg), clientAlgoId=_renamed(leg, name))


def _leg(order: Order) -> dict[str, str]:
    trigger = order.tp_trigger or order.sl_trigger
    assert trigger is not None
    return {
        "side": "SELL",
        "algoType": "CONDITIONAL",
        "type": "TAKE_PROFIT_MARKET" if order.tp_trigger else "STOP_MARKET",
        "quantity": plain(order.quantity),
        "triggerPrice": plain(trigger),
        "workingType": "MARK_PRICE",
    }


def _renamed(order: Order, part: str) -> str:
    assert order.part is not None
    return order.client_order_id.replace(order.part, part)


def _copied_in_the_book(store: Store, part: str, copies: int) -> list[str]:
    """Rows of the part and its entry once more under each new name."""
    with store.transaction() as connection:
        numbers = connection.execute(
            text("SELECT nextval('part_numbers') FROM generate_series(1, :copies)"), {"copies": copies}
        )
        names = [part_name(number) for number in numbers.scalars()]
        for table, changed in COPIED.items():
            connection.execute(
                text(
                    f"INSERT INTO {table} SELECT (jsonb_populate_record(old, jsonb_build_object({changed}))).* "
                    f"FROM {table} old, unnest(CAST(:names AS text[])) AS name WHERE old.part = :part {ENTRIES[table]}"
                ),
                {"names": names, "part": part},
            )
    return names


def calm(stack: Stack, most_rounds: int = 20) -> None:
    """Look until nothing is left to do."""
    for _ in range(most_rounds):
        stack.step(1)
        hear_price(stack)
        stack.look()
        results = stack.guard.reconciler.results.values()
        if not any(result.plan.actions for result in results) and all(result.seen.confirmed for result in results):
            return
    raise AssertionError("the bot does not come to rest")
