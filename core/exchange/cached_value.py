"""A value that is read now and then and good for a while: account settings, fees, the state of a system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class CachedValue(Generic[Value]):
    """Holds a value for so many seconds. Raises what `read` raises, and keeps the older value then.

    Thread-safe enough: at worst a value is read twice.
    """

    def __init__(self, read: Callable[[], Value], seconds: float, monotonic: Callable[[], float]) -> None:
        self._read, self._seconds, self._monotonic = read, seconds, monotonic
        self._held: tuple[float, Value] | None = None

    def value(self, *, however_old: bool = False) -> Value:
        """Return the value, read anew where it is older than its time (or was forgotten)."""
        held = self._held
        if held is not None and (however_old or self._monotonic() - held[0] < self._seconds):
            return held[1]
        value = self._read()
        self._held = (self._monotonic(), value)
        return value

    def forget(self) -> None:
        """Forget the value, so that it is read anew at the next request."""
        self._held = None
