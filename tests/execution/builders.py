"""Executions at some point of their way, told by what is special about them; see `tests.builders` for the coin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.domain.intent import ExecutionStyle
from core.domain.money import Contracts
from core.domain.reason import text
from core.execution.base import Place, Progress, Step, Wait
from tests.builders import COIN, NOON, D, after, contracts, price


def progress(style: ExecutionStyle | None = None, *, filled: object = 0, planned: object = 10, **more: Any) -> Progress:
    """Ten contracts wanted, nothing done, begun at noon; `refusal` is what the exchange said."""
    begun = Progress(style or ExecutionStyle(), COIN, contracts(planned), contracts(filled), False, 0, None, NOON)
    if "refusal" in more:
        more["refusal"] = text(more["refusal"])
    return replace(begun, **{"name": "000001/1E", **more})


def live(style: ExecutionStyle, at: object = None, **more: Any) -> Progress:
    """Its limit order, sent at noon, rests: at its own price or at another."""
    resting = style.price if at is None else price(at)
    return progress(
        style, **{"working": True, "resting": True, "orders": 1, "working_price": resting, "sent_at": NOON, **more}
    )


def ended(style: ExecutionStyle, *, at: float, filled: object = 0, of: object = 10, **more: Any) -> Progress:
    """Its one order, sent at noon for so many contracts, has ended so many seconds later."""
    facts = {"orders": 1, "sent_at": NOON, "ended_at": after(at), "unfilled": Contracts(D(of) - D(filled))}
    return progress(style, filled=filled, **{**facts, **more})


def place(quantity: object, at: object = None) -> tuple[object, ...]:
    return Place, contracts(quantity), None if at is None else price(at)


def told(step: Step) -> tuple[object, ...]:
    """What a step asks for, without its words."""
    match step:
        case Place():
            return Place, step.quantity, step.price
        case Wait():
            return Wait, step.until
    return (type(step),)
