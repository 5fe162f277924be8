"""Replays one-minute candles through the paper exchange with the real bot on it, and reports the result of each stop.

    .venv/bin/python scripts/candle_story.py ETH=candles.csv.gz --from 2025-02-03T01:30 --minutes 90 > story.md

The file (csv, plain or .gz) has a header and the columns open_time (ms since 1970, UTC), open, high, low, close and
volume. The same file and times give the same report.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.instrument import TriggerBy
from core.domain.intent import ExitReason
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from db.store import Store
from tests.postgres import OPTIONS, folder_for_server
from tests.replay import BREAK_EVEN_AT, SLOTS, Exit, Run, replay

TRIGGERS = (TriggerBy.MARK, TriggerBy.LAST)


def main() -> int:
    parser = argparse.ArgumentParser(prog="candle_story.py", description=__doc__.splitlines()[0])
    parser.add_argument("candles", metavar="COIN=FILE", help="BTC, ETH or SOL, and its file of one-minute candles")
    parser.add_argument("--from", dest="start", required=True, help="where to begin, UTC: 2025-02-03T01:30")
    parser.add_argument("--minutes", type=int, default=90)
    parser.add_argument("--note", default="", help="a paragraph for the report: where the candles are from, say")
    options = parser.parse_args()
    coin, _, file = options.candles.partition("=")
    start = datetime.fromisoformat(options.start).replace(tzinfo=UTC)
    print(story(run(Path(file), coin, start, options.minutes), coin, options.minutes, options.note))
    return 0


def run(file: Path, coin: str, start: datetime, minutes: int) -> Run:
    """Run the replay, on a database of its own that is deleted afterwards."""
    folder = folder_for_server()
    server = EmbeddedPostgres(folder / "postgres", OPTIONS)
    try:
        url = server.start()
        upgrade(url)
        store = Store.open(url)
        try:
            return replay(store, file, coin, start, minutes)
        finally:
            store.close()
    finally:
        server.stop()
        shutil.rmtree(folder)


# -- the report --------------------------------------------------------------------------------------------------


def story(run: Run, coin: str, minutes: int, note: str = "") -> str:
    """Return the run as Markdown."""
    return "\n".join([*_head(run, coin, minutes, note), *_promises(run), *_stops(run), *_targets(run), *_others(run)])


def _head(run: Run, coin: str, minutes: int, note: str) -> Iterator[str]:
    fall = (run.low / run.high - 1) * 100
    yield f"# What became of each stop: {coin}, {run.begin:%-d %B %Y}, {run.begin:%H:%M} to {run.end:%H:%M} UTC"
    yield ""
    yield (
        f"The real bot, with its real database and its real OKX client, on the paper exchange, which replayed recorded "
        f"one-minute candles of {coin}/USDT: {minutes} minutes in which the price went between {run.high:,} and "
        f"{run.low:,} USDT ({fall:.1f} %). A simple trader kept {len(SLOTS)} parts open all the time, long and short "
        f"on one contract; whatever ended was opened again two minutes later, and the stop of whatever had come "
        f"{BREAK_EVEN_AT:.0%} of the way to its target was moved to its entry ({run.edits} times)."
    )
    yield ""
    if note:
        yield note
        yield ""
    yield "Repeat it with a file of your own:"
    yield ""
    yield "```sh"
    yield (
        f".venv/bin/python scripts/candle_story.py {coin}=your-candles.csv.gz "
        f"--from {run.begin:%Y-%m-%dT%H:%M} --minutes {minutes}"
    )
    yield "```"
    yield ""
    yield (
        "How the minutes are played: open, then the nearer of high and low as the candle's colour tells, then the "
        "other, then close, a price every second and on the way between two prices in steps of at most 0.05 %. The "
        "mark price follows the last price with a time constant of 30 s and is never more than 5 % away from it. The "
        "book is one tick wide. No push reaches the bot in this run: it finds everything by looking, every 5 s, which "
        "is worse than life. Time stands still while it works, so the same file gives the same report."
    )
    yield ""
    yield "| Part | PnL wanted | PnL risked | Set off by | Entry |"
    yield "|---|--:|--:|---|---|"
    for slot in SLOTS:
        entry = "market" if slot.offset is None else f"limit, {slot.offset:+} %"
        yield (
            f"| {slot.name}, {slot.value:,} USDT | +{slot.take_profit} | {slot.stop_loss} | {slot.by} price | {entry} |"
        )
    yield ""


def _promises(run: Run) -> Iterator[str]:
    ours, ledger = run.ours, run.ledger
    reasons = Counter(str(cycle.reason).replace("_", " ") for cycle in run.cycles)
    yield "## What must hold, whatever the price does"
    yield ""
    yield "| | |"
    yield "|---|--:|"
    yield f"| Parts opened | {len(run.slots)} |"
    yield f"| Looks at the exchange | {run.looks} |"
    yield f"| Orders at the exchange | {run.orders} |"
    yield f"| Seconds in which contracts were held without a stop-loss at the exchange | {_plain(run.bare_seconds)} |"
    yield f"| Seconds in which a protection rested beside no position | {_plain(run.orphan_seconds)} |"
    yield f"| Left at the exchange in the end | {', '.join(run.left) or 'nothing'} |"
    for name, words in (("pnl", "Realised PnL"), ("fees", "Fees"), ("funding", "Funding"), ("all", "All together")):
        difference = _rounded(ours[name] - ledger[name], 2)
        yield (
            f"| {words}, USDT: our cycles / the exchange's ledger / difference "
            f"| {ours[name]:+,.2f} / {ledger[name]:+,.2f} / {difference} |"
        )
    yield f"| Requests of the trader that were refused | {len(run.refusals)} |"
    yield ""
    yield "How the parts ended: " + ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) + "."
    yield ""
    for refusal in run.refusals:
        yield f"- refused: {refusal}"
    if run.refusals:
        yield ""


def _stops(run: Run) -> Iterator[str]:
    yield "## Every stop-loss"
    yield ""
    yield (
        "*Asked* is the PnL at exactly the level; *gap* is by how much the fill was worse (minus: better), in USDT and "
        "in hundredths of a percent of the level. *Beyond* is how far past the level the price that sets it off stood "
        "when the order was filled; *book* is how much worse than the mark the book was at that moment (USDT a coin)."
    )
    yield ""
    yield from _table(run.stops, "Asked")
    yield ""
    for by in TRIGGERS:
        chosen = [exit_ for exit_ in run.stops if exit_.by is by]
        if chosen:
            yield f"- Set off by the {by} price: {_gaps(chosen)}."
    yield ""
    yield from _lesson(run)


def _lesson(run: Run) -> Iterator[str]:
    """Yield what the two kinds of trigger cost, in this run's own numbers."""
    by_mark, by_last = ([exit_ for exit_ in run.stops if exit_.by is by] for by in TRIGGERS)
    if not by_mark or not by_last:
        return
    worst = max(by_mark, key=lambda exit_: exit_.gap_bp)
    cost_by_mark, cost_by_last = (sum(exit_.gap for exit_ in chosen) for chosen in (by_mark, by_last))
    yield (
        f"A stop by mark waits until the mark has come along. In a fall as quick as this one the book is far away by "
        f"then: the worst, {worst.slot.name} at {worst.at:%H:%M:%S}, waited for {worst.level:,} and was filled at "
        f"{worst.price:,}, because the book stood {worst.behind:,} worse than the mark. A stop by the last price is "
        f"filled where it waits, give or take a step of the price; what it pays for that is to be set off by wicks "
        f"that the mark never saw. In this run the stops by mark cost {_usdt(cost_by_mark)} USDT more than asked, the "
        f"stops by last {_usdt(cost_by_last)} USDT. How closely a real mark price follows in such a minute is the "
        f"exchange's affair; the lag played here is long."
    )
    yield ""


