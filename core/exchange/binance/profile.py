"""The profile of Binance USD-M futures for services and pages. Source: its docs, error codes and trade
(workingType).
"""

from __future__ import annotations

from decimal import Decimal

from core.domain.account import Environment, Exchange
from core.domain.instrument import TriggerBy
from core.domain.reason import N_
from core.exchange.binance.addresses import REGIONS
from core.exchange.profile import KEY_FIELDS, ExchangeProfile

ALLOWED = N_("Allow reading and futures, never withdrawals; futures want the key bound to this machine's IP address.")

PROFILE = ExchangeProfile(
    exchange=Exchange.BINANCE,
    title="Binance",
    credential_fields=KEY_FIELDS,
    triggers=(TriggerBy.LAST, TriggerBy.MARK),  # workingType: the contract's or the mark price
    leverage_step=Decimal(1),
    key_help={
        Environment.DEMO: (
            N_("Made on Binance's futures testnet (demo trading), which has an account of its own."),
            ALLOWED,
        ),
        Environment.LIVE: (
            N_("Made at Binance under API management; the futures account must be open before."),
            ALLOWED,
        ),
    },
    key_trouble={
        "-2014": "keys.malformed",
        "-2015": "keys.not_known_or_not_allowed",
        "-2017": "keys.locked",
        "-1022": "keys.wrong_secret",
    },
    regions=REGIONS,
)
