"""OKX's error codes as tables: what each says about a request, and what our code makes of it.

Source: OKX V5 docs, error codes. A code that no table names is a plain refusal: OKX said no, nothing happened.
"""

from __future__ import annotations

from datetime import timedelta

from core.domain.errors import OutcomeUnknown, Refused
from core.domain.observation import PortFacts
from core.domain.reason import Reason
from core.exchange.okx.fields import FIELDS
from core.exchange.rest import BUDGET, NO_ANSWER, NOT_SENT, RestAnswer, RestPolicy

# -- what the codes say

REQUESTS_TOO_FAST = "50011"  #: more requests than the endpoint's limit allows, see `limits`
TOO_FAST = frozenset({REQUESTS_TOO_FAST, "50061", "50040", "51113"})
TOO_LATE = frozenset({"50036", "50037"})  #: the deadline of the request had passed, so it was dropped
CLOCK_OFF = frozenset({"50102", "50036"})  #: our idea of OKX's time is wrong; measure it and ask once more
BUSY = frozenset({"50001", "50004", "50013", "50026", "51054", "51149"})  #: of a write these leave open what happened
ID_EXISTS = frozenset({"51011", "51016", "50071", "51065", "51068"})  #: something of that name stands: go and look
WRONG_PARAMETER, OUR_NAME = "51000", "clordid"  #: ours are well formed: if one is wrong, it stands already
NO_SUCH_ORDER = frozenset({"51603"})
CANCEL_OF_ENDED = frozenset({"51400", "51401", "51402", "51405", "51410", "51412", "51416", "51503", "51603"})

READ_AGAIN = TOO_FAST | BUSY | frozenset({NOT_SENT, NO_ANSWER, "50102"})
PASSES_BY_ITSELF = TOO_FAST | TOO_LATE | frozenset({NOT_SENT, BUDGET, "50102"})
OUTCOME_OPEN = BUSY | ID_EXISTS | frozenset({NO_ANSWER})

# -- TP and SL on the wrong side of the price, compared with last, mark, index and (travelling with an entry) the book

STOP_PASSED = frozenset({"51278", "51302", "51306", "51280", "51304", "51308"})
STOP_PASSED_ATTACHED = frozenset({"51047", "51049", "51051", "51053"})
TARGET_PASSED = frozenset({"51277", "51300", "51305", "51279", "51303", "51307"})
TARGET_PASSED_ATTACHED = frozenset({"51046", "51048", "51050", "51052"})
# -- a size or a price that the contract's rules do not allow: lot, tick, decimals, smallest order

PRECISION = frozenset({WRONG_PARAMETER, "51007", "51020", "51120", "51121", "51150"})

NOTHING_HELD = frozenset({"51023", "51043", "51058", "51169"})

FACTS = PortFacts(
    request_lifetime=timedelta(seconds=5),
    native_oco=True,
    can_amend_triggers=True,
    attaches_protection=True,
    stop_passed_codes=STOP_PASSED | STOP_PASSED_ATTACHED,
    target_passed_codes=TARGET_PASSED | TARGET_PASSED_ATTACHED,
    nothing_held_codes=NOTHING_HELD,
    precision_codes=PRECISION,
)


def failed_write(what: str, answer: RestAnswer) -> Refused | OutcomeUnknown:
    """Return the error to raise for a write that did not succeed: refused for certain, or open."""
    code, words = answer.code, answer.words
    message = Reason("exchange.answered", what=what, words=words or Reason("exchange.no_reason"), code=code)
    if code in OUTCOME_OPEN or (code == WRONG_PARAMETER and OUR_NAME in words.lower()):
        return OutcomeUnknown(message, exchange_code=code, exchange_words=words)
    return Refused(message, exchange_code=code, exchange_words=words, transient=code in PASSES_BY_ITSELF)


REST_POLICY = RestPolicy(
    fields=FIELDS,
    time_field="ts",
    read_again=READ_AGAIN,
    pauses_seconds=(0.1, 0.4),
    clock_off=CLOCK_OFF,
    failed_write=failed_write,
    too_fast=TOO_FAST,
    too_fast_pause_seconds=1.0,
    request_lifetime=FACTS.request_lifetime,
    write_has_row=True,
)
