"""The database as the rest of the house sees it: domain values in, domain values out, rows never.

Every method either does the whole of what it says or raises `Unavailable`; nothing is half written.
"""

from __future__ import annotations

from db.store_accounts import Accounts
from db.store_alerts import Alerts
from db.store_api import Api
from db.store_book import Book
from db.store_candles import Candles
from db.store_channels import Channels
from db.store_commands import Commands
from db.store_control import Control
from db.store_cycles import Cycles
from db.store_differences import Differences
from db.store_equity import Equity
from db.store_executions import Executions
from db.store_facts import Facts
from db.store_history import History
from db.store_metrics import Metrics
from db.store_pages import Pages
from db.store_pairs import Pairs
from db.store_private import Private
from db.store_risk import Risks
from db.store_telegram import Telegram
from db.store_words import Words


class Store(
    Accounts,
    Alerts,
    Api,
    Book,
    Candles,
    Channels,
    Cycles,
    Commands,
    Differences,
    Facts,
    History,
    Equity,
    Executions,
    Metrics,
    Pages,
    Pairs,
    Risks,
    Telegram,
    Words,
    Private,
    Control,
):
    """One database. `Store.open(url)` after `db.migrate.upgrade(url)`; thread-safe; `close` when done."""
