"""Builds and stops the whole application: database, paper exchange, bot, services. The only module that knows them all.

One `Running` per process. Pages reach it through `get_services` and `get_monitor`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from core.alerts import Alerts, LogChannel
from core.alerts.periodic_thread import Repeating
from core.alerts.service import AlertService
from core.clock import Clock, RealClock
from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.reason import Reason
from core.exchange.port import Credentials, ExchangePort, StreamPort
from core.i18n.translate import Speech
from core.logs import log_to
from core.monitor.executor import TradeExecutor
from core.monitor.guard import AccountGuard
from core.monitor.lease import Lease, holder_name
from core.monitor.observe import Observer
from core.monitor.order_tracker import OrderTracker
from core.monitor.position_monitor import PositionMonitor
from core.monitor.reconciler import Reconciler
from core.paper import PAPER_ACCOUNTS, PaperAddress, PaperExchange
from core.services.access.idempotency import Answers
from core.services.access.login import Login
from core.services.access.tokens import Tokens
from core.services.accounts.accounts import Accounts
from core.services.accounts.keys import ENVIRONMENT, Keys, demo_account, demo_profile
from core.services.accounts.overview import Overview
from core.services.accounts.paper_market import PaperMarket
from core.services.metrics.service import Metrics
from core.services.reporting.audit import Audit
from core.services.reporting.executions import Executions
from core.services.reporting.history import History
from core.services.reporting.ledger import Ledger
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from core.services.safety.risk_checks import Risk
from core.services.settings.alerts import Alerting
from core.services.settings.backup import Backup
from core.services.settings.language import Display
from core.services.settings.preferences import Preferences
from core.services.trading.differences import Differences
from core.services.trading.orders import OrderManager
from core.services.trading.pairs import Pairs
from core.services.trading.positions import PositionManager
from core.settings import Settings, revealed
from core.telegram.commands import Commands, Remote
from core.telegram.poller import Poller
from core.vault import Vault
from core.venues import Client, venue
from db.backup.source import BackupSource
from db.backup.writer import BackupWriter
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from db.recorder import TradeRecorder
from db.store import Store

log = logging.getLogger("perpdeck.wiring")

STOP_SECONDS = 3.0
POLL_EVERY = 1.0  #: seconds between two questions to Telegram, which holds each of them open by itself
REFRESH_EVERY = 5.0  #: seconds after which a log-out or a new password in another process holds here too


@dataclass(frozen=True, slots=True)
class Services:
    """All services that pages and programs use."""

    positions: PositionManager
    orders: OrderManager
    differences: Differences
    levels: Levels
    accounts: Accounts
    alerts: Alerting
    reports: Reports
    overview: Overview
    pairs: Pairs
    audit: Audit
    history: History
    paper: PaperMarket
    preferences: Preferences
    display: Display
    login: Login
    backup: Backup
    ledger: Ledger
    executions: Executions
    risk: Risk
    tokens: Tokens
    answers: Answers
    metrics: Metrics
    places: Mapping[str, str]  #: where data lies, for the Settings page


class Running:
    """A started application: its services and its bot, until `stop`."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings, self.clock = settings, clock or RealClock()
        self.holder = holder_name()
        self._ends: list[Callable[[], None]] = []  #: what to undo, in the order it was done
        self._lock = threading.Lock()
        self._guarded: dict[str, tuple[Account, Credentials]] = {}
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        settings = self.settings
        log_to(settings.make_home())
        self.paper = PaperExchange(settings.home / "simulator", self._paper_moved)
        with ThreadPoolExecutor(2) as pool:
            exchange = pool.submit(self.paper.start)
            self._ends.append(self.paper.stop)
            url = self._database()
            upgrade(url)
            self.store = Store.open(url)
            self._ends.append(self.store.close)
            self.backup = self._second_copy(url)
            address = exchange.result()
        self.vault = Vault.open(settings.home, revealed(settings.session_secret), revealed(settings.previous_secret))
        self.alerts = Alerts([LogChannel()])
        demo = self.settings.demo_keys
        self.keys = Keys(
            self.store.accounts, self.store.sealed_texts, self.vault, Credentials(*demo) if demo is not None else None
        )
        self.keys.renew()  # after a change of SESSION_SECRET, so that the old one can be forgotten
        self._keep_paper_accounts(address)
        self._keep_demo_account()
        self.monitor = PositionMonitor(self.store, self.alerts, self.clock, self.reload_accounts)
        self._ends.append(lambda: self.monitor.stop(STOP_SECONDS))
        self.reload_accounts()
        self.monitor.start()
        self.services = self._services()
        self._tell()

    def _tell(self) -> None:
        """Start the alerts, on threads of their own."""
        self.telling = AlertService(self.store, self.clock, self.vault.unseal, self._language, self._acts)
        self._ends.append(self.telling.stop)
        self.telling.start()
        remote = Remote(self.services.accounts, self.services.levels, self.services.reports)
        commands = Commands(remote, self.clock, self._language)
        poller = Poller(self.store, self.clock, self.vault.unseal, commands, self.holder, self._acts)
        phone = Repeating("telegram", POLL_EVERY, poller.turn)
        self._ends += [phone.stop, poller.stop]
        phone.start()
        log_ins = Repeating("log-ins", REFRESH_EVERY, self.services.login.refresh)
        self._ends.append(log_ins.stop)
        log_ins.start()

    def _language(self) -> Callable[[Reason | str], str]:
        """Return the function that puts a reason into the trader's language."""
        shown = Display(self.store.settings).shown()
        return Speech(shown.language, shown.local_numbers).told

    def _acts(self) -> bool:
        """Return whether a bot of this process may act."""
        return any(guard.lease.held for guard in list(self.monitor.guards.values()))

    def _database(self) -> str:
        """Return the database's URL: the trader's own, else that of an embedded server in the data folder."""
        if self.settings.database_url is not None:
            self.database_words = "DATABASE_URL"
            return self.settings.database_url.get_secret_value()
        embedded = EmbeddedPostgres(self.settings.home / "postgres")
        self.database_words = str(embedded.folder)
        self._ends.append(embedded.stop)
        url = embedded.start()
        embedded.keep()
        return url

    def _second_copy(self, url: str) -> Backup:
        """Start the backup where one is wanted, on connections of its own, and return its status service."""
        source, place = BackupSource.open(url), revealed(self.settings.backup_url)
        self._ends.append(source.close)
        if place is not None:
            writer = BackupWriter.open(source, place, self.clock.now)
            self._ends.append(writer.stop)
            writer.start()
        return Backup(source, place is not None, self.clock)

    def stop(self) -> None:
        """Stop everything in the reverse order. What rests on the exchange stays there."""
        global _running
        if _running is self:
            _running = None
        while self._ends:
            end = self._ends.pop()
            try:
                end()
            except PerpdeckError as trouble:
                log.warning("while stopping: %s", trouble)

    # -- accounts and their guards ------------------------------------------------------------------------

    def reload_accounts(self) -> None:
        """Bring the guards in line with the accounts in the database."""
        with self._lock:
            wanted = {account.id: account for account in self.store.accounts.all()}
            for name, (account, _) in list(self._guarded.items()):
                if wanted.get(name) != account:
                    self._let_go(name)
            for name, account in wanted.items():
                try:
                    self._take(account)
                except Misconfigured as trouble:
                    log.error("account %s is not guarded: %s", name, trouble)
                    self.store.alarms.raise_alarm(name, f"account/{name}", trouble.reason, self.clock.now())

    def _take(self, account: Account) -> None:
        """Guard this account with the keys it uses now. Raises Misconfigured where they cannot be decrypted."""
        credentials = self.keys.of(account)
        if self._guarded.get(account.id) == (account, credentials):
            return
        self._let_go(account.id)
        if credentials is not None:
            self.monitor.add(self._guard(account, credentials))
            self._guarded[account.id] = (account, credentials)

    def _let_go(self, name: str) -> None:
        if self._guarded.pop(name, None) is not None:
            self.monitor.remove(name)

    def _guard(self, account: Account, credentials: Credentials) -> AccountGuard:
        at = venue(account.exchange)
        port = at.client(account.environment, account.rest_url, credentials, self.clock)
        stream = at.stream(port, account.stream_url, credentials, self.clock)
        return build_guard(account, port, stream, self.store, self.alerts, self.clock, self.holder)

    def connect(
        self, exchange: Exchange, environment: Environment, credentials: Credentials, region: str
    ) -> ExchangePort:
        """Return a client for checking keys. Raises Misconfigured for an exchange or a region that is not offered."""
        rest_url, _ = self.where(exchange, environment, region)
        return venue(exchange).client(environment, rest_url, credentials, self.clock)

    def where(self, exchange: Exchange, environment: Environment, region: str) -> tuple[str, str]:
        """Return REST and stream address of an account to be added. Raises Misconfigured where there is none."""
        if environment is Environment.PAPER and self.paper.address is not None:
            return self.paper.address.rest_url, self.paper.address.stream_url
        return venue(exchange).addresses(environment, region)

    def reach(self, account: Account, credentials: Credentials) -> ExchangePort:
        """Return a client for an account that is known."""
        return venue(account.exchange).client(account.environment, account.rest_url, credentials, self.clock)

    def _keep_demo_account(self) -> None:
        """Keep an account for demo keys in the environment, without anything being entered."""
        demo = self.keys.demo
        known = [one for one in self.store.accounts.all() if one.environment is Environment.DEMO]
        if demo is None or any(self.keys.source(one) == ENVIRONMENT for one in known):
            return
        profile = demo_profile()
        rest_url, stream_url = self.where(profile.exchange, Environment.DEMO, profile.regions[0])
        account = Account(
            id=demo_account(),
            name=f"{profile.title} demo",
            exchange=profile.exchange,
            environment=Environment.DEMO,
            rest_url=rest_url,
            stream_url=stream_url,
            api_key_hint=demo.api_key[-4:],
        )
        self.store.accounts.save(account, None)

    # -- the paper accounts -------------------------------------------------------------------------------

    def _keep_paper_accounts(self, address: PaperAddress) -> None:
        """Keep the accounts that need no keys from the first start on, at their exchange's present address."""
        for exchange, (name, title) in PAPER_ACCOUNTS.items():
            keys = address.keys[exchange]
            account = Account(
                id=name,
                name=title,
                exchange=exchange,
                environment=Environment.PAPER,
                rest_url=address.rest_url,
                stream_url=address.stream_url,
                api_key_hint=keys.api_key[-4:],
                permissions="read_only,trade",
            )
            if self.store.accounts.get(name) != account or self._kept_keys(name) != keys:
                self.store.accounts.save(account, self.vault.encrypt(keys))

    def _kept_keys(self, account: str) -> Credentials | None:
        sealed = self.store.accounts.ciphertext(account)
        try:
            return self.vault.decrypt(sealed) if sealed is not None else None
        except Misconfigured:
            return None  # sealed with a secret that is gone; the caller has the keys

    def _paper_moved(self, address: PaperAddress) -> None:
        try:
            self._keep_paper_accounts(address)
            self.reload_accounts()
        except PerpdeckError as trouble:
            log.error("the paper exchange moved and the account could not follow: %s", trouble)

    # -- services -----------------------------------------------------------------------------------------

    def _services(self) -> Services:
        store, clock = self.store, self.clock
        levels, reports = Levels(store, clock, self.holder), Reports(store, clock)
        return Services(
            positions=PositionManager(store, clock),
            orders=OrderManager(store, clock),
            differences=Differences(store, clock),
            levels=levels,
            accounts=Accounts(store, self.vault, self.connect, self.where, self.keys, self.reach, clock),
            alerts=Alerting(store, clock, self.vault, self._language),
            reports=reports,
            overview=Overview(store.equity, levels, reports, clock),
            pairs=Pairs(store.snapshots, store.pairs),
            audit=Audit(store.events),
            history=History(store.history, store.fills, clock),
            paper=PaperMarket(lambda: self.paper.control_url, store.accounts, store.events, store.snapshots, clock),
            preferences=Preferences(store.settings),
            display=Display(store.settings),
            login=Login(
                store.secrets, store.events, clock, self.vault.signing_key("login"), revealed(self.settings.password)
            ),
            backup=self.backup,
            ledger=Ledger(store),
            executions=Executions(store.executions),
            risk=Risk(store.risk_checks),
            tokens=Tokens(store.api_tokens, store.events, clock, lambda: self.vault.signing_key("signals")),
            answers=Answers(store.api_answers, clock),
            metrics=Metrics(store.metrics, store.snapshots, store.equity, clock),
            places={"data": str(self.settings.home), "database": self.database_words},
        )


