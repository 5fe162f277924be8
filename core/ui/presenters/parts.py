"""Parts as tables: all that the database knows, the protection board, and the results of bulk actions. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.intent import Intent, RecoveryChoice, ReopenChoice, Wanted
from core.domain.snapshot import AccountSnapshot, LevelSnapshot, PartSnapshot
from core.i18n.translate import _, told
from core.services.trading.bulk import RowResult
from core.ui.presenters.charts import FADED, GAIN, LINE, LOSS
from core.ui.presenters.format import NOTHING, ago, percent, price, quantity, signed, usdt
from core.ui.presenters.positions import short_symbol, side_words, why_lines
from core.ui.presenters.recovery import Mode, countdown, reason_words

MOST_LINES = 24  #: of levels in one chart
COUNTS_DOWN = "opens again in "  #: how the bot says what the line above counts to the second
Row = dict[str, str]


def all_parts(intents: Iterable[Intent], now: datetime) -> list[Row]:
    """Return every part that the account ever had, as the trader asked for it."""
    return [
        {
            _("Part"): one.part,
            _("Contract"): one.key.symbol,
            _("Side"): f"{side_words(one.key.side)} {quantity(one.leverage)}x",
            _("Value, USDT"): usdt(one.position_value, 0),
            _("Strategy"): one.strategy,
            _("Cycle"): str(one.cycle),
            _("Now"): _now(one),
            _("Recovery"): _on(one.own_recovery, one.recovery is not None),
            _("Reopen"): _on(one.own_reopen, one.reopen is not None),
            _("Asked"): ago(one.asked_at, now),
        }
        for one in intents
    ]


def protection_rows(snapshot: AccountSnapshot, now: datetime) -> list[Row]:
    """Return of each part that holds something: its protection, how far away, when last seen, how long it was
    without.
    """
    rows = []
    for part in snapshot.held:
        tick, gained = snapshot.tick_of(part.symbol), part.unrealised_pnl
        rows.append(
            {
                _("Part"): part.name,
                _("Contract"): short_symbol(part.symbol),
                _("Stop for"): _covered(part.stop_loss, part.size),
                _("Stop at"): price(part.stop_loss.price, tick),
                _("Stop away"): _away(part.stop_loss, gained),
                _("Target for"): _covered(part.take_profit, part.size),
                _("Target at"): price(part.take_profit.price, tick),
                _("Target away"): _away(part.take_profit, gained),
                _("Seen"): ago(part.protection_seen_at, now),
                _("Bare today"): _("{n} s", n=part.bare_seconds_today),
            }
        )
    return rows


def living(snapshot: AccountSnapshot) -> list[PartSnapshot]:
    """Return parts that can be edited or closed, by contract and name."""
    found = [part for part in snapshot.parts if part.living and not part.wanted.closes]
    return sorted(found, key=lambda part: (part.symbol, part.name))


def name_of(part: PartSnapshot) -> str:
    """Return a part's name in a list to choose from."""
    return f"{part.name} · {short_symbol(part.symbol)} {side_words(part.side).lower()}"


def result_lines(results: Sequence[RowResult]) -> list[str]:
    """Return the result for each part, as Markdown."""
    icons = {True: ":blue[:material/check_circle:]", False: ":orange[:material/block:]"}
    return [f"- {icons[one.done]} **{one.part}** {told(one.words)}" for one in results]


def held_symbols(snapshot: AccountSnapshot) -> list[str]:
    """Return contracts of which something is held, in the order of the parts."""
    parts = [part.symbol for part in living(snapshot) if part.held]
    return list(dict.fromkeys([*parts, *(held.symbol for held in snapshot.positions)]))


def chart_levels(snapshot: AccountSnapshot, symbol: str) -> tuple[dict[str, Decimal], dict[str, str]]:
    """Return entry, target, stop and next recovery step of the parts held in this contract: levels and colours by
    words.

    Parts that share a level share a line; of many lines those nearest to the price are drawn.
    """
    shared: dict[tuple[str, Decimal], list[str]] = defaultdict(list)
    colour_of = {_("entry"): LINE, _("TP"): GAIN, _("SL"): LOSS, _("recovery"): FADED}
    mark = Decimal(0)
    for part in living(snapshot):
        if part.symbol != symbol or not part.held:
            continue
        mark = part.mark_price or mark
        prices = (
            part.average_entry,
            part.take_profit.price,
            part.stop_loss.price,
            part.recovery.next_price if part.recovery else None,
        )
        for words, level in zip(colour_of, prices, strict=True):
            if level:
                shared[words, level].append(part.name)
    levels, colours = {}, {}
    for (words, level), names in sorted(shared.items(), key=lambda one: abs(one[0][1] - mark))[:MOST_LINES]:
        who = names[0] if len(names) == 1 else _("{n} parts:", n=len(names))
        name = f"{who} {words}"
        while name in levels:
            name += " "
        levels[name], colours[name] = level, colour_of[words]
    return levels, colours


def waiting_words(part: PartSnapshot, now: datetime) -> str:
    """Return the line of a part that waits to be opened again."""
    if not part.waits_to_reopen:
        return ""
    reason = reason_words(part.exit_reason) if part.exit_reason else NOTHING
    return _("Opens again in **{left}** · last cycle: {reason}", left=countdown(part, now), reason=reason)


def ended_lines(part: PartSnapshot, now: datetime, refused: str) -> list[str]:
    """Return for a part that holds nothing: when it opens again, why its last try was refused, what the bot
    says of it.
    """
    waiting = waiting_words(part, now)
    lines = [f":material/hourglass_top: {waiting}"] if waiting else []
    if refused:
        lines.append(f":orange[:material/block:] {_('Not entered: {why}', why=told(refused))}")
    said = [one for one in part.why if not (waiting and str(one.because).startswith(COUNTS_DOWN))]
    return [*lines, "\n".join(why_lines(said))]


def _now(one: Intent) -> str:
    if one.living:
        return _("Closing") if one.wanted.closes else _("Open")
    if one.wanted is Wanted.CLOSED or one.reopen is None:
        return reason_words(one.exit_reason) if one.exit_reason else _("Closed")
    return _("Waits to reopen")


def _on(choice: RecoveryChoice | ReopenChoice, holds: bool) -> str:
    words = _("on") if holds else _("off")
    return words if Mode.of(choice) is Mode.FOLLOW else _("{words}, own", words=words)


def _covered(level: LevelSnapshot, size: Decimal) -> str:
    return _("{covered} of {size}", covered=quantity(level.covered), size=quantity(size))


def _away(level: LevelSnapshot, gained: Decimal | None) -> str:
    if level.distance_pct is None:
        return NOTHING
    money = "" if level.pnl is None or gained is None else f" · {signed(level.pnl - gained)} USDT"
    return f"{percent(level.distance_pct)}{money}"
