"""Equity samples: one per moment, read as a curve, as a first value and as a peak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from db.store import Store

ACCOUNT = "paper-okx"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_curve_its_first_value_and_its_peak(store: Store) -> None:
    for minute, equity in enumerate(("10000", "10250.5", "9900")):
        store.equity.add(ACCOUNT, NOON + timedelta(minutes=minute), Decimal(equity))
    store.equity.add(ACCOUNT, NOON, Decimal(1))
    store.equity.add("another", NOON, Decimal(99999))
    later = NOON + timedelta(minutes=1)
    assert [sample.equity for sample in store.equity.samples(ACCOUNT, NOON)] == [
        Decimal(10000), Decimal("10250.5"), Decimal(9900),
    ]  # fmt: skip
    assert store.equity.samples(ACCOUNT, later)[0].at == later
    assert store.equity.first(ACCOUNT, later) == Decimal("10250.5")
    assert store.equity.peak(ACCOUNT, None) == Decimal("10250.5")
    assert store.equity.peak(ACCOUNT, NOON + timedelta(minutes=2)) == Decimal(9900)
    assert store.equity.first(ACCOUNT, NOON + timedelta(hours=1)) is None
    assert store.equity.stop_losses(ACCOUNT, NOON) == 0
