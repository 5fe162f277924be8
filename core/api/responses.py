"""Response bodies, with units. Numbers are exact and sent as text; null: not known.

Quantities are in contracts and money in USDT unless a field says otherwise.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from core.api.reasons import Sentence, Told
from core.domain.account import Environment, Exchange, Level
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExecutionKind, Target
from core.domain.money import plain
from core.domain.order import OrderKind, OrderStatus, Purpose
from core.domain.risk_result import CheckName
from core.domain.snapshot import ExecutionSnapshot, Explanation, PartSnapshot
from core.services.reporting.ledger import EventKind

T = TypeVar("T")
Number = Annotated[Decimal, PlainSerializer(plain, return_type=str)]
Refusal = Annotated[str, BeforeValidator(lambda given: "" if given is None else str(given))]
Said = Annotated[str, BeforeValidator(lambda words: str(words or ""))]  #: a reason as its English sentence


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="ignore")


class ProblemItem(Out):
    field: str
    value: str | None
    allowed: str
    words: str
    code: str = Field(description="Names the sentence in `words` and does not change when its wording does.")
    values: dict[str, Any] = Field(description="What stands in the sentence; exact numbers are text.")


class ProblemOut(Out):
    """application/problem+json: what went wrong, field by field."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Names the sentence in `text` and does not change when its wording does.")
    values: dict[str, Any] = Field(description="What stands in the sentence; exact numbers are text.")
    text: str
    problems: list[ProblemItem]


class AskedOut(Out):
    """The result of a request: it is recorded, and the bot carries it out."""

    part: str = Field(description="Empty where it was about none.")
    new: bool
    words: Sentence
    reason: Told = Field(validation_alias="words", description="The same for programs.")


class SignalOut(Out):
    """The result of a signal."""

    id: str
    action: str
    parts: list[str] = Field(description="The part that was opened, or those that are closed now or not opened again.")
    words: Sentence
    reason: Told = Field(description="The same for programs.")


class PageOut(Out, Generic[T]):
    """A page of rows, newest first."""

    items: list[T]
    next: str | None = Field(description="Send it as `after` for the next page; null: these were the last.")


class SeenOut(Out, Generic[T]):
    """Rows as the bot last saw them at the exchange."""

    account: str
    as_of: datetime | None = Field(description="When the exchange was looked at; null: it was not yet.")
    stale: bool = Field(description="It may no longer be true.")
    items: list[T]


class AccountOut(Out):
    id: str
    name: str
    exchange: Exchange
    environment: Environment


class OrderOut(Out):
    """One order of ours in its newest known state. Quantities in contracts, fee in USDT, negative = paid."""

    client_order_id: str
    exchange_order_id: str
    part: str | None
    cycle: int | None
    purpose: str
    symbol: str
    side: OrderSide
    position_side: Side
    kind: OrderKind
    status: OrderStatus
    quantity: Number
    filled: Number
    price: Number | None
    average_price: Number | None
    tp_trigger: Number | None
    sl_trigger: Number | None
    fee: Number
    failure: str
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, order: Any) -> OrderOut:
        told = {name: getattr(order, name) for name in cls.model_fields if name != "purpose"}
        return cls(**told, purpose=order.purpose.name.lower())


class ActiveOrderOut(Out):
    """One live order as last seen, ours or foreign. Quantities in contracts."""

    client_order_id: str
    exchange_order_id: str
    part: str | None
    purpose: str
    symbol: str
    side: OrderSide
    position_side: Side
    kind: OrderKind
    quantity: Number
    filled: Number
    price: Number | None
    take_profit_trigger: Number | None
    stop_loss_trigger: Number | None
    status: OrderStatus
    foreign: bool
    created_at: datetime | None

    @field_validator("purpose", mode="before")
    @classmethod
    def _in_words(cls, purpose: Purpose) -> str:
        return purpose.name.lower()


class PositionOut(Out):
    """One position as the exchange tells it. Money in USDT."""

    symbol: str
    side: Side
    contracts: Number
    coins: Number
    notional: Number
    average_price: Number
    mark_price: Number
    unrealised_pnl: Number
    leverage: Number
    margin: Number
    liquidation_price: Number | None
    funding: Number
    opened_at: datetime | None
    residual: Number = Field(description="Contracts that no part of ours explains.")
    parts: list[str]


