"""Which settings a trader is offered: the one table of their units, defaults, ranges and meanings.

Only settings that something reads stand here. A default that code has too is taken from there, a range that one
part may also choose within is taken from `choices`: no number is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain.account import Level
from core.domain.difference import Division
from core.domain.intent import ExitReason, Limits, Recovery, ReopenRule, Unguarded, WhenRefused
from core.monitor.kill_switch import ARMED_LEVELS, Guards
from core.monitor.position_monitor import CADENCE as TICKS
from core.monitor.retention import KEEP_DAYS
from core.services.trading.choices import RANGES
from db.trading_settings import Rules

CADENCE, LIMITS, RECOVERY, REOPEN, GUARDS = "Cadence", "Limits", "Recovery", "Reopen", "Raise the level by itself"
GUARDING = "Take-profit and stop-loss"
AT_ONCE = "Holds for running parts at once."


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting as it stands. An int default means whole numbers, a tuple several of `choices`, a str one."""

    key: str
    label: str
    unit: str
    default: Any
    value: Any
    minimum: Any
    maximum: Any
    help: str
    group: str
    optional: bool = False  #: may be empty, which means no limit
    whole: bool = False  #: takes whole numbers only
    choices: tuple[str, ...] = ()


def _cadence(key: str, label: str, low: int, high: int, words: str) -> Preference:
    return Preference(key, label, "s", TICKS[key], TICKS[key], low, high, words, CADENCE, whole=True)


def _limit(
    key: str,
    label: str,
    unit: str,
    default: Decimal | None,
    low: str,
    high: str,
    words: str,
    *,
    optional: bool = False,
) -> Preference:
    empty = optional or default is None
    return Preference(key, label, unit, default, default, Decimal(low), Decimal(high), words, LIMITS, empty)


def _ranged(key: str, label: str, default: Decimal | int | None, words: str, group: str) -> Preference:
    """A number that a part may choose for itself too, in the same range."""
    allowed = RANGES[key]
    whole = isinstance(default, int) or key in ("recovery_max_steps", "reopen_max_cycles")
    words = f"{words} {AT_ONCE}"
    return Preference(
        key, label, allowed.unit, default, default, allowed.least, allowed.most, words, group, default is None, whole
    )


def _switch(key: str, label: str, words: str, group: str) -> Preference:
    return Preference(key, label, "", True, True, None, None, f"{words} {AT_ONCE}", group)


def _guard(
    key: str, label: str, unit: str, default: Any, low: int | str, high: int, words: str, *, whole: bool = True
) -> Preference:
    least, most = (low, high) if whole else (Decimal(low), Decimal(high))
    optional = key != "stop_loss_minutes"
    return Preference(key, label, unit, default, default, least, most, words, GUARDS, optional, whole)


_step, _rule, _guards, _unguarded, _rules = Recovery(), ReopenRule(), Guards(), Unguarded(), Rules()


def _seconds(span: timedelta) -> int:
    return span // timedelta(seconds=1)


