"""Executions under way as the pages show them: what is filled, what is missing, what comes next."""

from __future__ import annotations

from typing import Any

from core.decision.executions import UnderWay
from core.domain.money import ZERO, plain


def run_row(found: UnderWay) -> dict[str, Any]:
    """One execution. Numbers are text, times ISO UTC; `until`: when something changes by itself, if that is known."""
    run, until = found.run, found.until
    progress = run.progress
    return {
        "run": run.name,
        "purpose": run.purpose.name.lower(),
        "kind": progress.style.kind,
        "sliced": progress.style.kind.sliced,
        "planned": plain(progress.planned),
        "filled": plain(progress.filled),
        "remaining": plain(max(progress.planned - progress.filled, ZERO)),
        "average": None if run.average is None else plain(run.average),
        "working": progress.working,
        "price": None if progress.working_price is None else plain(progress.working_price),
        "step": str(found.because),
        "until": None if until is None else until.isoformat(),
        "started_at": progress.started_at.isoformat(),
        "told": "finish" if progress.hurried else "take_back" if progress.withdrawn else None,
    }