class TargetOut(Out):
    pnl_usdt: Number | None = None
    price: Number | None = None
    percent: Number | None = None
    trigger_by: TriggerBy

    @classmethod
    def of(cls, target: Target | None) -> TargetOut | None:
        return None if target is None else cls.model_validate(target)


class WhyOut(Out):
    rule: str
    because: str
    action: str | None

    @classmethod
    def of(cls, line: Explanation) -> WhyOut:
        action = None if line.action is None else str(line.action)
        return cls(rule=line.rule, because=str(line.because), action=action)


class RunOut(Out):
    """One execution under way: an entry, a recovery step or a close. Quantities in contracts."""

    run: str = Field(description="Its name within the part, such as 1E, 3R2 or 2C.")
    purpose: str
    kind: ExecutionKind
    planned: Number
    filled: Number
    remaining: Number
    average: Number | None
    working: bool = Field(description="An order of it is live.")
    price: Number | None = Field(description="Where its limit order rests.")
    step: str = Field(description="What it does next, in words.")
    until: datetime | None = Field(description="When something changes by itself; null: not known.")
    started_at: datetime
    told: Literal["finish", "take_back"] | None

    @classmethod
    def of(cls, execution: ExecutionSnapshot) -> RunOut:
        same = {name: getattr(execution, name) for name in cls.model_fields if name not in ("purpose", "step", "told")}
        told: Literal["finish", "take_back"] | None = "take_back" if execution.withdrawn else None
        return cls(
            **same,
            purpose=execution.purpose.name.lower(),
            step=str(execution.step),
            told="finish" if execution.finishing else told,
        )


class PartOut(Out):
    """One part as last seen: what it holds, whether it is protected, and why the bot did or did not act."""

    part: str
    strategy: str
    symbol: str
    side: Side
    status: str
    wanted: str
    position_value: Number
    leverage: Number
    contracts: Number | None
    size: Number
    average_entry: Number | None
    mark_price: Number | None
    unrealised_pnl: Number | None
    realised_pnl: Number
    fees: Number
    take_profit: TargetOut | None
    stop_loss: TargetOut | None
    take_profit_price: Number | None
    stop_loss_price: Number | None
    protected: bool
    cycle: int
    cycle_started_at: datetime | None
    cycle_ended_at: datetime | None
    exit_reason: str | None
    runs: list[RunOut] = Field([], description="Executions under way.")
    why: list[WhyOut]

    @classmethod
    def of(cls, part: PartSnapshot) -> PartOut:
        same = {name: getattr(part, name) for name in cls.model_fields if name not in _NAMED_OTHERWISE}
        return cls(
            **same,
            part=part.name,
            take_profit=TargetOut.of(part.take_profit.wanted),
            stop_loss=TargetOut.of(part.stop_loss.wanted),
            take_profit_price=part.take_profit.price,
            stop_loss_price=part.stop_loss.price,
            runs=[RunOut.of(execution) for execution in part.executions],
            why=[WhyOut.of(line) for line in part.why],
        )


_NAMED_OTHERWISE = ("part", "take_profit", "stop_loss", "take_profit_price", "stop_loss_price", "runs", "why")


class PreviewOut(Out):
    """The preview of a draft at the newest price. Money in USDT; fees and losses are negative."""

    entry_price: Number
    contracts: Number
    coins: Number
    notional: Number
    margin: Number
    take_profit_price: Number | None
    stop_loss_price: Number | None
    take_profit_pnl: Number | None
    stop_loss_pnl: Number | None
    fee_open: Number
    fee_close: Number
    worst_loss: Number | None
    liquidation_price: Number | None
    price_as_of: datetime | None
    problems: list[Sentence] = Field(description="Why it would be refused; empty where it would not be.")
    notes: list[Sentence] = Field(
        description="Worth knowing; a second part of the same kind is refused without `again`."
    )


class TradeOut(Out):
    """One execution. Fee in USDT, negative = paid; PnL as the exchange counts it, without fees."""

    exchange_fill_id: str
    exchange_order_id: str
    client_order_id: str
    part: str | None
    cycle: int | None
    symbol: str
    position_side: Side
    side: OrderSide
    quantity: Number
    price: Number
    fee: Number
    maker: bool
    realised_pnl: Number
    at: datetime
    origin: str


