"""The database as the rest of the house sees it: domain values in, domain values out, rows never.

Every method either does the whole of what it says or raises `Unavailable`; nothing is half written.
"""

from __future__ import annotations

from db.paging import Pages
from db.repositories.accounts import Accounts
from db.repositories.alerting.alert_channels import Channels
from db.repositories.alerting.alerts import Alerts
from db.repositories.alerting.telegram import Telegram
from db.repositories.api_tokens import Api
from db.repositories.bots import Control
from db.repositories.candles import Candles
from db.repositories.cycles import Cycles
from db.repositories.differences import Differences
from db.repositories.equity import Equity
from db.repositories.events import Words
from db.repositories.executions import Executions
from db.repositories.fills import Facts
from db.repositories.history import History
from db.repositories.metrics import Metrics
from db.repositories.orders import Commands
from db.repositories.pairs import Pairs
from db.repositories.parts import Book
from db.repositories.risk_checks import Risks
from db.repositories.secrets import Private


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
