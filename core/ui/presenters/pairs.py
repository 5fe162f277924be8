"""Take-profit/stop-loss pairs as rows and figures: the state in words, both legs in numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.snapshot import AccountSnapshot
from core.i18n.translate import _, counted, number
from core.services.trading.pairs import LegRow, PairFigures, PairRow
from core.ui.presenters.format import NOTHING, Figure, ago, percent, price, quantity
from core.ui.presenters.positions import Row, short_symbol, side_words


def state_words(state: str) -> str:
    """Return a pair's state in words."""
    return {
        "none": _("not placed"),
        "working": _("both rest"),
        "stop_only": _("stop only"),
        "target_only": _("target only, no stop"),
        "bare": _("nothing rests"),
        "filling": _("a leg is filling"),
        "take_profit": _("target filled"),
        "stop_loss": _("stop filled"),
        "both_filled": _("both filled"),
        "ended": _("closed otherwise"),
    }[state]


def pair_state(row: PairRow) -> str:
    """Return the state in words; a leg that is left over is named, since the bot is about to remove it."""
    if row.state == "working" and (row.take_profit is None or row.stop_loss is None):
        return _("rests")
    return _("{state}, the other still rests", state=state_words(row.state)) if row.leftover else state_words(row.state)


def pair_rows(shown: Iterable[PairRow], snapshot: AccountSnapshot, now: datetime) -> list[Row]:
    """Return a row for each pair, both legs beside each other."""
    rows = []
    for pair in shown:
        tick = snapshot.tick_of(pair.symbol)
        rows.append(
            {
                _("Part"): pair.part,
                _("Contract"): f"{short_symbol(pair.symbol)} {side_words(pair.side)}",
                _("Strategy"): pair.strategy,
                _("Pair"): pair_state(pair),
                _("Contracts"): quantity(pair.size),
                _("Stop at"): _at(pair.stop_loss, tick),
                _("Stop away"): _away(pair.stop_loss),
                _("Stop for"): _size(pair.stop_loss),
                _("Stop since"): _since(pair.stop_loss, now),
                _("Target at"): _at(pair.take_profit, tick),
                _("Target away"): _away(pair.take_profit),
                _("Target for"): _size(pair.take_profit),
                _("Target since"): _since(pair.take_profit, now),
                _("Kept as"): "OCO" if pair.one_order else _("two orders"),
            }
        )
    return rows


def pair_figures(found: PairFigures) -> list[Figure]:
    """Return counts over all pairs of the account."""
    took, measured = NOTHING, _("the exchange ends siblings itself")
    if found.cancels:
        took = f"{_milliseconds(found.cancel_p50)} / {_milliseconds(found.cancel_p99)}"
        measured = counted("of {n} sibling, fill to end", "of {n} siblings, fill to end", found.cancels)
    return [
        Figure(_("Pairs placed"), quantity(found.placed)),
        Figure(_("Targets hit"), quantity(found.target_hits)),
        Figure(_("Stops hit"), quantity(found.stop_hits)),
        Figure(_("Cancel p50 / p99"), took, measured),
        Figure(_("Orphans removed"), quantity(found.orphans)),
        Figure(_("Both filled"), quantity(found.both_filled)),
    ]


def _milliseconds(took: timedelta | None) -> str:
    return NOTHING if took is None else f"{number(took // timedelta(milliseconds=1), ',')} ms"


def _at(leg: LegRow | None, tick: Decimal | None) -> str:
    return NOTHING if leg is None else price(leg.price, tick)


def _away(leg: LegRow | None) -> str:
    return NOTHING if leg is None else percent(leg.distance_pct)


def _size(leg: LegRow | None) -> str:
    if leg is None:
        return NOTHING
    return f"{quantity(leg.filled)}/{quantity(leg.quantity)}" if leg.filled else quantity(leg.quantity)


def _since(leg: LegRow | None, now: datetime) -> str:
    return NOTHING if leg is None else ago(leg.since, now)
