"""What the days are held against: the exchange's own books, laid beside ours.

At any rest: each part is one row, held as we think, guarded by exactly one order (one for each leg where there is no
OCO), nothing of ours without an owner, and our money is the exchange's. At the end, flat, that holds for each
instrument and for each kind of money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from core.domain.ids import meaning
from core.domain.intent import ExitReason
from core.domain.part import Part
from core.monitor import sentinel
from core.monitor.history import bring_home
from db.records import CycleRecord
from tests.scenario.days import INSTRUMENTS, Days

CENT = Decimal("0.01")
FUNDING = "8"  #: type of a bill
EVERY_CYCLE = 100_000
Money = dict[tuple[str, str], Decimal]  #: by instrument and kind: pnl, fee, funding


def check_at_rest(days: Days, names: list[str]) -> None:
    """The promises that hold whenever the bot has nothing to do."""
    exchange = days.exchange()
    parts = {part.name: part for part in days.parts() if part.intent.living}
    _one_row_each(days, names)
    _sizes_agree(days, exchange, parts.values())
    _guarded_and_owned(days, exchange, parts)
    found = [words for _, words in sentinel.findings(days.guard)]
    assert not found, f"{found}\n{days.story()}"
    differences = [one for result in days.guard.reconciler.results.values() for one in result.differences]
    assert not differences, f"{differences}\n{days.story()}"
    _equity_agrees(days, exchange, parts.values())


def check_at_the_end(days: Days, names: list[str]) -> list[CycleRecord]:
    """Flat, silent, and the same money to the cent on both sides; returns every cycle."""
    exchange = days.exchange()
    _one_row_each(days, names)
    left = [row for row in exchange["orders"] if row["state"] in ("live", "partially_filled")]
    assert (exchange["positions"], days.resting(), left) == ([], [], []), days.story()
    assert not any(command.unresolved for command in days.store.orders.commands(days.name))
    assert not days.alarms(), days.story()
    cycles = days.store.history.cycles(days.name, limit=EVERY_CYCLE)
    _cycles_whole(days, names, cycles)
    _ledgers_agree(exchange, cycles)
    _facts_once(days, exchange)
    return cycles


def _one_row_each(days: Days, names: list[str]) -> None:
    rows = [intent.part for intent in days.store.parts.intents(days.name)]
    assert sorted(rows) == sorted(names), f"{len(rows)} rows for {len(names)} parts"


def _sizes_agree(days: Days, exchange: dict[str, Any], parts: Iterable[Part]) -> None:
    ours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for part in parts:
        if part.size:
            ours[INSTRUMENTS[part.intent.key.symbol], str(part.side)] += part.size
    theirs = {(row["instId"], row["posSide"]): Decimal(row["pos"]) for row in exchange["positions"]}
    assert ours == theirs, f"{dict(ours)} against {theirs}\n{days.story()}"


def _guarded_and_owned(days: Days, exchange: dict[str, Any], parts: dict[str, Part]) -> None:
    guards: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in (row for row in exchange["algos"] if row["state"] == "live"):
        said = meaning(row["algoClOrdId"])
        owner = parts.get(said.part) if said else None
        assert owner is not None, f"an orphan: {row}\n{days.story()}"
        guards[owner.name].append(row)
    for row in (row for row in exchange["orders"] if row["state"] in ("live", "partially_filled")):
        said = meaning(row["clOrdId"])
        assert said is not None, f"a stray order: {row}\n{days.story()}"
        assert said.part in parts, f"a stray order: {row}\n{days.story()}"
    for name, part in parts.items():
        if part.size:
            told = [_guard(row) for row in guards[name]]
            stop, target = part.stop_price(), part.take_profit_price()
            pair = [(part.size, stop, target)]
            if not days.client.facts.native_oco:
                pair = [(part.size, stop, None), (part.size, None, target)]
            assert sorted(told, key=str) == sorted(pair, key=str), f"{name}: {told} and not {pair}\n{days.story()}"


def _guard(row: dict[str, Any]) -> tuple[Decimal, Decimal | None, Decimal | None]:
    """Size, stop and target of an order that rests."""
    stop, target = (Decimal(row[leg]) if row[leg] else None for leg in ("slTriggerPx", "tpTriggerPx"))
    return Decimal(row["sz"]), stop, target


def _equity_agrees(days: Days, exchange: dict[str, Any], parts: Iterable[Part]) -> None:
    """What has ended, what is realised and what is held at the mark, fees and funding: the same on both sides."""
    bring_home(days.guard)
    ours, theirs = _of_cycles(days.store.history.cycles(days.name, limit=EVERY_CYCLE)), _of_ledger(exchange)
    now = days.clock.now()
    for part in parts:
        key, began, cycle = part.intent.key, part.intent.cycle_started_at, part.intent.cycle
        name = INSTRUMENTS[key.symbol]
        ours[name, "pnl"] += part.realised_pnl + part.unrealised_pnl(Decimal(exchange["prices"][name]["mark"]))
        ours[name, "fee"] += part.fees
        if began is not None:
            share = days.store.fills.funding_of(days.name, key.symbol, key.side, part.name, cycle, began, now)
            ours[name, "funding"] += share
    for row in exchange["positions"]:
        theirs[row["instId"], "pnl"] += Decimal(row["upl"])
    assert not _apart(ours, theirs), f"ours and the exchange's: {_apart(ours, theirs)}\n{days.story()}"
    account = _account(exchange)
    worth = Decimal(account["equity"]) - Decimal(account["deposits"])
    assert abs(sum(ours.values(), Decimal(0)) - worth) < CENT, f"we count {sum(ours.values())}, the exchange {worth}"


def _cycles_whole(days: Days, names: list[str], cycles: list[CycleRecord]) -> None:
    """Numbered without a gap, each with its reason, none longer than its part."""
    told = {intent.part: intent.cycle for intent in days.store.parts.intents(days.name)}
    numbers: dict[str, list[int]] = defaultdict(list)
    for cycle in cycles:
        numbers[cycle.part].append(cycle.number)
        assert cycle.reason is not ExitReason.NOT_KNOWN, cycle
        assert cycle.started <= cycle.ended, cycle
    for name in names:
        assert sorted(numbers[name]) == list(range(1, told[name] + 1)), f"{name}: {sorted(numbers[name])}"


def _ledgers_agree(exchange: dict[str, Any], cycles: list[CycleRecord]) -> None:
    """PnL, fees and funding, for each instrument and in all; and the exchange's own sums hold together."""
    ours, account = _of_cycles(cycles), _account(exchange)
    apart = _apart(ours, _of_ledger(exchange))
    assert not apart, f"ours and the exchange's: {apart}"
    earned = Decimal(account["balance"]) - Decimal(account["deposits"])
    assert abs(sum(ours.values(), Decimal(0)) - earned) < CENT
    spent = Decimal(account["fees"]) + Decimal(account["penalties"])
    assert earned == Decimal(account["realised"]) + Decimal(account["funding"]) - spent


