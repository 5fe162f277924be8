"""History as rows and figures: steps of a cycle, the exchange's positions beside our cycles, and performance.

Pure, like `records`; numbers stay Decimal so that a table can sort them and a file keeps every digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.history.holding import Step, StepKind
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.i18n.translate import _, number
from core.services.reporting.history import Agreement, Matched, Only, SyncRow
from core.services.reporting.performance import Drawdown, Measures, Performance
from core.ui.presenters.format import NOTHING, Figure, pnl, quantity, signed, usdt
from core.ui.presenters.positions import side_words
from core.ui.presenters.records import Record, clock, reason_words


def step_records(steps: Iterable[Step], zone: ZoneInfo) -> list[Record]:
    """Return one row for each step, with what was held and what rested before and after."""
    return [
        {
            _("Time"): clock(step.at, zone),
            _("Step"): step_words(step.kind),
            _("Contracts"): step.quantity or None,
            _("Price"): step.price,
            _("Fee"): step.fee or None,
            _("Size"): change(step.before.size, step.after.size),
            _("Average"): change(step.before.average, step.after.average),
            _("Take-profit"): change(step.before.take_profit, step.after.take_profit),
            _("Stop-loss"): change(step.before.stop_loss, step.after.stop_loss),
            _("Order"): reason_words(step.words),
        }
        for step in steps
    ]


def change(before: Decimal | None, after: Decimal | None) -> str:
    """Return a change: 0.99 → 1.09; one number where nothing changed."""
    was, now = quantity(_short(before)), quantity(_short(after))
    return now if was == now else f"{was} → {now}"


def _short(value: Decimal | None) -> Decimal | None:
    """Return an average with eight significant digits: it has no last digit."""
    return None if value is None else Decimal(f"{value:.8g}")


def step_words(kind: StepKind) -> str:
    return {
        StepKind.ENTRY: _("Entry"),
        StepKind.TAKEN_OVER: _("Taken over"),
        StepKind.RECOVERY: _("Recovery"),
        StepKind.EDIT: _("TP/SL edited"),
        StepKind.BY_HAND: _("TP/SL moved at the exchange"),
        StepKind.REDUCTION: _("Partial close"),
        StepKind.EXIT: _("Exit"),
        StepKind.BALANCE: _("Brought back"),
    }[kind]


def cycle_label(cycle: Any) -> str:
    """Return how a cycle is named where one is to be chosen."""
    number = _("cycle {n}", n=cycle.number)
    return f"{cycle.part} · {number} · {cycle.symbol} · {signed(cycle.net)} USDT"


# -- the exchange beside us --------------------------------------------------------------------------------------


def matched_records(matched: Iterable[Matched], zone: ZoneInfo) -> list[Record]:
    return [
        {
            _("Ended"): clock(one.ended, zone),
            _("Contract"): one.symbol,
            _("Side"): side_words(one.side),
            _("Match"): agreement_words(one.agreement),
            _("Exchange, net"): one.theirs.realised if one.theirs else None,
            _("Ours, net"): one.net if one.cycles else None,
            _("Difference"): one.difference,
            _("Exchange, PnL"): one.theirs.pnl if one.theirs else None,
            _("Ours, PnL"): one.pnl if one.cycles else None,
            _("Exchange, fees"): one.theirs.fees if one.theirs else None,
            _("Ours, fees"): one.fees if one.cycles else None,
            _("Exchange, funding"): one.theirs.funding if one.theirs else None,
            _("Ours, funding"): one.funding if one.cycles else None,
            _("Parts"): ", ".join(sorted({cycle.part for cycle in one.cycles})) or NOTHING,
            _("Life"): one.life,
        }
        for one in matched
    ]


def agreement_words(agreement: Agreement) -> str:
    return {
        Agreement.AGREES: _("Agrees"),
        Agreement.DIFFERS: _("Differs"),
        Agreement.HELD: _("Still held"),
        Agreement.NOT_OURS: _("Not ours"),
        Agreement.NOT_TOLD: _("Not told by the exchange"),
    }[agreement]


def matched_figures(matched: Sequence[Matched]) -> list[Figure]:
    """Return how many positions agree, and the sum of the differences."""
    count = {kind: sum(one.agreement is kind for one in matched) for kind in Agreement}
    off = sum((one.difference or Decimal(0) for one in matched if one.agreement is Agreement.DIFFERS), Decimal(0))
    return [
        Figure(_("Agree to the cent"), str(count[Agreement.AGREES])),
        Figure(_("Differ"), str(count[Agreement.DIFFERS])),
        Figure(_("Difference, USDT"), pnl(off)),
        Figure(_("Not ours"), str(count[Agreement.NOT_OURS])),
        Figure(_("Not told"), str(count[Agreement.NOT_TOLD])),
    ]


def sync_words(sync: SyncRow, zone: ZoneInfo) -> str:
    """Return how far the exchange's history has been read, in one sentence."""
    if sync.under_way:
        return _("Reading the exchange's history: {done} of {of}", done=sync.done, of=sync.of)
    if sync.waiting:
        return _("Asked for; the bot begins with it in a moment.")
    if sync.reached is None:
        return _("The exchange's history has not been read yet.")
    return _("The exchange's history is here up to {time}.", time=clock(sync.reached, zone))


