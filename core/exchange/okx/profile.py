"""The profile of OKX for services and pages. Source: OKX V5 docs, error codes, trade (trigger types) and account
(leverage).
"""

from __future__ import annotations

from decimal import Decimal

from core.domain.account import Environment, Exchange
from core.domain.instrument import TriggerBy
from core.domain.reason import N_
from core.exchange.okx.addresses import REGIONS
from core.exchange.profile import KEY_FIELDS, ExchangeProfile

ALLOWED = N_("Allow reading and trading, never withdrawals.")

PROFILE = ExchangeProfile(
    exchange=Exchange.OKX,
    title="OKX",
    credential_fields=(*KEY_FIELDS, "passphrase"),
    triggers=tuple(TriggerBy),
    leverage_step=Decimal("0.01"),  # leverage is text here, of which OKX shows two decimals
    key_help={
        Environment.DEMO: (
            N_("Made inside OKX's demo trading; a key of the live account does not work there."),
            ALLOWED,
        ),
        Environment.LIVE: (N_("Made at OKX under API, in the region in which the account was registered."), ALLOWED),
    },
    key_trouble={
        "50100": "keys.frozen",
        "50101": "keys.other_world",
        "50105": "keys.wrong_passphrase",
        "50110": "keys.address_not_allowed",
        "50111": "keys.not_copied_whole",
        "50113": "keys.wrong_secret",
        "50114": "keys.not_accepted",
        "50119": "keys.other_environment_or_region",
    },
    regions=tuple(REGIONS),
    demo_variables=("OKX_DEMO_API_KEY", "OKX_DEMO_API_SECRET", "OKX_DEMO_PASSPHRASE"),
)
