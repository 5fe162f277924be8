"""What it costs to write an order down before it is sent."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import httpx
import orjson
from sqlalchemy.engine import Connection

from benchmarks.frame import ROUNDS, Line, Section, median, ms, timed
from benchmarks.world import World
from core.domain.account import PositionKey
from core.domain.action import OutcomeKind, PlaceOrder
from core.domain.ids import client_order_id, part_name
from core.domain.instrument import OrderSide, Side
from core.domain.money import Contracts, Price
from core.domain.order import OrderKind, Purpose
from tests.stack import ACCOUNT, BTC, Stack

GOAL_RATIO = 4.0
SAMPLES = {0: 40, 20: 20, 100: 6}  #: delay of the wire in ms: placements in one round
FAR_AWAY = Price(Decimal(50_000))
ORDER = "/api/v5/trade/order"


def measure(world: World) -> Section:
    lines = []
    with world.stack() as stack, world.store.engine.connect() as connection:
        database = connection.execution_options(isolation_level="AUTOCOMMIT")
        database.exec_driver_sql("CREATE TABLE smallest_commit (number integer)")
        parts = (part_name(number) for number in itertools.count(36**5))
        with httpx.Client(base_url=stack.simulator.base_url, trust_env=False) as http:
            for delay, samples in SAMPLES.items():
                stack.simulator.delay(delay)
                ours, commits, posts = [], [], []
                for _ in range(ROUNDS):
                    stack.guard.lease.renew()
                    rounds = [_one(stack, database, http, parts) for _ in range(samples)]
                    ours.append(median([one[0] for one in rounds]))
                    commits.append(median([one[1] for one in rounds]))
                    posts.append(median([one[2] for one in rounds]))
                placed, floor = median(ours), median(commits) + median(posts)
                lines.append(
                    Line(
                        f"an order, {delay} ms of wire",
                        f"{ms(placed)} = {placed / floor:.1f} times the floor",
                        f"{ms(median(commits))} commit + {ms(median(posts))} POST",
                        f"<= {GOAL_RATIO:g} times",
                        placed / floor <= GOAL_RATIO,
                    )
                )
        database.exec_driver_sql("DROP TABLE smallest_commit")
        stack.simulator.delay(0)
    return Section(
        "Placing an order",
        "From the decision to the recorded outcome: the command committed under the lease, the order signed and sent "
        "through python-okx, the answer and the order's state committed. Floor: the smallest commit this database can "
        "make, plus the same POST, signed beforehand, by a bare HTTP client.",
        tuple(lines),
    )


def _one(stack: Stack, database: Connection, http: httpx.Client, parts: Any) -> tuple[float, float, float]:
    """Seconds of one placement of ours, one smallest commit and one bare POST, right after each other."""
    key = PositionKey(ACCOUNT, BTC, Side.LONG)
    action = _order(next(parts))
    outcomes = []
    ours = timed(lambda: outcomes.append(stack.guard.executor.perform(key, action)))
    assert outcomes == [OutcomeKind.DONE], outcomes
    commit = timed(lambda: database.exec_driver_sql("INSERT INTO smallest_commit VALUES (1)"))
    body = orjson.dumps(
        {
            "instId": "BTC-USDT-SWAP",
            "tdMode": "cross",
            "side": "buy",
            "posSide": "long",
            "ordType": "limit",
            "sz": "0.01",
            "px": "50000",
            "clOrdId": client_order_id(next(parts), 1, Purpose.ENTRY, 1),
        }
    ).decode()
    headers = stack.client._session._signed_headers("POST", ORDER, body)
    answers: list[httpx.Response] = []
    post = timed(lambda: answers.append(http.post(ORDER, content=body, headers=headers)))
    assert orjson.loads(answers[0].content)["code"] == "0", answers[0].text
    return ours, commit, post


def _order(part: str) -> PlaceOrder:
    return PlaceOrder(
        part=part,
        cycle=1,
        client_order_id=client_order_id(part, 1, Purpose.ENTRY, 1),
        purpose=Purpose.ENTRY,
        symbol=BTC,
        position_side=Side.LONG,
        side=OrderSide.BUY,
        kind=OrderKind.LIMIT,
        quantity=Contracts(Decimal("0.01")),
        price=FAR_AWAY,
    )
