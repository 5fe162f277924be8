"""The keys of accounts: which one an account uses, where it comes from, and how the secret that encrypts them is
changed.

Keys in the environment come before the sealed ones in the database, for demo. No secret is ever shown or logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress

from core.domain.account import Account, Environment
from core.domain.errors import Misconfigured
from core.exchange.port import Credentials
from core.exchange.profile import ExchangeProfile
from core.vault import Vault
from core.venues import profiles
from db.repositories.accounts import AccountRepository
from db.repositories.alerting.alert_channels import SealedTextRepository

log = logging.getLogger("perpdeck.keys")

ENVIRONMENT, DATABASE, MADE_UP, NOWHERE = "environment", "database", "paper", "none"


def demo_profile() -> ExchangeProfile:
    """Return the exchange whose demo keys may stand in the environment."""
    return next(profile for profile in profiles().values() if profile.demo_variables)


def demo_account() -> str:
    """Return the id of the account that the keys in the environment belong to where no other has them."""
    return f"{Environment.DEMO}-{demo_profile().exchange}"


class Keys:
    """Decrypts, names and re-encrypts the keys of all accounts."""

    def __init__(
        self,
        accounts: AccountRepository,
        sealed_texts: SealedTextRepository,
        vault: Vault,
        demo: Credentials | None = None,
    ) -> None:
        self._accounts, self._sealed_texts, self.vault, self.demo = accounts, sealed_texts, vault, demo

    def of(self, account: Account) -> Credentials | None:
        """Return the keys this account uses; None: it has none. Raises Misconfigured where they cannot be decrypted."""
        if self._uses_environment(account):
            return self.demo
        sealed = self._accounts.ciphertext(account.id)
        return None if sealed is None else self.vault.decrypt(sealed)

    def source(self, account: Account) -> str:
        """Return where an account's keys come from: environment, database, paper (made up by the paper exchange) or
        none.
        """
        if account.environment is Environment.PAPER:
            return MADE_UP
        if self._uses_environment(account):
            return ENVIRONMENT
        return NOWHERE if self._accounts.ciphertext(account.id) is None else DATABASE

    def hint(self, account: Account) -> str:
        """Return the last letters of the key in use."""
        return self.demo.api_key[-4:] if self.demo and self._uses_environment(account) else account.api_key_hint

    def _uses_environment(self, account: Account) -> bool:
        if self.demo is None or (account.exchange, account.environment) != (demo_profile().exchange, Environment.DEMO):
            return False
        return account.id == next(self._with_the_same_key(), demo_account())

    def _with_the_same_key(self) -> Iterator[str]:
        """Yield demo accounts that have the environment's key stored already: one exchange account is guarded only
        once.
        """
        for account in self._accounts.all():
            sealed = self._accounts.ciphertext(account.id) if account.environment is Environment.DEMO else None
            if sealed is not None:
                with suppress(Misconfigured):  # said where its guard is built
                    if self.demo and self.vault.decrypt(sealed).api_key == self.demo.api_key:
                        yield account.id

    # -- the secret that seals them -------------------------------------------------------------------------

    def renew(self) -> tuple[str, ...]:
        """Encrypt anew whatever an earlier secret has encrypted, in one transaction; returns whose keys and which
        texts.

        The earlier secret in the data folder is forgotten only when nothing needs it any more.
        """
        keys, closed_keys = self._renewed(self._sealed_keys())
        texts, closed_texts = self._renewed(self._sealed_texts.all())
        self._accounts.reseal(keys, texts)
        if not closed_keys and not closed_texts:
            self.vault.forget_previous()
        return (*keys, *texts)

    def _renewed(self, sealed: Mapping[str, bytes]) -> tuple[dict[str, bytes], bool]:
        """Return what needs encrypting anew, under the present secret; and whether something could not be decrypted."""
        renewed, closed = {}, False
        for name, one in sealed.items():
            try:
                anew = self.vault.renewed(one)
            except Misconfigured:
                closed = True  # said where it is used
                continue
            if anew is not None:
                renewed[name] = anew
        return renewed, closed

    def _sealed_keys(self) -> dict[str, bytes]:
        found = ((account.id, self._accounts.ciphertext(account.id)) for account in self._accounts.all())
        return {name: sealed for name, sealed in found if sealed is not None}

    def change_secret(self, by: str) -> tuple[str, ...]:
        """Make a new secret in the data folder and encrypt all keys under it. Raises Misconfigured, and nothing
        changed.

        Killed at any point, the next start opens everything and finishes: the earlier secret stays beside the new
        one until the last key is sealed anew.
        """
        for sealed in (*self._sealed_keys().values(), *self._sealed_texts.all().values()):
            self.vault.unseal(sealed)
        self.renew()
        self.vault.change()
        done = self.renew()
        log.info("the secret was changed, sealed anew: %s by=%s", ", ".join(done) or "nothing", by)
        return done
