"""An exchange that turns us away is told apart from one that is silent: its own words stand in the snapshot."""

from __future__ import annotations

import pytest

from core.domain.account import Exchange
from core.domain.errors import Unavailable
from tests.stack import Stack

LOCKED = {
    Exchange.OKX: {"kind": "code", "code": "50100", "http": 401, "match": {"path": "account/positions"}},
    Exchange.BINANCE: {"kind": "code", "code": "-2017", "http": 401, "match": {"path": "v3/positionRisk"}},
}


def test_a_key_that_is_not_taken_any_more(either: Stack) -> None:
    either.opened()
    either.simulator.faults({**LOCKED[either.wire], "count": 1000})
    either.step(11)
    with pytest.raises(Unavailable) as refused:
        either.look()
    either.guard._failed(refused.value, 0.0)
    assert either.guard.barred == str(refused.value)
    either.simulator.faults()
    either.step(11)
    either.look()
    assert either.guard.barred == ""
