"""All series of `/metrics`: name, kind, labels, meaning and unit; and their values while they are added up, in numbers
and histograms by name and labels, with a bounded number of label values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate

from core.monitor.runtime_metrics import LOOP_SECONDS

Labels = tuple[str, ...]
OTHER = "other"
MOST = {"strategy_id": 50, "symbol": 100, "code": 40, "kind": 30, "check": 30, "endpoint": 60}
#: of each of these labels so many values are told apart; what comes later counts as "other"


class SeriesKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Series:
    """The definition of one metric."""

    name: str
    kind: SeriesKind
    labels: Labels
    unit: str
    words: str
    bounds: tuple[float, ...] = ()  #: of a histogram: what is up to each of them


ACCOUNT = ("account", "exchange")
POSITION = (*ACCOUNT, "symbol", "position_side")
STRATEGY = (*ACCOUNT, "strategy_id", "symbol", "position_side")
ORDER = (*ACCOUNT, "symbol", "purpose")
USDT = (-1000.0, -500.0, -250.0, -100.0, -50.0, -25.0, -10.0, 0.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
QUICK = LOOP_SECONDS
SLOW = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
BASIS_POINTS = (-50.0, -20.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
C, G, H = SeriesKind.COUNTER, SeriesKind.GAUGE, SeriesKind.HISTOGRAM

TRADING = (
    Series(
        "tradeengine_strategy_oco_placed_total",
        C,
        STRATEGY,
        "pairs",
        "Cycles that had a take-profit or stop-loss on the exchange, however often it was replaced",
    ),
    Series("tradeengine_strategy_tp_triggered_total", C, STRATEGY, "pairs", "Pairs whose take-profit filled"),
    Series("tradeengine_strategy_sl_triggered_total", C, STRATEGY, "pairs", "Pairs whose stop-loss filled"),
    Series(
        "tradeengine_strategy_pnl_realized",
        H,
        (*STRATEGY, "close_reason"),
        "USDT",
        "Result of each ended cycle, after fees and funding",
        USDT,
    ),
    Series(
        "tradeengine_active_oco_pairs_per_position",
        G,
        POSITION,
        "pairs",
        "Parts of a held position whose whole size has its wanted take-profit and stop-loss on the exchange",
    ),
    Series(
        "perpdeck_cycles_total",
        C,
        (*STRATEGY, "close_reason", "result"),
        "cycles",
        "Ended cycles that had entered something, by result: won, lost or even",
    ),
    Series("perpdeck_cycles_not_entered_total", C, STRATEGY, "cycles", "Cycles that ended without an entry"),
    Series("perpdeck_won_usdt_total", C, STRATEGY, "USDT", "Sum of the results above zero"),
    Series("perpdeck_lost_usdt_total", C, STRATEGY, "USDT", "Sum of the results below zero, as a positive number"),
    Series(
        "perpdeck_result_usdt",
        G,
        (*STRATEGY, "of"),
        "USDT",
        "What ended cycles came to: gross (PnL alone), fees (negative: paid), funding (positive: received)",
    ),
    Series("perpdeck_recoveries_total", C, STRATEGY, "steps", "Recovery steps that added something"),
    Series("perpdeck_reopens_total", C, STRATEGY, "cycles", "Cycles that were begun again after an end"),
    Series("perpdeck_reopen_delay_seconds", H, ACCOUNT, "seconds", "From the end of a cycle to the next one's", SLOW),
)
EXECUTION = (
    Series("perpdeck_orders_sent_total", C, ORDER, "requests", "Orders sent, each repetition after a loss counted"),
    Series("perpdeck_orders_accepted_total", C, ORDER, "orders", "Orders that the exchange took"),
    Series(
        "perpdeck_orders_filled_total",
        C,
        ORDER,
        "orders",
        "Orders that filled, in whole or in part; also those that travelled with an entry",
    ),
    Series("perpdeck_orders_lost_total", C, ORDER, "requests", "Orders that never arrived, or were put off by it"),
    Series(
        "perpdeck_orders_refused_total",
        C,
        (*ACCOUNT, "purpose", "code"),
        "orders",
        "Orders that the exchange refused, by its own code",
    ),
    Series("perpdeck_fills_total", C, (*ACCOUNT, "symbol", "liquidity"), "fills", "Executions: maker or taker"),
    Series(
        "perpdeck_order_answer_seconds",
        H,
        ACCOUNT,
        "seconds",
        "From writing an order down to the exchange's answer in the book",
        QUICK,
    ),
    Series(
        "perpdeck_execution_seconds",
        H,
        (*ACCOUNT, "purpose"),
        "seconds",
        "From writing an order down to its last fill, of orders that filled whole",
        (*QUICK, *SLOW[3:]),
    ),
    Series(
        "perpdeck_slippage_bp",
        H,
        (*ACCOUNT, "purpose"),
        "basis points",
        "Average fill against the price the order was decided by or set off at; positive is worse",
        BASIS_POINTS,
    ),
    Series(
        "perpdeck_risk_checks_total",
        C,
        (*ACCOUNT, "check", "result"),
        "checks",
        "Orders that the risk control let through, and its refusals by the check that failed, each once",
    ),
)
PROTECTION = (
    Series("perpdeck_parts_per_position", G, POSITION, "parts", "Parts that hold something of a position"),
    Series("perpdeck_residual_contracts", G, POSITION, "contracts", "Held at the exchange beyond our parts"),
    Series("perpdeck_unrealised_usdt", G, POSITION, "USDT", "Unrealised PnL of a position"),
    Series("perpdeck_parts_held", G, ACCOUNT, "parts", "Parts that hold something"),
    Series(
        "perpdeck_parts_unprotected", G, ACCOUNT, "parts", "Of them, those without their whole stop on the exchange"
    ),
    Series("perpdeck_unprotected_seconds", G, ACCOUNT, "seconds", "How long the longest of those is bare by now"),
    Series(
        "perpdeck_unprotected_seconds_today",
        G,
        ACCOUNT,
        "seconds",
        "All bare time of all parts today, UTC, since the bot came up",
    ),
    Series("perpdeck_orphan_orders", G, ACCOUNT, "orders", "Our targets and stops that rest without anything held"),
    Series("perpdeck_orphan_orders_age_seconds", G, ACCOUNT, "seconds", "How old the oldest of them is"),
    Series("perpdeck_foreign_orders", G, ACCOUNT, "orders", "Orders on our positions that are not ours"),
    Series("perpdeck_unresolved_commands", G, ACCOUNT, "orders", "Orders without a known outcome"),
    Series("perpdeck_unresolved_age_seconds", G, ACCOUNT, "seconds", "How long ago the oldest of them was sent"),
    Series("perpdeck_differences", G, ACCOUNT, "differences", "What exchange and book disagree about"),
    Series("perpdeck_reopens_overdue", G, ACCOUNT, "parts", "Parts that were to open again and have not"),
    Series("perpdeck_reopen_overdue_seconds", G, ACCOUNT, "seconds", "How long the longest of them is overdue"),
    Series("perpdeck_conditional_orders_used", G, ACCOUNT, "orders", "Conditional orders that rest on the account"),
    Series("perpdeck_conditional_orders_limit", G, ACCOUNT, "orders", "How many it may have, where there is a limit"),
)
OPERATIONS = (
    Series("perpdeck_equity_usdt", G, ACCOUNT, "USDT", "Equity with unrealised PnL"),
    Series("perpdeck_available_usdt", G, ACCOUNT, "USDT", "Free for new positions"),
    Series("perpdeck_margin_used_usdt", G, ACCOUNT, "USDT", "Bound by positions and orders"),
    Series("perpdeck_drawdown_ratio", G, ACCOUNT, "0 to 1", "Equity under its peak, as the guards measure it"),
    Series("perpdeck_daily_loss_ratio", G, ACCOUNT, "0 to 1", "Lost of the equity that the day began with"),
    Series(
        "perpdeck_level",
        G,
        ACCOUNT,
        "0 to 4",
        "How much the bot may do: 0 run, 1 no new entries, 2 no added risk, 3 reduce only, 4 flatten",
    ),
    Series("perpdeck_bot_running", G, ACCOUNT, "0 or 1", "Whether the bot is switched on"),
    Series("perpdeck_heartbeat_age_seconds", G, ACCOUNT, "seconds", "Since the bot's last sign of life"),
    Series("perpdeck_lease_held", G, ACCOUNT, "0 or 1", "Whether some bot holds the right to act"),
    Series("perpdeck_lease_epoch", G, ACCOUNT, "number", "Grows each time the right to act is taken"),
    Series("perpdeck_alarms_open", G, (*ACCOUNT, "kind"), "alarms", "Open alarms"),
    Series("perpdeck_picture_age_seconds", G, ACCOUNT, "seconds", "Since the last complete look at the exchange"),
    Series("perpdeck_stream_connected", G, ACCOUNT, "0 or 1", "Whether the exchange's push stream is connected"),
    Series("perpdeck_stream_age_seconds", G, ACCOUNT, "seconds", "Since anything was heard on it"),
    Series("perpdeck_exchange_ok", G, ACCOUNT, "0 or 1", "Whether the last pass over the account went well"),
    Series("perpdeck_loop_seconds", H, ACCOUNT, "seconds", "How long passes take, since this bot came up", QUICK),
    Series("perpdeck_loop_failures_total", C, ACCOUNT, "passes", "Passes that failed, since this bot came up"),
    Series("perpdeck_requests_used", G, (*ACCOUNT, "endpoint"), "requests", "Used of a request limit just now"),
    Series("perpdeck_requests_limit", G, (*ACCOUNT, "endpoint"), "requests", "That limit"),
    Series("perpdeck_read_seconds", G, (), "seconds", "What reading all this from the database took"),
    Series("perpdeck_info", G, ("version",), "1", "The version that answers"),
)
ALL = (*TRADING, *EXECUTION, *PROTECTION, *OPERATIONS)
BY_NAME = {one.name: one for one in ALL}


@dataclass(slots=True)
class Spread:
    """A histogram: how many values were up to each bound and over the one before, how many over the last, and their
    sum.
    """

    counts: list[int]
    total: Decimal = Decimal(0)

    def cumulative(self) -> list[int]:
        return list(accumulate(self.counts))


@dataclass(slots=True)
class Samples:
    """The values of all metrics by name and labels."""

    numbers: dict[str, dict[Labels, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    spreads: dict[str, dict[Labels, Spread]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, name: str, labels: Labels, value: Decimal | int = 1) -> None:
        """Add to a counter; adding 0 makes the series appear, so that its first increase can be seen."""
        numbers = self.numbers[name]
        numbers[labels] = numbers.get(labels, Decimal(0)) + value

    def most(self, name: str, labels: Labels, value: Decimal | float) -> None:
        """Set a gauge to the greatest of the values given under these labels."""
        numbers, told = self.numbers[name], Decimal(str(value))
        numbers[labels] = max(numbers.get(labels, told), told)

    def observe(self, name: str, labels: Labels, value: Decimal | float) -> None:
        """Add one value to a histogram."""
        spread = self.spread(name, labels)
        spread.counts[bisect_left(BY_NAME[name].bounds, value)] += 1
        spread.total += Decimal(str(value))

    def spread(self, name: str, labels: Labels) -> Spread:
        """Return the histogram under these labels; an empty one where there was none."""
        spreads = self.spreads[name]
        if labels not in spreads:
            spreads[labels] = Spread([0] * (len(BY_NAME[name].bounds) + 1))
        return spreads[labels]

    def copy(self) -> Samples:
        made = Samples()
        for name, numbers in self.numbers.items():
            made.numbers[name] = dict(numbers)
        for name, spreads in self.spreads.items():
            made.spreads[name] = {labels: Spread(list(one.counts), one.total) for labels, one in spreads.items()}
        return made


class Bounded:
    """Limits the number of label values: the first ones are kept apart for as long as this lives, others become
    "other".
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = defaultdict(set)

    def __call__(self, label: str, value: str) -> str:
        """Return the value, or "other" where there are enough."""
        known = self._known[label]
        if value in known:
            return value
        if len(known) >= MOST[label]:
            return OTHER
        known.add(value)
        return value
