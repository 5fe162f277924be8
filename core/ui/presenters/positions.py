"""Tables and cards as plain values: the picture goes in, rows and figures come out.

Pure, without Streamlit or a clock, so each sentence and number that a trader reads can be tested as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.account import Account, Environment, Exchange
from core.i18n.translate import _, counted, told
from core.ui.presenters.format import (
    NOTHING,
    Figure,
    ago,
    decimal,
    grey,
    percent,
    pnl,
    price,
    quantity,
    signed,
    time_of,
    usdt,
)
from core.venues import profiles

Json = Mapping[str, Any]
Row = dict[str, str]
PART = re.compile(r"[0-9a-z]{6}")
LIVING = ("asked", "opening", "open", "closing")


def brand(exchange: str) -> str:
    """Return the name of an exchange; its id where it is not offered any more."""
    known = profiles().get(Exchange(exchange))
    return exchange if known is None else known.title


def account_label(account: Account) -> str:
    """An account in the chooser: its name, its exchange where the name does not say it, and that it is real money."""
    facts = [account.name]
    if account.exchange not in account.name.lower():
        facts.append(brand(account.exchange))
    if account.environment is Environment.LIVE:
        facts.append(_("LIVE"))
    return " · ".join(facts)


def tick_of(picture: Json, symbol: str) -> str | None:
    """The price tick of a contract on the board, or None where the board does not know it."""
    tick: str | None = picture["instruments"].get(symbol, {}).get("price_tick")
    return tick


def short_symbol(symbol: str) -> str:
    """BTC for BTC-USDT-PERP."""
    return symbol.removesuffix("-USDT-PERP")


def side_words(side: str) -> str:
    return _("Long") if side == "long" else _("Short")


def order_side_words(side: str) -> str:
    """Which way an order goes."""
    return _("buy") if side == "buy" else _("sell")


def bot_words(state: str) -> str:
    """What the bot does, in a word or two."""
    return {
        "running": _("Bot running"),
        "starting": _("Bot starting"),
        "stopped": _("Bot stopped"),
        "elsewhere": _("Bot runs elsewhere"),
        "dead": _("Bot does not answer"),
    }[state]


def alarm_words(account: str, subject: str, words: str, raised_at: str | datetime, now: datetime) -> str:
    """An alarm as Markdown: what it says, whom it concerns, since when."""
    named = [name for name in subject.split("/")[1:] if name != account]
    whom = ""
    if len(named) == 2 and named[1] in ("long", "short"):
        whom = f"{named[0]} {side_words(named[1])} · "
    elif len(named) == 1 and PART.fullmatch(named[0]):
        whom = f"{_('part {part}', part=named[0])} · "
    return f"{told(words)}  \n:small[:gray[{whom}{ago(raised_at, now)}]]"


def side_badge(side: str, leverage: str) -> str:
    arrow = ":material/north_east:" if side == "long" else ":material/south_east:"
    return f":gray-badge[{arrow} {side_words(side)} {quantity(leverage)}x]"


def contracts_words(number: str | Decimal) -> str:
    return _("{n} contract", n=1) if Decimal(number) == 1 else _("{n} contracts", n=quantity(number))


def metric_figures(picture: Json, stale: bool = False) -> list[Figure]:
    """The account's four numbers."""
    metrics = picture["metrics"] or {}
    margin, equity = decimal(metrics.get("margin_used")), decimal(metrics.get("equity"))
    share = percent(margin / equity * 100).lstrip("+") if margin is not None and equity else NOTHING
    tone = grey if stale else str
    return [
        Figure(_("Equity, USDT"), tone(usdt(metrics.get("equity")))),
        Figure(_("Available, USDT"), tone(usdt(metrics.get("available")))),
        Figure(_("Floating PnL, USDT"), pnl(metrics.get("floating_pnl"), stale=stale)),
        Figure(_("Margin used, USDT"), tone(usdt(metrics.get("margin_used"))), _("{share} of equity", share=share)),
    ]


