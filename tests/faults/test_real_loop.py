"""The real loop and database against the adversary of the pure suite; `SEED=n` replays one storm."""

from __future__ import annotations

import pytest

from tests.decision.stress.stress import rows_of
from tests.decision.stress.table import keep_all
from tests.faults.harness.real_loop import play
from tests.faults.test_stress import ONE, SOAK, chunks
from tests.postgres import Postgres

A_FEW = 24


@pytest.mark.parametrize("seeds", [range(int(ONE), int(ONE) + 1)] if ONE else chunks(A_FEW, 2), ids=str)
def test_storms_end_as_asked_for(postgres: Postgres, quiet_log: None, seeds: range) -> None:
    """Never oversized, bare, orphaned or busy once calm; see `tests.decision.stress.stress` for all promises."""
    outcomes = play(postgres, seeds)
    keep_all(rows_of("real loop", outcomes))
    print(
        f"{len(outcomes)} storms, {sum(o.turns for o in outcomes)} looks, "
        f"{sum(o.bare_turns for o in outcomes)} of them with a part not fully guarded, "
        f"{sum(bool(o.overshoots) for o in outcomes)} storms closed more than a part"
    )


@pytest.mark.soak
@pytest.mark.parametrize("seeds", chunks(SOAK), ids=str)
def test_many_storms_end_as_asked_for(postgres: Postgres, quiet_log: None, seeds: range) -> None:
    keep_all(rows_of("real loop", play(postgres, seeds)))
