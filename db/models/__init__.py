"""Imports all tables, so that their metadata is complete wherever it is asked for."""

from __future__ import annotations

from db.models.accounts import AccountRow, CredentialRow
from db.models.alerts import (
    AlertChannelRow,
    AlertConditionRow,
    AlertCursorRow,
    AlertDeliveryRow,
    AlertRow,
    SealedTextRow,
    TelegramLineRow,
)
from db.models.api import ApiAnswerRow, ApiTokenRow
from db.models.book import (
    PART_NUMBERS,
    AnswerRow,
    CommandRow,
    CycleRow,
    ExternalEntryRow,
    ExternalExitRow,
    OrderRow,
    PositionRow,
)
from db.models.candles import CandlesRow
from db.models.control import AlarmRow, BoardRow, BotStateRow, EventRow, LeaseStateRow, RequestRow, SettingRow
from db.models.facts import EquityRow, FillRow, FundingRow
from db.models.history import LifeRow, SyncStateRow
from db.models.risk import RiskCheckRow

__all__ = [
    "PART_NUMBERS",
    "AccountRow",
    "AlarmRow",
    "AlertChannelRow",
    "AlertConditionRow",
    "AlertCursorRow",
    "AlertDeliveryRow",
    "AlertRow",
    "AnswerRow",
    "ApiAnswerRow",
    "ApiTokenRow",
    "BoardRow",
    "BotStateRow",
    "CandlesRow",
    "CommandRow",
    "CredentialRow",
    "CycleRow",
    "EquityRow",
    "EventRow",
    "ExternalEntryRow",
    "ExternalExitRow",
    "FillRow",
    "FundingRow",
    "LeaseStateRow",
    "LifeRow",
    "OrderRow",
    "PositionRow",
    "RequestRow",
    "RiskCheckRow",
    "SealedTextRow",
    "SettingRow",
    "SyncStateRow",
    "TelegramLineRow",
]