def position_rows(picture: Json) -> list[Row]:
    """The exchange's positions, each with our parts in it."""
    rows = []
    for held in picture["positions"]:
        tick = tick_of(picture, held["symbol"])
        residual = decimal(held["residual"])
        rows.append(
            {
                _("Contract"): held["symbol"],
                _("Side"): f"{side_words(held['side'])} {quantity(held['leverage'])}x",
                _("Contracts"): quantity(held["contracts"]),
                _("PnL, USDT"): signed(held["unrealised_pnl"]),
                _("PnL / margin"): percent(held["unrealised_pct"]),
                _("Value, USDT"): usdt(held["notional"]),
                _("Entry"): price(held["average_price"], tick),
                _("Mark"): price(held["mark_price"], tick),
                _("Liquidation"): price(held["liquidation_price"], tick),
                _("Margin, USDT"): usdt(held["margin"]),
                _("Funding, USDT"): signed(held["funding"]),
                _("Parts"): ", ".join(held["parts"]) or NOTHING,
                _("Not ours"): quantity(held["residual"]) if residual else NOTHING,
            }
        )
    return rows


def parts_in_order(picture: Json) -> list[Json]:
    """Parts with something to guard first, then those that wait or were refused."""
    return sorted(picture["parts"], key=lambda part: (part["status"] not in LIVING, part["symbol"], part["part"]))


def part_title(part: Json) -> str:
    """The first line of a part's card, as Markdown."""
    return f"**{part['symbol']}** {side_badge(part['side'], part['leverage'])} {status_badge(part)}"


def status_badge(part: Json) -> str:
    """Protected or not is what matters while something is held; otherwise the part's status."""
    if decimal(part["size"]):
        if part["status"] == "closing":
            return f":gray-badge[:material/hourglass_top: {_('Closing')}]"
        if part["protected"]:
            return f":blue-badge[:material/shield: {_('Protected')}]"
        return f":orange-badge[:material/gpp_maybe: {_('Not protected')}]"
    words = {
        "asked": _("Asked"),
        "opening": _("Opening"),
        "open": _("Open"),
        "closing": _("Closing"),
        "refused": _("Refused"),
        "closed": _("Closed"),
    }
    return f":gray-badge[{words.get(part['status'], part['status'])}]"


def closing_words(part: Json) -> str:
    """Why nothing can be asked of a part that is being closed; empty for every other one."""
    if part["wanted"] == "open":
        return ""
    return _("It is being closed: its targets and its recovery no longer matter.")


def part_caption(part: Json, now: datetime) -> str:
    """Which part, which cycle, how much was asked for, since when."""
    asked = _("{value} USDT asked", value=usdt(part["position_value"], 0))
    facts = [_("part {part}", part=part["part"]), _("cycle {cycle}", cycle=part["cycle"]), asked]
    if part["cycle_started_at"]:
        facts.append(_("since {ago}", ago=ago(part["cycle_started_at"], now)))
    if part["strategy"] != "manual":
        facts.append(part["strategy"])
    return " · ".join(facts)


def part_figures(part: Json, picture: Json, now: datetime, stale: bool = False) -> list[Figure]:
    """What a trader wants to know of a part, in the order in which they look for it."""
    tick = tick_of(picture, part["symbol"])
    tone = grey if stale else str
    base = picture["instruments"].get(part["symbol"], {}).get("base", "")
    return [
        Figure(_("PnL, USDT"), pnl(part["unrealised_pnl"], stale=stale), _("fees {fees}", fees=signed(part["fees"]))),
        Figure(_("Size"), tone(contracts_words(part["size"])), _size_note(part, base)),
        Figure(_("Entry"), tone(price(part["average_entry"], tick)), _("mark {p}", p=price(part["mark_price"], tick))),
        Figure(_("Take-profit"), tone(price(part["take_profit_price"], tick)), _target_note(part, "take_profit")),
        Figure(_("Stop-loss"), tone(price(part["stop_loss_price"], tick)), _target_note(part, "stop_loss")),
        Figure(_("On the exchange"), tone(_resting(part)), _seen_note(part, now)),
    ]