# -- performance -------------------------------------------------------------------------------------------------


def performance_note(found: Performance, zone: ZoneInfo) -> str:
    """Return which cycles the measures are of, where they are not of all that fit."""
    if found.since is None:
        return ""
    return _(
        "Of the newest {n} cycles, from {time} on. Choose dates to measure earlier ones.",
        n=f"{found.whole.cycles:,}",
        time=clock(found.since, zone),
    )


def performance_figures(found: Performance, fall: Drawdown | None) -> list[Figure]:
    """Return the page's large numbers; each says in its note what it is."""
    whole = found.whole
    return [
        Figure(_("Net, USDT"), pnl(whole.net), _("After fees and funding.")),
        Figure(
            _("Win rate"),
            share(whole.win_rate),
            _("{won} of {n} cycles ended above zero.", won=whole.won, n=whole.cycles),
        ),
        Figure(_("Profit factor"), ratio(whole.profit_factor), _("All gains over all losses; none without a loss.")),
        Figure(_("Expectancy, USDT"), pnl(whole.expectancy), _("Mean net result of a cycle.")),
        Figure(_("Sharpe"), ratio(found.sharpe), _("Daily results, mean over deviation, for a year of 365 days.")),
        Figure(_("Sortino"), ratio(found.sortino), _("As Sharpe, with losing days alone as the risk.")),
        Figure(_("Drawdown, USDT"), usdt(fall.amount if fall else None), drawdown_words(fall)),
    ]


def drawdown_words(fall: Drawdown | None) -> str:
    if fall is None or fall.percent is None:
        return _("Deepest fall of the curve below from an earlier peak.")
    return _("Deepest fall of the curve below: {percent} % of its peak.", percent=usdt(fall.percent))


def group_records(groups: Mapping[str, Measures], kind: str) -> list[Record]:
    """Return one row for each group, the largest net result first."""
    ordered = sorted(groups.items(), key=lambda item: (-item[1].net, item[0]))
    return [
        {
            _("Group"): group_words(kind, name),
            _("Cycles"): Decimal(one.cycles),
            _("Win rate"): share(one.win_rate),
            _("Net"): one.net,
            _("Profit factor"): ratio(one.profit_factor),
            _("Expectancy"): None if one.expectancy is None else round(one.expectancy, 2),
            _("Average win"): None if one.average_win is None else round(one.average_win, 2),
            _("Average loss"): None if one.average_loss is None else round(one.average_loss, 2),
            _("PnL"): one.gross,
            _("Fees"): one.fees,
            _("Funding"): one.funding,
        }
        for name, one in ordered
    ]


def group_words(kind: str, name: str) -> str:
    if kind == "side":
        return side_words(name)
    if kind == "reason":
        return reason_words(name)
    if kind == "recovery":
        return _("With recovery") if name == "with" else _("Without recovery")
    return name


def kind_words(kind: str) -> str:
    return {
        "symbol": _("By contract"),
        "side": _("By side"),
        "strategy": _("By strategy"),
        "reason": _("By close reason"),
        "recovery": _("By recovery"),
    }[kind]


def share(value: Decimal | None) -> str:
    """Return a share as a percentage: 0.6 as 60.0 %."""
    return NOTHING if value is None else f"{number(value * 100, '.1f')} %"


def ratio(value: Decimal | None) -> str:
    return NOTHING if value is None else number(value, ",.2f")


# -- filters -----------------------------------------------------------------------------------------------------


def only(
    symbol: str | None,
    side: str | None,
    strategy: str | None,
    reason: str | None,
    recovered: bool | None,
    days: Sequence[date],
    zone: ZoneInfo,
) -> Only:
    """Return the filters as chosen; days are whole days in the trader's zone, the last one included."""
    first, last = (days[0], days[-1]) if days else (None, None)
    return Only(
        symbol=symbol,
        side=Side(side) if side else None,
        strategy=strategy,
        reason=ExitReason(reason) if reason else None,
        recovered=recovered,
        since=_midnight(first, zone),
        until=_midnight(last + timedelta(days=1), zone) if last and len(days) > 1 else None,
    )


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)