def build_guard(
    account: Account,
    port: Client,
    stream: StreamPort,
    store: Store,
    alerts: Alerts,
    clock: Clock,
    holder: str,
) -> AccountGuard:
    """Build everything that runs for one account; nothing runs yet."""
    tracker, recorder = OrderTracker(), TradeRecorder(store)
    lease = Lease(account.id, holder, store.leases, clock)
    observer = Observer(account.id, port, store, tracker, clock)
    executor = TradeExecutor(account.id, port, store, recorder, tracker, lease, alerts, clock)
    reconciler = Reconciler(account.id, observer, executor, store, clock)
    return AccountGuard(
        account, port, stream, observer, reconciler, executor, recorder, tracker, lease, store, clock, port.usage
    )


_running: Running | None = None


def start_everything(settings: Settings | None = None) -> Running:
    """Start Perpdeck in this process; the same one again where it runs already. Raises Misconfigured, Unavailable."""
    global _running
    if _running is None:
        _running = Running(settings or Settings.from_environment())
    return _running


def _the_running() -> Running:
    if _running is None:
        raise Unavailable(Reason("process.not_started"))
    return _running


def get_services() -> Services:
    """Return the services. Raises Unavailable before `start_everything`."""
    return _the_running().services


def get_monitor() -> PositionMonitor:
    """Return the one monitor of this process. Raises Unavailable before `start_everything`."""
    return _the_running().monitor
