"""A realistic snapshot of one account, as the bot stores it, made fresh at the time of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from core.domain.account import Account, Environment, Exchange, Level
from core.domain.action import Rule
from core.domain.instrument import Instrument
from core.domain.intent import ExitReason, Target
from core.domain.money import Price
from core.domain.observation import Ticker
from core.domain.order import Purpose
from core.domain.reason import text
from core.domain.snapshot import (
    AccountSnapshot,
    AlarmSnapshot,
    BotSnapshot,
    ConditionalOrders,
    DifferenceSnapshot,
    ExecutionSnapshot,
    Explanation,
    HealthSnapshot,
    MoneySnapshot,
    OrderSnapshot,
    PartSnapshot,
    PositionSnapshot,
    ProtectionSnapshot,
    ReopenSnapshot,
    RequestUsage,
    RuntimeMetrics,
    UnresolvedCommand,
)

PAPER = Account("paper-okx", "Paper OKX", Exchange.OKX, Environment.PAPER, "", "")
DEMO = Account("demo-okx", "OKX demo", Exchange.OKX, Environment.DEMO, "", "", "9f2c", "read_only,trade")
BTC = "BTC-USDT-PERP"
MARK = Decimal("100412.3")


T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


def built(kind: type[T], values: Mapping[str, Any]) -> T:
    """A value of the snapshot from plain ones: numbers and words may be text."""
    return _builder(kind).validate_python(dict(values))


@cache
def _builder(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def leg(name: str) -> dict[str, Any]:
    """One leg of a pair; an OCO is both."""
    at = now() - timedelta(minutes=4)
    named = {"client_order_id": f"op{name}01P01", "status": "working"}
    return {**named, "quantity": "0.99", "filled": "0", "created_at": at, "updated_at": at}


def instrument(base: str, value: str, tick: str, **changes: Any) -> Instrument:
    rules = {
        "symbol": f"{base}-USDT-PERP",
        "exchange_symbol": f"{base}-USDT-SWAP",
        "base": base,
        "quote": "USDT",
        "settle": "USDT",
        "contract_value": value,
        "price_tick": tick,
        "quantity_step": "0.01",
        "min_quantity": "0.01",
        "max_market_quantity": "12000",
        "max_limit_quantity": "100000000",
        "min_notional": "0",
        "max_leverage": "100",
        "maintenance_rate": "0.004",
    }
    return built(Instrument, rules | changes)


def ticker(symbol: str, last: str, mark: str, bid: str) -> Ticker:
    return Ticker(symbol, price(last), price(bid), price(last), price(mark), now())


def explained(rule: str, because: str, action: str | None = None) -> Explanation:
    """A decision of the last look, in words."""
    return Explanation(Rule(rule), text(because), text(action) if action else None)


def part(name: str, **changes: Any) -> PartSnapshot:
    """A protected long of 1,000 USDT in BTC, with `changes`; of its levels as `stop_loss_price`, `take_profit_pnl`."""
    fields: dict[str, Any] = {
        "name": name,
        "strategy": "manual",
        "symbol": BTC,
        "side": "long",
        "status": "open",
        "wanted": "open",
        "position_value": "1000",
        "contracts": "0.99",
        "size": "0.99",
        "coins": "0.0099",
        "average_entry": "100250.1",
        "leverage": "10",
        "mark_price": MARK,
        "unrealised_pnl": "1.6058",
        "realised_pnl": "0",
        "fees": "-0.4962",
        "take_profit": {
            "wanted": Target(pnl_usdt=Decimal(50)),
            "price": "105300.7",
            "distance_pct": "4.87",
            "pnl": "50.00",
            "covered": "0.99",
        },
        "stop_loss": {
            "wanted": Target(pnl_usdt=Decimal(-100)),
            "price": "90149.1",
            "distance_pct": "-10.22",
            "pnl": "-100.00",
            "covered": "0.99",
        },
        "protected": True,
        "protection_seen_at": now() - timedelta(seconds=2),
        "pair": {"state": "working", "take_profit": leg(name), "stop_loss": leg(name)},
        "cycle": 1,
        "cycle_started_at": now() - timedelta(minutes=42),
        "cycle_ended_at": None,
        "exit_reason": None,
        "bare_seconds_today": "0.0",
        "edited": False,
        "recovery": {
            "trigger_pnl": "-50",
            "add_notional": "100",
            "tp_usdt": "50",
            "sl_usdt": "100",
            "max_steps": None,
            "max_loss": None,
            "steps": 1,
            "last_at": now() - timedelta(minutes=3),
            "next_price": "95199.5",
        },
        "reopen": reopen(None),
        "executions": (),
        "why": (
            explained("protect", "take-profit and stop-loss rest for 0.99 contracts"),
            explained("recover", "recovery step 1 waits: PnL +1.61 USDT, trigger -50"),
        ),
    }
    for field, value in changes.items():
        level = next((level for level in ("take_profit", "stop_loss") if field.startswith(f"{level}_")), None)
        if level is None:
            fields[field] = value
        else:
            fields[level][field.removeprefix(f"{level}_")] = value
    return built(PartSnapshot, fields)


def reopen(due: datetime | None) -> ReopenSnapshot:
    """The usual reopen rule; `due`: when the next cycle begins."""
    after = (ExitReason.CLOSED_BY_HAND, ExitReason.STOP_LOSS, ExitReason.TAKE_PROFIT)
    return ReopenSnapshot(due, holds=True, after=after, delay_minutes=Decimal(5))


def with_part(snapshot: AccountSnapshot | None, name: str, **changes: Any) -> AccountSnapshot:
    """The snapshot with another value of one part."""
    assert snapshot is not None
    parts = tuple(replace(one, **changes) if one.name == name else one for one in snapshot.parts)
    return replace(snapshot, parts=parts)


def run(name: str = "1E", **changes: Any) -> ExecutionSnapshot:
    """A TWAP entry of which a third is in, its next slice in a minute, with `changes`."""
    fields: dict[str, Any] = {
        "run": name,
        "purpose": Purpose.ENTRY,
        "kind": "twap",
        "planned": "0.99",
        "filled": "0.33",
        "remaining": "0.66",
        "average": "100250.1",
        "working": False,
        "price": None,
        "step": text("the next slice is due in 65 s"),
        "until": now() + timedelta(seconds=65.5),
        "started_at": now() - timedelta(minutes=2),
        "finishing": False,
        "withdrawn": False,
    }
    return built(ExecutionSnapshot, fields | changes)


def order(client_order_id: str, **changes: Any) -> OrderSnapshot:
    fields: dict[str, Any] = {
        "client_order_id": client_order_id,
        "exchange_order_id": "718822001",
        "part": "00a7k2",
        "purpose": Purpose.PROTECT,
        "symbol": BTC,
        "side": "sell",
        "position_side": "long",
        "kind": "oco",
        "quantity": "0.99",
        "filled": "0",
        "price": None,
        "take_profit_trigger": "105300.7",
        "stop_loss_trigger": "90149.1",
        "trigger_by": "mark",
        "status": "working",
        "created_at": now() - timedelta(minutes=42),
    }
    return built(OrderSnapshot, fields | changes)


def foreign_order(**changes: Any) -> OrderSnapshot:
    """A limit order of somebody else."""
    return order("", part=None, purpose=Purpose.FOREIGN, kind="limit", **changes)


def difference(kind: str, **changes: Any) -> DifferenceSnapshot:
    """One contract more at the exchange than in our book, with `changes`."""
    fields: dict[str, Any] = {
        "kind": kind,
        "symbol": BTC,
        "side": "long",
        "ours": text("0.99"),
        "theirs": text("1.99"),
        "since": now() - timedelta(minutes=7),
        "words": text(f"A {kind} of some contracts."),
        "choices": (),
        "answer": None,
        "mark": "1",
        "quantity": "1",
        "price": None,
        "leverage": "10",
        "parts": (),
    }
    return built(DifferenceSnapshot, fields | changes)


def empty_snapshot(account: Account = PAPER, **changes: Any) -> AccountSnapshot:
    """An account on which nothing is held, its bot running and its sources well, with `changes`."""
    at = now()
    calm = AccountSnapshot(
        account=account.id,
        name=account.name,
        exchange=account.exchange,
        environment=account.environment,
        as_of=at,
        published_at=at,
        bot=BotSnapshot(True, None, Level.RUN, at, "here"),
        health=HealthSnapshot(None, True, None, at, {}),
        protection=ProtectionSnapshot(0, 0, Decimal(0)),
        money=None,
        conditional=None,
        positions=(),
        parts=(),
        orders=(),
        unresolved=(),
        differences=(),
        alarms=(),
        tickers={},
        instruments={},
        runtime=RuntimeMetrics((0,) * 11, 0.0, 0, None),
    )
    return replace(calm, **changes)


def sample_snapshot() -> AccountSnapshot:
    """Three parts: one long in profit, one short in loss without its stop, one that waits to be reopened."""
    at = now()
    return empty_snapshot(
        money=MoneySnapshot(
            equity=Decimal("10012.4096"),
            available=Decimal("9713.2041"),
            floating_pnl=Decimal("-12.4096"),
            margin_used=Decimal("299.2055"),
            hedge_mode=True,
            as_of=at,
        ),
        health=HealthSnapshot(None, True, None, at, {"orders": RequestUsage(2, 60), "account": RequestUsage(3, 10)}),
        conditional=ConditionalOrders(2, None),
        protection=ProtectionSnapshot(1, 2, Decimal("0.4")),
        positions=(_bitcoin_held(), _ether_held()),
        parts=(_waiting(), part("00a7k2"), _bare_ether()),
        orders=(
            order("op00a7k201P01"),
            order("op00a7k501E01", part="00a7k5", purpose=Purpose.ENTRY, kind="limit", side="buy", price="99000"),
            foreign_order(price="120000"),
        ),
        unresolved=(UnresolvedCommand("op00a7k302P02", Purpose.PROTECT, "00a7k3", at),),
        differences=(
            difference("residual", choices=["adopt", "assign", "ignore"], price="100250.1", parts=["00a7k2"]),
            difference("shortfall", side="short", ours=text("3"), quantity="2", mark="2", choices=["book", "wait"]),
        ),
        alarms=(AlarmSnapshot("bare/00a7k3", text("Part 00a7k3 has no stop at the exchange."), at),),
        tickers={
            BTC: ticker(BTC, "100415", str(MARK), "100414.9"),
            "ETH-USDT-PERP": ticker("ETH-USDT-PERP", "3561.80", "3561.75", "3561.79"),
            "SOL-USDT-PERP": ticker("SOL-USDT-PERP", "200.02", "200.00", "200.01"),
        },
        instruments={
            BTC: instrument("BTC", "0.01", "0.1"),
            "ETH-USDT-PERP": instrument("ETH", "0.1", "0.01"),
            "SOL-USDT-PERP": instrument("SOL", "1", "0.01"),
        },
    )


def _bare_ether() -> PartSnapshot:
    return part(
        "00a7k3",
        symbol="ETH-USDT-PERP",
        side="short",
        size="2.84",
        contracts="2.84",
        coins="0.284",
        average_entry="3512.40",
        mark_price="3561.75",
        unrealised_pnl="-14.0154",
        leverage="5",
        take_profit_price="3336.34",
        stop_loss_price="3864.51",
        take_profit_distance_pct="-6.33",
        stop_loss_distance_pct="8.50",
        protected=False,
        stop_loss_covered="0",
        take_profit_covered="0",
        recovery=None,
        protection_seen_at=None,
        cycle=2,
        why=(explained("protect", "held 2.84 and bare, so the stop comes first", "place OCO 2.84"),),
    )


def _waiting() -> PartSnapshot:
    return part(
        "00a7k4",
        symbol="SOL-USDT-PERP",
        status="closed",
        size="0",
        coins="0",
        average_entry=None,
        unrealised_pnl="0",
        take_profit_price=None,
        stop_loss_price=None,
        take_profit_distance_pct=None,
        stop_loss_distance_pct=None,
        take_profit_pnl=None,
        stop_loss_pnl=None,
        protected=False,
        protection_seen_at=None,
        cycle=3,
        exit_reason="take_profit",
        take_profit_covered="0",
        cycle_ended_at=now() - timedelta(seconds=48),
        reopen=reopen(now() + timedelta(seconds=252.5)),
        why=(explained("reopen", "waits 4:12 after the take-profit"),),
    )


def _bitcoin_held() -> PositionSnapshot:
    fields = {
        "symbol": BTC,
        "side": "long",
        "contracts": "1.99",
        "coins": "0.0199",
        "notional": "1998.20",
        "average_price": "100250.1",
        "mark_price": MARK,
        "last_price": "100415.0",
        "unrealised_pnl": "1.6058",
        "unrealised_pct": "1.62",
        "leverage": "10",
        "margin": "199.82",
        "liquidation_price": "9120.4",
        "funding": "-0.1032",
        "position_id": "8812",
        "opened_at": now(),
        "residual": "1",
        "parts": ("00a7k2",),
    }
    return built(PositionSnapshot, fields)


def _ether_held() -> PositionSnapshot:
    fields = {
        "symbol": "ETH-USDT-PERP",
        "side": "short",
        "contracts": "2.84",
        "coins": "0.284",
        "notional": "1011.54",
        "average_price": "3512.40",
        "mark_price": "3561.75",
        "last_price": "3561.80",
        "unrealised_pnl": "-14.0154",
        "unrealised_pct": "-7.02",
        "leverage": "5",
        "margin": "202.31",
        "liquidation_price": None,
        "funding": "0",
        "position_id": "8813",
        "opened_at": now(),
        "residual": "0",
        "parts": ("00a7k3",),
    }
    return built(PositionSnapshot, fields)


def price(number: str) -> Price:
    return Price(Decimal(number))
