"""Bulk actions: the same request for many parts, each made by itself, so that a refused one stops none of the
others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.domain.errors import PerpdeckError
from core.domain.intent import Target
from core.domain.reason import Reason
from core.domain.snapshot import PartSnapshot
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Asked


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of the request for one part."""

    part: str
    done: bool
    words: Reason


@dataclass(frozen=True, slots=True)
class Row:
    """A part in a bulk action: its name and its present targets."""

    part: str
    take_profit: Target | None
    stop_loss: Target | None

    @classmethod
    def of(cls, part: PartSnapshot) -> Row:
        """Return the row made from a part's row of the snapshot."""
        return cls(part.name, part.take_profit.wanted, part.stop_loss.wanted)


def edit_many(
    positions: PositionManager,
    rows: Iterable[Row],
    take_profit: Target | None,
    stop_loss: Target | None,
    token: str,
    by: str,
    *,
    keep: bool = False,
) -> list[RowResult]:
    """Set the targets of all these parts; None leaves a part's own as it is."""

    def edited(row: Row) -> Asked:
        target, stop = _like(take_profit, row.take_profit), _like(stop_loss, row.stop_loss)
        return positions.edit_targets(row.part, target, stop, f"{token}-{row.part}", by, keep=keep)

    return _each(rows, edited)


def close_many(
    positions: PositionManager, rows: Iterable[Row], token: str, by: str, *, reopen: bool = False
) -> list[RowResult]:
    """Close all these parts whole at market, for good unless `reopen`."""
    return _each(rows, lambda row: positions.close(row.part, f"{token}-{row.part}", by, reopen=reopen))


def _each(rows: Iterable[Row], ask: Callable[[Row], Asked]) -> list[RowResult]:
    results = []
    for row in rows:
        try:
            results.append(RowResult(row.part, True, ask(row).words))
        except PerpdeckError as refusal:
            results.append(RowResult(row.part, False, refusal.reason))
    return results


def _like(wanted: Target | None, own: Target | None) -> Target | None:
    """Return the new target, triggered by the same price as the part's own."""
    if wanted is None or own is None:
        return wanted or own
    return Target(wanted.pnl_usdt, wanted.price, wanted.percent, own.trigger_by)
