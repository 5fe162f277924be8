"""Accounts and their keys: checked with the exchange before they are stored, encrypted when they are, tested later.

A key that fails any check leaves nothing behind. Real money needs a typed word, a key that may withdraw another.
No secret is ever part of a sentence, an error or a log line.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from core.clock import Clock
from core.domain.account import Account, AccountState, Environment, Exchange
from core.domain.asked import asked_by
from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.reason import Reason
from core.exchange.port import Credentials, ExchangePort
from core.services.accounts.keys import ENVIRONMENT, Keys, demo_profile
from core.vault import Vault
from core.venues import profile_of, profiles
from db.records import Event
from db.store import Store

log = logging.getLogger("perpdeck.accounts")

LIVE, RISK = "LIVE", "I ACCEPT THE RISK"
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class AccountForm:
    """The fields of an account form, as typed."""

    name: str
    exchange: Exchange
    environment: Environment
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    region: str = "global"  #: where the account was registered
    confirm_live: str = ""  #: "LIVE" for real money
    confirm_withdraw: str = ""  #: "I ACCEPT THE RISK" for a key that may withdraw

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.api_key, self.api_secret, self.passphrase)

    @property
    def place(self) -> str:
        """Return exchange and environment for sentences, as in "OKX demo"."""
        return f"{self.exchange.upper()} {self.environment}"


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """The exchange's answer about keys, and whether an account may be made of them. Equity in USDT."""

    ok: bool
    words: Reason
    permissions: str
    equity: Decimal | None
    hedge_mode: bool
    can_withdraw: bool


@dataclass(frozen=True, slots=True)
class KeyTest:
    """The exchange's answer about the keys that an account uses now. Equity in USDT."""

    can_trade: bool
    can_withdraw: bool
    addresses: str  #: the only ones it may be used from; empty: any
    hedge_mode: bool
    equity: Decimal
    clock_offset: timedelta  #: the exchange's clock less ours


#: an account that is known, and its keys -> a client for them
Reach = Callable[[Account, Credentials], ExchangePort]
#: exchange, environment, region -> REST and stream address; raises Misconfigured where there is none
Where = Callable[[Exchange, Environment, str], tuple[str, str]]


class Connect(Protocol):
    """The interface of a function that makes a client for keys that are to be checked."""

    def __call__(
        self, exchange: Exchange, environment: Environment, credentials: Credentials, region: str
    ) -> ExchangePort: ...


class Accounts:
    """Lists, checks, adds and removes accounts. Raises Misconfigured with sentences, Unavailable where nobody
    answers.
    """

    def __init__(
        self, store: Store, vault: Vault, connect: Connect, where: Where, keys: Keys, reach: Reach, clock: Clock
    ) -> None:
        self.store, self.vault, self.connect, self.where = store, vault, connect, where
        self.keys, self.reach, self.clock = keys, reach, clock
        self._one_at_a_time = threading.Lock()

    def list(self) -> list[Account]:
        """Return all accounts: paper accounts first, exchanges in the order of `profiles`, then by name."""
        found = (replace(one, api_key_hint=self.keys.hint(one)) for one in self.store.accounts.all())
        return sorted(found, key=_place)

    def source(self, account: str) -> str:
        """Return where an account's keys come from: environment, database, paper or none."""
        return self.keys.source(self._known(account))

    def test(self, account: str) -> KeyTest:
        """Ask the exchange about the keys an account uses now, and how far its clock is from ours."""
        known = self._known(account)
        credentials = self.keys.of(known)
        if credentials is None:
            raise Misconfigured(Reason("account.no_keys", account=known.name))
        port = self.reach(known, credentials)
        try:
            asked = self.clock.now()
            told = port.server_time()
            offset = told - (asked + (self.clock.now() - asked) / 2)
            state = port.account_state()
        except PerpdeckError as trouble:
            place = f"{known.exchange.upper()} {known.environment}"
            raise _explained(known.exchange, place, credentials.api_key[-4:], trouble) from None
        finally:
            port.close()
        return KeyTest(state.can_trade, state.can_withdraw, state.addresses, state.hedge_mode, state.equity, offset)

    def change_secret(self, by: str) -> int:
        """Make a new secret for all stored keys; returns how many were encrypted anew. Raises Misconfigured, and
        nothing changed.
        """
        with self._one_at_a_time:
            done = len(self.keys.change_secret(by))
        self._record(Reason("act.change_secret"), by)
        return done

    def check(self, form: AccountForm) -> KeyCheck:
        """Ask the exchange what the keys may do. Nothing is stored; a typed word that is missing is told."""
        _refuse(_form_problems(form))
        state = self._ask(form)
        problems = tuple(_key_problems(form, state))
        return KeyCheck(
            ok=not problems,
            words=Misconfigured(*problems).reason if problems else _praise(form, state),
            permissions=_permissions(state),
            equity=state.equity,
            hedge_mode=state.hedge_mode,
            can_withdraw=state.can_withdraw,
        )

    def add(self, form: AccountForm, token: str, by: str) -> Account:
        """Check the keys, encrypt and store them, and tell the bot. The same keys twice are one account."""
        _refuse(_form_problems(form))
        with self._one_at_a_time:
            known = self._with_key(form)
            if known is not None:
                if known.name == form.name:
                    return known
                raise Misconfigured(Reason("account.key_used", hint=known.api_key_hint, account=known.name))
            if any(one.name == form.name for one in self.store.accounts.all()):
                raise Misconfigured(Reason("account.name_taken", value=form.name, field=Reason("field.name")))
            rest_url, stream_url = self.where(form.exchange, form.environment, form.region)
            state = self._ask(form)
            _refuse(_key_problems(form, state))
            account = Account(
                id=self._free_id(form),
                name=form.name,
                exchange=form.exchange,
                environment=form.environment,
                rest_url=rest_url,
                stream_url=stream_url,
                api_key_hint=form.api_key[-4:],
                permissions=_permissions(state),
            )
            self.store.accounts.save(account, self.vault.encrypt(form.credentials))
            self.store.parts.claim(token, account.id, "add_account", by)
        log.info("account added account=%s permissions=%s by=%s", account.id, account.permissions, by)
        self._record(Reason("act.add_account", account=account.name, hint=account.api_key_hint), by)
        return account

    def remove(self, account: str, by: str) -> None:
        """Forget an account and its keys. Raises Misconfigured while its bot runs or it holds anything of ours."""
        known = self._known(account)
        if self.keys.source(known) == ENVIRONMENT:
            variables = _listed(demo_profile().demo_variables)
            raise Misconfigured(Reason("account.keys_from_environment", account=known.name, variables=variables))
        if known.environment is Environment.PAPER:
            raise Misconfigured(Reason("account.paper_stays"))
        if self.store.bots.get(account).running:
            raise Misconfigured(Reason("account.bot_runs", account=known.name))
        self.store.accounts.remove(account)
        log.info("account removed account=%s by=%s", account, by)
        self._record(Reason("act.remove_account", account=known.name), by)

    # -- helpers ---------------------------------------------------------------------------------------------

    def _record(self, action: Reason, by: str) -> None:
        """Record an action in the audit trail, visible from all accounts."""
        self.store.events.add("", [Event(self.clock.now(), "", None, "account", asked_by(by), action, "done")])

    def _known(self, account: str) -> Account:
        known = self.store.accounts.get(account)
        if known is None:
            raise Misconfigured(Reason("account.unknown", value=account, field=Reason("field.account")))
        return known

    def _ask(self, form: AccountForm) -> AccountState:
        try:
            return self.connect(form.exchange, form.environment, form.credentials, form.region).account_state()
        except PerpdeckError as trouble:
            raise _explained(form.exchange, form.place, form.api_key[-4:], trouble) from None

    def _with_key(self, form: AccountForm) -> Account | None:
        """Return the account that has this key already; None where there is none."""
        for account in self.store.accounts.all():
            ciphertext = self.store.accounts.ciphertext(account.id)
            same_place = (account.exchange, account.environment) == (form.exchange, form.environment)
            if same_place and ciphertext and self.vault.decrypt(ciphertext).api_key == form.api_key:
                return account
        return None

    def _free_id(self, form: AccountForm) -> str:
        """Return a short, stable id that is not taken: demo-okx, then demo-okx-2."""
        taken = {account.id for account in self.store.accounts.all()}
        stem = f"{form.environment}-{form.exchange}"
        candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in candidates if name not in taken)


