"""What becomes an alert, and in which words: pure functions from facts to alerts.

The key of an alert is made from the fact alone, so reading a fact twice makes the same alert. Sentences are English
here and are translated, sentence by sentence, when they are sent or shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from core.domain.account import Level
from core.domain.alert import Alert, AlertKind
from core.domain.ids import meaning, same_step
from core.domain.intent import ExitReason
from core.domain.money import plain
from core.domain.order import Order, Purpose
from db.records import Alarm, CycleRecord, Event, EventKind
from db.repositories.alerting.alerts import NewFacts

TITLES: dict[AlertKind, str] = {
    AlertKind.OPENED: "Position opened",
    AlertKind.FILL: "Fill",
    AlertKind.TAKE_PROFIT: "Take-profit",
    AlertKind.STOP_LOSS: "Stop-loss",
    AlertKind.CLOSED: "Position closed",
    AlertKind.RECOVERY: "Recovery step",
    AlertKind.REOPENED: "Position reopened",
    AlertKind.REOPEN_FAILED: "Reopening failed",
    AlertKind.LIQUIDATION: "Liquidation",
    AlertKind.BARE: "Without a stop-loss",
    AlertKind.UNRESOLVED: "Order without an answer",
    AlertKind.REFUSAL: "Refused",
    AlertKind.ALARM: "Alarm",
    AlertKind.CLEARED: "Alarm over",
    AlertKind.SENTINEL: "Watchdog",
    AlertKind.LEVEL: "Level",
    AlertKind.BOT: "Bot",
    AlertKind.LEASE: "Nobody runs the bot",
    AlertKind.SUMMARY: "Summary of the day",
}
LEVELS: dict[str, str] = {
    Level.RUN: "run",
    Level.NO_NEW_ENTRIES: "pause entries",
    Level.NO_ADDED_RISK: "pause entries, recovery and reopening",
    Level.REDUCE_ONLY: "reduce only",
    Level.FLATTEN: "flatten",
}
ENDED: dict[ExitReason, tuple[AlertKind, str]] = {
    ExitReason.TAKE_PROFIT: (AlertKind.TAKE_PROFIT, "take-profit"),
    ExitReason.STOP_LOSS: (AlertKind.STOP_LOSS, "stop-loss"),
    ExitReason.CLOSED_BY_US: (AlertKind.CLOSED, "closed by us"),
    ExitReason.CLOSED_BY_HAND: (AlertKind.CLOSED, "closed by hand"),
    ExitReason.LIQUIDATED: (AlertKind.CLOSED, "liquidated"),
    ExitReason.DELEVERAGED: (AlertKind.CLOSED, "deleveraged"),
    ExitReason.NOT_KNOWN: (AlertKind.CLOSED, "closed, nobody knows by whom"),
}
PURPOSES: dict[Purpose, str] = {
    Purpose.ENTRY: "entry",
    Purpose.RECOVERY: "recovery",
    Purpose.PROTECT: "protection",
    Purpose.SAFETY_NET: "protection",
    Purpose.TAKE_PROFIT: "take-profit",
    Purpose.STOP_LOSS: "stop-loss",
    Purpose.CLOSE: "close",
    Purpose.BALANCE: "balancing",
}
WATCHDOG, WATCHDOG_BARE = "sentinel-", "sentinel-bare/"
REOPEN, NOT_REOPENED = "reopen", "due to open again, but the limits refuse it: "
FORCED = ("liquidat", "deleverag")
ONCE_IN = 1800  #: seconds in which one and the same refusal is told once


def alerts_of(facts: NewFacts) -> Iterator[Alert]:
    """Everything that is to be told of what has happened."""
    for account, order in facts.filled:
        yield from _of_order(account, order)
    for cycle in facts.cycles:
        yield _of_cycle(cycle)
    for number, event in sorted(facts.events, key=lambda one: one[1].rule != REOPEN):  # before the check it fails at
        alert = _of_event(number, event, facts.refused)
        if alert is not None:
            yield alert
    for number, alarm, cleared in facts.alarms:
        yield from _of_alarm(number, alarm, cleared)


def _of_order(account: str, order: Order) -> Iterator[Alert]:
    """What an order has filled, and what that is the first of."""
    at, part = order.updated_at or order.created_at, order.part
    if at is None or part is None:
        return
    where = _where(order.symbol, order.position_side, part)
    filled, price = plain(order.filled), figure(order.average_price)
    life = f"{part}/{order.cycle}"
    if order.purpose is Purpose.ENTRY and order.cycle == 1:
        words = f"{where}: {filled} contracts entered at {price}"
        yield Alert(f"opened/{life}", AlertKind.OPENED, account, f"opened/{life}", words, at, part=part)
    elif order.purpose is Purpose.ENTRY:
        words = f"{where}: cycle {order.cycle} begins with {filled} contracts at {price}"
        yield Alert(f"opened/{life}", AlertKind.REOPENED, account, f"opened/{life}", words, at, part=part)
    elif order.purpose is Purpose.RECOVERY:
        step = f"recovery/{life}/{same_step(order.client_order_id)}"
        words = f"{where}: recovery adds {filled} contracts at {price}"
        yield Alert(step, AlertKind.RECOVERY, account, step, words, at, part=part)
    key = f"fill/{account}/{order.client_order_id}/{filled}"
    words = f"{where}: {PURPOSES[order.purpose]} has filled {filled} of {plain(order.quantity)} contracts at {price}"
    yield Alert(key, AlertKind.FILL, account, key, words, at, part=part)


def _of_cycle(cycle: CycleRecord) -> Alert:
    """How a cycle ended, and what it came to."""
    where, key = _where(cycle.symbol, cycle.side, cycle.part), f"cycle/{cycle.part}/{cycle.number}"
    if cycle.reason is ExitReason.NOT_ENTERED:
        first = cycle.number == 1
        kind = AlertKind.REFUSAL if first else AlertKind.REOPEN_FAILED
        words = f"{where}: nothing was entered: {cycle.words}" if first else f"{where}: not reopened: {cycle.words}"
        return Alert(key, kind, cycle.account, key, words, cycle.ended, part=cycle.part)
    kind, reason = ENDED[cycle.reason]
    words = (
        f"{where}: {reason}, {plain(cycle.contracts)} contracts from {figure(cycle.average_entry)} to "
        f"{figure(cycle.average_exit)}, PnL {cycle.realised_pnl:+.2f}, fees {cycle.fees:+.2f}, "
        f"funding {cycle.funding:+.2f}, net {cycle.net:+.2f} USDT"
    )
    return Alert(key, kind, cycle.account, key, words, cycle.ended, part=cycle.part)


def _of_event(number: int, event: Event, said: Mapping[str, tuple[str, str]]) -> Alert | None:
    """Switches, levels, refusals, and what the exchange closed by force."""
    action = event.action or ""
    who, _, why = event.because.removeprefix("asked by ").partition(": ")
    if event.rule == "switch" and action.startswith("level "):
        level = LEVELS.get(action.removeprefix("level "), action)
        return _told(number, event, AlertKind.LEVEL, f"the level is now {level}, set by {who}{_because(why)}")
    if event.rule == "switch":
        verb = "started" if action.startswith("start") else "stopped"
        return _told(number, event, AlertKind.BOT, f"the bot was {verb} by {who}{_because(why)}")
    if action.startswith("book exit") and any(word in event.because for word in FORCED):
        words = f"part {event.part}: {event.because}"
        return _told(number, event, AlertKind.LIQUIDATION, words, severe=True)
    if event.kind == EventKind.RISK_FAILURE:
        return _refusal(event, f"part {event.part}: the limits refuse it: {event.because}", event.because)
    if event.outcome == "refused":
        return _refusal(event, _refusal_words(event, said))
    if event.rule == REOPEN and event.because.startswith(NOT_REOPENED):
        words, veto = f"part {event.part}: {event.because}", event.because.removeprefix(NOT_REOPENED)
        return _refusal(event, words, veto, AlertKind.REOPEN_FAILED)
    return None


def _refusal_words(event: Event, said: Mapping[str, tuple[str, str]]) -> str:
    order = next((word for word in (event.action or "").split() if meaning(word) is not None), "")
    known = meaning(order)
    if known is None or order not in said:
        return f"part {event.part}: the exchange refused {event.action}"
    code, words = said[order]
    answer = f"{words} ({code})" if code else words
    return f"part {event.part}: the exchange refused {PURPOSES[known.purpose]} {order}: {answer}"


def _of_alarm(number: int, alarm: Alarm, cleared: datetime | None) -> Iterator[Alert]:
    kind = AlertKind.SENTINEL if alarm.subject.startswith(WATCHDOG) else AlertKind.ALARM
    severe = alarm.subject.startswith(WATCHDOG_BARE)
    yield Alert(f"alarm/{number}", kind, alarm.account, alarm.subject, alarm.words, alarm.raised_at, severe)
    if cleared is not None:
        words = f"over: {alarm.words}"
        yield Alert(f"alarm/{number}/over", AlertKind.CLEARED, alarm.account, alarm.subject, words, cleared)


def _told(number: int, event: Event, kind: AlertKind, words: str, *, severe: bool = False) -> Alert:
    key = f"event/{number}"
    return Alert(key, kind, event.account, key, words, event.at, severe, event.part or "")


def _refusal(event: Event, words: str, cause: str = "", kind: AlertKind = AlertKind.REFUSAL) -> Alert:
    """The bot tries again every few seconds; the same cause is told once in half an hour."""
    shape = sha256(re.sub(r"op[0-9a-z]{6}\w+|[\d.,+-]+", "#", cause or words).encode()).hexdigest()[:16]
    subject = f"refusal/{event.account}/{event.part}/{shape}"
    key = f"{subject}@{int(event.at.timestamp()) // ONCE_IN}"
    return Alert(key, kind, event.account, subject, words, event.at, part=event.part or "")


def _where(symbol: str, side: str, part: str) -> str:
    return f"{symbol} {side}, part {part}"


def _because(why: str) -> str:
    return f": {why}" if why else ""


def figure(value: Decimal | None) -> str:
    """A price with at most ten digits that count."""
    return "?" if value is None else plain(Decimal(f"{value:.10g}"))
