"""The picture: everything a page shows of one account, as plain JSON, made from the last look.

Numbers are strings (exact decimals), times ISO UTC. Pages read this and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.decision.preview.ladder import first_due
from core.decision.rules.differences import Difference, may_take_over
from core.decision.rules.reopen import reopen_due
from core.domain.account import Account, AccountState, PositionKey
from core.domain.action import Decision, describe
from core.domain.instrument import Instrument
from core.domain.intent import Intent, Target
from core.domain.money import ZERO, plain
from core.domain.observation import Position, Ticker
from core.domain.order import Order
from core.domain.pair import pair_of
from core.domain.part import Part
from core.monitor.execution_rows import run_row
from core.monitor.reconciler import Result

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """How the sources of the picture are; each is "ok" or a sentence."""

    exchange: str
    stream: str
    stream_heard_at: datetime | None
    requests: Mapping[str, tuple[int, int]]
    barred: str = ""  #: the words of an exchange that turns us away: a ban, keys that it does not take
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class BotLine:
    """The bot's own state for the badge."""

    state: str
    words: str
    level: str
    since: datetime | None
    holder: str


def picture(
    account: Account,
    bot: BotLine,
    state: AccountState | None,
    health: Health,
    results: Mapping[PositionKey, Result],
    tickers: Mapping[str, Ticker],
    instruments: Mapping[str, Instrument],
    alarms: list[Json],
    bare_seconds: Mapping[str, float],
    as_of: datetime,
    now: datetime,
) -> Json:
    """The whole picture of one account. `as_of` is the time of the look it was made from."""
    parts = [row for result in results.values() for row in part_rows(result, tickers, bare_seconds)]
    held = [row for row in parts if Decimal(row["size"]) > ZERO]
    return {
        "account": account.id,
        "name": account.name,
        "exchange": account.exchange,
        "environment": account.environment,
        "as_of": _time(as_of),
        "published_at": _time(now),
        "bot": _bot(bot),
        "metrics": _metrics(state, results, tickers),
        "health": _health(health),
        "protection": {
            "protected": sum(row["protected"] for row in held),
            "parts": len(held),
            "bare_seconds_today": f"{sum(bare_seconds.values()):.1f}",
        },
        "conditional": _conditional(results),
        "positions": [
            position_row(result.seen.position, result, tickers)
            for result in results.values()
            if result.seen.position is not None
        ],
        "parts": parts,
        "orders": [order_row(order) for result in results.values() for order in result.seen.orders if order.working],
        "unresolved": [
            {
                "client_order_id": command.client_order_id,
                "purpose": command.purpose.name.lower(),
                "part": command.part,
                "since": _time(command.recorded_at),
            }
            for result in results.values()
            for command in result.seen.commands
            if command.unresolved
        ],
        "differences": [
            difference_row(difference, result) for result in results.values() for difference in result.differences
        ],
        "alarms": alarms,
        "tickers": {symbol: _ticker(ticker) for symbol, ticker in sorted(tickers.items())},
        "instruments": {symbol: _instrument(rules) for symbol, rules in sorted(instruments.items())},
    }


def part_rows(result: Result, tickers: Mapping[str, Ticker], bare_seconds: Mapping[str, float]) -> Iterator[Json]:
    """The parts of one position, each with what was decided about it or about all of them."""
    why: dict[str | None, list[Decision]] = defaultdict(list)
    for decision in result.plan.decisions:
        why[decision.part].append(decision)
    for part in result.parts:
        yield part_row(part, result, tickers, bare_seconds, why[part.name] + why[None])


def aged(earlier: Json, bot: BotLine, health: Health, alarms: list[Json], now: datetime) -> Json:
    """An earlier picture that stays, because nothing was seen since: only what is known without looking is new."""
    return {**earlier, "published_at": _time(now), "bot": _bot(bot), "health": _health(health), "alarms": alarms}


