"""The iceberg style: a large order of which the book shows only a part at a time."""

from __future__ import annotations

from datetime import datetime

from core.domain.money import Contracts
from core.execution.base import Progress, Step
from core.execution.pieces import least
from core.execution.resting import work_resting


class IcebergExecution:
    """Orders the visible share at the limit price; when it has filled, the next.

    It rests at its price or, without one, at our side of the book, where `refresh` places it anew.
    """

    def next_order(self, progress: Progress, now: datetime) -> Step:
        style = progress.style
        assert style.visible is not None, "an iceberg without a visible share is not accepted"
        price = style.price if style.price is not None else progress.near
        shown = Contracts(max(least(progress), progress.instrument.round_quantity(progress.planned * style.visible)))
        return work_resting(progress, now, moved=style.refresh, price=price, shown=shown)
