"""Small values for tests, told by what is special about them.

One contract of the test coin is 0.1 coin and its price is 1,000 USDT, so one contract is worth 100 USDT and
1,000 USDT buy ten. A TP of +50 USDT on ten contracts lies at 1,050, an SL of -100 USDT at 900.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.account import Level, PositionKey
from core.domain.action import (
    AmendOrder,
    BookExit,
    CancelOrder,
    Command,
    EndCycle,
    ExecutionOver,
    ForgetAnswer,
    LetGo,
    OutcomeKind,
    PlaceOco,
    PlaceOrder,
    Plan,
    RaiseAlarm,
    Reduce,
    ReductionDone,
    StartCycle,
    StartStep,
)
from core.domain.difference import DifferenceAnswer
from core.domain.ids import meaning
from core.domain.instrument import Instrument, OrderSide, Side
from core.domain.intent import Desired, ExecutionStyle, Intent, Limits, Target, Wanted
from core.domain.money import Contracts, Price, plain
from core.domain.observation import PortFacts, Position, Seen, Ticker
from core.domain.order import Fill, Order, OrderKind, OrderStatus, Purpose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PART = "000001"
LONG = PositionKey("paper", "COIN-USDT-PERP", Side.LONG)
SHORT = PositionKey("paper", "COIN-USDT-PERP", Side.SHORT)
STOP_PASSED, TARGET_PASSED, NOTHING_HELD, OFF_GRID = "51280", "51279", "51169", "51121"

COIN = Instrument(
    symbol="COIN-USDT-PERP",
    exchange_symbol="COIN-USDT-SWAP",
    base="COIN",
    quote="USDT",
    settle="USDT",
    contract_value=Decimal("0.1"),
    price_tick=Decimal("0.5"),
    quantity_step=Decimal("0.1"),
    min_quantity=Contracts(Decimal("0.1")),
    max_market_quantity=Contracts(Decimal(500)),
    max_limit_quantity=Contracts(Decimal(1000)),
    min_notional=Decimal(0),
    max_leverage=Decimal(100),
)
FACTS = PortFacts(
    request_lifetime=timedelta(seconds=10),
    native_oco=True,
    can_amend_triggers=True,
    attaches_protection=True,
    stop_passed_codes=frozenset({STOP_PASSED}),
    target_passed_codes=frozenset({TARGET_PASSED}),
    nothing_held_codes=frozenset({NOTHING_HELD}),
    precision_codes=frozenset({OFF_GRID}),
)
TP_50 = Target(pnl_usdt=Decimal(50))
SL_100 = Target(pnl_usdt=Decimal(-100))


def D(number: object) -> Decimal:
    return Decimal(str(number))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def contracts(number: object) -> Contracts:
    return Contracts(D(number))


def price(number: object) -> Price:
    return Price(D(number))


def intent(part: str = PART, **changes: Any) -> Intent:
    """Long 1,000 USDT at market, TP +50, SL -100, asked for and not begun."""
    asked = Intent(
        part=part,
        key=LONG,
        wanted=Wanted.OPEN,
        position_value=D(1000),
        leverage=D(10),
        entry=ExecutionStyle(),
        take_profit=TP_50,
        stop_loss=SL_100,
        asked_at=NOON,
    )
    return asked.but(**changes)


def begun(part: str = PART, **changes: Any) -> Intent:
    """The same with its cycle started for ten contracts, a minute ago."""
    return intent(part, **{"contracts": contracts(10), "cycle_started_at": after(-60), **changes})


def order(
    client_order_id: str, quantity: object = 10, *, filled: object = 0, at: object = None, **changes: Any
) -> Order:
    """An order of ours, its part, cycle and purpose told by its id; `at` is the average price of what it filled."""
    said = meaning(client_order_id)
    purpose = said.purpose if said else Purpose.FOREIGN
    side = Side.LONG
    whole = D(filled) >= D(quantity)
    facts: dict[str, Any] = {
        "client_order_id": client_order_id,
        "exchange_order_id": f"x-{client_order_id}",
        "symbol": COIN.symbol,
        "position_side": side,
        "part": said.part if said else None,
        "cycle": said.cycle if said else None,
        "purpose": purpose,
        "side": side.opening if purpose.adds_risk else side.closing,
        "kind": OrderKind.MARKET,
        "quantity": contracts(quantity),
        "status": OrderStatus.FILLED if whole else OrderStatus.WORKING,
        "reduce_only": not purpose.adds_risk,
        "filled": contracts(filled),
        "average_price": price(at if at is not None else 1000) if D(filled) else None,
        "created_at": after(-60),
        "updated_at": after(-60),
    }
    return Order(**{**facts, **changes})


def entry(filled: object = 10, quantity: object = 10, number: int = 1, part: str = PART, **changes: Any) -> Order:
    """A market entry."""
    return order(f"op{part}01E{number:02}", quantity, filled=filled, **changes)


def oco(
    quantity: object = 10, tp: object = 1050, sl: object = 900, *, name: str = "P01", part: str = PART, **changes: Any
) -> Order:
    """An OCO that dies with the position; None leaves a leg out."""
    facts: dict[str, Any] = {
        "kind": OrderKind.OCO if tp is not None and sl is not None else OrderKind.CONDITIONAL,
        "tp_trigger": None if tp is None else price(tp),
        "sl_trigger": None if sl is None else price(sl),
        "dies_with_position": True,
    }
    return order(f"op{part}01{name}", quantity, **{**facts, **changes})


def net(quantity: object = 10, tp: object = 1050, sl: object = 900, **changes: Any) -> Order:
    """The OCO that came with an entry and does not die with the position."""
    return oco(quantity, tp, sl, **{"name": "N01", "dies_with_position": False, **changes})


def command(client_order_id: str, quantity: object = 10, *, ago: float = 60, **changes: Any) -> Command:
    """A placement that was done, a minute ago."""
    said = meaning(client_order_id)
    assert said is not None
    facts: dict[str, Any] = {
        "client_order_id": client_order_id,
        "key_text": str(LONG),
        "part": said.part,
        "cycle": said.cycle,
        "purpose": said.purpose,
        "side": OrderSide.BUY if said.purpose.adds_risk else OrderSide.SELL,
        "kind": OrderKind.OCO if said.purpose is Purpose.PROTECT else OrderKind.MARKET,
        "quantity": contracts(quantity),
        "recorded_at": after(-ago),
        "outcome": OutcomeKind.DONE,
    }
    return Command(**{**facts, **changes})


def position(held: object = 10, mark: object = 1000, side: Side = Side.LONG, **changes: Any) -> Position:
    facts: dict[str, Any] = {
        "symbol": COIN.symbol,
        "side": side,
        "contracts": contracts(held),
        "average_price": price(1000),
        "mark_price": price(mark),
        "last_price": price(mark),
        "liquidation_price": None,
        "leverage": D(10),
        "margin": D(100),
        "unrealised_pnl": D(0),
        "realised_pnl": D(0),
        "funding": D(0),
        "position_id": "p-1",
        "opened_at": after(-60),
        "updated_at": NOON,
    }
    return Position(**{**facts, **changes})


def ticker(level: object = 1000, spread: object = 1, **changes: Any) -> Ticker:
    """A fresh price with the book one tick to each side."""
    half = D(spread) / 2
    facts: dict[str, Any] = {
        "symbol": COIN.symbol,
        "last": price(level),
        "bid": price(D(level) - half),
        "ask": price(D(level) + half),
        "mark": price(level),
        "at": NOON,
    }
    return Ticker(**{**facts, **changes})


def fill(identity: str, quantity: object = 10, level: object = 1000, **changes: Any) -> Fill:
    """A closing fill that is not ours."""
    facts: dict[str, Any] = {
        "exchange_fill_id": identity,
        "exchange_order_id": f"x-{identity}",
        "client_order_id": "",
        "symbol": COIN.symbol,
        "position_side": Side.LONG,
        "side": OrderSide.SELL,
        "quantity": contracts(quantity),
        "price": price(level),
        "fee": D("-0.5"),
        "maker": False,
        "realised_pnl": D(0),
        "at": after(-5),
    }
    return Fill(**{**facts, **changes})


def seen(*orders: Order, held: object = 0, mark: object = 1000, **changes: Any) -> Seen:
    """A calm look: confirmed, settled, healthy, fresh price, money enough."""
    facts: dict[str, Any] = {
        "key": LONG,
        "instrument": COIN,
        "facts": FACTS,
        "position": position(held, mark) if D(held) else None,
        "confirmed": True,
        "orders": orders,
        "commands": (),
        "foreign_fills": (),
        "ticker": ticker(mark),
        "available": D(100_000),
        "hedge_mode": True,
        "healthy": True,
        "as_of": NOON,
    }
    return Seen(**{**facts, **changes})


def desired(
    *intents: Intent, level: Level = Level.RUN, limits: Limits | None = None, answers: tuple[DifferenceAnswer, ...] = ()
) -> Desired:
    key = intents[0].key if intents else LONG
    return Desired(key, intents, level, limits or Limits(), answers)


def in_words(decided: Plan) -> list[str]:
    """The actions of a plan as a person would say them."""
    return [_say(action) for action in decided.actions]


def because(decided: Plan, rule: str) -> str:
    """Everything that one rule had to say."""
    return " | ".join(str(decision.because) for decision in decided.decisions if decision.rule == rule)


def _say(action: object) -> str:
    match action:
        case PlaceOrder():
            name = "close" if action.purpose is Purpose.CLOSE else action.purpose.name.lower().replace("_", "-")
            at = f" at {plain(action.price)}" if action.price is not None else ""
            return f"place {name} {plain(action.quantity)}{at}"
        case PlaceOco():
            return f"place oco {plain(action.quantity)} {_legs(action.tp_trigger, action.sl_trigger)}"
        case AmendOrder():
            pieces = [
                ("to", action.quantity),
                ("at", action.price),
                ("tp", action.tp_trigger),
                ("sl", action.sl_trigger),
            ]
            said = " ".join(f"{word} {plain(value)}" for word, value in pieces if value is not None)
            return f"amend {_short(action.order)} {said}"
        case CancelOrder():
            return f"cancel {_short(action.order)}"
        case StartCycle():
            return f"start cycle {action.cycle} of {plain(action.contracts)}"
        case EndCycle():
            return f"end cycle {action.cycle}: {action.reason}"
        case BookExit():
            return f"book exit {plain(action.quantity)} at {plain(action.price)}: {action.reason}"
        case Reduce():
            return f"reduce to {plain(action.to)}"
        case ReductionDone():
            return "reduction done"
        case StartStep():
            return f"start step {action.step} of {plain(action.contracts)}"
        case ExecutionOver():
            return f"execution over {action.purpose.name.lower()} {plain(action.contracts)}"
        case ForgetAnswer():
            return f"forget the answer to {action.kind} {action.mark}"
        case LetGo():
            return "let go"
        case RaiseAlarm():
            return f"alarm {action.subject.split('/')[0]}"
    raise AssertionError(f"no words for {action!r}")


def _legs(tp: Price | None, sl: Price | None) -> str:
    return f"tp {plain(tp) if tp is not None else '-'} sl {plain(sl) if sl is not None else '-'}"


def _short(order: Order) -> str:
    """`P01` for one of ours, the whole id for others'."""
    said = meaning(order.client_order_id)
    return f"{said.purpose.value}{said.number:02}" if said else order.client_order_id or order.exchange_order_id