def _place(account: Account) -> tuple[bool, int, str]:
    order = [*profiles(), account.exchange]  # one that is not offered any more comes last
    return account.environment is not Environment.PAPER, order.index(account.exchange), account.name


def _listed(names: Sequence[str]) -> str:
    """Return "A, B and C"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _form_problems(form: AccountForm) -> Iterator[Reason]:
    if not form.name.strip():
        yield Reason("account.name_empty", field=Reason("field.name"))
    elif len(form.name) > LONGEST_NAME:
        yield Reason("range.too_long", n=len(form.name), most=LONGEST_NAME, field=Reason("field.name"))
    if form.environment is Environment.PAPER:
        yield Reason("account.paper_is_there", field=Reason("field.environment"))
    typed = [(Reason("field.api_key"), form.api_key), (Reason("field.api_secret"), form.api_secret)]
    if profile_of(form.exchange).needs_passphrase:
        typed.append((Reason("field.passphrase"), form.passphrase))
    for name, value in typed:
        if not value:
            yield Reason("key.empty", field=name)
        elif not (value.isascii() and value.isprintable()):
            yield Reason("key.wrong_sign", field=name)


def _key_problems(form: AccountForm, state: AccountState) -> Iterator[Reason]:
    """Yield why no account can be made of these keys."""
    if not state.can_trade:
        yield Reason("key.only_reads", place=form.place)
    if state.can_withdraw and form.confirm_withdraw != RISK:
        yield (Reason("key.may_withdraw", risk=RISK))
    if form.environment is Environment.LIVE and form.confirm_live != LIVE:
        yield Reason("key.confirm_live", live=LIVE)


def _praise(form: AccountForm, state: AccountState) -> Reason:
    words = Reason("key.works", place=form.place, equity=state.equity)
    if state.hedge_mode:
        return Reason("key.works_hedged", works=words)
    return Reason("key.works_one_way", works=words, exchange=form.exchange.upper())


def _permissions(state: AccountState) -> str:
    granted = {"read_only": True, "trade": state.can_trade, "withdraw": state.can_withdraw}
    return ",".join(name for name, given in granted.items() if given)


def _refuse(problems: Iterator[Reason]) -> None:
    found = tuple(problems)
    if found:
        raise Misconfigured(*found)


def _explained(exchange: Exchange, place: str, hint: str, trouble: PerpdeckError) -> PerpdeckError:
    """Return the exchange's error in words about the keys; a missing answer stays Unavailable."""
    code = profile_of(exchange).key_trouble.get(trouble.exchange_code)
    if code is not None:
        return Misconfigured(Reason(code, place=place, hint=hint))
    if isinstance(trouble, Unavailable):
        return Unavailable(
            Reason("key.not_asked", place=place, why=trouble.reason), exchange_code=trouble.exchange_code
        )
    return trouble
