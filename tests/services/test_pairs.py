"""Pairs of take-profit and stop-loss: how each stands and what all came to, over real orders on every exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Exchange
from core.domain.intent import ExitReason
from core.domain.pair import PairState
from core.paper import PAPER_ACCOUNTS
from core.services.trading.pairs import Pairs, pairs_of, percentile
from db.store import Store
from tests.pages.samples.snapshot import part, sample_snapshot
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack


@pytest.fixture(params=list(PAPER_ACCOUNTS))
def either(request: pytest.FixtureRequest, store: Store, exchange: SimulatorProcess) -> Iterator[Stack]:
    made = Stack(store, fresh(exchange), request.param)
    made.look()
    yield made
    made.client.close()


def published(stack: Stack) -> Pairs:
    stack.guard.publish()
    return Pairs(stack.store.snapshots, stack.store.pairs)


def test_a_pair_rests_as_one_order_or_as_two_and_is_told_the_same(either: Stack) -> None:
    name = either.opened()
    either.look()
    (row,) = published(either).list(either.name)
    assert (row.part, row.state, row.leftover) == (name, PairState.WORKING, None)
    assert row.take_profit is not None
    assert row.stop_loss is not None
    assert row.one_order is (either.wire is Exchange.OKX)
    held = either.part(name)
    assert (row.take_profit.price, row.stop_loss.price) == (held.take_profit_price(), held.stop_price())
    assert (row.take_profit.quantity, row.size) == (held.size, held.size)
    assert row.take_profit.distance_pct is not None
    assert row.take_profit.distance_pct > 0 > (row.stop_loss.distance_pct or 0)
    figures = published(either).figures(either.name)
    assert (figures.placed, figures.target_hits, figures.stop_hits, figures.both_filled) == (1, 0, 0, 0)


def test_hits_are_counted_and_the_cancel_of_the_sibling_is_timed(either: Stack) -> None:
    first = either.opened()
    either.price("110000")
    assert either.ended(first).reason is ExitReason.TAKE_PROFIT
    either.price("100000")
    second = either.opened()
    either.price("85000")
    assert either.ended(second).reason is ExitReason.STOP_LOSS
    found = published(either).figures(either.name)
    assert (found.placed, found.target_hits, found.stop_hits, found.both_filled) == (2, 1, 1, 0)
    if either.wire is Exchange.OKX:
        assert (found.cancels, found.cancel_p50) == (0, None)  # it ends the sibling itself
    else:
        assert found.cancels == 2
        assert found.cancel_p50 is not None
        assert timedelta() <= found.cancel_p50 <= (found.cancel_p99 or timedelta()) < timedelta(seconds=10)


def test_another_account_has_no_part_in_it(either: Stack) -> None:
    either.opened()
    figures = Pairs(either.store.snapshots, either.store.pairs).figures("demo-okx")
    assert (figures.placed, figures.cancels, figures.orphans) == (0, 0, 0)


def test_nothing_is_known_before_the_first_look(store: Store) -> None:
    assert Pairs(store.snapshots, store.pairs).list("paper-binance") == []


@pytest.mark.parametrize(
    ("took", "percent", "expected"), [([], 50, None), ([1, 2, 3, 4], 50, 2), ([1, 2, 3, 4], 99, 4), ([7], 50, 7)]
)
def test_a_percentile_is_one_of_the_values(took: list[int], percent: int, expected: int | None) -> None:
    found = percentile([timedelta(seconds=one) for one in took], percent)
    assert found == (None if expected is None else timedelta(seconds=expected))


# --- from a snapshot


def leg(name: str, status: str = "working", filled: str = "0") -> dict[str, str | None]:
    times = {"created_at": "2026-11-21T12:00:00+00:00", "updated_at": "2026-11-21T12:00:00+00:00"}
    return {"client_order_id": name, "status": status, "quantity": "0.99", "filled": filled, **times}


def test_a_leg_that_is_left_over_is_named_and_trouble_comes_first() -> None:
    over = {"state": "take_profit", "take_profit": leg("opbT", "filled", "0.99"), "stop_loss": leg("opbS")}
    bare = {"state": "bare", "take_profit": None, "stop_loss": None}
    none = {"state": "none", "take_profit": None, "stop_loss": None}
    found = (part("a"), part("b", pair=over, size="0"), part("c", pair=bare), part("d", pair=none))
    rows = pairs_of(replace(sample_snapshot(), parts=found))
    assert [row.part for row in rows] == ["c", "b", "a"]
    assert rows[1].leftover is not None
    assert rows[1].leftover.client_order_id == "opbS"
    assert rows[1].one_order is False
    assert rows[0].leftover is None
    assert rows[2].size == Decimal("0.99")
