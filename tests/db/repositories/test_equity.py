"""Equity samples: one per moment, read as a curve, as a first value and as a peak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from db.store import Store

ACCOUNT = "paper-okx"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_curve_its_first_value_and_its_peak(store: Store) -> None:
    for minute, equity in enumerate(("10000", "10250.5", "9900")):
        store.add_equity_sample(ACCOUNT, NOON + timedelta(minutes=minute), Decimal(equity))
    store.add_equity_sample(ACCOUNT, NOON, Decimal(1))
    store.add_equity_sample("another", NOON, Decimal(99999))
    later = NOON + timedelta(minutes=1)
    assert [sample.equity for sample in store.equity_samples(ACCOUNT, NOON)] == [
        Decimal(10000), Decimal("10250.5"), Decimal(9900),
    ]  # fmt: skip
    assert store.equity_samples(ACCOUNT, later)[0].at == later
    assert store.first_equity(ACCOUNT, later) == Decimal("10250.5")
    assert store.peak_equity(ACCOUNT, None) == Decimal("10250.5")
    assert store.peak_equity(ACCOUNT, NOON + timedelta(minutes=2)) == Decimal(9900)
    assert store.first_equity(ACCOUNT, NOON + timedelta(hours=1)) is None
    assert store.stop_losses(ACCOUNT, NOON) == 0
