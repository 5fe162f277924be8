"""The four errors in which dealing with an exchange or a setting can end."""

from __future__ import annotations

from core.domain.reason import Reason, as_reason


class PerpdeckError(Exception):
    """Base of our errors: `reason` says what went wrong, `str()` says it in English.

    `exchange_code` and `exchange_words` are what the exchange itself said, where one did.
    """

    def __init__(self, reason: Reason | str, *, exchange_code: str = "", exchange_words: str = "") -> None:
        self.reason = as_reason(reason)
        super().__init__(str(self.reason))
        self.exchange_code = exchange_code
        self.exchange_words = exchange_words


class Refused(PerpdeckError):
    """The exchange refused the request, and nothing happened.

    `transient`: the reason passes by itself (a rate limit, an expired deadline, a connection that never
    opened), so the same request may be sent again later.
    """

    def __init__(
        self, reason: Reason | str, *, exchange_code: str = "", exchange_words: str = "", transient: bool = False
    ) -> None:
        super().__init__(reason, exchange_code=exchange_code, exchange_words=exchange_words)
        self.transient = transient


class OutcomeUnknown(PerpdeckError):
    """The exchange gave no usable answer. The order may stand: look it up by client order id before anything else."""


class Unavailable(PerpdeckError):
    """A read failed. We know nothing new, which is not the same as knowing that there is nothing."""


class Misconfigured(PerpdeckError):
    """An invalid setting, key or input: one problem or several, all that were found.

    A problem about one field has it among its values: `field` (a reason of `core.domain.sentences.fields`), `value`,
    and `allowed`, which says what may stand there.
    """

    def __init__(self, *problems: Reason | str) -> None:
        self.problems = tuple(map(as_reason, problems))
        super().__init__(self.problems[0] if len(self.problems) == 1 else Reason("problems", all=self.problems))