def _of_cycles(cycles: Iterable[CycleRecord]) -> Money:
    """What our book says of ended cycles."""
    money: Money = defaultdict(Decimal)
    for cycle in cycles:
        name = INSTRUMENTS[cycle.symbol]
        money[name, "pnl"] += cycle.realised_pnl
        money[name, "fee"] += cycle.fees
        money[name, "funding"] += cycle.funding
    return money


def _of_ledger(exchange: dict[str, Any]) -> Money:
    """What the exchange has booked."""
    money: Money = defaultdict(Decimal)
    for bill in (bill for bill in exchange["ledger"] if bill["instId"]):
        if bill["type"] == FUNDING:
            money[bill["instId"], "funding"] += Decimal(bill["balChg"])
        else:
            money[bill["instId"], "pnl"] += Decimal(bill["pnl"])
            money[bill["instId"], "fee"] += Decimal(bill["fee"])
    return money


def _apart(ours: Money, theirs: Money) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Where the two differ by a cent or more."""
    return {
        at: (ours.get(at, Decimal(0)), theirs.get(at, Decimal(0)))
        for at in sorted({*ours, *theirs})
        if abs(ours.get(at, Decimal(0)) - theirs.get(at, Decimal(0))) >= CENT
    }


def _facts_once(days: Days, exchange: dict[str, Any]) -> None:
    """Every execution and every funding payment of the exchange is in our ledger, and once."""
    bring_home(days.guard)
    fills = days.store.fills.find(days.name, limit=EVERY_CYCLE)
    assert len(fills) == len(exchange["fills"]), f"{len(fills)} fills kept of {len(exchange['fills'])}"
    payments = sum(bill["type"] == FUNDING for bill in exchange["ledger"])
    assert funding_payments(days) == payments, f"{funding_payments(days)} payments kept of {payments}"


def funding_payments(days: Days) -> int:
    """How many our ledger has kept."""
    return len(days.store.fills.funding(days.name, limit=EVERY_CYCLE))


def _account(exchange: dict[str, Any]) -> dict[str, str]:
    account: dict[str, str]
    (account,) = [one for one in exchange["accounts"].values() if Decimal(one["deposits"])]
    return account
