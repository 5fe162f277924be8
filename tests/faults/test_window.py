"""How many round trips a sibling leg outlives the leg that was set off: the window in which both can fill.

Counted at the client's own way out, from the fill to the answer to the cancel: by the push, and by the next look where
no push comes. Nothing else of the position is touched by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.domain.account import Exchange, PositionKey
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.order import Order, OrderKind
from tests.decision.stress.table import Row
from tests.faults.harness.invariants import empty_store
from tests.faults.harness.wires import BinanceWire, Request, Send
from tests.postgres import Postgres
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, Stack

MOST_BY_LOOK = 12  #: reads of a whole look, the ends of what was set off, and the cancel itself


class Counted:
    """Requests of one client, by name, until the cancel of this order was answered."""

    def __init__(self, stack: Stack) -> None:
        self.passed: list[str] = []
        BinanceWire(stack.client).watch(self._count)

    def _count(self, request: Request, send: Send) -> Any:
        answer = send()
        self.passed.append(f"{request.method} {request.endpoint}")
        return answer

    def until_cancel(self, act: Callable[[], object]) -> int:
        """Round trips from here to the answer of the first cancel, that one included."""
        self.passed.clear()
        act()
        return self.passed.index("DELETE v1/algoOrder") + 1


@pytest.fixture(params=["binance", "binance one-way"])
def stack(request: pytest.FixtureRequest, postgres: Postgres, simulator: SimulatorProcess) -> Iterator[Stack]:
    with empty_store(postgres) as store:
        made = Stack(store, fresh(simulator), Exchange.BINANCE)
        if request.param.endswith("one-way"):
            made.one_way()
        made.look()
        yield made
        made.client.close()


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("pushed", [True, False], ids=["by the push", "by the next look"])
def test_the_sibling_goes(stack: Stack, parts: int, pushed: bool) -> None:
    """Each part in turn reaches its target; the stops of the others stay."""
    names = [stack.opened(stack.draft(tp=20 * (number + 1), sl=-300)) for number in range(parts)]
    counted, key = Counted(stack), PositionKey(stack.name, BTC, Side.LONG)
    trips = []
    for number, name in enumerate(names):
        stack.look()
        stack.price(str(100_000 + 2700 * (number + 1)))
        if pushed:
            order = _set_off(stack, name)
            trips.append(counted.until_cancel(lambda told=order: stack.guard.reconciler.protect_at_once(key, [told])))
        else:
            trips.append(counted.until_cancel(stack.look))
        left = [row["algoClOrdId"] for row in stack.resting()]
        assert not [one for one in left if name in one]
        assert len(left) == 2 * (parts - number - 1)
        assert stack.ended(name).reason is ExitReason.TAKE_PROFIT
    mode = "hedge" if stack.held_side != "net" else "one-way"
    how = "by the push" if pushed else "by the next look"
    Row(f"{mode}, {how}", str(parts), seeds=1, turns=len(trips), windows=list(map(float, trips)), unit="trips").keep()
    assert max(trips) <= (1 if pushed else MOST_BY_LOOK), trips


def _set_off(stack: Stack, part: str) -> Order:
    """The take-profit as a push tells it once it has filled."""
    found = stack.client.find(f"op{part}01T01", BTC, OrderKind.CONDITIONAL)
    assert found is not None
    assert found.status.ended
    return found
