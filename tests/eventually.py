"""Waiting in tests for something another thread or process does: bounded, and never for longer than it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 5.0, words: str = "", every: float = 0.002) -> T:
    """What `look` returns once that is true; AssertionError with the last answer where it stays false.

    `every` is the pause between two looks in seconds: longer where a look is dear.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {words or look!r}, last {found!r}")
        time.sleep(every)
    return found
