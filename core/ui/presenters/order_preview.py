"""The preview of an order in words and figures.

Pure. Losses carry their minus, fees are what both ways cost, and an estimate says that it is one.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.domain.instrument import Instrument
from core.domain.intent import ExecutionKind
from core.domain.snapshot import AccountSnapshot
from core.i18n.translate import _
from core.services.trading.close_preview import ClosePreview
from core.services.trading.preview import Preview
from core.services.trading.requests import Draft
from core.ui.presenters import execution_styles
from core.ui.presenters.format import Figure, ago, percent, pnl, price, quantity, signed, usdt
from core.ui.presenters.positions import brand, contracts_words, side_words


def open_figures(draft: Draft, shown: Preview, tick: Decimal, now: datetime) -> list[Figure]:
    """Return the figures beside the form."""
    limit = draft.entry.price is not None
    seen = _("price not known yet") if shown.price_as_of is None else _("price {ago}", ago=ago(shown.price_as_of, now))
    return [
        Figure(_("Entry"), price(shown.entry_price, tick), _("your limit") if limit else seen),
        Figure(_("Size"), contracts_words(shown.contracts), f"{quantity(shown.coins)} {_base(draft)}"),
        Figure(_("Value, USDT"), usdt(shown.notional), _("after rounding to whole steps")),
        Figure(_("Margin, USDT"), usdt(shown.margin), _("at {n}x", n=quantity(draft.leverage))),
        _level(_("Take-profit"), shown.take_profit_price, shown.take_profit_pnl, shown.entry_price, tick),
        _level(_("Stop-loss"), shown.stop_loss_price, shown.stop_loss_pnl, shown.entry_price, tick),
        Figure(_("Fees, USDT"), signed(-abs(shown.fee_open) - abs(shown.fee_close)), _("in and out, estimated")),
        Figure(_("Worst loss, USDT"), pnl(_loss(shown.worst_loss)), _("stop and fees, without slippage")),
        _level(_("Liquidation"), shown.liquidation_price, None, shown.entry_price, tick, _("not expected")),
    ]


def open_summary(draft: Draft, shown: Preview, tick: Decimal) -> dict[str, str]:
    """Return the lines of the confirm dialog."""
    target = f"{price(shown.take_profit_price, tick)} · {pnl(shown.take_profit_pnl, 'USDT')}"
    stop = f"{price(shown.stop_loss_price, tick)} · {pnl(shown.stop_loss_pnl, 'USDT')}"
    return {
        _("Position"): f"**{side_words(draft.side)} {draft.symbol}**",
        _("Size"): f"{contracts_words(shown.contracts)} · {quantity(shown.coins)} {_base(draft)}",
        _("Value"): f"{usdt(shown.notional)} USDT",
        _("Margin"): f"{usdt(shown.margin)} USDT {_('at {n}x', n=quantity(draft.leverage))}",
        _("Entry"): entry_words(draft, shown, tick),
        _("Take-profit"): target if draft.take_profit else _("none"),
        _("Stop-loss"): stop if draft.stop_loss else _("none: nothing limits the loss"),
        _("Worst loss"): pnl(_loss(shown.worst_loss), "USDT") if shown.worst_loss is not None else _("not limited"),
    }


def entry_words(draft: Draft, shown: Preview, tick: Decimal) -> str:
    """Return how it is entered, and the price that everything was computed at."""
    near = _("near {p}", p=price(shown.entry_price, tick))
    return f"{execution_styles.words(draft.entry, tick)} · {near}"


def assumed(draft: Draft) -> str:
    """Return what the figures take for granted of an entry that is worked over time; empty where it is one order."""
    if draft.entry.kind is ExecutionKind.TWAP:
        return _("Reckoned as one order at the market price of now; the slices will fill at the prices of their times.")
    if draft.entry.kind is ExecutionKind.ICEBERG:
        return _("Reckoned as one limit order at that price, or at our own side of the book of now.")
    return ""


def close_figures(shown: ClosePreview) -> list[Figure]:
    """Return the result that closing now would have."""
    return [
        Figure(_("Contracts"), quantity(shown.contracts)),
        Figure(_("Value, USDT"), usdt(shown.notional)),
        Figure(_("PnL, USDT"), pnl(shown.pnl), _("before the fee")),
        Figure(_("Fee, USDT"), signed(-abs(shown.fee)), _("estimated")),
    ]


def least_words(rules: Instrument, snapshot: AccountSnapshot) -> str:
    """Return the smallest position this contract takes, by the exchange's own rule; empty where no price is known."""
    known = snapshot.tickers.get(rules.symbol)
    if known is None:
        return ""
    smallest = rules.notional(rules.min_quantity, known.mark)
    floor = rules.min_notional
    if floor > smallest:
        name = brand(snapshot.exchange)
        return _("{exchange} takes no order under {n} USDT here.", exchange=name, n=usdt(floor))
    return _("The smallest order here is {n} USDT.", n=usdt(smallest))


def _level(
    label: str,
    at: Decimal | None,
    money: Decimal | None,
    entry: Decimal,
    tick: Decimal,
    otherwise: str | None = None,
) -> Figure:
    if at is None or not entry:
        return Figure(label, otherwise or _("none"))
    away = percent((at / entry - 1) * 100)
    return Figure(label, price(at, tick), away if money is None else f"{away} · {pnl(money, 'USDT')}")


def _loss(worst: Decimal | None) -> Decimal | None:
    return None if worst is None else -abs(worst)


def _base(draft: Draft) -> str:
    return draft.symbol.split("-")[0]
