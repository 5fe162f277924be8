"""Binance's error codes as one table: what each says about a request, and what our code makes of it.

Source: Binance USD-M docs, error codes and general info (what the kinds of 503 mean), and what other clients saw. A
code that the table lacks is logged loudly and taken for a refusal, unless it came with a server's failure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, auto

from core.domain.errors import OutcomeUnknown, Refused
from core.domain.observation import PortFacts
from core.domain.reason import Reason
from core.exchange.binance.fields import FIELDS
from core.exchange.rest import BUDGET, NO_ANSWER, NOT_SENT, RestAnswer, RestPolicy

log = logging.getLogger("perpdeck.binance")

# -- words of our own, for requests that Binance never answered or not with a code

BUSY = "503"  #: "Service Unavailable." and nothing else: failed for certain
FORBIDDEN = "403"  #: the firewall in front of Binance
CLASH = "clash"  #: a resting order of the same side stands in the way of a close


class Says(Enum):
    """The meaning of an error code for the request that got it."""

    AGAIN = auto()  #: it failed for certain and may be sent again later
    TOO_FAST = auto()  #: the same, for haste: nothing may be sent for a while
    CLOCK = auto()  #: our idea of Binance's time is wrong; measure it and ask once more
    OPEN = auto()  #: it may have been carried out: go and look
    EXISTS = auto()  #: something of that name stands: go and look
    ALREADY = auto()  #: what was asked for is so already
    GONE = auto()  #: there is no such order, or none that is open
    GRID = auto()  #: a size or a price that the contract's rules do not allow
    PASSED = auto()  #: a trigger price that the market has passed
    NOTHING_HELD = auto()  #: a close of more than is held, or of nothing; or orders that clash with it
    STATE = auto()  #: the account, the position or the market must change first
    FUNDS = auto()  #: not enough money for it
    KEYS = auto()  #: the key, its rights or its signature
    WRONG = auto()  #: the request as such


def _table(*rows: tuple[Says, str]) -> dict[str, Says]:
    return {code: says for says, codes in rows for code in codes.split()}


MEANS: Mapping[str, Says] = _table(
    (Says.AGAIN, f"{NOT_SENT} {BUDGET} {BUSY} {FORBIDDEN} -1008 -1016 -2016 -4131 -4531 -5041 -5043"),
    (Says.TOO_FAST, "-1003 -1015"),
    (Says.CLOCK, "-1021 -5028"),
    (Says.OPEN, f"{NO_ANSWER} -1000 -1001 -1006 -1007 -2012 -4083"),
    (Says.EXISTS, "-4116"),
    (Says.ALREADY, "-4046 -4052 -4059 -4171 -5027"),
    (Says.GONE, "-2011 -2013"),
    (
        Says.GRID,
        "-1013 -1111 -4001 -4002 -4003 -4004 -4005 -4006 -4007 -4013 -4014 -4016 -4023 -4024 -4164 "
        "-4183 -4184 -4210 -4211",
    ),
    (Says.PASSED, "-2021 -4142"),
    (Says.NOTHING_HELD, "-2022 -2024 -4118"),
    (
        Says.STATE,
        "-1112 -2020 -2023 -2025 -4000 -4045 -4047 -4048 -4049 -4053 -4054 -4061 -4067 -4068 -4105 -4106 -4107 "
        "-4112 -4117 -4129 -4130 -4161 -4167 -4168 -4169 -4170 -4172 -4400 -4401 -4509 "
        "-5024 -5025 -5026 -5029 -5047",
    ),
    (Says.FUNDS, "-2018 -2019 -2027 -2028 -4050 -4051"),
    (Says.KEYS, "401 -1002 -1011 -1022 -1099 -2014 -2015 -2017 -4087 -4088"),
    (
        Says.WRONG,
        "404 451 -5000 -1010 -1014 -1020 -1023 -1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1109 -1110 -1114 -1115 "
        "-1116 -1117 -1118 -1119 -1120 -1121 -1122 -1125 -1127 -1128 -1130 -1131 -1136 -2010 -2026 -4015 -4020 "
        "-4028 -4031 -4032 -4055 -4060 -4062 -4082 -4109 -4111 -4120 -4135 -4136 -4137 -4138 -4139 -4140 -4141 "
        "-4144 -4165 -4166 -4189 -4192 -4202 -4203 -4205 -4206 -4208 -4209 -4402 -4403 "
        "-5021 -5022 -5037 -5038 -5039 -5040",
    ),
)


def codes_of(*kinds: Says) -> frozenset[str]:
    return frozenset(code for code, says in MEANS.items() if says in kinds)


TOO_FAST, CLOCK_OFF, ALREADY, GONE = (codes_of(says) for says in (Says.TOO_FAST, Says.CLOCK, Says.ALREADY, Says.GONE))
READ_AGAIN = codes_of(Says.CLOCK, Says.OPEN) | {NOT_SENT, BUSY, "-1008"}
PASSES_BY_ITSELF = codes_of(Says.AGAIN, Says.TOO_FAST, Says.CLOCK)
NEVER_PASSES = codes_of(Says.KEYS, Says.WRONG)
NO_RIGHT = codes_of(Says.KEYS)
OUTCOME_OPEN = codes_of(Says.OPEN, Says.EXISTS)
NOTHING_HELD, MODE_CHANGED = "-2022", frozenset({"-4060", "-4061", "-1106"})
TOO_MANY_ORDERS, NO_LISTEN_KEY, MAINTENANCE = "-1015", "-1125", frozenset({"-1016", BUSY})

WINDOW = timedelta(seconds=5)  #: recvWindow: how long after its time stamp a request may still be carried out
AHEAD = timedelta(seconds=1)  #: Binance takes stamps so far ahead of its clock

FACTS = PortFacts(
    request_lifetime=WINDOW + AHEAD,
    native_oco=False,
    can_amend_triggers=False,
    attaches_protection=False,
    stop_passed_codes=codes_of(Says.PASSED),
    target_passed_codes=codes_of(Says.PASSED),
    nothing_held_codes=frozenset({NOTHING_HELD}),
    precision_codes=codes_of(Says.GRID),
    conditional_settle=timedelta(seconds=60),
    max_conditional=200,
)


def failed_write(what: str, answer: RestAnswer) -> Refused | OutcomeUnknown:
    """Return the error to raise for a write that did not succeed: refused for certain, or open.

    A server's failure (HTTP 5xx) leaves a code that we do not know open.
    """
    code, words = answer.code, answer.words
    message = Reason("exchange.answered", what=what, words=words or Reason("exchange.no_reason"), code=code)
    if code not in MEANS:
        log.warning("an answer that no table knows: code=%s %s", code, words)
    if code in OUTCOME_OPEN or (code not in MEANS and answer.by_server):
        return OutcomeUnknown(message, exchange_code=code, exchange_words=words)
    return Refused(message, exchange_code=code, exchange_words=words, transient=code in PASSES_BY_ITSELF)


REST_POLICY = RestPolicy(
    fields=FIELDS,
    time_field="serverTime",
    read_again=READ_AGAIN,
    pauses_seconds=(0.2, 0.4),
    clock_off=CLOCK_OFF,
    failed_write=failed_write,
    already=ALREADY,
    never_passes=NEVER_PASSES,
)