OFFERED: tuple[Preference, ...] = (
    _switch(
        "recovery_enabled",
        "Recover losing positions",
        "A part whose PnL falls under the trigger is averaged down, step by step.",
        RECOVERY,
    ),
    _ranged("recovery_trigger_pnl", "Trigger", _step.trigger_pnl, "A step is due under this PnL of a part.", RECOVERY),
    _ranged("recovery_add_amount", "Amount of one step", _step.add_notional, "Position value that it adds.", RECOVERY),
    _ranged("recovery_tp_usdt", "Take-profit after a step", _step.tp_usdt, "On the whole part.", RECOVERY),
    _ranged("recovery_sl_usdt", "Stop-loss after a step", _step.sl_usdt, "On the whole part, as a loss.", RECOVERY),
    _ranged("recovery_max_steps", "Most steps in one cycle", _step.max_steps, "Empty: no limit.", RECOVERY),
    _ranged("recovery_max_loss", "No step beyond a loss of", _step.max_loss, "Empty: no limit.", RECOVERY),
    _ranged(
        "recovery_seconds",
        "Pause between two steps",
        _seconds(_step.pause),
        "Also how often every part is asked whether a step is due.",
        RECOVERY,
    ),
    _switch(
        "reopen_enabled",
        "Open ended positions again",
        "In the same record, with the same parameters, for ever.",
        REOPEN,
    ),
    _ranged(
        "reopen_delay_minutes", "Wait before it", int(_rule.delay / timedelta(minutes=1)), "After the end.", REOPEN
    ),
    _ranged("reopen_retry_seconds", "Try again after", _seconds(_rule.retry), "Where a reopen has failed.", REOPEN),
    _ranged("reopen_max_cycles", "Most cycles of a part", _rule.max_cycles, "Empty: no limit.", REOPEN),
    _ranged(
        "reopen_loss_budget",
        "Loss budget of a part",
        _rule.loss_budget,
        "Not opened again once its cycles have lost this much together. Empty: no limit.",
        REOPEN,
    ),
    Preference(
        "reopen_after",
        "Open again after",
        "",
        tuple(sorted(_rule.after)),
        tuple(sorted(_rule.after)),
        None,
        None,
        f"Which ends are followed by a new cycle. {AT_ONCE}",
        REOPEN,
        choices=tuple(reason for reason in ExitReason if reason is not ExitReason.NOT_ENTERED),
    ),
    _limit(
        "min_order_size",
        "Smallest order",
        "contracts",
        None,
        "0.000001",
        "1000000000",
        "An entry of fewer contracts is not sent. A contract is another size on each exchange. Empty: no limit.",
    ),
    _limit(
        "max_order_size",
        "Largest order",
        "contracts",
        None,
        "0.000001",
        "1000000000",
        "An entry of more contracts is not sent. A contract is another size on each exchange. Empty: no limit.",
    ),
    _limit(
        "min_order_value",
        "Smallest order value",
        "USDT",
        None,
        "1",
        "1000000",
        "An entry below this is not sent. Empty: the exchange's own smallest order.",
    ),
    _limit(
        "max_order_value",
        "Largest order value",
        "USDT",
        None,
        "1",
        "100000000",
        "An entry above this is not sent. Empty: no limit.",
    ),
    _limit(
        "max_leverage",
        "Highest leverage",
        "x",
        None,
        "1",
        "125",
        "An entry with more leverage is not sent. Empty: the exchange's own limit.",
    ),
    _limit(
        "max_position_value_pct",
        "Largest value of one position",
        "% of equity",
        None,
        "1",
        "10000",
        "Of all parts on one side of a contract together, leverage included: nothing is added beyond it. "
        "Empty: no limit.",
    ),
    _limit(
        "risk_per_trade_pct",
        "Most that one trade may lose",
        "% of equity",
        (Limits().risk_per_trade_pct or Decimal(0)) * 100,
        "0.01",
        "100",
        "An entry whose stop would lose more, fees included, is refused. Empty: no limit.",
        optional=True,
    ),
    _limit(
        "risk_per_trade_cap",
        "And never more than",
        "USDT",
        Limits().risk_per_trade_cap,
        "0.01",
        "100000000",
        "Caps the share before it. Empty: no cap.",
        optional=True,
    ),
    Preference(
        "reduce_oversized_risk",
        "Reduce what has come to risk more",
        "",
        Limits().reduce_oversized_risk,
        Limits().reduce_oversized_risk,
        None,
        None,
        "A part whose stop would lose more than one trade may by now is closed in part, at market, until it fits.",
        LIMITS,
    ),
    Preference(
        "max_open_parts",
        "Most parts at once",
        "parts",
        None,
        None,
        1,
        10_000,
        "Of one account; nothing more is opened beyond it. Empty: no limit.",
        LIMITS,
        optional=True,
        whole=True,
    ),
    _limit(
        "max_price_deviation",
        "Furthest from the mark price",
        "%",
        Limits().max_price_deviation * 100,
        "0.1",
        "50",
        "An entry is not sent while it would pay so much more, or at market so much less, than the mark price.",
    ),
    _limit(
        "min_holding_seconds",
        "Minimum holding time",
        "s",
        None,
        "1",
        "86400",
        "A partial close and a close that is to be opened again wait for it. A stop, a target, Close for good and "
        "the level flatten never do. Empty: none.",
    ),
    _guard(
        "max_daily_loss",
        "Loss of one day",
        "% of equity",
        None if _guards.max_daily_loss is None else _guards.max_daily_loss * 100,
        "0.1",
        100,
        "Since midnight UTC, or since the level was last lowered by hand; a withdrawal counts as a loss. Nothing is "
        "added from there on. Empty: off.",
        whole=False,
    ),
    _guard(
        "max_drawdown",
        "Fall from the peak",
        "% of equity",
        _guards.max_drawdown,
        "0.1",
        100,
        "From the highest equity seen, or since the level was last lowered by hand. Empty: off.",
        whole=False,
    ),
    _guard("max_stop_losses", "Stop-losses within a time", "", _guards.max_stop_losses, 1, 1000, "Empty: off."),
    _guard("stop_loss_minutes", "That time", "min", _guards.stop_loss_minutes, 1, 1440, "For the number before it."),
    _guard(
        "stale_guard_seconds",
        "Nothing seen for",
        "s",
        _guards.stale_guard_seconds,
        15,
        3600,
        "No complete look at the exchange for so long. Empty: off.",
    ),
    _guard(
        "exchange_guard_seconds",
        "Turned away by the exchange for",
        "s",
        _guards.exchange_guard_seconds,
        1,
        3600,
        "It bans or refuses us for so long; maintenance counts at once. Empty: off.",
    ),
    Preference(
        "guard_level",
        "Level after a loss",
        "",
        str(_guards.guard_level),
        str(_guards.guard_level),
        None,
        None,
        "For losses and stop-losses. Where nothing is seen, entries, recovery and reopen are paused.",
        GUARDS,
        choices=tuple(str(level) for level in Level if level in ARMED_LEVELS),
    ),
    Preference(
        "when_refused",
        "Where the exchange refuses a stop-loss",
        "",
        str(_unguarded.then),
        str(_unguarded.then),
        None,
        None,
        f"A part may choose otherwise. A price that is passed already is closed at market in any case. {AT_ONCE}",
        GUARDING,
        choices=tuple(str(one) for one in WhenRefused),
    ),
    Preference(
        "max_bare_seconds",
        "Longest time without a stop-loss",
        "s",
        _seconds(_unguarded.longest),
        _seconds(_unguarded.longest),
        1,
        300,
        f"While the exchange refuses it; afterwards the part is closed at market, where that is chosen. {AT_ONCE}",
        GUARDING,
        whole=True,
    ),
    Preference(
        "division",
        "What somebody closes of a shared position comes off",
        "",
        str(_rules.division),
        str(_rules.division),
        None,
        None,
        f"What the exchange itself takes (liquidation, deleveraging) comes off all parts by their size. {AT_ONCE}",
        GUARDING,
        choices=tuple(str(one) for one in Division),
    ),
    Preference(
        "price_protect",
        "Price protection (Binance)",
        "",
        False,
        False,
        None,
        None,
        "Stops and targets are not set off while last and mark price lie too far apart. For new ones from now on.",
        GUARDING,
    ),
    _cadence(
        "order_watch_seconds",
        "Watch orders and positions",
        1,
        60,
        "The safety net under the exchange's own messages: everything is looked at this often even in silence.",
    ),
    _cadence("check_seconds", "Full check", 10, 600, "Contract rules are read anew and every position is looked at."),
    _cadence("equity_seconds", "Read the balance", 10, 600, "Money and position mode; a sample of the equity is kept."),
    _cadence(
        "sentinel_seconds",
        "Watchdog",
        30,
        3600,
        "Compares stops, PnL and freshness with the exchange on its own; raises alarms, never trades.",
    ),
    Preference(
        "events_keep_days",
        "Keep what was told for",
        "days",
        KEEP_DAYS,
        KEEP_DAYS,
        7,
        3650,
        "Explanations, events and checks go afterwards. Orders, fills, cycles, funding and the audit trail stay.",
        CADENCE,
        whole=True,
    ),
    _cadence("history_seconds", "Bring in history", 60, 3600, "Fills and funding payments go into the ledger."),
)
FRACTIONS = frozenset(
    {"max_position_value_pct", "max_price_deviation", "max_daily_loss", "max_drawdown", "risk_per_trade_pct"}
)
