"""The profile of an exchange, which people and rules need before any request: its name, keys, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core.domain.account import Environment, Exchange
from core.domain.instrument import TriggerBy

KEY_FIELDS = ("api_key", "api_secret")  #: what keys of every exchange have


@dataclass(frozen=True, slots=True)
class ExchangeProfile:
    """The profile of one exchange for services and pages; each adapter brings its own."""

    exchange: Exchange  #: its id in database and API
    title: str  #: its name on pages
    credential_fields: tuple[str, ...]  #: the fields of `Credentials` that a key of this exchange has
    triggers: tuple[TriggerBy, ...]  #: which prices may set off a stop or target
    leverage_step: Decimal  #: leverage comes in multiples of this
    key_help: Mapping[Environment, tuple[str, ...]]  #: where keys are made and what they must be allowed; marked by N_
    key_trouble: Mapping[str, str] = field(default_factory=dict)  #: its code for a refused key -> code of a `Reason`
    regions: tuple[str, ...] = ("global",)  #: where accounts are registered; with one there is nothing to choose
    environments: tuple[Environment, ...] = (Environment.DEMO, Environment.LIVE)  #: what accounts may be added for
    demo_variables: tuple[str, ...] = ()  #: environment variables that may hold keys of a demo account

    @property
    def needs_passphrase(self) -> bool:
        """Return whether a key has a passphrase as third part."""
        return "passphrase" in self.credential_fields
