"""The rules *sweep* and *totals*, told as stories: parts must add up to the position."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.action import BookExit, OutcomeKind
from core.domain.intent import ExitReason, ExternalExit
from core.domain.observation import Seen
from core.domain.order import Order, OrderKind
from tests.builders import (
    NOON,
    D,
    after,
    because,
    begun,
    command,
    contracts,
    desired,
    entry,
    fill,
    in_words,
    oco,
    order,
    price,
    seen,
)

OTHER = "000002"
FOREIGN = order("", 3, kind=OrderKind.LIMIT, price=price(500))


def held(*orders: Order, **changes: Any) -> Seen:
    return seen(entry(), oco(), *orders, **{"held": 10, **changes})


@pytest.mark.parametrize(
    ("story", "look", "actions"),
    [
        ("an OCO of a part that ended long ago goes", held(oco(part=OTHER)), ["cancel P01"]),
        ("an order of somebody else stays", held(FOREIGN), []),
        ("more is held than ours: report it, leave it", held(held=13), ["alarm residual"]),
        ("more, but not sure yet", held(held=13, confirmed=False), []),
        (
            "more, but an entry is unanswered",
            held(held=13, commands=(command("op00000101E02", ago=1, outcome=OutcomeKind.UNKNOWN),)),
            [],
        ),
        (
            "closed by hand: booked from its fill",
            held(held=0, foreign_fills=(fill("f1", 10, 990),)),
            [
                "book exit 10 at 990: closed_by_hand",
            ],
        ),
        (
            "some closed by hand",
            held(held=6, foreign_fills=(fill("f1", 4, 990),)),
            ["book exit 4 at 990: closed_by_hand"],
        ),
        (
            "liquidated",
            held(held=0, foreign_fills=(fill("f1", 10, 905, origin="liquidation"),)),
            [
                "book exit 10 at 905: liquidated",
            ],
        ),
        (
            "deleveraged",
            held(held=6, foreign_fills=(fill("f1", 4, 1100, origin="deleveraging"),)),
            [
                "book exit 4 at 1100: deleveraged",
            ],
        ),
        (
            "two fills",
            held(held=0, foreign_fills=(fill("f1", 4, 990), fill("f2", 6, 991, at=after(-4)))),
            ["book exit 6 at 991: closed_by_hand", "book exit 4 at 990: closed_by_hand"],
        ),
        ("gone, but seen only once", held(held=0, confirmed=False), []),
        ("gone, and an order of ours vanished: asking", held(held=0, settled=False), []),
        ("gone, and no fill tells why yet", held(held=0, differs_since=after(-59)), []),
        (
            "gone for a minute and no fill tells why: booked at the mark",
            held(held=0, differs_since=after(-60)),
            [
                "alarm untraced",
                "book exit 10 at 1000: not_known",
            ],
        ),
        (
            "the same of a part of it",
            held(held=4, differs_since=after(-60)),
            [
                "alarm untraced",
                "book exit 6 at 1000: not_known",
            ],
        ),
    ],
)
def test_sweep_and_totals(story: str, look: Seen, actions: Sequence[str]) -> None:
    assert in_words(plan(desired(begun()), look, NOON)) == list(actions), story


def test_the_newest_part_gives_first() -> None:
    newer = begun(OTHER, cycle_started_at=after(-30))
    look = seen(entry(), oco(), entry(part=OTHER), oco(part=OTHER), held=8, foreign_fills=(fill("f1", 12, 990),))
    decided = plan(desired(begun(), newer), look, NOON)
    booked = [(action.part, action.quantity) for action in decided.actions if isinstance(action, BookExit)]
    assert booked == [(OTHER, 10), ("000001", 2)]


def test_a_fill_is_given_out_once_and_each_share_has_its_own_id() -> None:
    gone = ExternalExit(contracts(3), price(990), D("-0.3"), ExitReason.CLOSED_BY_HAND, after(-5), "f1/000001/1")
    look = held(held=2, foreign_fills=(fill("f1", 5, 990), fill("f0", 10, 980, at=after(-50))))
    decided = plan(desired(begun(external_exits=(gone,))), look, NOON)
    booked = [action for action in decided.actions if isinstance(action, BookExit)]
    assert [(action.exchange_fill_id, action.quantity, action.fee) for action in booked] == [
        ("f1/000001/2", 2, D("-0.2")),
        ("f0/000001/1", 3, D("-0.15")),
    ]


def test_a_standing_alarm_does_not_keep_the_loop_awake() -> None:
    decided = plan(desired(begun()), held(held=13), NOON)
    assert in_words(decided) == ["alarm residual"]
    assert decided.look_again is None


def test_a_gap_is_looked_at_again_soon() -> None:
    assert plan(desired(begun()), held(held=6, confirmed=False), NOON).look_again == timedelta(milliseconds=400)
    assert plan(desired(begun()), held(held=6), NOON).look_again == timedelta(seconds=1)


def test_what_is_not_ours_is_named() -> None:
    decided = plan(desired(begun()), held(FOREIGN), NOON)
    assert because(decided, "sweep") == "1 orders here are not ours and are left alone"