def why_lines(part: Json) -> list[str]:
    """Each decision of the last look as one sentence of Markdown."""
    lines = []
    for line in part["why"]:
        action = f" :gray[→ {line['action']}]" if line["action"] else ""
        lines.append(f"- :gray-badge[{told(line['rule'])}] {told(line['because'])}{action}")
    return lines


def protection_badge(picture: Json | None, old: str = "") -> str:
    """The pill, as Markdown: how many of the parts that hold something have their stop on the exchange.

    Of a picture that is `old` it says how old, and is grey: it may no longer be true.
    """
    counts = picture["protection"] if picture else {"protected": 0, "parts": 0}
    protected, parts = int(counts["protected"]), int(counts["parts"])
    words = _("{n}/{m} protected", n=protected, m=parts)
    words += f" {_('{age} ago', age=old)}" if old else ""
    if protected < parts:
        return f":orange-badge[:material/gpp_maybe: {words}]"
    if old:
        return f":gray-badge[:material/schedule: {words}]"
    return f":{'blue' if parts else 'gray'}-badge[:material/shield: {words}]"


def bare_words(picture: Json) -> str:
    """How long something was without a stop today; empty when never."""
    bare = decimal(picture["protection"].get("bare_seconds_today"))
    return _("{seconds} s without a stop today", seconds=bare) if bare else ""


def health_lines(picture: Json) -> list[str]:
    """A sentence for each source that is not well."""
    health = picture["health"]
    lines = []
    if health["exchange"] != "ok":
        lines.append(_("Exchange: {words}", words=told(health["exchange"])))
    if health["stream"] not in ("ok", "connected"):
        lines.append(_("Price and order stream: {words}", words=told(health["stream"])))
    if health["database"] != "ok":
        lines.append(_("Database: {words}", words=told(health["database"])))
    return lines


def health_figures(picture: Json, now: datetime) -> list[Figure]:
    """Each source and how it is."""
    health = picture["health"]
    return [
        Figure(_("Exchange"), told(health["exchange"])),
        Figure(_("Stream"), told(health["stream"]), _("heard {ago}", ago=ago(health["stream_heard_at"], now))),
        Figure(_("Database"), told(health["database"])),
    ]


def request_rows(picture: Json) -> list[Row]:
    """How much of each request limit was used at the last look, the fullest first."""
    counted_by = picture["health"]["requests"].items()
    fullest = sorted(counted_by, key=lambda one: (-Decimal(one[1][0]) / (Decimal(one[1][1]) or 1), one[0]))
    return [{_("Request"): name, _("Used"): used, _("Allowed"): limit} for name, (used, limit) in fullest]


def stop_words(parts: int, protected: int) -> str:
    """What stopping the bot leaves behind, in one or two sentences."""
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
    """The banner of a stopped bot."""
    return counted(
        "{n} position rests on exchange-side protection alone: nothing is opened, moved or repaired.",
        "{n} positions rest on exchange-side protection alone: nothing is opened, moved or repaired.",
        on_exchange_alone,
    )


def _size_note(part: Json, base: str) -> str:
    coins = decimal(part.get("coins"))
    return f"{quantity(coins)} {base}" if coins else ""


def _target_note(part: Json, name: str) -> str:
    if part[f"{name}_price"] is None:
        target = part[name]
        return _("none wanted") if target is None else _("set once the entry fills")
    amount = decimal(part[f"{name}_pnl"])
    money = "" if amount is None else f" · {signed(amount)} USDT"
    return f"{percent(part[f'{name}_distance_pct'])}{money}"


def _resting(part: Json) -> str:
    size, covered = decimal(part["size"]), decimal(part["stop_covered"])
    if not size:
        return NOTHING
    if part["protected"]:
        return _("Stop and target") if part["take_profit"] else _("Stop")
    if covered:
        return _("Stop for {covered} of {size}", covered=quantity(covered), size=quantity(size))
    return _("No stop")


def _seen_note(part: Json, now: datetime) -> str:
    if not decimal(part["size"]):
        return _("nothing is held")
    seen = time_of(part["protection_seen_at"])
    return _("not seen yet") if seen is None else _("seen {ago}", ago=ago(seen, now))
