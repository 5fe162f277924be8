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
    """An account as somebody typed it in."""

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
        """ "OKX demo", for sentences."""
        return f"{self.exchange.upper()} {self.environment}"


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What the exchange said of a key, and whether an account may be made of it. Equity in USDT."""

    ok: bool
    words: str
    permissions: str
    equity: Decimal | None
    hedge_mode: bool
    can_withdraw: bool


@dataclass(frozen=True, slots=True)
class KeyTest:
    """What the exchange says of the keys an account uses now. Equity in USDT."""

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
    """Makes a client for keys that are to be checked; injected, so that no exchange is known here."""

    def __call__(
        self, exchange: Exchange, environment: Environment, credentials: Credentials, region: str
    ) -> ExchangePort: ...


class Accounts:
    """List, check, add, remove. Raises Misconfigured with sentences, Unavailable where nobody answers."""

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
        """Where its keys come from: environment, database, paper or none."""
        return self.keys.source(self._known(account))

    def test(self, account: str) -> KeyTest:
        """Ask the exchange about the keys an account uses now, and how far its clock is from ours."""
        known = self._known(account)
        credentials = self.keys.of(known)
        if credentials is None:
            raise Misconfigured(f"account {known.name} has no keys: enter them anew")
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
        """A new secret for all stored keys; how many were sealed anew. Raises Misconfigured, and nothing changed."""
        with self._one_at_a_time:
            done = len(self.keys.change_secret(by))
        self._record("change the secret that seals the keys", by)
        return done

    def check(self, form: AccountForm) -> KeyCheck:
        """Ask the exchange what the keys may do. Nothing is stored; a typed word that is missing is told."""
        _refuse(_form_problems(form))
        state = self._ask(form)
        problems = tuple(_key_problems(form, state))
        return KeyCheck(
            ok=not problems,
            words=" ".join(problems) if problems else _praise(form, state),
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
                raise Misconfigured(f"API key ...{known.api_key_hint} is used by account {known.name} already")
            if any(one.name == form.name for one in self.store.accounts.all()):
                raise Misconfigured(f"name {form.name!r} is taken: choose another for this account")
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
        self._record(f"add account {account.name}, key ending in {account.api_key_hint}", by)
        return account

    def remove(self, account: str, by: str) -> None:
        """Forget an account and its keys. Raises Misconfigured while its bot runs or it holds anything of ours."""
        known = self._known(account)
        if self.keys.source(known) == ENVIRONMENT:
            variables = _listed(demo_profile().demo_variables)
            raise Misconfigured(
                f"the keys of account {known.name} come from the environment: remove {variables} there "
                "and start Perpdeck again"
            )
        if known.environment is Environment.PAPER:
            raise Misconfigured("the paper accounts stay: they need no keys and harm nobody")
        if self.store.bots.get(account).running:
            raise Misconfigured(f"the bot of account {known.name} runs: stop it before the account is removed")
        self.store.accounts.remove(account)
        log.info("account removed account=%s by=%s", account, by)
        self._record(f"remove account {known.name}", by)

    # -- helpers ---------------------------------------------------------------------------------------------

    def _record(self, action: str, by: str) -> None:
        """Into the audit trail, for all accounts to see."""
        self.store.events.add("", [Event(self.clock.now(), "", None, "account", f"asked by {by}", action, "done")])

    def _known(self, account: str) -> Account:
        known = self.store.accounts.get(account)
        if known is None:
            raise Misconfigured(f"account {account!r} is not known")
        return known

    def _ask(self, form: AccountForm) -> AccountState:
        try:
            return self.connect(form.exchange, form.environment, form.credentials, form.region).account_state()
        except PerpdeckError as trouble:
            raise _explained(form.exchange, form.place, form.api_key[-4:], trouble) from None

    def _with_key(self, form: AccountForm) -> Account | None:
        """The account that has this key already."""
        for account in self.store.accounts.all():
            ciphertext = self.store.accounts.ciphertext(account.id)
            same_place = (account.exchange, account.environment) == (form.exchange, form.environment)
            if same_place and ciphertext and self.vault.decrypt(ciphertext).api_key == form.api_key:
                return account
        return None

    def _free_id(self, form: AccountForm) -> str:
        """Short and stable: demo-okx, then demo-okx-2."""
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


def _form_problems(form: AccountForm) -> Iterator[str]:
    if not form.name.strip():
        yield "name is empty: give the account a name"
    elif len(form.name) > LONGEST_NAME:
        yield f"name has {len(form.name)} characters: {LONGEST_NAME} at most"
    if form.environment is Environment.PAPER:
        yield "environment paper is there already and needs no keys: demo or live is allowed"
    typed = [("API key", form.api_key), ("API secret", form.api_secret)]
    if profile_of(form.exchange).needs_passphrase:
        typed.append(("passphrase", form.passphrase))
    for name, value in typed:
        if not value:
            yield f"{name} is empty"
        elif not (value.isascii() and value.isprintable()):
            yield f"{name} holds a sign that no key has: letters, digits and ASCII signs are allowed"


def _key_problems(form: AccountForm, state: AccountState) -> Iterator[str]:
    """Why no account is made of these keys as they were typed."""
    if not state.can_trade:
        yield f"This key may only read on {form.place}. Make one that may read and trade."
    if state.can_withdraw and form.confirm_withdraw != RISK:
        yield (
            "This key may withdraw money. Make one that may only read and trade; "
            f"to use this one all the same, type {RISK} in capitals."
        )
    if form.environment is Environment.LIVE and form.confirm_live != LIVE:
        yield f"Confirmation: this is real money. Type {LIVE} in capitals to add the account."


def _praise(form: AccountForm, state: AccountState) -> str:
    words = f"The key works on {form.place}: it may read and trade. Equity {state.equity:,.2f} USDT."
    if state.hedge_mode:
        return f"{words} Long and short are held apart, as the bot needs it."
    return (
        f"{words} Long and short are held in one position (one-way): of each contract one side at a time can be "
        f"opened. For both at once switch the account to long/short mode (hedge mode) at {form.exchange.upper()}."
    )


def _permissions(state: AccountState) -> str:
    granted = {"read_only": True, "trade": state.can_trade, "withdraw": state.can_withdraw}
    return ",".join(name for name, given in granted.items() if given)


def _refuse(problems: Iterator[str]) -> None:
    found = tuple(problems)
    if found:
        raise Misconfigured(*found)


def _explained(exchange: Exchange, place: str, hint: str, trouble: PerpdeckError) -> PerpdeckError:
    """The same trouble in words about the keys; silence stays silence."""
    code = profile_of(exchange).key_trouble.get(trouble.exchange_code)
    if code is not None:
        return Misconfigured(Reason(code, place=place, hint=hint))
    if isinstance(trouble, Unavailable):
        return Unavailable(f"{place} could not be asked about the keys: {trouble}", exchange_code=trouble.exchange_code)
    return trouble
