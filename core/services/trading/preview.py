"""Previews of a draft by the newest snapshot: cost and levels, recovery ladder, and whether it has a twin."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.decision.preview.ladder import MOST_STEPS as MOST_STEPS
from core.decision.preview.ladder import Ladder as Ladder
from core.decision.preview.ladder import LadderEnd as LadderEnd
from core.decision.preview.ladder import ladder
from core.decision.preview.preview import Preview as Preview
from core.decision.preview.preview import PreviewContext, nothing, preview
from core.decision.preview.sizing import value_for_risk
from core.decision.proposal import LEGS
from core.decision.rules.reopen import reopen_due
from core.domain.account import PositionKey
from core.domain.errors import Misconfigured, Unavailable
from core.domain.intent import Intent, Wanted
from core.domain.money import total
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot
from core.services.reporting.snapshot_reader import instrument_of, newest_snapshot
from core.services.trading.choices import leverage_problem, trigger_problem
from core.services.trading.requests import Draft
from db.store import Store


def preview_of(store: Store, draft: Draft, now: datetime) -> Preview:
    """Return what the draft would cost and bring at the newest price; what is wrong with it is in `problems`."""
    try:
        ground = ground_of(store, draft, now)
    except (Misconfigured, Unavailable) as trouble:
        return nothing((trouble.reason,))
    found = preview(draft.terms, ground, store.parts.limits())
    snapshot = newest_snapshot(store, draft.account)
    exchange = snapshot.exchange
    wrong_price = trigger_problem(exchange, draft.take_profit, draft.stop_loss)
    wrong = leverage_problem(exchange, draft.leverage), wrong_price, budget_problem(snapshot)
    more = tuple(one for one in wrong if one is not None)
    return replace(found, problems=(*found.problems, *more)) if more else found


def budget_problem(snapshot: AccountSnapshot) -> Reason | None:
    """Return why the exchange takes no two conditional orders more; parts that wait for theirs are counted in."""
    known = snapshot.conditional
    if known is None or known.most is None:
        return None
    used, most = known.used, known.most
    waiting = LEGS * sum(part.entering for part in snapshot.parts)
    if used + waiting + LEGS <= most:
        return None
    return Reason("trade.conditional_orders", used=used + waiting, most=most, needed=LEGS)


def ladder_of(store: Store, draft: Draft, now: datetime) -> Ladder:
    """Return every recovery step that the draft may take. Without rungs where its preview has something wrong."""
    try:
        ground = ground_of(store, draft, now)
    except (Misconfigured, Unavailable):
        return Ladder((), LadderEnd.OFF, None, None)
    rules = store.parts.rules()
    if preview(draft.terms, ground, rules.limits).problems:
        return Ladder((), LadderEnd.OFF, None, ground.equity)
    return ladder(draft.terms, draft.recovery.over(rules.recovery), ground, rules.limits)


def value_of_risk(store: Store, draft: Draft, risk: Decimal, stop: Decimal, now: datetime) -> Decimal | None:
    """Return the position value that loses `risk` USDT, fees included, if the draft's stop lay at that price; None:
    none does.

    Raises Unavailable or Misconfigured where rules and prices are not known.
    """
    ground = ground_of(store, draft, now)
    entry = preview(draft.terms, ground, store.parts.limits()).entry_price
    return value_for_risk(ground.instrument, draft.side, risk, entry, stop)


def ground_of(store: Store, draft: Draft, now: datetime) -> PreviewContext:
    """Return rules, prices and money as last seen. Raises Unavailable or Misconfigured where they are not known."""
    snapshot = newest_snapshot(store, draft.account)
    rules, ticker = instrument_of(snapshot, draft.symbol), snapshot.tickers.get(draft.symbol)
    return PreviewContext(
        rules,
        ticker,
        snapshot.money.available if snapshot.money else None,
        snapshot.money.equity if snapshot.money else None,
        now,
        held=_held(snapshot, draft),
        day_start=store.equity.day_start(draft.account, now),
        open_parts=sum(part.cycle_ended_at is None for part in snapshot.parts),
    )


def _held(snapshot: AccountSnapshot, draft: Draft) -> Decimal:
    """Return the value that the draft would be added to: the position, and parts of it that are still being entered."""
    here = (draft.symbol, draft.side)
    held = (position.notional for position in snapshot.positions if (position.symbol, position.side) == here)
    coming = (part.position_value for part in snapshot.parts if (part.symbol, part.side) == here and part.entering)
    return total(held) + total(coming)


def twin_of(store: Store, draft: Draft) -> Reason | None:
    """Return which part with the same strategy, symbol and side is held or will be; None: none is."""
    wanted = store.parts.desired(draft.account).get(PositionKey(draft.account, draft.symbol, draft.side))
    twins = [one.part for one in wanted.intents if one.strategy == draft.strategy and _stays(one)] if wanted else []
    if not twins:
        return None
    code = "trade.twin" if len(twins) == 1 else "trade.twins"
    return Reason(code, parts=tuple(twins), side=draft.side, symbol=draft.symbol)


def _stays(intent: Intent) -> bool:
    """Return whether a part is held, or will be opened again."""
    return intent.wanted is not Wanted.CLOSED and (intent.living or reopen_due(intent) is not None)
