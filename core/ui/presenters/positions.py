"""Positions, parts and the bot's state as rows, figures and words, from the snapshot.

Pure, without Streamlit or a clock, so each sentence and number that a trader reads can be tested as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from core.domain.account import Account, Environment, Exchange
from core.domain.part import PartStatus
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot, Explanation, LevelSnapshot, PartSnapshot
from core.i18n.translate import _, counted, told
from core.ui.presenters.format import (
    NOTHING,
    Figure,
    ago,
    grey,
    percent,
    pnl,
    price,
    quantity,
    rule_name,
    signed,
    usdt,
)
from core.venues import profiles

Row = dict[str, str]
PART = re.compile(r"[0-9a-z]{6}")


def brand(exchange: str) -> str:
    """Return the name of an exchange; its id where it is not offered any more."""
    known = profiles().get(Exchange(exchange))
    return exchange if known is None else known.title


def account_label(account: Account) -> str:
    """Return an account in the chooser: its name, its exchange where the name does not say it, and that it is real
    money.
    """
    facts = [account.name]
    if account.exchange not in account.name.lower():
        facts.append(brand(account.exchange))
    if account.environment is Environment.LIVE:
        facts.append(_("LIVE"))
    return " · ".join(facts)


def short_symbol(symbol: str) -> str:
    """Return BTC for BTC-USDT-PERP."""
    return symbol.removesuffix("-USDT-PERP")


def side_words(side: str) -> str:
    return _("Long") if side == "long" else _("Short")


def order_side_words(side: str) -> str:
    """Return an order's side in words."""
    return _("buy") if side == "buy" else _("sell")


def bot_words(state: str) -> str:
    """Return what the bot does, in a word or two."""
    return {
        "running": _("Bot running"),
        "starting": _("Bot starting"),
        "stopped": _("Bot stopped"),
        "elsewhere": _("Bot runs elsewhere"),
        "dead": _("Bot does not answer"),
    }[state]


def alarm_words(account: str, subject: str, words: Reason | str, raised_at: datetime, now: datetime) -> str:
    """Return an alarm as Markdown: what it says, whom it concerns, since when."""
    named = [name for name in subject.split("/")[1:] if name != account]
    whom = ""
    if len(named) == 2 and named[1] in ("long", "short"):
        whom = f"{named[0]} {side_words(named[1])} · "
    elif len(named) == 1 and PART.fullmatch(named[0]):
        whom = f"{_('part {part}', part=named[0])} · "
    return f"{told(words)}  \n:small[:gray[{whom}{ago(raised_at, now)}]]"


def side_badge(side: str, leverage: Decimal) -> str:
    arrow = ":material/north_east:" if side == "long" else ":material/south_east:"
    return f":gray-badge[{arrow} {side_words(side)} {quantity(leverage)}x]"


def contracts_words(number: str | Decimal) -> str:
    return _("{n} contract", n=1) if Decimal(number) == 1 else _("{n} contracts", n=quantity(number))


def metric_figures(snapshot: AccountSnapshot, stale: bool = False) -> list[Figure]:
    """Return the account's four numbers."""
    money = snapshot.money
    share = percent(money.margin_used / money.equity * 100).lstrip("+") if money and money.equity else NOTHING
    of_equity, tone = _("{share} of equity", share=share), grey if stale else str
    return [
        Figure(_("Equity, USDT"), tone(usdt(money.equity if money else None))),
        Figure(_("Available, USDT"), tone(usdt(money.available if money else None))),
        Figure(_("Floating PnL, USDT"), pnl(money.floating_pnl if money else None, stale=stale)),
        Figure(_("Margin used, USDT"), tone(usdt(money.margin_used if money else None)), of_equity),
    ]


