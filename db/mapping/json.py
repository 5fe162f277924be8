"""Converts domain values to columns and back. Nothing is lost: decimals keep their digits, times their zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from core.domain.account import PositionKey
from core.domain.action import Command, OutcomeKind, PlaceOco, PlaceOrder
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import (
    Adding,
    AtEnd,
    Closing,
    ExecutionKind,
    ExecutionStyle,
    ExitReason,
    ExternalEntry,
    ExternalExit,
    Instruction,
    Intent,
    RecoveryChoice,
    ReopenChoice,
    Target,
    TargetEdit,
    Unguarded,
    Wanted,
    WhenRefused,
)
from core.domain.order import Fill, Funding, Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.settings.rules import Rules
from db.base import Json

Values = dict[str, Any]
Word = TypeVar("Word", bound=StrEnum)


def _words(kind: type[Word]) -> dict[str, Word]:
    """Return the members of an enumeration by their text, for rows that come by the thousand."""
    return {str(word): word for word in kind}


SIDE, ORDER_SIDE, ORDER_KIND, ORDER_STATUS = _words(Side), _words(OrderSide), _words(OrderKind), _words(OrderStatus)
NO_RECOVERY_CHOICE, NO_REOPEN_CHOICE = RecoveryChoice(), ReopenChoice()
PURPOSE, OUTCOME, TRIGGER_BY = _words(Purpose), _words(OutcomeKind), _words(TriggerBy)

# -- intents -------------------------------------------------------------------------------------------------


def intent_values(intent: Intent) -> Values:
    """Return the columns of a part that its intent fills."""
    return {
        "part": intent.part,
        "account": intent.key.account,
        "symbol": intent.key.symbol,
        "side": intent.key.side,
        "strategy": intent.strategy,
        "wanted": intent.wanted,
        "position_value": intent.position_value,
        "leverage": intent.leverage,
        "entry": style_json(intent.entry),
        "take_profit": target_json(intent.take_profit),
        "stop_loss": target_json(intent.stop_loss),
        "recovery": _recovery_json(intent.own_recovery),
        "reopen": _reopen_json(intent.own_reopen),
        "when_refused": intent.own_unguarded,
        "edit": _edit_json(intent.edit),
        "reopen_at": intent.reopen_at,
        "cycle": intent.cycle,
        "contracts": intent.contracts,
        "cycle_started_at": intent.cycle_started_at,
        "cycle_ended_at": intent.cycle_ended_at,
        "exit_reason": intent.exit_reason,
        "reduce_to": intent.reduce_to,
        "closing": _closing_json(intent.closing),
        "adding": adding_json(intent.adding),
        "told": _told_json(intent.told),
        "version": intent.version,
        "asked_by": intent.asked_by,
        "asked_at": intent.asked_at,
    }


def intent_of(
    row: Any, exits: tuple[ExternalExit, ...], entries: tuple[ExternalEntry, ...], rules: Rules, earned: Decimal
) -> Intent:
    """Return the intent of a part's row; `exits` and `entries` are those of others in its current cycle.

    `rules` hold where it chose nothing.
    """
    own_recovery, own_reopen = _recovery_of(row.recovery), _reopen_of(row.reopen)
    return Intent(
        part=row.part,
        key=PositionKey(row.account, row.symbol, SIDE[row.side]),
        wanted=Wanted(row.wanted),
        position_value=row.position_value,
        leverage=row.leverage,
        entry=style_of(row.entry),
        take_profit=_target_of(row.take_profit),
        stop_loss=_target_of(row.stop_loss),
        recovery=rules.recovery if own_recovery is NO_RECOVERY_CHOICE else own_recovery.over(rules.recovery),
        reopen=rules.reopen if own_reopen is NO_REOPEN_CHOICE else own_reopen.over(rules.reopen),
        own_recovery=own_recovery,
        own_reopen=own_reopen,
        unguarded=rules.unguarded if row.when_refused is None else _unguarded(row.when_refused, rules),
        own_unguarded=None if row.when_refused is None else WhenRefused(row.when_refused),
        edit=_edit_of(row.edit),
        reopen_at=row.reopen_at,
        earned=earned,
        strategy=row.strategy,
        cycle=row.cycle,
        contracts=row.contracts,
        cycle_started_at=row.cycle_started_at,
        cycle_ended_at=row.cycle_ended_at,
        exit_reason=ExitReason(row.exit_reason) if row.exit_reason else None,
        reduce_to=row.reduce_to,
        closing=_closing_of(row.closing),
        adding=_adding_of(row.adding),
        told=_told_of(row.told),
        external_exits=exits,
        external_entries=entries,
        version=row.version,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
    )


def _unguarded(chosen: str, rules: Rules) -> Unguarded:
    return replace(rules.unguarded, then=WhenRefused(chosen))


def exit_of(row: Any) -> ExternalExit:
    return ExternalExit(row.quantity, row.price, row.fee, ExitReason(row.reason), row.at, row.exchange_fill_id)


def entry_of(row: Any) -> ExternalEntry:
    return ExternalEntry(row.quantity, row.price, row.at, row.entry_id)


def answer_of(row: Any) -> DifferenceAnswer:
    return DifferenceAnswer(DifferenceKind(row.kind), Choice(row.choice), row.mark)


_SPANS = ("timeout", "reprice", "duration", "refresh")  #: of an execution style, kept in seconds
_AS_USUAL = ExecutionStyle()


def style_json(style: ExecutionStyle) -> Json:
    """Return an execution style as JSON: kind, price, time-out, and only those other fields that are not the
    default.
    """
    found: Json = {"kind": style.kind, "price": style.price, "timeout_seconds": _seconds(style.timeout)}
    for field in fields(style):
        value = getattr(style, field.name)
        if field.name in ("kind", "price", "timeout") or value == getattr(_AS_USUAL, field.name):
            continue
        span = field.name in _SPANS
        found[f"{field.name}_seconds" if span else field.name] = _seconds(value) if span else value
    return found


def style_of(found: Json) -> ExecutionStyle:
    """Return the style that `style_json` wrote."""
    values: Json = {name: value for name, value in found.items() if not name.endswith("_seconds")}
    values |= {name: _span(found.get(f"{name}_seconds")) for name in _SPANS}
    values["kind"] = ExecutionKind(found["kind"])
    values["at_end"] = AtEnd(found.get("at_end", AtEnd.STOP))
    return ExecutionStyle(**values)


def _told_json(told: Instruction | None) -> Json | None:
    if told is None:
        return None
    return {"run": told.run, "finish": told.finish, "asked_at": told.asked_at and told.asked_at.isoformat()}


def _told_of(found: Json | None) -> Instruction | None:
    if found is None:
        return None
    at = found.get("asked_at")
    return Instruction(found["run"], found["finish"], datetime.fromisoformat(at) if at else None)


def _closing_json(closing: Closing | None) -> Json | None:
    return None if closing is None else {"style": style_json(closing.style), "asked_at": closing.asked_at.isoformat()}


def _closing_of(found: Json | None) -> Closing | None:
    return None if found is None else Closing(style_of(found["style"]), datetime.fromisoformat(found["asked_at"]))


def adding_json(adding: Adding | None) -> Json | None:
    """Return a recovery step under way as JSON."""
    if adding is None:
        return None
    return {"step": adding.step, "contracts": adding.contracts, "started_at": adding.started_at.isoformat()}


def _adding_of(found: Json | None) -> Adding | None:
    if found is None:
        return None
    return Adding(found["step"], found["contracts"], datetime.fromisoformat(found["started_at"]))


def target_json(target: Target | None) -> Json | None:
    if target is None:
        return None
    named = {"pnl_usdt": target.pnl_usdt, "price": target.price, "percent": target.percent}
    return {
        **{name: value for name, value in named.items() if value is not None},
        "trigger_by": target.trigger_by,
    }


def _target_of(found: Json | None) -> Target | None:
    return None if found is None else Target(**{**found, "trigger_by": TRIGGER_BY[found["trigger_by"]]})


def _recovery_json(choice: RecoveryChoice) -> Json | None:
    """Return the recovery that a part has chosen for itself as JSON; None where it has chosen none."""
    own = {field.name: getattr(choice, field.name) for field in fields(choice)}
    own["style"] = None if choice.style is None else style_json(choice.style)
    return {name: value for name, value in own.items() if value is not None} or None


def _recovery_of(found: Json | None) -> RecoveryChoice:
    if found is None:
        return NO_RECOVERY_CHOICE
    style = found.get("style")
    return RecoveryChoice(**{**found, "style": None if style is None else style_of(style)})


def _reopen_json(choice: ReopenChoice) -> Json | None:
    own = {
        "enabled": choice.enabled,
        "after": None if choice.after is None else sorted(choice.after),
        "delay_seconds": _seconds(choice.delay),
        "max_cycles": choice.max_cycles,
        "loss_budget": choice.loss_budget,
    }
    return {name: value for name, value in own.items() if value is not None} or None


def _reopen_of(found: Json | None) -> ReopenChoice:
    if found is None:
        return NO_REOPEN_CHOICE
    after = found.get("after")
    return ReopenChoice(
        enabled=found.get("enabled"),
        after=None if after is None else frozenset(map(ExitReason, after)),
        delay=_span(found.get("delay_seconds")),
        max_cycles=found.get("max_cycles"),
        loss_budget=found.get("loss_budget"),
    )


def _edit_json(edit: TargetEdit | None) -> Json | None:
    if edit is None:
        return None
    return {"take_profit": target_json(edit.take_profit), "stop_loss": target_json(edit.stop_loss), "step": edit.step}


def _edit_of(found: Json | None) -> TargetEdit | None:
    if found is None:
        return None
    return TargetEdit(_target_of(found["take_profit"]), _target_of(found["stop_loss"]), found["step"])


#: how a part's changes become columns; anything not named here is not the trader's to change
CHANGES: Mapping[str, Any] = {
    "wanted": str,
    "position_value": Decimal,
    "leverage": Decimal,
    "reduce_to": lambda contracts: contracts,
    "entry": style_json,
    "take_profit": target_json,
    "stop_loss": target_json,
    "own_recovery": _recovery_json,
    "own_reopen": _reopen_json,
    "own_unguarded": lambda chosen: chosen,
    "edit": _edit_json,
    "reopen_at": lambda at: at,
    "closing": _closing_json,
    "told": _told_json,
}
#: columns that have another name than what they hold
COLUMNS: Mapping[str, str] = {
    "own_recovery": "recovery",
    "own_reopen": "reopen",
    "own_unguarded": "when_refused",
}

# -- orders and commands -------------------------------------------------------------------------------------


def order_values(account: str, order: Order) -> Values:
    values = {field.name: getattr(order, field.name) for field in fields(order)}
    values["child_order_ids"] = list(order.child_order_ids)
    return {"account": account, "conditional": order.kind.rests_on_trigger, **values}


def order_of(row: Any) -> Order:
    return Order(
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        symbol=row.symbol,
        position_side=SIDE[row.position_side],
        part=row.part,
        cycle=row.cycle,
        purpose=PURPOSE[row.purpose],
        side=ORDER_SIDE[row.side],
        kind=ORDER_KIND[row.kind],
        quantity=row.quantity,
        status=ORDER_STATUS[row.status],
        price=row.price,
        tp_trigger=row.tp_trigger,
        sl_trigger=row.sl_trigger,
        trigger_by=TRIGGER_BY[row.trigger_by] if row.trigger_by else None,
        reduce_only=row.reduce_only,
        dies_with_position=row.dies_with_position,
        filled=row.filled,
        average_price=row.average_price,
        fee=row.fee,
        triggered_leg=Leg(row.triggered_leg) if row.triggered_leg else None,
        child_order_ids=tuple(row.child_order_ids),
        failure=row.failure,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def command_kind(action: PlaceOrder | PlaceOco) -> OrderKind:
    if isinstance(action, PlaceOrder):
        return action.kind
    both = action.tp_trigger is not None and action.sl_trigger is not None
    return OrderKind.OCO if both else OrderKind.CONDITIONAL


def request_json(action: PlaceOrder | PlaceOco) -> Json:
    """Return the whole request of a placement as JSON, for the audit and for looking a loss up."""
    found: Json = {field.name: getattr(action, field.name) for field in fields(action)}
    attached = found.get("attached")
    if attached is not None:
        found["attached"] = {field.name: getattr(attached, field.name) for field in fields(attached)}
    worked = found.pop("worked", None)
    if worked is not None:
        since = worked.since and worked.since.isoformat()
        found["worked"] = {field.name: getattr(worked, field.name) for field in fields(worked)} | {"since": since}
    return found


def command_of(row: Any) -> Command:
    return Command(
        client_order_id=row.client_order_id,
        key_text=row.key,
        part=row.part,
        cycle=row.cycle,
        purpose=PURPOSE[row.purpose],
        side=ORDER_SIDE[row.side],
        kind=ORDER_KIND[row.kind],
        quantity=row.quantity,
        recorded_at=row.recorded_at,
        outcome=OUTCOME[row.outcome] if row.outcome else None,
        code=row.code,
        words=row.words,
    )


# -- facts ---------------------------------------------------------------------------------------------------


def fill_values(account: str, fill: Fill) -> Values:
    return {"account": account, **{field.name: getattr(fill, field.name) for field in fields(fill)}}


def fill_of(row: Any) -> Fill:
    return Fill(
        exchange_fill_id=row.exchange_fill_id,
        exchange_order_id=row.exchange_order_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        position_side=Side(row.position_side),
        side=OrderSide(row.side),
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        maker=row.maker,
        realised_pnl=row.realised_pnl,
        at=row.at,
        origin=row.origin,
    )


def funding_values(account: str, payment: Funding) -> Values:
    return {
        "account": account,
        "symbol": payment.symbol,
        "paid_at": payment.at,
        "exchange_id": payment.exchange_id,
        "position_side": payment.position_side,
        "amount": payment.amount,
    }


def funding_of(row: Any) -> Funding:
    side = Side(row.position_side) if row.position_side else None
    return Funding(row.symbol, side, row.amount, row.paid_at, row.exchange_id)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
