"""The pair of a part, told from its orders: one OCO or two legs."""

from __future__ import annotations

import pytest

from core.domain.intent import Intent
from core.domain.order import Leg, Order, OrderStatus
from core.domain.pair import PairState, pair_of
from core.domain.part import Part
from tests.builders import COIN, D, begun, contracts, entry, oco, order

STOP = oco(tp=None, name="S01", dies_with_position=False)
TARGET = oco(sl=None, name="T01", dies_with_position=False)
GONE = OrderStatus.CANCELED


def hit(leg: Order, which: Leg) -> Order:
    done = {"status": OrderStatus.FILLED, "filled": contracts(10), "average_price": D(1000)}
    return leg.but(**done, triggered_leg=which)


@pytest.mark.parametrize(
    ("story", "asked", "orders", "state"),
    [
        ("nothing was placed", begun(), (), PairState.NONE),
        ("one OCO", begun(), (entry(), oco()), PairState.WORKING),
        ("two legs", begun(), (entry(), STOP, TARGET), PairState.WORKING),
        ("only a stop is wanted", begun(take_profit=None), (entry(), STOP), PairState.WORKING),
        ("the target is missing", begun(), (entry(), STOP), PairState.STOP_ONLY),
        ("the stop is missing", begun(), (entry(), TARGET), PairState.TARGET_ONLY),
        ("both are missing", begun(), (entry(),), PairState.BARE),
        ("set off", begun(), (entry(), STOP.but(triggered_leg=Leg.STOP_LOSS), TARGET), PairState.FILLING),
        ("target hit", begun(), (entry(), STOP, hit(TARGET, Leg.TAKE_PROFIT)), PairState.TAKE_PROFIT),
        ("stop hit", begun(), (entry(), hit(oco(), Leg.STOP_LOSS)), PairState.STOP_LOSS),
        (
            "both hit",
            begun(),
            (entry(), hit(STOP, Leg.STOP_LOSS), hit(TARGET, Leg.TAKE_PROFIT)),
            PairState.BOTH_FILLED,
        ),
        (
            "closed in another way",
            begun(),
            (entry(), STOP.but(status=GONE), TARGET.but(status=GONE), order("op00000101C01", filled=10)),
            PairState.ENDED,
        ),
    ],
)
def test_state(story: str, asked: Intent, orders: tuple[Order, ...], state: PairState) -> None:
    assert pair_of(Part.fold(asked, COIN, orders)).state is state, story


def test_the_leg_that_is_left_is_named_until_it_is_gone() -> None:
    orders = (entry(), STOP, hit(TARGET, Leg.TAKE_PROFIT))
    assert pair_of(Part.fold(begun(), COIN, orders)).leftover == STOP
    ended = (entry(), STOP.but(status=GONE), hit(TARGET, Leg.TAKE_PROFIT))
    assert pair_of(Part.fold(begun(), COIN, ended)).leftover is None


def test_of_several_the_one_that_rests_is_shown() -> None:
    old, new = STOP.but(status=GONE), oco(tp=None, sl=950, name="S02")
    pair = pair_of(Part.fold(begun(), COIN, (entry(), old, new, TARGET)))
    assert (pair.stop_loss, pair.take_profit) == (new, TARGET)