def position_rows(snapshot: AccountSnapshot) -> list[Row]:
    """Return the exchange's positions, each with our parts in it."""
    rows = []
    for held in snapshot.positions:
        tick = snapshot.tick_of(held.symbol)
        rows.append(
            {
                _("Contract"): held.symbol,
                _("Side"): f"{side_words(held.side)} {quantity(held.leverage)}x",
                _("Contracts"): quantity(held.contracts),
                _("PnL, USDT"): signed(held.unrealised_pnl),
                _("PnL / margin"): percent(held.unrealised_pct),
                _("Value, USDT"): usdt(held.notional),
                _("Entry"): price(held.average_price, tick),
                _("Mark"): price(held.mark_price, tick),
                _("Liquidation"): price(held.liquidation_price, tick),
                _("Margin, USDT"): usdt(held.margin),
                _("Funding, USDT"): signed(held.funding),
                _("Parts"): ", ".join(held.parts) or NOTHING,
                _("Not ours"): quantity(held.residual) if held.residual else NOTHING,
            }
        )
    return rows


def parts_in_order(snapshot: AccountSnapshot) -> list[PartSnapshot]:
    """Return parts that hold something first, then those that wait or were refused."""
    return sorted(snapshot.parts, key=lambda part: (not part.living, part.symbol, part.name))


def part_title(part: PartSnapshot) -> str:
    """Return the first line of a part's card, as Markdown."""
    return f"**{part.symbol}** {side_badge(part.side, part.leverage)} {status_badge(part)}"


def status_badge(part: PartSnapshot) -> str:
    """Return a badge: protected or not while something is held; otherwise the part's status."""
    if part.held:
        if part.status is PartStatus.CLOSING:
            return f":gray-badge[:material/hourglass_top: {_('Closing')}]"
        if part.protected:
            return f":blue-badge[:material/shield: {_('Protected')}]"
        return f":orange-badge[:material/gpp_maybe: {_('Not protected')}]"
    words = {
        PartStatus.ASKED: _("Asked"),
        PartStatus.OPENING: _("Opening"),
        PartStatus.OPEN: _("Open"),
        PartStatus.CLOSING: _("Closing"),
        PartStatus.REFUSED: _("Refused"),
        PartStatus.CLOSED: _("Closed"),
    }
    return f":gray-badge[{words[part.status]}]"


def closing_words(part: PartSnapshot) -> str:
    """Return why nothing can be asked of a part that is being closed; empty for every other one."""
    if not part.wanted.closes:
        return ""
    return _("It is being closed: its targets and its recovery no longer matter.")


def part_caption(part: PartSnapshot, now: datetime) -> str:
    """Return which part, which cycle, how much was asked for, since when."""
    asked = _("{value} USDT asked", value=usdt(part.position_value, 0))
    facts = [_("part {part}", part=part.name), _("cycle {cycle}", cycle=part.cycle), asked]
    if part.cycle_started_at:
        facts.append(_("since {ago}", ago=ago(part.cycle_started_at, now)))
    if part.strategy != "manual":
        facts.append(part.strategy)
    return " · ".join(facts)


def part_figures(part: PartSnapshot, snapshot: AccountSnapshot, now: datetime, stale: bool = False) -> list[Figure]:
    """Return a part's figures, in the order in which a trader looks for them."""
    rules = snapshot.instruments.get(part.symbol)
    tick = None if rules is None else rules.price_tick
    tone = grey if stale else str
    return [
        Figure(_("PnL, USDT"), pnl(part.unrealised_pnl, stale=stale), _("fees {fees}", fees=signed(part.fees))),
        Figure(_("Size"), tone(contracts_words(part.size)), _size_note(part, "" if rules is None else rules.base)),
        Figure(_("Entry"), tone(price(part.average_entry, tick)), _("mark {p}", p=price(part.mark_price, tick))),
        Figure(_("Take-profit"), tone(price(part.take_profit.price, tick)), _level_note(part.take_profit)),
        Figure(_("Stop-loss"), tone(price(part.stop_loss.price, tick)), _level_note(part.stop_loss)),
        Figure(_("On the exchange"), tone(_resting(part)), _seen_note(part, now)),
    ]


def why_lines(explanations: Iterable[Explanation]) -> list[str]:
    """Return each decision of the last look as one sentence of Markdown."""
    lines = []
    for line in explanations:
        action = f" :gray[→ {told(line.action)}]" if line.action else ""
        lines.append(f"- :gray-badge[{rule_name(line.rule)}] {told(line.because)}{action}")
    return lines


