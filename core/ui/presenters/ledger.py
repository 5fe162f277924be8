"""The ledger of one exchange position: each part with its own entry and PnL, their sum, what the exchange holds, the
residual. Pure: the snapshot goes in, rows come out. No part's number is ever taken from the exchange's average.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from core.domain.money import ZERO
from core.domain.snapshot import AccountSnapshot, PartSnapshot, PositionSnapshot
from core.i18n.translate import _, counted, told
from core.ui.presenters import pairs
from core.ui.presenters.format import NOTHING, ago, price, quantity, signed
from core.ui.presenters.positions import Row, side_words
from db.records import Event

FIRST = datetime.min.replace(tzinfo=UTC)  #: a part whose cycle has not begun comes before all others


def key_of(held: PositionSnapshot) -> str:
    """Return a name of the position within its account."""
    return f"{held.symbol}_{held.side}"


def parts_of(snapshot: AccountSnapshot, held: PositionSnapshot) -> list[PartSnapshot]:
    """Return the parts that hold something of this position, the oldest first."""
    found = [part for part in snapshot.held if (part.symbol, part.side) == (held.symbol, held.side)]
    return sorted(found, key=lambda part: (part.cycle_started_at or FIRST, part.name))


def title(snapshot: AccountSnapshot, held: PositionSnapshot) -> str:
    """Return one line: whose, how much, at which average, and whether it adds up."""
    ours = parts_of(snapshot, held)
    facts = [
        f"**{held.symbol}** {side_words(held.side)}",
        counted("{n} part", "{n} parts", len(ours)),
        _("exchange {n} at {p}", n=quantity(held.contracts), p=_average(held, snapshot)),
        residual_words(held),
    ]
    return " · ".join(facts)


def residual_words(held: PositionSnapshot) -> str:
    residual = held.residual
    if not residual:
        return _("adds up")
    if residual > ZERO:
        return _("{n} not ours", n=quantity(residual))
    return _("{n} of ours missing", n=quantity(-residual))


def rows(snapshot: AccountSnapshot, held: PositionSnapshot) -> list[Row]:
    """Return a row for each part, then the sum, the exchange and the residual."""
    ours, tick = parts_of(snapshot, held), snapshot.tick_of(held.symbol)
    size = sum((part.size for part in ours), ZERO)
    gained = [part.unrealised_pnl for part in ours if part.unrealised_pnl is not None]
    shown = [
        _row(
            part.name,
            strategy=part.strategy,
            contracts=quantity(part.size),
            entry=price(part.average_entry, tick),
            pnl=signed(part.unrealised_pnl, 4),
            realised=signed(part.realised_pnl, 4),
            pair=pairs.state_words(part.pair.state),
            target=price(part.take_profit.price, tick),
            stop=price(part.stop_loss.price, tick),
        )
        for part in ours
    ]
    return [
        *shown,
        _row(
            _("Sum of the parts"),
            contracts=quantity(size),
            entry=price(_own_average(ours, size), _finer(tick)),
            pnl=signed(sum(gained, ZERO), 4) if gained else NOTHING,
        ),
        _row(
            _("The exchange"),
            contracts=quantity(held.contracts),
            entry=_average(held, snapshot),
            pnl=signed(held.unrealised_pnl, 4),
        ),
        _row(_("Residual"), contracts=quantity(held.residual)),
    ]


def taken_lines(events: Iterable[Event], now: datetime) -> list[str]:
    """Return what others closed of these parts and how it was divided, as Markdown, newest first."""
    return [f"- `{event.part}` {told(event.because)} :gray[{ago(event.at, now)}]" for event in events]


def _row(
    name: str,
    strategy: str = NOTHING,
    contracts: str = NOTHING,
    entry: str = NOTHING,
    pnl: str = NOTHING,
    realised: str = NOTHING,
    pair: str = NOTHING,
    target: str = NOTHING,
    stop: str = NOTHING,
) -> Row:
    return {
        _("Part"): name,
        _("Strategy"): strategy,
        _("Contracts"): contracts,
        _("Own entry"): entry,
        _("PnL, USDT"): pnl,
        _("Realised, USDT"): realised,
        _("Pair"): pair,
        _("Take-profit"): target,
        _("Stop-loss"): stop,
    }


def _average(held: PositionSnapshot, snapshot: AccountSnapshot) -> str:
    """Return the exchange's average; it lies between two ticks, so one digit more is shown."""
    return price(held.average_price, _finer(snapshot.tick_of(held.symbol)))


def _finer(tick: Decimal | None) -> Decimal:
    return min((tick or Decimal("0.01")) / 10, Decimal("0.01"))


def _own_average(ours: list[PartSnapshot], size: Decimal) -> Decimal | None:
    known = [(part.size, part.average_entry) for part in ours if part.average_entry]
    return sum((held * entry for held, entry in known), ZERO) / size if size and len(known) == len(ours) else None
