"""The actions that `plan` may ask for. Every action says everything needed to carry it out, and nothing about how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.domain.difference import DifferenceKind
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExecutionKind, ExitReason
from core.domain.money import Contracts, Price
from core.domain.order import Order, OrderKind, Purpose
from core.domain.reason import Reason
from core.domain.risk_result import Verdict


@dataclass(frozen=True, slots=True)
class Attached:
    """TP and SL that travel with an entry and rest on the exchange the moment it fills."""

    client_order_id: str
    tp_trigger: Price | None
    sl_trigger: Price | None
    trigger_by: TriggerBy


@dataclass(frozen=True, slots=True)
class Worked:
    """The execution that an order belongs to; kept with the request, for the report."""

    run: str  #: 1E, 3R2, 2C
    since: datetime | None  #: tells closes of one cycle apart that were asked for in a style; else None
    kind: ExecutionKind
    planned: Contracts  #: the whole
    contract_value: Decimal  #: base asset in one contract


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """One ordinary order."""

    part: str
    cycle: int
    client_order_id: str
    purpose: Purpose
    symbol: str
    position_side: Side
    side: OrderSide
    kind: OrderKind
    quantity: Contracts
    price: Price | None = None
    reduce_only: bool = False
    attached: Attached | None = None
    leverage: Decimal | None = None  #: make sure of this leverage before anything is sent
    reference: Price | None = None  #: the price it was decided by: the side of the book that it would take then
    worked: Worked | None = None  #: None: it is no piece of an entry, a recovery step or a close


@dataclass(frozen=True, slots=True)
class PlaceOco:
    """TP and SL of a part in one order; with one trigger None it is a single stop or target.

    Where the exchange has no OCO each leg is an order of its own, and says so by its purpose.
    """

    part: str
    cycle: int
    client_order_id: str
    symbol: str
    position_side: Side
    side: OrderSide
    quantity: Contracts
    tp_trigger: Price | None
    sl_trigger: Price | None
    trigger_by: TriggerBy
    purpose: Purpose = Purpose.PROTECT
    dies_with_position: bool = True
    price_protect: bool = False  #: Binance: not set off while last and mark price lie too far apart


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Change a working order in place. None leaves a value as it is."""

    part: str
    order: Order
    quantity: Contracts | None = None
    price: Price | None = None
    tp_trigger: Price | None = None
    sl_trigger: Price | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    part: str
    order: Order


@dataclass(frozen=True, slots=True)
class StartCycle:
    """Fix the size of a cycle at a price and begin it."""

    part: str
    cycle: int
    contracts: Contracts
    price: Price


@dataclass(frozen=True, slots=True)
class StartStep:
    """Fix the size of a recovery step that is worked in several orders, and begin it."""

    part: str
    cycle: int
    step: int
    contracts: Contracts


@dataclass(frozen=True, slots=True)
class ExecutionOver:
    """End an execution worked in several orders; of an entry the cycle's size becomes what was entered."""

    part: str
    cycle: int
    purpose: Purpose
    contracts: Contracts  #: what it came to


@dataclass(frozen=True, slots=True)
class BookExit:
    """Record that contracts of a part were closed by an order that was not ours."""

    part: str
    cycle: int
    quantity: Contracts
    price: Price
    fee: Decimal
    reason: ExitReason
    at: datetime
    exchange_fill_id: str


@dataclass(frozen=True, slots=True)
class EndCycle:
    """End a part's cycle: it is flat and nothing of it rests any more. Money in USDT, before funding."""

    part: str
    cycle: int
    reason: ExitReason
    words: Reason
    realised_pnl: Decimal
    fees: Decimal
    entered: Contracts
    average_entry: Price | None
    average_exit: Price | None


@dataclass(frozen=True, slots=True)
class LetGo:
    """Keep an ended part from being opened again; the reopen rule need not be asked any more."""

    part: str
    cycle: int


@dataclass(frozen=True, slots=True)
class Reduce:
    """Close a part down to a size by the bot's own decision; what the trader asks for meanwhile comes first."""

    part: str
    cycle: int
    to: Contracts


@dataclass(frozen=True, slots=True)
class ReductionDone:
    """End a partial close that has been reached (or cannot be)."""

    part: str
    goal: Contracts  #: the size it was reduced to; a newer wish with another goal is not touched


