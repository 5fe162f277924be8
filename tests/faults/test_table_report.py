"""The fault table in words: what was run, what was not, and what broke, exchange beside exchange."""

from __future__ import annotations

from typing import Any

from tests.faults.table import LETTERS, lines


def run(step: str, kind: str, *, struck: bool = True, bare: float = 0.0, broken: str = "") -> dict[str, Any]:
    return {
        "exchange": "okx", "flow": "close", "step": step, "kind": kind, "struck": struck, "bare": bare,
        "broken": broken,
    }  # fmt: skip


def test_a_cell_shows_its_runs_a_break_and_what_was_left_out() -> None:
    cells = [("close order", "lost-"), ("close order", "late"), ("look", "die-")]
    runs = [
        run("close order", "lost-"),
        run("close order", "lost-", bare=0.3),
        run("look", "die-", broken="SEED=7"),
        run("look", "die-", struck=False),
    ]
    okx = {"seed": 7, "cells": [("okx", "close", *cell) for cell in cells], "runs": runs}
    binance = {"seed": 7, "cells": [("binance", "close", "close order", "ban")], "runs": []}
    made = lines([okx, binance])
    head = next(line for line in made if line.startswith("CLOSE"))
    theirs, ours = (line for line in made if line.startswith("close order"))
    assert ours.split() == ["close", "order", "okx", "2", "·"]
    assert theirs.split() == ["close", "order", "binance", "·"]
    assert (ours[head.rindex(LETTERS["lost-"])], theirs[head.rindex(LETTERS["ban"])]) == ("2", "·")
    assert next(line for line in made if line.startswith("look")).split() == ["look", "okx", "1!"]
    assert "2 of 4 cells, 3 runs, 1 violations, 1 strikes came too late to meet their step; seed 7" in made
    assert made[-1].endswith("okx lost- 0.3")
