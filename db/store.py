"""The database as the rest of the product uses it: domain values in, domain values out, rows never.

Every method of a repository either does the whole of what it says or raises `Unavailable`; nothing is half written.
"""

from __future__ import annotations

from sqlalchemy import Engine

from db.connection import Database
from db.paging import PageRepository
from db.repositories.accounts import AccountRepository
from db.repositories.alerting.alert_channels import AlertChannelRepository, SealedTextRepository
from db.repositories.alerting.alerts import AlertRepository
from db.repositories.alerting.telegram import TelegramRepository
from db.repositories.api_tokens import ApiAnswerRepository, ApiTokenRepository
from db.repositories.bots import BotRepository, LeaseRepository, SettingRepository, SnapshotRepository
from db.repositories.candles import CandleRepository
from db.repositories.cycles import CycleRepository
from db.repositories.differences import DifferenceRepository
from db.repositories.equity import EquityRepository
from db.repositories.events import AlarmRepository, EventRepository
from db.repositories.executions import ExecutionRepository
from db.repositories.fills import FillRepository
from db.repositories.history import HistoryRepository
from db.repositories.metrics import MetricRepository
from db.repositories.orders import OrderRepository
from db.repositories.pairs import PairRepository
from db.repositories.parts import PartRepository
from db.repositories.risk_checks import RiskCheckRepository
from db.repositories.secrets import SecretRepository


class Store(Database):
    """One database and its repositories, each named after what it keeps.

    `Store.open(url)` after `db.migrate.upgrade(url)`; thread-safe; `close` when done.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.accounts = AccountRepository(self)
        self.alarms = AlarmRepository(self)
        self.alert_channels = AlertChannelRepository(self)
        self.alerts = AlertRepository(self)
        self.api_answers = ApiAnswerRepository(self)
        self.api_tokens = ApiTokenRepository(self)
        self.bots = BotRepository(self)
        self.candles = CandleRepository(self)
        self.cycles = CycleRepository(self)
        self.differences = DifferenceRepository(self)
        self.equity = EquityRepository(self)
        self.events = EventRepository(self)
        self.executions = ExecutionRepository(self)
        self.fills = FillRepository(self)
        self.history = HistoryRepository(self)
        self.leases = LeaseRepository(self)
        self.metrics = MetricRepository(self)
        self.orders = OrderRepository(self)
        self.pages = PageRepository(self)
        self.pairs = PairRepository(self)
        self.parts = PartRepository(self)
        self.risk_checks = RiskCheckRepository(self)
        self.sealed_texts = SealedTextRepository(self)
        self.secrets = SecretRepository(self)
        self.settings = SettingRepository(self)
        self.snapshots = SnapshotRepository(self)
        self.telegram = TelegramRepository(self)
