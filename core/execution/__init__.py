"""The execution styles of orders, by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.intent import ExecutionKind
from core.execution.base import Execution
from core.execution.iceberg import IcebergExecution
from core.execution.limit import LimitExecution
from core.execution.market import MarketExecution
from core.execution.twap import TWAPExecution

EXECUTION_STRATEGIES: Mapping[ExecutionKind, Execution] = {
    ExecutionKind.MARKET: MarketExecution(),
    ExecutionKind.LIMIT: LimitExecution(),
    ExecutionKind.TWAP: TWAPExecution(),
    ExecutionKind.ICEBERG: IcebergExecution(),
}
