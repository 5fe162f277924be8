"""Makes alerts of facts: which become one, and in which words; pure functions.

The key of an alert is made from the fact alone, so reading a fact twice makes the same alert. What an alert says is a
reason: it is put into the trader's language when it is sent or shown.
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
from core.domain.order import Order, Purpose
from core.domain.reason import TEXT, Reason, Value, code_of, nested
from db.records import Alarm, CycleRecord, Event, EventKind
from db.repositories.alerting.alerts import NewFacts

TITLES: dict[AlertKind, Reason] = {kind: Reason(code_of(kind)) for kind in AlertKind}
ENDED: dict[ExitReason, AlertKind] = {
    ExitReason.TAKE_PROFIT: AlertKind.TAKE_PROFIT,
    ExitReason.STOP_LOSS: AlertKind.STOP_LOSS,
}
FORCED = frozenset(code_of(reason) for reason in (ExitReason.LIQUIDATED, ExitReason.DELEVERAGED))
WATCHDOG, WATCHDOG_BARE = "sentinel-", "sentinel-bare/"
REOPEN, NOT_REOPENED = "reopen", "reopen.refused"
ONCE_IN = 1800  #: seconds in which one and the same refusal is told once
_AMOUNT = re.compile(r"[\d.,+-]+")


def alerts_of(facts: NewFacts) -> Iterator[Alert]:
    """Return everything that is to be told of what has happened."""
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
    """Yield alerts for what an order has filled, and for what that is the first of."""
    at, part = order.updated_at or order.created_at, order.part
    if at is None or part is None:
        return
    where = where_of(order.symbol, order.position_side, part)
    said: dict[str, Value] = {"where": where, "filled": order.filled, "price": figure(order.average_price)}
    life = f"{part}/{order.cycle}"
    if order.purpose is Purpose.ENTRY and order.cycle == 1:
        words = Reason("alert.opened", **said)
        yield Alert(f"opened/{life}", AlertKind.OPENED, account, f"opened/{life}", words, at, part=part)
    elif order.purpose is Purpose.ENTRY:
        words = Reason("alert.reopened", cycle=order.cycle, **said)
        yield Alert(f"opened/{life}", AlertKind.REOPENED, account, f"opened/{life}", words, at, part=part)
    elif order.purpose is Purpose.RECOVERY:
        step = f"recovery/{life}/{same_step(order.client_order_id)}"
        yield Alert(step, AlertKind.RECOVERY, account, step, Reason("alert.recovery", **said), at, part=part)
    key = f"fill/{account}/{order.client_order_id}/{order.filled.normalize():f}"
    words = Reason("alert.filled", purpose=order.purpose, quantity=order.quantity, **said)
    yield Alert(key, AlertKind.FILL, account, key, words, at, part=part)


def _of_cycle(cycle: CycleRecord) -> Alert:
    """Return the alert for the end of a cycle, with its result."""
    where, key = where_of(cycle.symbol, cycle.side, cycle.part), f"cycle/{cycle.part}/{cycle.number}"
    if cycle.reason is ExitReason.NOT_ENTERED:
        first = cycle.number == 1
        kind = AlertKind.REFUSAL if first else AlertKind.REOPEN_FAILED
        words = Reason("alert.not_entered" if first else "alert.not_reopened", where=where, why=cycle.words)
        return Alert(key, kind, cycle.account, key, words, cycle.ended, part=cycle.part)
    known = cycle.reason is not ExitReason.NOT_KNOWN
    known = cycle.reason is not ExitReason.NOT_KNOWN
    words = Reason(
        "alert.ended",
        where=where,
        reason=cycle.reason if known else Reason("alert.ended_by_nobody_knows"),
        contracts=cycle.contracts,
        entry=figure(cycle.average_entry),
        exit=figure(cycle.average_exit),
        pnl=cycle.realised_pnl,
        fees=cycle.fees,
        funding=cycle.funding,
        net=cycle.net,
    )
    kind = ENDED.get(cycle.reason, AlertKind.CLOSED)
    return Alert(key, kind, cycle.account, key, words, cycle.ended, part=cycle.part)


def _of_event(number: int, event: Event, said: Mapping[str, tuple[str, str]]) -> Alert | None:
    """Return the alert for an event: switches, levels, refusals, and what the exchange closed by force; else None."""
    code = event.action.code if event.action else ""
    if event.action is not None and code == "asked.level":
        (level,) = nested(event.action.values["level"])
        return _told(number, event, AlertKind.LEVEL, _by("alert.level", event, level=_button(level.code)))
    if code in ("asked.start_bot", "asked.stop_bot"):
        return _told(number, event, AlertKind.BOT, _by(code.replace("asked", "alert"), event))
    if _forced(event):
        words = Reason("alert.forced", part=event.part, what=event.because)
        return _told(number, event, AlertKind.LIQUIDATION, words, severe=True)
    if event.kind == EventKind.RISK_FAILURE:
        words = Reason("alert.limits_refuse", part=event.part, why=event.because)
        return _refusal(event, words, event.because)
    if event.outcome == "refused":
        words = _refused(event, said)
        return _refusal(event, words, words)
    if event.rule == REOPEN and event.because.code == NOT_REOPENED:
        words = Reason("alert.reopen_refused", part=event.part, what=event.because)
        return _refusal(event, words, *nested(event.because.values["why"]), kind=AlertKind.REOPEN_FAILED)
    return None


def _by(code: str, event: Event, **values: Value) -> Reason:
    """Return who asked for it, and why where a reason was given."""
    asked = event.because.values
    why = asked.get("why")
    return Reason(f"{code}_because" if why else code, who=asked["who"], **({"why": why} if why else {}), **values)


def _button(level: str) -> Reason:
    """Return a level as its button on the page names it."""
    return Reason(level.replace("level.", "level_button."))


def level_words(level: Level) -> Reason:
    """Return a level as its button on the page names it."""
    return _button(code_of(level))


def _forced(event: Event) -> bool:
    action = event.action
    if action is None or action.code != "action.book_exit":
        return False
    return any(reason.code in FORCED for reason in nested(action.values["reason"]))


def _refused(event: Event, said: Mapping[str, tuple[str, str]]) -> Reason:
    order = str(event.action.values.get("client_order_id", "")) if event.action else ""
    known = meaning(order)
    if known is None or order not in said:
        return Reason("alert.exchange_refused", part=event.part, action=event.action)
    code, words = said[order]
    values: dict[str, Value] = {"part": event.part, "order": order, "purpose": Reason(code_of(known.purpose))}
    if not code:
        return Reason("alert.exchange_refused_order", words=words, **values)
    return Reason("alert.exchange_refused_order_by_code", words=words, code=code, **values)


def _of_alarm(number: int, alarm: Alarm, cleared: datetime | None) -> Iterator[Alert]:
    kind = AlertKind.SENTINEL if alarm.subject.startswith(WATCHDOG) else AlertKind.ALARM
    severe = alarm.subject.startswith(WATCHDOG_BARE)
    yield Alert(f"alarm/{number}", kind, alarm.account, alarm.subject, alarm.words, alarm.raised_at, severe)
    if cleared is not None:
        words = Reason("alert.over", what=alarm.words)
        yield Alert(f"alarm/{number}/over", AlertKind.CLEARED, alarm.account, alarm.subject, words, cleared)


def _told(number: int, event: Event, kind: AlertKind, words: Reason, *, severe: bool = False) -> Alert:
    key = f"event/{number}"
    return Alert(key, kind, event.account, key, words, event.at, severe, event.part or "")


def _refusal(event: Event, words: Reason, cause: Reason, *, kind: AlertKind = AlertKind.REFUSAL) -> Alert:
    """Return the alert for a refusal, the same for half an hour: the bot tries again every few seconds."""
    shape = sha256("/".join(_same(cause)).encode()).hexdigest()[:16]
    subject = f"refusal/{event.account}/{event.part}/{shape}"
    key = f"{subject}@{int(event.at.timestamp()) // ONCE_IN}"
    return Alert(key, kind, event.account, subject, words, event.at, part=event.part or "")


def _same(cause: Reason) -> Iterator[str]:
    """Yield what two refusals for the same cause share: codes and names, but no amounts, times and ids of orders."""
    yield cause.code
    answered = "code" in cause.values  # the exchange's own code tells causes apart better than its words
    for name, value in cause.items:
        yield from (word for one in nested(value) for word in _same(one))
        if isinstance(value, str) and meaning(value) is None and not (answered and name == "words"):
            yield _AMOUNT.sub("#", value) if cause.code == TEXT or name == "words" else value


def where_of(symbol: str, side: str, part: str) -> Reason:
    """Return which part of which position it is."""
    return Reason("alert.where", symbol=symbol, side=side, part=part)


def figure(value: Decimal | None) -> Decimal | str:
    """Return a price with at most ten digits that count; a question mark where none is known."""
    return "?" if value is None else Decimal(f"{value:.10g}")
