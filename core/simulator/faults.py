"""Faults, set on purpose: which requests, operations and pushes each strikes, how often, and in which manner.

A fault strikes `count` times, or with a `probability` drawn from its own seed, or always. It knows no wire: requests
are described to it in a few plain words, and the wires carry out what it says.
"""

from dataclasses import dataclass
from typing import Any

from core.simulator.engine.candles import draw

KINDS = {
    "lost_after", "lost_before", "late", "slow", "code", "html_502", "reset", "empty", "garbled", "reject", "not_found",
    "partial_fill", "accept_delay", "stream_cut", "stream_delay", "stream_double", "stream_reorder", "push_withheld",
    "http_503", "json_list", "trigger_stuck", "trigger_reject", "algo_vanish",
}  # fmt: skip
STREAM_KINDS = {"stream_cut", "stream_delay", "stream_double", "stream_reorder", "push_withheld"}
ORDER_KINDS = {"reject", "not_found", "partial_fill", "accept_delay"}
MATCHES = {"exchange", "method", "path", "op", "channel", "instId", "symbol", "clOrdId"}


@dataclass(slots=True)
class Fault:
    """One fault as it was asked for, and how often it has struck and been asked."""

    asked: dict[str, Any]
    hits: int = 0
    draws: int = 0

    @property
    def kind(self) -> str:
        """Return the kind of the fault."""
        return str(self.asked["kind"])

    def matches(self, about: dict[str, str]) -> bool:
        """Return whether the fault concerns what is described."""
        for name, wanted in (self.asked.get("match") or {}).items():
            known, wanted = about.get("clOrdId" if name == "algoClOrdId" else name, ""), str(wanted)
            if name == "path":
                if not (known.endswith(wanted) if "/" in wanted else wanted in known):
                    return False
            elif name in ("clOrdId", "algoClOrdId"):
                if not any(one.startswith(wanted) for one in known.split(",") if one):
                    return False
            elif known != wanted:
                return False
        return True

    def strikes(self) -> bool:
        """Count an occasion, and return whether the fault strikes this time."""
        if "count" in self.asked and self.hits >= int(self.asked["count"]):
            return False
        if "probability" in self.asked:
            self.draws += 1
            if draw(self.asked.get("seed", 0), self.draws).random() >= float(self.asked["probability"]):
                return False
        self.hits += 1
        return True


class Faults:
    """All active faults, in the order they were given; the first that matches and strikes is the one."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def replace(self, asked: Any) -> None:
        """Make exactly these faults active; ValueError where one makes no sense."""
        asked = asked.get("faults", [asked]) if isinstance(asked, dict) else asked
        if not isinstance(asked, list):
            raise ValueError("a list of faults is wanted")
        for one in asked:
            if not isinstance(one, dict) or one.get("kind") not in KINDS:
                raise ValueError(f"a fault needs a kind, one of {', '.join(sorted(KINDS))}")
            if not isinstance(one.get("match") or {}, dict) or set(one.get("match") or {}) - MATCHES - {"algoClOrdId"}:
                raise ValueError(f"a fault matches by {', '.join(sorted(MATCHES))}")
            if one["kind"] in ("code", "reject") and not one.get("code"):
                raise ValueError("this fault needs a code")
        self.active = [Fault(one) for one in asked]

    def strike(self, kinds: set[str], about: dict[str, str]) -> Fault | None:
        """Return the first fault of these kinds that matches and strikes; None where none does."""
        for fault in self.active:
            if fault.kind in kinds and fault.matches(about) and fault.strikes():
                return fault
        return None

    def shown(self) -> list[dict[str, Any]]:
        """Return the active faults as they were asked for, with how often each has struck."""
        return [fault.asked | {"hits": fault.hits} for fault in self.active]