def part_row(
    part: Part,
    result: Result,
    tickers: Mapping[str, Ticker],
    bare_seconds: Mapping[str, float],
    why: Iterable[Decision],
) -> Json:
    """One part as the pages show it."""
    intent, instrument = part.intent, part.instrument
    mark = _mark(result, tickers)
    average, size = part.average_entry, part.size
    stop, target = part.stop_price(), part.take_profit_price()
    pair = pair_of(part)

    def distance(level: Decimal | None) -> str | None:
        return None if level is None or not mark else f"{(level / mark - 1) * 100:.2f}"

    def pnl_at(level: Decimal | None) -> str | None:
        if level is None or average is None or not size:
            return None
        return f"{instrument.pnl(part.side, size, average, level):.2f}"

    return {
        "part": part.name,
        "strategy": intent.strategy,
        "symbol": intent.key.symbol,
        "side": intent.key.side,
        "status": part.status,
        "wanted": intent.wanted,
        "position_value": plain(intent.position_value),
        "contracts": _number(intent.contracts),
        "size": plain(size),
        "coins": plain(size * instrument.contract_value),
        "average_entry": _number(average),
        "leverage": plain(intent.leverage),
        "mark_price": _number(mark),
        "unrealised_pnl": f"{part.unrealised_pnl(mark):.4f}" if mark else None,
        "realised_pnl": plain(part.realised_pnl),
        "take_profit": _target(part.targets[0]),
        "stop_loss": _target(part.targets[1]),
        "take_profit_price": _number(target),
        "stop_loss_price": _number(stop),
        "take_profit_distance_pct": distance(target),
        "stop_loss_distance_pct": distance(stop),
        "take_profit_pnl": pnl_at(target),
        "stop_loss_pnl": pnl_at(stop),
        "protected": part.protected,
        "stop_covered": plain(part.stop_covered),
        "protection_seen_at": _time(result.seen.as_of) if part.protection else None,
        "pair": {
            "state": pair.state,
            "take_profit": _leg(pair.take_profit),
            "stop_loss": _leg(pair.stop_loss),
        },
        "cycle": intent.cycle,
        "cycle_started_at": _time(intent.cycle_started_at),
        "fees": plain(part.fees),
        "bare_seconds_today": f"{bare_seconds.get(part.name, 0.0):.1f}",
        "exit_reason": intent.exit_reason,
        "cycle_ended_at": _time(intent.cycle_ended_at),
        "edited": intent.edit is not None and intent.edit.step == len(part.steps),
        "target_covered": plain(part.target_covered),
        "recovery": _recovery(part),
        "reopen": _reopen(intent),
        "runs": [run_row(found) for found in result.runs.get(part.name, ())],
        "why": [
            {
                "rule": decision.rule,
                "because": str(decision.because),
                "action": str(describe(decision.action)) if decision.action else None,
            }
            for decision in why
        ],
    }


def _conditional(results: Mapping[PositionKey, Result]) -> Json:
    """Conditional orders of the account against what the exchange allows; `most` None: it names no number."""
    seen = next((result.seen for result in results.values()), None)
    if seen is None:
        return {"used": 0, "most": None}
    return {"used": seen.conditional_orders, "most": seen.facts.max_conditional}


def _leg(order: Order | None) -> Json | None:
    """One leg of a pair; both name the same order where the exchange keeps them as one."""
    if order is None:
        return None
    return {
        "client_order_id": order.client_order_id,
        "status": order.status,
        "quantity": plain(order.quantity),
        "filled": plain(order.filled),
        "created_at": _time(order.created_at),
        "updated_at": _time(order.updated_at),
    }


def _recovery(part: Part) -> Json | None:
    """The recovery that holds for a part, and the steps it has taken in this cycle."""
    rule = part.intent.recovery
    if rule is None:
        return None
    return {
        "trigger_pnl": plain(rule.trigger_pnl),
        "add_notional": plain(rule.add_notional),
        "tp_usdt": plain(rule.tp_usdt),
        "sl_usdt": plain(rule.sl_usdt),
        "max_steps": rule.max_steps,
        "max_loss": _number(rule.max_loss),
        "steps": len(part.steps),
        "last_at": _time(part.steps[-1].updated_at) if part.steps else None,
        "next_price": _next_price(part, rule.trigger_pnl),
    }


def _next_price(part: Part, trigger_pnl: Decimal) -> str | None:
    """The first price at which the next step is due; None while nothing is held, or where no price gets there."""
    if part.average_entry is None or not part.size:
        return None
    due = first_due(part.instrument, part.side, part.average_entry, part.size, trigger_pnl)
    return plain(due) if due > ZERO else None


