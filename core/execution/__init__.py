"""How to enter: the styles by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.intent import EntryKind
from core.execution.base import Execution
from core.execution.limit import LimitExecution
from core.execution.market import MarketExecution

EXECUTION_STRATEGIES: Mapping[EntryKind, Execution] = {
    EntryKind.MARKET: MarketExecution(),
    EntryKind.LIMIT: LimitExecution(),
}