@dataclass(frozen=True, slots=True)
class ForgetAnswer:
    """Forget the answer to a difference that has changed or gone; it is asked about anew when it comes again."""

    kind: DifferenceKind
    mark: str  #: of the answer; a newer one is not touched


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Tell the operator. `subject` names the thing once, so that it is said once."""

    part: str | None
    subject: str
    words: Reason


ToExchange = PlaceOrder | PlaceOco | AmendOrder | CancelOrder
ToBook = (
    StartCycle
    | StartStep
    | ExecutionOver
    | BookExit
    | EndCycle
    | Reduce
    | ReductionDone
    | LetGo
    | ForgetAnswer
    | RaiseAlarm
)
Action = ToExchange | ToBook


class Rule(StrEnum):
    """The rules of `plan`, in the order in which they are asked."""

    RESOLVE = "resolve"
    FINISH = "finish"
    PROTECT = "protect"
    CLOSE = "close"
    DERISK = "derisk"
    ENTER = "enter"
    RECOVER = "recover"
    REOPEN = "reopen"
    SWEEP = "sweep"
    TOTALS = "totals"


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of a plan: which rule, about which part, why, and what to do if anything."""

    part: str | None
    rule: Rule
    because: Reason
    action: Action | None = None
    verdict: Verdict | None = None  #: of the risk control, where it was asked


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, with a reason for each thing done or not done, and when to look again."""

    decisions: tuple[Decision, ...]
    look_again: timedelta | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(decision.action for decision in self.decisions if decision.action is not None)


class OutcomeKind(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    LOST = "lost"  #: was unknown; asked after its lifetime, and it never arrived


def describe(action: Action) -> Reason:
    """Return what an action does, with its values: code `action.` and the name of its class."""
    match action:
        case PlaceOrder():
            return _placed(action)
        case PlaceOco():
            name, tp, sl = action.client_order_id, action.tp_trigger, action.sl_trigger
            return Reason("action.place_oco", client_order_id=name, quantity=action.quantity, tp=tp, sl=sl)
        case AmendOrder():
            return _amended(action)
        case CancelOrder():
            name = action.order.client_order_id or action.order.exchange_order_id
            return Reason("action.cancel_order", client_order_id=name)
        case BookExit():
            quantity, price, reason = action.quantity, action.price, action.reason
            return Reason("action.book_exit", quantity=quantity, price=price, reason=reason)
        case RaiseAlarm():
            return Reason("action.raise_alarm", subject=action.subject)
        case ForgetAnswer():
            return Reason("action.forget_answer", kind=action.kind)
    return _of_cycle(action)


def _placed(action: PlaceOrder) -> Reason:
    name, quantity = action.client_order_id, action.quantity
    if action.price is None:
        return Reason("action.place_order", client_order_id=name, quantity=quantity)
    return Reason("action.place_order_at", client_order_id=name, quantity=quantity, price=action.price)


def _amended(action: AmendOrder) -> Reason:
    order = action.order
    name, quantity = order.client_order_id or order.exchange_order_id, action.quantity or order.quantity
    if not order.kind.rests_on_trigger:
        price = action.price or order.price
        return Reason("action.amend_limit_order", client_order_id=name, quantity=quantity, price=price)
    return Reason(
        "action.amend_order",
        client_order_id=name,
        quantity=quantity,
        tp_was=order.tp_trigger,
        tp=action.tp_trigger or order.tp_trigger,
        sl_was=order.sl_trigger,
        sl=action.sl_trigger or order.sl_trigger,
    )


def _of_cycle(action: StartCycle | StartStep | ExecutionOver | EndCycle | Reduce | ReductionDone | LetGo) -> Reason:
    match action:
        case StartCycle():
            cycle, contracts, price = action.cycle, action.contracts, action.price
            return Reason("action.start_cycle", cycle=cycle, contracts=contracts, price=price)
        case StartStep():
            return Reason("action.start_step", step=action.step, contracts=action.contracts)
        case ExecutionOver():
            return Reason("action.execution_over", contracts=action.contracts)
        case EndCycle():
            return Reason("action.end_cycle", cycle=action.cycle, reason=action.reason)
        case Reduce():
            return Reason("action.reduce", to=action.to)
        case ReductionDone():
            return Reason("action.reduction_done", goal=action.goal)
        case LetGo():
            return Reason("action.let_go")


@dataclass(frozen=True, slots=True)
class Command:
    """A placement that was decided, recorded before it is sent."""

    client_order_id: str
    key_text: str
    part: str
    cycle: int
    purpose: Purpose
    side: OrderSide
    kind: OrderKind
    quantity: Contracts
    recorded_at: datetime
    outcome: OutcomeKind | None = None  #: None: no outcome recorded (a crash between record and answer)
    code: str = ""
    words: str = ""  #: what the exchange said

    @property
    def unresolved(self) -> bool:
        return self.outcome in (None, OutcomeKind.UNKNOWN)