def protection_badge(snapshot: AccountSnapshot | None, old: str = "") -> str:
    """Return a badge as Markdown: how many of the parts that hold something have their stop on the exchange.

    Of a snapshot that is `old` it says how old, and is grey: it may no longer be true.
    """
    protected, parts = (snapshot.protection.protected, snapshot.protection.parts) if snapshot else (0, 0)
    words = _("{n}/{m} protected", n=protected, m=parts)
    words += f" {_('{age} ago', age=old)}" if old else ""
    if protected < parts:
        return f":orange-badge[:material/gpp_maybe: {words}]"
    if old:
        return f":gray-badge[:material/schedule: {words}]"
    return f":{'blue' if parts else 'gray'}-badge[:material/shield: {words}]"


def bare_words(snapshot: AccountSnapshot) -> str:
    """Return how long something was without a stop today; empty when never."""
    bare = snapshot.protection.bare_seconds_today
    return _("{seconds} s without a stop today", seconds=bare) if bare else ""


def health_lines(snapshot: AccountSnapshot) -> list[str]:
    """Return a sentence for each source that is not well."""
    health = snapshot.health
    lines = []
    if health.exchange_trouble:
        lines.append(_("Exchange: {words}", words=told(health.exchange_trouble)))
    if health.stream_trouble:
        lines.append(_("Price and order stream: {words}", words=told(health.stream_trouble)))
    return lines


def health_figures(snapshot: AccountSnapshot, now: datetime) -> list[Figure]:
    """Return each source and its state; that there is a snapshot says that the database answers."""
    health = snapshot.health
    heard = _("heard {ago}", ago=ago(health.stream_heard_at, now))
    return [
        Figure(_("Exchange"), told(health.exchange_trouble) if health.exchange_trouble else _("ok")),
        Figure(_("Stream"), told(health.stream_trouble) if health.stream_trouble else _("connected"), heard),
        Figure(_("Database"), _("ok")),
    ]


def request_rows(snapshot: AccountSnapshot) -> list[Row]:
    """Return how much of each request limit was used at the last look, the fullest first."""
    fullest = sorted(
        snapshot.health.requests.items(), key=lambda one: (-Decimal(one[1].used) / (one[1].limit or 1), one[0])
    )
    return [{_("Request"): name, _("Used"): str(of.used), _("Allowed"): str(of.limit)} for name, of in fullest]


def stop_words(parts: int, protected: int) -> str:
    """Return what stopping the bot leaves behind, in one or two sentences."""
    if not parts:
        return _("Nothing is held, so nothing is left unwatched.")
    told = []
    if protected:
        told.append(
            counted(
                "{n} open position will rest on its stop and target at the exchange alone.",
                "{n} open positions will rest on their stops and targets at the exchange alone.",
                protected,
            )
        )
    if protected < parts:
        told.append(
            counted(
                "{n} part has no stop at the exchange: after the stop nothing guards it.",
                "{n} parts have no stop at the exchange: after the stop nothing guards them.",
                parts - protected,
            )
        )
    return " ".join(told)


def stopped_words(on_exchange_alone: int) -> str:
    """Return the banner of a stopped bot."""
    return counted(
        "{n} position rests on exchange-side protection alone: nothing is opened, moved or repaired.",
        "{n} positions rest on exchange-side protection alone: nothing is opened, moved or repaired.",
        on_exchange_alone,
    )


def _size_note(part: PartSnapshot, base: str) -> str:
    return f"{quantity(part.coins)} {base}" if part.coins else ""


def _level_note(level: LevelSnapshot) -> str:
    if level.price is None:
        return _("none wanted") if level.wanted is None else _("set once the entry fills")
    money = "" if level.pnl is None else f" · {signed(level.pnl)} USDT"
    return f"{percent(level.distance_pct)}{money}"


def _resting(part: PartSnapshot) -> str:
    covered = part.stop_loss.covered
    if not part.held:
        return NOTHING
    if part.protected:
        return _("Stop and target") if part.take_profit.wanted else _("Stop")
    if covered:
        return _("Stop for {covered} of {size}", covered=quantity(covered), size=quantity(part.size))
    return _("No stop")


def _seen_note(part: PartSnapshot, now: datetime) -> str:
    if not part.held:
        return _("nothing is held")
    seen = part.protection_seen_at
    return _("not seen yet") if seen is None else _("seen {ago}", ago=ago(seen, now))