def _targets(run: Run) -> Iterator[str]:
    chosen = [exit_ for exit_ in run.exits if not exit_.is_stop]
    yield "## Every take-profit"
    yield ""
    if not chosen:
        yield "None was reached."
        yield ""
        return
    yield from _table(chosen, "Asked")
    yield ""


def _others(run: Run) -> Iterator[str]:
    told = {exit_.part for exit_ in run.exits}
    rest = [cycle for cycle in run.cycles if cycle.part not in told and cycle.reason is not ExitReason.NOT_ENTERED]
    missed = [cycle for cycle in run.cycles if cycle.reason is ExitReason.NOT_ENTERED]
    yield "## Everything else"
    yield ""
    for cycle in rest:
        slot = run.slots[cycle.part]
        yield (
            f"- {cycle.ended:%H:%M:%S} {slot.name}: {cycle.words}, {cycle.contracts} contracts, "
            f"{cycle.realised_pnl:+,.2f} USDT"
        )
    words = Counter((run.slots[cycle.part].name, str(cycle.words).partition(":")[0]) for cycle in missed)
    for (name, why), count in sorted(words.items()):
        yield f"- {name}: {count} times not entered ({why})"


def _table(exits: Sequence[Exit], asked: str) -> Iterator[str]:
    yield f"| Time | Part | By | Level | Mark | Fill | Beyond | Book | {asked} | Got | Gap USDT | Gap bp |"
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for one in sorted(exits, key=lambda exit_: exit_.at):
        yield (
            f"| {one.at:%H:%M:%S} | {one.slot.name} | {one.by} | {one.level:,} | {one.mark:,} | {one.price:,} "
            f"| {_rounded(one.overshoot, 2):,} | {_rounded(one.behind, 2):,} | {one.asked:+,.2f} "
            f"| {one.cycle.realised_pnl:+,.2f} | {_rounded(one.gap, 2):,} | {_rounded(one.gap_bp, 1):,} |"
        )


def _gaps(exits: Sequence[Exit]) -> str:
    bp = [exit_.gap_bp for exit_ in exits]
    return (
        f"{len(exits)}, gap {statistics.median(bp):,.1f} bp in the middle, {max(bp):,.1f} bp at worst, "
        f"{_usdt(sum(exit_.gap for exit_ in exits))} USDT together"
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _rounded(number: Decimal, places: int) -> Decimal:
    """Return a number rounded, and never a zero with a minus."""
    return round(number, places) + 0


def _usdt(amount: Decimal | int) -> str:
    return f"{amount:,.2f}"


if __name__ == "__main__":
    sys.exit(main())