class EventOut(Out):
    """One event: what was asked, decided or done, and why; or a fact of an order, a fill, a position."""

    at: datetime
    part: str | None
    kind: EventKind
    rule: str
    because: Said
    reason: Told | None = Field(validation_alias="because", description="Why, for programs.")
    action: Annotated[str | None, BeforeValidator(lambda words: words and str(words))]
    outcome: str | None
    symbol: str | None
    quantity: Number | None = Field(description="Contracts: ordered, filled so far, of one fill, or entered in all.")
    price: Number | None = Field(description="Limit, average of what filled, or of the fill.")
    amount: Number | None = Field(description="USDT: the fee of a fill, the net result of a closed position.")


class CheckOut(Out):
    """One check of an order that adds risk."""

    name: CheckName
    value: Number | None = Field(description="null: it was not known.")
    limit: Number | None = Field(description="null: nothing limits it.")
    unit: str
    passed: bool
    words: Refusal = Field(validation_alias="refusal", description="Why it failed; empty: it passed.")
    reason: Told | None = Field(validation_alias="refusal", description="Why, for programs; null: it passed.")


class RiskCheckOut(Out):
    """An order that the risk control has let through, or a refusal with the check that failed."""

    at: datetime
    symbol: str
    part: str
    purpose: str
    client_order_id: str = Field(description="Empty: no order came of it.")
    passed: bool
    check: str = Field(description="The check that failed; empty: none did.")
    value: Number | None
    limit: Number | None
    unit: str
    words: Said
    reason: Told | None = Field(validation_alias="words", description="Why, for programs; null: it passed.")
    repeats: int = Field(description="How often the same was found again since.")
    repeated_at: datetime | None
    checks: list[CheckOut]

    @field_validator("purpose")
    @classmethod
    def _in_words(cls, letter: str) -> str:
        return Purpose(letter).name.lower()


class DrawdownOut(Out):
    amount: Number
    percent: Number | None
    peak_at: datetime
    bottom_at: datetime


class MeasuresOut(Out):
    """The measures of a group of ended cycles. Money in USDT; null: not known."""

    cycles: int
    won: int
    net: Number
    gross: Number
    fees: Number
    funding: Number
    win_rate: Number | None
    profit_factor: Number | None
    expectancy: Number | None
    average_win: Number | None
    average_loss: Number | None
    sharpe: Number | None = Field(description="Of the daily results, for a year of 365 days.")
    sortino: Number | None
    drawdown: DrawdownOut | None = Field(description="Of the running total of the net results.")


class PerformanceOut(Out):
    """The performance of ended cycles: the whole, and by symbol, side, strategy, reason and recovery."""

    whole: MeasuresOut
    sharpe: Number | None
    sortino: Number | None
    drawdown: DrawdownOut | None
    groups: dict[str, dict[str, MeasuresOut]]
    since: datetime | None = Field(
        None, description="Older cycles that fit were left out, being too many; dates bring them. null: none were."
    )


class StatisticsOut(Out):
    """The account now, and counts of its take-profit/stop-loss pairs. Money in USDT."""

    account: str
    as_of: datetime | None
    equity: Number | None
    available: Number | None
    margin_used: Number | None
    floating_pnl: Number | None
    parts_held: int
    parts_protected: int
    pairs_placed: int
    target_hits: int
    stop_hits: int
    both_filled: int
    orphans: int
    sibling_cancels: int
    sibling_cancel_p50_seconds: float | None
    sibling_cancel_p99_seconds: float | None


class LevelOut(Out):
    account: str
    level: Level
    at: datetime | None
    by: str
    why: str
    reason: Told | None = Field(description="Why, for programs; null: nobody gave a reason.")


class LevelPreviewOut(Out):
    """What a level would change now. Counts are of parts, but for `entries`. Money in USDT."""

    level: Level
    present: Level
    bot_runs: bool
    held: int
    entering: int
    entries: int
    recovering: int
    reopening: int
    closing: list[str]
    unclosed: int
    pnl: Number
    fees: Number


class BotOut(Out):
    """The status of an account's bot."""

    account: str
    state: Literal["running", "stopped", "starting", "elsewhere", "dead"]
    words: Sentence
    reason: Told = Field(description="The same for programs.")
    since: datetime | None
    level: Level
    heartbeat_at: datetime | None
    protected: int
    parts: int
    on_exchange_alone: int
