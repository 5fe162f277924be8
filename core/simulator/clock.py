"""The exchange's time: the machine's own, one that runs at another speed, or one that stands until it is moved."""

import time

STEPPED_START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
KINDS = ("real", "stepped", "fast")


class SimulatorClock:
    """Milliseconds since 1970. `engine_now` is where the engine stood when this process began."""

    def __init__(self, kind: str, speed: float, anchored: bool, engine_now: int) -> None:
        self.kind, self._speed = kind, speed if kind == "fast" else 1.0
        self._anchored = anchored or kind == "fast"
        self._began, self._engine_began = time.monotonic(), engine_now

    def now(self, engine_now: int) -> int:
        """Return the time it is (ms); never before the engine's own."""
        if self.kind == "stepped":
            return engine_now
        if not self._anchored:
            return max(engine_now, int(time.time() * 1000))
        passed = (time.monotonic() - self._began) * 1000 * self._speed
        return max(engine_now, self._engine_began + int(passed))

    def restart(self, engine_now: int) -> None:
        """Begin anew at that time (ms): the engine was put back to it."""
        self._began, self._engine_began = time.monotonic(), engine_now
