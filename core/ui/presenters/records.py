"""History as plain rows: cycles, fills, funding and events, ready for a table or a CSV file.

Numbers stay Decimal so that a table can sort them and a file keeps every digit; times are in the trader's zone.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.intent import ExitReason
from core.domain.money import total
from core.domain.order import Fill, Funding
from core.i18n.translate import _, told
from core.services.reporting.ledger import EventKind, cell
from core.ui.presenters import recovery
from core.ui.presenters.format import NOTHING, Figure, pnl, rule_name, signed
from core.ui.presenters.positions import order_side_words, side_words

Cell = str | Decimal | None
Record = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of the shown cycles, USDT."""

    cycles: int
    won: int
    realised: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal


def sums(cycles: Sequence[Any]) -> Sums:
    """Return totals over ended cycles; one that was never entered counts for nothing, as in the measures."""
    ended = [cycle for cycle in cycles if cycle.ended is not None and cycle.reason != ExitReason.NOT_ENTERED]
    return Sums(
        len(ended),
        sum(cycle.net > 0 for cycle in ended),
        total(cycle.realised_pnl for cycle in ended),
        total(cycle.fees for cycle in ended),
        total(cycle.funding for cycle in ended),
        total(cycle.net for cycle in ended),
    )


def sum_figures(shown: Sums) -> list[Figure]:
    return [
        Figure(_("Net, USDT"), pnl(shown.net)),
        Figure(_("PnL before fees, USDT"), pnl(shown.realised)),
        Figure(_("Fees, USDT"), signed(shown.fees)),
        Figure(_("Funding, USDT"), signed(shown.funding)),
        Figure(_("Cycles won"), f"{shown.won} / {shown.cycles}"),
    ]


def cycle_records(cycles: Sequence[Any], zone: ZoneInfo) -> list[Record]:
    return [
        {
            _("Ended"): clock(cycle.ended, zone),
            _("Contract"): cycle.symbol,
            _("Side"): side_words(cycle.side),
            _("Part"): cycle.part,
            _("Cycle"): str(cycle.number),
            _("Strategy"): cycle.strategy,
            _("Recoveries"): Decimal(cycle.recoveries) if cycle.recoveries else None,
            _("Contracts"): cycle.contracts,
            _("Entry"): cycle.average_entry,
            _("Exit"): cycle.average_exit,
            _("PnL"): cycle.realised_pnl,
            _("Fees"): cycle.fees,
            _("Funding"): cycle.funding,
            _("Net"): cycle.net,
            _("Reason"): reason_words(cycle.reason),
            _("In words"): told(cycle.words),
            _("Started"): clock(cycle.started, zone),
        }
        for cycle in cycles
    ]


def fill_records(fills: Sequence[Fill], zone: ZoneInfo) -> list[Record]:
    return [
        {
            _("Time"): clock(fill.at, zone),
            _("Contract"): fill.symbol,
            _("Side"): f"{order_side_words(fill.side)} ({side_words(fill.position_side).lower()})",
            _("Contracts"): fill.quantity,
            _("Price"): fill.price,
            _("Fee"): fill.fee,
            _("PnL"): fill.realised_pnl,
            _("Maker"): _("maker") if fill.maker else _("taker"),
            _("Order id"): fill.client_order_id or fill.exchange_order_id,
            _("Fill id"): fill.exchange_fill_id,
        }
        for fill in fills
    ]


def funding_records(payments: Sequence[Funding], zone: ZoneInfo) -> list[Record]:
    return [
        {
            _("Time"): clock(payment.at, zone),
            _("Contract"): payment.symbol,
            _("Side"): side_words(payment.position_side) if payment.position_side else NOTHING,
            _("Funding"): payment.amount,
            _("Id"): payment.exchange_id,
        }
        for payment in payments
    ]


def event_records(events: Sequence[Any], zone: ZoneInfo) -> list[Record]:
    return [
        {
            _("Time"): clock(event.at, zone),
            _("Kind"): kind_words(event.kind),
            _("Part"): event.part or NOTHING,
            _("Rule"): rule_name(event.rule),
            _("Because"): told(event.because),
            _("Action"): told(event.action) if event.action else NOTHING,
            _("Outcome"): event.outcome or NOTHING,
            _("Contract"): event.symbol or NOTHING,
            _("Contracts"): event.quantity,
            _("Price"): event.price,
            _("Amount, USDT"): event.amount,
        }
        for event in events
    ]


def kind_words(kind: str) -> str:
    """Return an event's kind, in a word or two."""
    return {
        EventKind.DECISION: _("Decision"),
        EventKind.ORDER_CREATED: _("Order placed"),
        EventKind.ORDER_CHANGED: _("Order changed"),
        EventKind.ORDER_CANCELLED: _("Order cancelled"),
        EventKind.FILL: _("Fill"),
        EventKind.POSITION_OPENED: _("Position opened"),
        EventKind.POSITION_CLOSED: _("Position closed"),
        EventKind.RISK_FAILURE: _("Refused by the risk control"),
    }[EventKind(kind)]


def reason_words(reason: str | None) -> str:
    """Return how a cycle ended; a dash where it has not."""
    return recovery.reason_words(reason) if reason else NOTHING


def clock(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a time such as 2026-11-21 14:03:22 in the trader's zone; sorts as text."""
    return NOTHING if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def as_csv(records: Sequence[Record]) -> str:
    """Return the rows with every digit, as spreadsheets read them."""
    if not records:
        return ""
    out = StringIO()
    writer = csv.DictWriter(out, fieldnames=list(records[0]))
    writer.writeheader()
    writer.writerows({name: "" if value == NOTHING else cell(value) for name, value in row.items()} for row in records)
    return out.getvalue()
