"""The first pass after a start: resolve, observe, plan once in full, report; nothing is done.

It is the ordinary loop with acting switched off. Commands without an outcome are asked for on the way.
"""

from __future__ import annotations

from core.monitor.guard import Guard
from db.records import Event

RULE = "restart"


def report(guard: Guard) -> str:
    """Look at everything once and say what was found. Raises Unavailable where it cannot be known."""
    guard.work_once(set(), everything=True)
    results = guard.reconciler.results.values()
    parts = [part for result in results for part in result.parts if part.size]
    protected = sum(part.protected for part in parts)
    open_questions = sum(command.unresolved for result in results for command in result.seen.commands)
    would_do = sum(len(result.plan.actions) for result in results)
    words = (
        f"found {len(parts)} open parts, {protected} of them with their stop-loss on the exchange; "
        f"{open_questions} commands without an answer; {would_do} things to do once the bot is started"
    )
    guard.store.add_events(
        guard.account.id, [Event(guard.clock.now(), guard.account.id, None, RULE, words, None, None)]
    )
    return words
