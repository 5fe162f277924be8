"""What people and rules must know of an exchange before anything is asked of it: its name, its keys, its habits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core.domain.account import Environment, Exchange
from core.domain.instrument import TriggerBy

KEY_FIELDS = ("api_key", "api_secret")  #: what keys of every exchange have


@dataclass(frozen=True, slots=True)
class ExchangeProfile:
    """One exchange as services and pages see it; each adapter brings its own."""

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
        """True where a key has a third part."""
        return "passphrase" in self.credential_fields