def _reopen(intent: Intent) -> Json | None:
    """The reopen rule that holds for a part, and when its next cycle is due."""
    rule = intent.reopen
    due = _time(reopen_due(intent))
    if rule is None:
        return None if due is None else {"due": due}
    return {
        "due": due,
        "after": sorted(rule.after),
        "delay_minutes": plain(Decimal(rule.delay // timedelta(seconds=1)) / 60),
        "max_cycles": rule.max_cycles,
        "loss_budget": _number(rule.loss_budget),
    }


def position_row(position: Position, result: Result, tickers: Mapping[str, Ticker]) -> Json:
    """One position as the exchange tells it, with what our parts leave unexplained."""
    instrument = result.seen.instrument
    mark = _mark(result, tickers) or position.mark_price
    pnl = instrument.pnl(position.side, position.contracts, position.average_price, mark)
    ours = sum((part.size for part in result.parts), ZERO)
    return {
        "symbol": position.symbol,
        "side": position.side,
        "contracts": plain(position.contracts),
        "coins": plain(position.contracts * instrument.contract_value),
        "notional": f"{instrument.notional(position.contracts, mark):.2f}",
        "average_price": plain(position.average_price),
        "mark_price": plain(mark),
        "last_price": _number(position.last_price),
        "unrealised_pnl": f"{pnl:.4f}",
        "unrealised_pct": f"{pnl / position.margin * 100:.2f}" if position.margin else None,
        "leverage": plain(position.leverage),
        "margin": f"{position.margin:.2f}",
        "liquidation_price": _number(position.liquidation_price),
        "funding": plain(position.funding),
        "position_id": position.position_id,
        "opened_at": _time(position.opened_at),
        "residual": plain(position.contracts - ours),
        "parts": [part.name for part in result.parts if part.size],
    }


def difference_row(difference: Difference, result: Result) -> Json:
    """One difference between exchange and book, with the parts that a residual may be given to."""
    key = difference.key
    return {
        "id": f"{difference.kind}/{key.symbol}/{key.side}",
        "kind": difference.kind,
        "symbol": key.symbol,
        "side": key.side,
        "ours": str(difference.ours),
        "theirs": str(difference.theirs),
        "since": _time(difference.since),
        "words": str(difference.words),
        "choices": list(difference.choices),
        "answer": difference.answer,
        "mark": difference.mark,
        "quantity": plain(difference.quantity),
        "price": _number(difference.price),
        "leverage": _number(result.seen.position.leverage if result.seen.position else None),
        "parts": [part.name for part in result.parts if may_take_over(part)],
    }


def order_row(order: Order) -> Json:
    """One live order."""
    return {
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "part": order.part,
        "purpose": order.purpose.name.lower(),
        "symbol": order.symbol,
        "side": order.side,
        "position_side": order.position_side,
        "kind": order.kind,
        "quantity": plain(order.quantity),
        "filled": plain(order.filled),
        "price": _number(order.price),
        "take_profit_trigger": _number(order.tp_trigger),
        "stop_loss_trigger": _number(order.sl_trigger),
        "trigger_by": order.trigger_by,
        "status": order.status,
        "foreign": order.part is None,
        "created_at": _time(order.created_at),
    }


def _bot(bot: BotLine) -> Json:
    return {**asdict(bot), "since": _time(bot.since)}


def _health(health: Health) -> Json:
    return {
        "exchange": health.exchange,
        "stream": health.stream,
        "stream_heard_at": _time(health.stream_heard_at),
        "database": "ok",
        "barred": health.barred,
        "maintenance": health.maintenance,
        "requests": {group: [str(used), str(limit)] for group, (used, limit) in health.requests.items()},
    }


def _metrics(
    state: AccountState | None, results: Mapping[PositionKey, Result], tickers: Mapping[str, Ticker]
) -> Json | None:
    if state is None:
        return None
    floating = ZERO
    for result in results.values():
        position = result.seen.position
        if position is not None:
            mark = _mark(result, tickers) or position.mark_price
            floating += result.seen.instrument.pnl(position.side, position.contracts, position.average_price, mark)
    return {
        "equity": plain(state.equity - state.unrealised_pnl + floating),
        "available": plain(state.available),
        "floating_pnl": plain(floating),
        "margin_used": plain(state.margin_used),
        "hedge_mode": state.hedge_mode,
        "as_of": _time(state.as_of),
    }


def _mark(result: Result, tickers: Mapping[str, Ticker]) -> Decimal | None:
    """The newest mark price: the stream's where it is newer than the look."""
    ticker = tickers.get(result.key.symbol)
    if ticker is not None and ticker.mark and ticker.at >= result.seen.as_of:
        return ticker.mark
    return result.seen.mark or (ticker.mark if ticker else None)


def _ticker(ticker: Ticker) -> Json:
    return {
        "last": plain(ticker.last),
        "mark": plain(ticker.mark),
        "bid": plain(ticker.bid),
        "ask": plain(ticker.ask),
        "at": _time(ticker.at),
    }


def _instrument(rules: Instrument) -> Json:
    return {
        "base": rules.base,
        "contract_value": plain(rules.contract_value),
        "price_tick": plain(rules.price_tick),
        "quantity_step": plain(rules.quantity_step),
        "min_quantity": plain(rules.min_quantity),
        "max_market_quantity": plain(rules.max_market_quantity),
        "max_limit_quantity": plain(rules.max_limit_quantity),
        "max_leverage": plain(rules.max_leverage),
        "min_notional": plain(rules.min_notional),
        "maintenance_rate": plain(rules.maintenance_rate),
        "taker_fee": plain(rules.taker_fee),
        "maker_fee": plain(rules.maker_fee),
        "exchange_symbol": rules.exchange_symbol,
        "tradable": rules.tradable,
    }


def _target(target: Target | None) -> Json | None:
    if target is None:
        return None
    named = {"pnl_usdt": target.pnl_usdt, "price": target.price, "percent": target.percent}
    row: Json = {name: plain(value) for name, value in named.items() if value is not None}
    return {**row, "trigger_by": target.trigger_by}


def _number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
