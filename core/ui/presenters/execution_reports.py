"""Execution reports as rows and figures: planned price, price paid, and slippage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.domain.money import total
from core.i18n.translate import _
from core.services.reporting.executions import ExecutionReport
from core.ui.presenters import execution_styles
from core.ui.presenters.format import Figure, signed, usdt
from core.ui.presenters.history import share
from core.ui.presenters.orders import purpose_words
from core.ui.presenters.positions import side_words
from core.ui.presenters.records import Record, clock


def records(reports: Iterable[ExecutionReport], zone: ZoneInfo, *, brief: bool = False) -> list[Record]:
    """Return one row for each; `brief` leaves out what is known where one part is looked at."""
    return [_record(one, zone, brief=brief) for one in reports]


def _record(one: ExecutionReport, zone: ZoneInfo, *, brief: bool) -> Record:
    whose: Record = {
        _("Contract"): one.symbol,
        _("Side"): side_words(one.side),
        _("Part"): one.part,
        _("Cycle"): str(one.cycle),
        _("Strategy"): one.strategy,
    }
    return {
        _("Began"): clock(one.began, zone),
        **({} if brief else whose),
        _("Purpose"): purpose_words(one.purpose),
        _("How"): execution_styles.name(one.kind),
        _("Planned"): one.planned,
        _("Filled"): one.filled,
        _("Arrival"): one.arrival,
        _("Average"): one.average,
        _("Slippage, bp"): one.slippage_bp,
        _("Slippage, USDT"): None if one.slippage_usdt is None else round(one.slippage_usdt, 4),
        _("Fees"): one.fees,
        _("Maker"): share(one.maker_share),
        _("Duration"): None if one.duration is None else execution_styles.span(_seconds(one.duration)),
        _("Orders"): Decimal(one.orders),
        _("Refused"): Decimal(one.refusals) if one.refusals else None,
        _("Run"): one.run,
    }


def _seconds(length: timedelta) -> timedelta:
    """Return a length of time to the tenth of a second."""
    return timedelta(seconds=round(length.total_seconds(), 1))


def figures(reports: Sequence[ExecutionReport]) -> list[Figure]:
    """Return what the shown executions cost."""
    slipped = [one.slippage_usdt for one in reports if one.slippage_usdt is not None]
    made = [(one.maker_share * one.filled, one.filled) for one in reports if one.maker_share is not None]
    filled = total(quantity for _part, quantity in made)
    return [
        Figure(_("Executions"), str(len(reports))),
        Figure(_("Slippage, USDT"), signed(total(slipped)), meaning()),
        Figure(_("Fees, USDT"), signed(total(one.fees for one in reports))),
        Figure(_("Maker"), share(total(part for part, _quantity in made) / filled if filled else None)),
        Figure(_("Refused"), usdt(Decimal(sum(one.refusals for one in reports)), 0)),
    ]


def meaning() -> str:
    """Return what slippage is measured against."""
    return _("Against the price that the first order would have taken when it was decided; positive is worse.")
