"""Responses about executions: what was planned, what was filled, what it cost."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from core.api.responses import Number, Out
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind
from core.services.reporting.executions import ExecutionReport

WorkedPurpose = Literal["entry", "recovery", "close"]


class ExecutionOut(Out):
    """The report of one entry, recovery step or close. Contracts and USDT; null: not known."""

    part: str
    cycle: int
    run: str = Field(description="Its name within the part, such as 1E, 3R2 or 2C.")
    purpose: WorkedPurpose
    kind: ExecutionKind
    symbol: str
    side: Side = Field(description="Of the position.")
    strategy: str
    planned: Number
    filled: Number
    arrival: Number | None = Field(description="The price that an order at market would have taken when it began.")
    average: Number | None
    slippage_bp: Number | None = Field(description="Average against arrival in hundredths of a percent; + is worse.")
    slippage_usdt: Number | None
    fees: Number = Field(description="Negative: paid.")
    maker_share: Number | None = Field(description="Of the contracts filled, 0 to 1.")
    orders: int
    refusals: int
    working: bool
    began: datetime
    ended: datetime | None = Field(description="The newest fill.")
    duration_seconds: float | None

    @classmethod
    def of(cls, report: ExecutionReport) -> ExecutionOut:
        own = ("purpose", "duration_seconds")
        told = {name: getattr(report, name) for name in cls.model_fields if name not in own}
        seconds = None if report.duration is None else report.duration.total_seconds()
        return cls.model_validate({**told, "purpose": report.purpose.name.lower(), "duration_seconds": seconds})
