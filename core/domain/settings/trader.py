"""Every setting that a trader may change, each in one field.

Form, storage, file, checks and rules are derived from these fields; see `field.setting` for what a field says.
A default that a rule has too is taken from the rule.
"""

from __future__ import annotations

from decimal import Decimal

from core.domain.account import Level
from core.domain.difference import Division
from core.domain.intent import ExitReason, Limits, Recovery, ReopenRule, Unguarded, WhenRefused
from core.domain.reason import N_
from core.domain.settings.field import setting
from core.domain.settings.guards import ARMED_LEVELS, Guards
from core.domain.settings.model import SettingsModel
from core.domain.settings.unit import (
    CONTRACTS,
    DAYS,
    MINUTES,
    NO_UNIT,
    PARTS,
    PERCENT,
    PERCENT_OF_EQUITY,
    SECONDS,
    TIMES,
    USDT,
)

RECOVERY, REOPEN, LIMITS, CADENCE = N_("Recovery"), N_("Reopen"), N_("Limits"), N_("Cadence")
GUARDING, GUARDS = N_("Take-profit and stop-loss"), N_("Raise the level by itself")


class TraderSettings(SettingsModel):
    """The settings of one Perpdeck, the same for all its accounts."""

    # -- recovery --------------------------------------------------------------------------------------------

    recovery_enabled: bool = setting(
        N_("Recover losing positions"),
        N_("A part whose PnL falls under the trigger is averaged down, step by step."),
        group=RECOVERY,
        default=True,
        at_once=True,
    )
    recovery_trigger_pnl: Decimal = setting(
        N_("Trigger"),
        N_("A step is due under this PnL of a part."),
        name=N_("recovery trigger"),
        group=RECOVERY,
        allowed=USDT.range(-1_000_000, "-0.01"),
        feeds={Recovery: "trigger_pnl"},
        at_once=True,
    )
    recovery_add_amount: Decimal = setting(
        N_("Amount of one step"),
        N_("Position value that it adds."),
        name=N_("recovery amount"),
        group=RECOVERY,
        allowed=USDT.range(1, 10_000_000),
        feeds={Recovery: "add_notional"},
        at_once=True,
    )
    recovery_tp_usdt: Decimal = setting(
        N_("Take-profit after a step"),
        N_("On the whole part."),
        name=N_("recovery take-profit"),
        group=RECOVERY,
        allowed=USDT.range("0.01", 1_000_000),
        feeds={Recovery: "tp_usdt"},
        at_once=True,
    )
    recovery_sl_usdt: Decimal = setting(
        N_("Stop-loss after a step"),
        N_("On the whole part, as a loss."),
        name=N_("recovery stop-loss"),
        group=RECOVERY,
        allowed=USDT.range("0.01", 1_000_000),
        feeds={Recovery: "sl_usdt"},
        at_once=True,
    )
    recovery_max_steps: int | None = setting(
        N_("Most steps in one cycle"),
        N_("Empty: no limit."),
        name=N_("recovery steps"),
        group=RECOVERY,
        allowed=NO_UNIT.range(1, 100),
        feeds={Recovery: "max_steps"},
        at_once=True,
    )
    recovery_max_loss: Decimal | None = setting(
        N_("No step beyond a loss of"),
        N_("Empty: no limit."),
        name=N_("recovery loss limit"),
        group=RECOVERY,
        allowed=USDT.range("0.01", 1_000_000),
        feeds={Recovery: "max_loss"},
        at_once=True,
    )
    recovery_seconds: int = setting(
        N_("Pause between two steps"),
        N_("Also how often every part is asked whether a step is due."),
        group=RECOVERY,
        allowed=SECONDS.range(5, 600),
        feeds={Recovery: "pause"},
        at_once=True,
    )

    # -- reopening -------------------------------------------------------------------------------------------

    reopen_enabled: bool = setting(
        N_("Open ended positions again"),
        N_("In the same record, with the same parameters, for ever."),
        group=REOPEN,
        default=True,
        at_once=True,
    )
    reopen_delay_minutes: int = setting(
        N_("Wait before it"),
        N_("After the end."),
        name=N_("reopen delay"),
        group=REOPEN,
        allowed=MINUTES.range(1, 60),
        feeds={ReopenRule: "delay"},
        at_once=True,
    )
    reopen_retry_seconds: int = setting(
        N_("Try again after"),
        N_("Where a reopen has failed."),
        group=REOPEN,
        allowed=SECONDS.range(5, 600),
        feeds={ReopenRule: "retry"},
        at_once=True,
    )
    reopen_max_cycles: int | None = setting(
        N_("Most cycles of a part"),
        N_("Empty: no limit."),
        name=N_("cycles"),
        group=REOPEN,
        allowed=NO_UNIT.range(1, 1_000_000),
        feeds={ReopenRule: "max_cycles"},
        at_once=True,
    )
    reopen_loss_budget: Decimal | None = setting(
        N_("Loss budget of a part"),
        N_("Not opened again once its cycles have lost this much together. Empty: no limit."),
        name=N_("loss budget"),
        group=REOPEN,
        allowed=USDT.range("0.01", 1_000_000),
        feeds={ReopenRule: "loss_budget"},
        at_once=True,
    )
    reopen_after: tuple[ExitReason, ...] = setting(
        N_("Open again after"),
        N_("Which ends are followed by a new cycle."),
        group=REOPEN,
        choices=tuple(reason for reason in ExitReason if reason is not ExitReason.NOT_ENTERED),
        feeds={ReopenRule: "after"},
        at_once=True,
    )

    # -- limits ----------------------------------------------------------------------------------------------

    min_order_size: Decimal | None = setting(
        N_("Smallest order"),
        N_("An entry of fewer contracts is not sent. A contract is another size on each exchange. Empty: no limit."),
        group=LIMITS,
        allowed=CONTRACTS.range("0.000001", 1_000_000_000),
        feeds={Limits: "min_order_size"},
        not_above="max_order_size",
    )
    max_order_size: Decimal | None = setting(
        N_("Largest order"),
        N_("An entry of more contracts is not sent. A contract is another size on each exchange. Empty: no limit."),
        group=LIMITS,
        allowed=CONTRACTS.range("0.000001", 1_000_000_000),
        feeds={Limits: "max_order_size"},
    )
    min_order_value: Decimal | None = setting(
        N_("Smallest order value"),
        N_("An entry below this is not sent. Empty: the exchange's own smallest order."),
        group=LIMITS,
        allowed=USDT.range(1, 1_000_000),
        feeds={Limits: "min_order_value"},
        not_above="max_order_value",
    )
    max_order_value: Decimal | None = setting(
        N_("Largest order value"),
        N_("An entry above this is not sent. Empty: no limit."),
        group=LIMITS,
        allowed=USDT.range(1, 100_000_000),
        feeds={Limits: "max_order_value"},
    )
    max_leverage: Decimal | None = setting(
        N_("Highest leverage"),
        N_("An entry with more leverage is not sent. Empty: the exchange's own limit."),
        group=LIMITS,
        allowed=TIMES.range(1, 125),
        feeds={Limits: "max_leverage"},
    )
    max_position_value_pct: Decimal | None = setting(
        N_("Largest value of one position"),
        N_(
            "Of all parts on one side of a contract together, leverage included: nothing is added beyond it. "
            "Empty: no limit."
        ),
        group=LIMITS,
        allowed=PERCENT_OF_EQUITY.range(1, 10_000),
        feeds={Limits: "max_position_value_pct"},
    )
    risk_per_trade_pct: Decimal | None = setting(
        N_("Most that one trade may lose"),
        N_("An entry whose stop would lose more, fees included, is refused. Empty: no limit."),
        group=LIMITS,
        allowed=PERCENT_OF_EQUITY.range("0.01", 100),
        feeds={Limits: "risk_per_trade_pct"},
    )
    risk_per_trade_cap: Decimal | None = setting(
        N_("And never more than"),
        N_("Caps the share before it. Empty: no cap."),
        group=LIMITS,
        allowed=USDT.range("0.01", 100_000_000),
        feeds={Limits: "risk_per_trade_cap"},
    )
    reduce_oversized_risk: bool = setting(
        N_("Reduce what has come to risk more"),
        N_("A part whose stop would lose more than one trade may by now is closed in part, at market, until it fits."),
        group=LIMITS,
        feeds={Limits: "reduce_oversized_risk"},
    )
    max_open_parts: int | None = setting(
        N_("Most parts at once"),
        N_("Of one account; nothing more is opened beyond it. Empty: no limit."),
        group=LIMITS,
        allowed=PARTS.range(1, 10_000),
        feeds={Limits: "max_open_parts"},
    )
    max_price_deviation: Decimal = setting(
        N_("Furthest from the mark price"),
        N_("An entry is not sent while it would pay so much more, or at market so much less, than the mark price."),
        group=LIMITS,
        allowed=PERCENT.range("0.1", 50),
        feeds={Limits: "max_price_deviation"},
    )
    min_holding_seconds: Decimal | None = setting(
        N_("Minimum holding time"),
        N_(
            "A partial close and a close that is to be opened again wait for it. A stop, a target, Close for good and "
            "the level flatten never do. Empty: none."
        ),
        group=LIMITS,
        allowed=SECONDS.range(1, 86_400),
        feeds={Limits: "min_holding_seconds"},
    )

    # -- guards ----------------------------------------------------------------------------------------------

    max_daily_loss: Decimal | None = setting(
        N_("Loss of one day"),
        N_(
            "Since midnight UTC, or since the level was last lowered by hand; a withdrawal counts as a loss. Nothing "
            "is added from there on. Empty: off."
        ),
        group=GUARDS,
        allowed=PERCENT_OF_EQUITY.range("0.1", 100),
        feeds={Limits: "max_daily_loss", Guards: "max_daily_loss"},
    )
    max_drawdown: Decimal | None = setting(
        N_("Fall from the peak"),
        N_("From the highest equity seen, or since the level was last lowered by hand. Empty: off."),
        group=GUARDS,
        allowed=PERCENT_OF_EQUITY.range("0.1", 100),
        feeds={Guards: "max_drawdown"},
    )
    max_stop_losses: int | None = setting(
        N_("Stop-losses within a time"),
        N_("Empty: off."),
        group=GUARDS,
        allowed=NO_UNIT.range(1, 1_000),
        feeds={Guards: "max_stop_losses"},
    )
    stop_loss_minutes: int = setting(
        N_("That time"),
        N_("For the number before it."),
        group=GUARDS,
        allowed=MINUTES.range(1, 1_440),
        feeds={Guards: "stop_loss_minutes"},
    )
    stale_guard_seconds: int | None = setting(
        N_("Nothing seen for"),
        N_("No complete look at the exchange for so long. Empty: off."),
        group=GUARDS,
        allowed=SECONDS.range(15, 3_600),
        feeds={Guards: "stale_guard_seconds"},
    )
    exchange_guard_seconds: int | None = setting(
        N_("Turned away by the exchange for"),
        N_("It bans or refuses us for so long; maintenance counts at once. Empty: off."),
        group=GUARDS,
        allowed=SECONDS.range(1, 3_600),
        feeds={Guards: "exchange_guard_seconds"},
    )
    guard_level: Level = setting(
        N_("Level after a loss"),
        N_("For losses and stop-losses. Where nothing is seen, entries, recovery and reopen are paused."),
        group=GUARDS,
        choices=ARMED_LEVELS,
        feeds={Guards: "guard_level"},
    )

    # -- take-profit and stop-loss ---------------------------------------------------------------------------

    when_refused: WhenRefused = setting(
        N_("Where the exchange refuses a stop-loss"),
        N_("A part may choose otherwise. A price that is passed already is closed at market in any case."),
        group=GUARDING,
        feeds={Unguarded: "then"},
        at_once=True,
    )
    max_bare_seconds: int = setting(
        N_("Longest time without a stop-loss"),
        N_("While the exchange refuses it; afterwards the part is closed at market, where that is chosen."),
        group=GUARDING,
        allowed=SECONDS.range(1, 300),
        feeds={Unguarded: "longest"},
        at_once=True,
    )
    division: Division = setting(
        N_("What somebody closes of a shared position comes off"),
        N_("What the exchange itself takes (liquidation, deleveraging) comes off all parts by their size."),
        group=GUARDING,
        default=Division.PRO_RATA,
        at_once=True,
    )
    price_protect: bool = setting(
        N_("Price protection (Binance)"),
        N_("Stops and targets are not set off while last and mark price lie too far apart. For new ones from now on."),
        group=GUARDING,
        default=False,
    )

    # -- cadence ---------------------------------------------------------------------------------------------

    order_watch_seconds: int = setting(
        N_("Watch orders and positions"),
        N_("The safety net under the exchange's own messages: everything is looked at this often even in silence."),
        group=CADENCE,
        default=5,
        allowed=SECONDS.range(1, 60),
    )
    check_seconds: int = setting(
        N_("Full check"),
        N_("Contract rules are read anew and every position is looked at."),
        group=CADENCE,
        default=60,
        allowed=SECONDS.range(10, 600),
    )
    equity_seconds: int = setting(
        N_("Read the balance"),
        N_("Money and position mode; a sample of the equity is kept."),
        group=CADENCE,
        default=60,
        allowed=SECONDS.range(10, 600),
    )
    sentinel_seconds: int = setting(
        N_("Watchdog"),
        N_("Compares stops, PnL and freshness with the exchange on its own; raises alarms, never trades."),
        group=CADENCE,
        default=300,
        allowed=SECONDS.range(30, 3_600),
    )
    events_keep_days: int = setting(
        N_("Keep what was told for"),
        N_("Explanations, events and checks go afterwards. Orders, fills, cycles, funding and the audit trail stay."),
        group=CADENCE,
        default=90,
        allowed=DAYS.range(7, 3_650),
    )
    history_seconds: int = setting(
        N_("Bring in history"),
        N_("Fills and funding payments go into the ledger."),
        group=CADENCE,
        default=600,
        allowed=SECONDS.range(60, 3_600),
    )
