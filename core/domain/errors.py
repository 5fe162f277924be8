"""The only four ways in which something with an exchange or a setting goes wrong."""

from __future__ import annotations


class PerpdeckError(Exception):
    """Base of our errors. `code` and `words` are the exchange's own, for the log and the page."""

    def __init__(self, message: str, *, code: str = "", words: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.words = words


class Refused(PerpdeckError):
    """The exchange said no, and nothing happened.

    `transient`: the reason passes by itself (a rate limit, an expired deadline, a connection that never
    opened), so the same request may be sent again later.
    """

    def __init__(self, message: str, *, code: str = "", words: str = "", transient: bool = False) -> None:
        super().__init__(message, code=code, words=words)
        self.transient = transient


class OutcomeUnknown(PerpdeckError):
    """No usable answer came. The order may stand: look it up by client order id before anything else."""


class Unavailable(PerpdeckError):
    """A read failed. We know nothing new, which is not the same as knowing that there is nothing."""


class Misconfigured(PerpdeckError):
    """A setting, a key or an input is wrong. Each problem names the field, the value and what is allowed."""

    def __init__(self, message: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (message,)
