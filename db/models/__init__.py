"""All tables, so that their metadata is whole wherever it is asked for."""

from __future__ import annotations

from db.models.accounts import AccountRow, CredentialRow
from db.models.book import PART_NUMBERS, CommandRow, CycleRow, ExternalExitRow, OrderRow, PositionRow
from db.models.control import AlarmRow, BoardRow, BotStateRow, EventRow, LeaseStateRow, RequestRow, SettingRow
from db.models.facts import FillRow, FundingRow

__all__ = [
    "PART_NUMBERS",
    "AccountRow",
    "AlarmRow",
    "BoardRow",
    "BotStateRow",
    "CommandRow",
    "CredentialRow",
    "CycleRow",
    "EventRow",
    "ExternalExitRow",
    "FillRow",
    "FundingRow",
    "LeaseStateRow",
    "OrderRow",
    "PositionRow",
    "RequestRow",
    "SettingRow",
]
