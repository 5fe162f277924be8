"""A realistic picture of one account, as the bot puts it on the board, made fresh at the time of asking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.account import Account, Environment, Exchange
from core.domain.instrument import OrderSide, Side
from core.domain.intent import ExecutionKind
from core.domain.money import Contracts, Price
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.position_history import ClosedPosition, LastClose
from core.domain.reason import text
from core.domain.risk_result import Check, CheckName
from core.services.reporting.executions import ExecutionReport
from db.records import CycleRecord
from db.repositories.risk_checks import RiskCheck

PAPER = Account("paper-okx", "Paper OKX", Exchange.OKX, Environment.PAPER, "", "")
DEMO = Account("demo-okx", "OKX demo", Exchange.OKX, Environment.DEMO, "", "", "9f2c", "read_only,trade")
BTC = "BTC-USDT-PERP"
MARK = Decimal("100412.3")


def leg(name: str) -> dict[str, Any]:
    """One leg of a pair; an OCO is both."""
    stamp = (now() - timedelta(minutes=4)).isoformat()
    return {
        "client_order_id": f"op{name}01P01",
        "status": "working",
        "quantity": "0.99",
        "filled": "0",
        "created_at": stamp,
        "updated_at": stamp,
    }


def now() -> datetime:
    return datetime.now(UTC)


def instrument(base: str, value: str, tick: str) -> dict[str, Any]:
    return {
        "base": base,
        "contract_value": value,
        "price_tick": tick,
        "quantity_step": "0.01",
        "min_quantity": "0.01",
        "max_market_quantity": "12000",
        "max_limit_quantity": "100000000",
        "max_leverage": "100",
        "min_notional": "0",
        "maintenance_rate": "0.004",
        "taker_fee": "0.0005",
        "maker_fee": "0.0002",
        "exchange_symbol": f"{base}-USDT-SWAP",
        "tradable": True,
    }


def ticker(last: str, mark: str, bid: str) -> dict[str, Any]:
    return {"last": last, "mark": mark, "bid": bid, "ask": last, "at": now().isoformat()}


def part(name: str, **changes: Any) -> dict[str, Any]:
    """A protected long of 1,000 USDT in BTC, with `changes`."""
    started = (now() - timedelta(minutes=42)).isoformat()
    return {
        "part": name,
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
        "mark_price": str(MARK),
        "unrealised_pnl": "1.6058",
        "realised_pnl": "0",
        "take_profit": {"pnl_usdt": "50", "trigger_by": "mark"},
        "stop_loss": {"pnl_usdt": "-100", "trigger_by": "mark"},
        "take_profit_price": "105300.7",
        "stop_loss_price": "90149.1",
        "take_profit_distance_pct": "4.87",
        "stop_loss_distance_pct": "-10.22",
        "take_profit_pnl": "50.00",
        "stop_loss_pnl": "-100.00",
        "protected": True,
        "stop_covered": "0.99",
        "protection_seen_at": (now() - timedelta(seconds=2)).isoformat(),
        "pair": {"state": "working", "take_profit": leg(name), "stop_loss": leg(name)},
        "cycle": 1,
        "cycle_started_at": started,
        "fees": "-0.4962",
        "bare_seconds_today": "0.0",
        "exit_reason": None,
        "cycle_ended_at": None,
        "edited": False,
        "target_covered": "0.99",
        "recovery": {
            "trigger_pnl": "-50",
            "add_notional": "100",
            "tp_usdt": "50",
            "sl_usdt": "100",
            "max_steps": None,
            "max_loss": None,
            "steps": 1,
            "last_at": (now() - timedelta(minutes=3)).isoformat(),
            "next_price": "95199.5",
        },
        "reopen": {
            "due": None,
            "after": ["closed_by_hand", "stop_loss", "take_profit"],
            "delay_minutes": "5",
            "max_cycles": None,
            "loss_budget": None,
        },
        "runs": [],
        "why": [
            {"rule": "protect", "because": "take-profit and stop-loss rest for 0.99 contracts", "action": None},
            {"rule": "recover", "because": "recovery step 1 waits: PnL +1.61 USDT, trigger -50", "action": None},
        ],
        **changes,
    }


def run(name: str = "1E", **changes: Any) -> dict[str, Any]:
    """A TWAP entry of which a third is in, its next slice in a minute, with `changes`."""
    return {
        "run": name,
        "purpose": "entry",
        "kind": "twap",
        "sliced": True,
        "planned": "0.99",
        "filled": "0.33",
        "remaining": "0.66",
        "average": "100250.1",
        "working": False,
        "price": None,
        "step": "the next slice is due in 65 s",
        "until": (now() + timedelta(seconds=65.5)).isoformat(),
        "started_at": (now() - timedelta(minutes=2)).isoformat(),
        "told": None,
        **changes,
    }


def order(client_order_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "client_order_id": client_order_id,
        "exchange_order_id": "718822001",
        "part": "00a7k2",
        "purpose": "protect",
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
        "foreign": False,
        "created_at": (now() - timedelta(minutes=42)).isoformat(),
        **changes,
    }


def difference(kind: str, **changes: Any) -> dict[str, Any]:
    """One contract more at the exchange than in our book, with `changes`."""
    row = {
        "kind": kind,
        "symbol": BTC,
        "side": "long",
        "ours": "0.99",
        "theirs": "1.99",
        "since": (now() - timedelta(minutes=7)).isoformat(),
        "words": f"A {kind} of some contracts.",
        "choices": [],
        "answer": None,
        "mark": "1",
        "quantity": "1",
        "price": None,
        "leverage": "10",
        "parts": [],
        **changes,
    }
    return {"id": f"{kind}/{row['symbol']}/{row['side']}", **row}


def sample_picture() -> dict[str, Any]:
    """Three parts: one long in profit, one short in loss without its stop, one that waits to be reopened."""
    ether = part(
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
        stop_covered="0",
        target_covered="0",
        recovery=None,
        protection_seen_at=None,
        cycle=2,
        why=[{"rule": "protect", "because": "held 2.84 and bare, so the stop comes first", "action": "place OCO 2.84"}],
    )
    waiting = part(
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
        target_covered="0",
        cycle_ended_at=(now() - timedelta(seconds=48)).isoformat(),
        reopen={**part("")["reopen"], "due": (now() + timedelta(seconds=252.5)).isoformat()},
        why=[{"rule": "reopen", "because": "waits 4:12 after the take-profit", "action": None}],
    )
    at = now().isoformat()
    return {
        "account": PAPER.id,
        "name": PAPER.name,
        "exchange": "okx",
        "environment": "paper",
        "as_of": at,
        "bot": {"state": "running", "words": "", "level": "run", "since": at, "holder": "here"},
        "metrics": {
            "equity": "10012.4096",
            "available": "9713.2041",
            "floating_pnl": "-12.4096",
            "margin_used": "299.2055",
            "hedge_mode": True,
            "as_of": at,
        },
        "health": {
            "exchange": "ok",
            "stream": "connected",
            "stream_heard_at": at,
            "database": "ok",
            "requests": {"orders": ["2", "60"], "account": ["3", "10"]},
        },
        "conditional": {"used": 2, "most": None},
        "protection": {"protected": 1, "parts": 2, "bare_seconds_today": "0.4"},
        "positions": [
            {
                "symbol": BTC,
                "side": "long",
                "contracts": "1.99",
                "coins": "0.0199",
                "notional": "1998.20",
                "average_price": "100250.1",
                "mark_price": str(MARK),
                "last_price": "100415.0",
                "unrealised_pnl": "1.6058",
                "unrealised_pct": "1.62",
                "leverage": "10",
                "margin": "199.82",
                "liquidation_price": "9120.4",
                "funding": "-0.1032",
                "position_id": "8812",
                "opened_at": at,
                "residual": "1",
                "parts": ["00a7k2"],
            },
            {
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
                "opened_at": at,
                "residual": "0",
                "parts": ["00a7k3"],
            },
        ],
        "parts": [waiting, part("00a7k2"), ether],
        "orders": [
            order("op00a7k201P01"),
            order("op00a7k501E01", part="00a7k5", purpose="entry", kind="limit", side="buy", price="99000"),
            order("", part=None, purpose="foreign", kind="limit", foreign=True, price="120000"),
        ],
        "unresolved": [{"client_order_id": "op00a7k302P02", "purpose": "protect", "part": "00a7k3", "since": at}],
        "differences": [
            difference("residual", choices=["adopt", "assign", "ignore"], price="100250.1", parts=["00a7k2"]),
            difference("shortfall", side="short", ours="3", quantity="2", mark="2", choices=["book", "wait"]),
        ],
        "alarms": [{"subject": "bare/00a7k3", "words": "Part 00a7k3 has no stop at the exchange.", "raised_at": at}],
        "tickers": {
            BTC: ticker("100415", str(MARK), "100414.9"),
            "ETH-USDT-PERP": ticker("3561.80", "3561.75", "3561.79"),
            "SOL-USDT-PERP": ticker("200.02", "200.00", "200.01"),
        },
        "instruments": {
            BTC: instrument("BTC", "0.01", "0.1"),
            "ETH-USDT-PERP": instrument("ETH", "0.1", "0.01"),
            "SOL-USDT-PERP": instrument("SOL", "1", "0.01"),
        },
    }


def execution_reports() -> list[ExecutionReport]:
    """A close at market, and before it an entry by TWAP that half of it made the market."""
    twap = ExecutionReport(
        account=PAPER.id,
        symbol=BTC,
        side=Side.LONG,
        buys=True,
        strategy="manual",
        part="00a7k2",
        cycle=1,
        run="1E",
        purpose=Purpose.ENTRY,
        kind=ExecutionKind.TWAP,
        first_order="op00a7k201E01",
        planned=Contracts(Decimal("0.99")),
        filled=Contracts(Decimal("0.99")),
        arrival=price("100200.1"),
        average=price("100250.1"),
        slippage_bp=Decimal("4.99"),
        slippage_usdt=Decimal("0.495"),
        fees=Decimal("-0.3474"),
        maker_share=Decimal("0.5"),
        orders=10,
        refusals=1,
        working=False,
        began=now() - timedelta(hours=2),
        ended=now() - timedelta(hours=1.5),
    )
    close = replace(twap, run="1C", purpose=Purpose.CLOSE, kind=ExecutionKind.MARKET, buys=False, orders=1, refusals=0)
    return [replace(close, began=now() - timedelta(hours=1), slippage_bp=None, slippage_usdt=None), twap]


def risk_rows() -> list[RiskCheck]:
    """An entry that was let through, and one that was refused three times."""
    words = "order value 2000 USDT is above your limit: 1500 USDT at most"
    failed = Check(CheckName.ORDER_VALUE, Decimal(2000), Decimal(1500), "USDT", text(words))
    let, at = Check(CheckName.BALANCE, Decimal(100), Decimal(9000), "USDT"), now() - timedelta(minutes=4)
    none: tuple[Any, ...] = ("", None, None, "", "")
    refused = (failed.name, failed.value, failed.limit, failed.unit, words)
    return [
        RiskCheck(8, at, PAPER.id, BTC, "00a7k2", "E", "op00a7k201E01", True, *none, (let,), 0, None),
        RiskCheck(7, at, PAPER.id, BTC, "00a7k6", "E", "", False, *refused, (let, failed), 2, now()),
    ]


def price(text: str) -> Price:
    return Price(Decimal(text))


def _filled(name: str, part: str, side: OrderSide, hours_ago: float, at: str, leg: Leg | None) -> Order:
    return Order(
        client_order_id=name,
        exchange_order_id=f"x{name}",
        symbol=BTC,
        position_side=Side.LONG,
        part=part,
        cycle=1,
        purpose=Purpose.PROTECT if leg else Purpose.ENTRY,
        side=side,
        kind=OrderKind.OCO if leg else OrderKind.MARKET,
        quantity=Contracts(Decimal("0.99")),
        status=OrderStatus.FILLED,
        filled=Contracts(Decimal("0.99")),
        average_price=price(at),
        fee=Decimal("-0.4962"),
        triggered_leg=leg,
        updated_at=now() - timedelta(hours=hours_ago),
    )


def entry_of(part: str) -> Order:
    """The entry of a cycle that began ten hours ago."""
    return _filled(f"op{part}01E01", part, OrderSide.BUY, 10, "100250.1", None)


def exit_of(part: str) -> Order:
    """Its take-profit, an hour ago."""
    return _filled(f"op{part}01P01", part, OrderSide.SELL, 1, "105300.7", Leg.TAKE_PROFIT)


def life_of(cycle: CycleRecord) -> ClosedPosition:
    """The exchange's word on a cycle; of the third it tells ten cents less."""
    off = Decimal("-0.10") if cycle.number == 3 else Decimal(0)
    return ClosedPosition(
        symbol=cycle.symbol,
        side=cycle.side,
        position_id=cycle.life.split("@")[0],
        opened_at=datetime.fromtimestamp(int(cycle.life.split("@")[1]) / 1000, UTC),
        updated_at=cycle.ended,
        last_close=LastClose.FULL,
        closed=cycle.contracts,
        largest=cycle.contracts,
        average_entry=cycle.average_entry,
        average_exit=cycle.average_exit,
        pnl=cycle.realised_pnl,
        fees=cycle.fees + off,
        funding=cycle.funding,
        penalty=Decimal(0),
        realised=cycle.net + off,
        leverage=Decimal(10),
    )
