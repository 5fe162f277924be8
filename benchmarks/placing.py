"""What it costs to write an order down before it is sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from sqlalchemy.engine import Connection

from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms, timed
from benchmarks.harness.world import World
from core.domain.account import Exchange, PositionKey
from core.domain.action import OutcomeKind, PlaceOrder
from core.domain.ids import client_order_id, part_name
from core.domain.instrument import OrderSide, Side
from core.domain.money import Contracts, Price
from core.domain.order import OrderKind, Purpose
from core.exchange.fields import milliseconds
from core.paper import PAPER_ACCOUNTS
from tests.simulator.binance.client import BinanceClient, signature
from tests.stack import BTC, Stack

GOAL_RATIO = 4.0
SAMPLES = {0: 40, 20: 20, 100: 6}  #: delay of the wire in ms: placements in one round
FAR_AWAY = Price(Decimal(50_000))
ORDER = "/api/v5/trade/order"
QUANTITY = {Exchange.OKX: "0.01", Exchange.BINANCE: "0.002"}  #: what the smallest value of an order allows
SDK = {Exchange.OKX: "python-okx", Exchange.BINANCE: "python-binance"}


def measure(world: World) -> Section:
    lines = []
    with world.store.engine.connect() as connection:
        database = connection.execution_options(isolation_level="AUTOCOMMIT")
        database.exec_driver_sql("CREATE TABLE smallest_commit (number integer)")
        parts = (part_name(number) for number in itertools.count(36**5))
        for exchange in PAPER_ACCOUNTS:
            with world.stack(exchange) as stack:
                lines += [_line(stack, database, parts, delay) for delay in SAMPLES]
                stack.simulator.delay(0)
        database.exec_driver_sql("DROP TABLE smallest_commit")
    return Section(
        "Placing an order",
        "From the decision to the recorded outcome: the command committed under the lease, the order signed and sent "
        f"through {SDK[Exchange.OKX]} or {SDK[Exchange.BINANCE]}, the answer and the order's state committed. Floor: "
        "the smallest commit this database can make, plus the same POST, signed beforehand, by a bare HTTP client.",
        tuple(lines),
    )


def _line(stack: Stack, database: Connection, parts: Iterator[str], delay: int) -> Line:
    stack.simulator.delay(delay)
    ours, commits, posts = [], [], []
    with httpx.Client(base_url=stack.simulator.base_url, trust_env=False, verify=False) as http:
        for _ in range(ROUNDS):
            stack.guard.lease.renew()
            rounds = [_one(stack, database, http, parts) for _ in range(SAMPLES[delay])]
            ours.append(median([one[0] for one in rounds]))
            commits.append(median([one[1] for one in rounds]))
            posts.append(median([one[2] for one in rounds]))
            if stack.wire is Exchange.BINANCE:
                _sweep(stack)
    placed, floor = median(ours), median(commits) + median(posts)
    return Line(
        f"{stack.wire.upper() if stack.wire is Exchange.OKX else 'Binance'}: an order, {delay} ms of wire",
        f"{ms(placed)} = {placed / floor:.1f} times the floor",
        f"{ms(median(commits))} commit + {ms(median(posts))} POST",
        f"<= {GOAL_RATIO:g} times",
        placed / floor <= GOAL_RATIO,
    )


def _sweep(stack: Stack) -> None:
    """Cancel everything: Binance takes 200 orders of one contract."""
    with BinanceClient(stack.simulator.base_url, stack.simulator.binance) as person:
        now = milliseconds(stack.clock.now())
        assert person.delete("v1/allOpenOrders", symbol="BTCUSDT", timestamp=now).ok


def _one(stack: Stack, database: Connection, http: httpx.Client, parts: Iterator[str]) -> tuple[float, float, float]:
    """Seconds of one placement of ours, one smallest commit and one bare POST, right after each other."""
    key = PositionKey(stack.name, BTC, Side.LONG)
    quantity = QUANTITY[stack.wire]
    action = _order(next(parts), quantity)
    outcomes = []
    ours = timed(lambda: outcomes.append(stack.guard.executor.perform(key, action)))
    assert outcomes == [OutcomeKind.DONE], outcomes
    commit = timed(lambda: database.exec_driver_sql("INSERT INTO smallest_commit VALUES (1)"))
    identity = client_order_id(next(parts), 1, Purpose.ENTRY, 1)
    send = (_at_binance if stack.wire is Exchange.BINANCE else _at_okx)(stack, http, quantity, identity)
    answers: list[httpx.Response] = []
    post = timed(lambda: answers.append(send()))
    answered = orjson.loads(answers[0].content)
    assert answered.get("code") == "0" or answered.get("orderId"), answers[0].text
    return ours, commit, post


def _at_okx(stack: Stack, http: httpx.Client, quantity: str, identity: str) -> Callable[[], httpx.Response]:
    """The same order, signed and ready to be sent."""
    body = orjson.dumps(
        {
            "instId": "BTC-USDT-SWAP",
            "tdMode": "cross",
            "side": "buy",
            "posSide": "long",
            "ordType": "limit",
            "sz": quantity,
            "px": "50000",
            "clOrdId": identity,
        }
    ).decode()
    session: Any = stack.client
    headers = session._session._signed_headers("POST", ORDER, body)
    return lambda: http.post(ORDER, content=body, headers=headers)


def _at_binance(stack: Stack, http: httpx.Client, quantity: str, identity: str) -> Callable[[], httpx.Response]:
    asked = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "positionSide": "LONG",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": quantity,
        "price": "50000",
        "newClientOrderId": identity,
        "newOrderRespType": "RESULT",
        "timestamp": milliseconds(stack.clock.now()),
    }
    body = urlencode(asked)
    body += f"&signature={signature(stack.credentials.api_secret, body)}"
    headers = {"X-MBX-APIKEY": stack.credentials.api_key, "Content-Type": "application/x-www-form-urlencoded"}
    return lambda: http.post("/fapi/v1/order", content=body, headers=headers)


def _order(part: str, quantity: str) -> PlaceOrder:
    return PlaceOrder(
        part=part,
        cycle=1,
        client_order_id=client_order_id(part, 1, Purpose.ENTRY, 1),
        purpose=Purpose.ENTRY,
        symbol=BTC,
        position_side=Side.LONG,
        side=OrderSide.BUY,
        kind=OrderKind.LIMIT,
        quantity=Contracts(Decimal(quantity)),
        price=FAR_AWAY,
    )
