"""The trader's answers to differences between exchange and book: adopt, assign, ignore, book, wait.

An answer is written into the book and never sent to an exchange; the bot guards from there. Bad input raises
Misconfigured with every problem in words, before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.clock import Clock
from core.decision.preview.preview import FIELDS, passed_problem, target_problems
from core.domain.account import PositionKey
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind, Division
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Instrument, Side
from core.domain.intent import ExecutionStyle, ExternalEntry, Intent, RecoveryChoice, ReopenChoice, Target, Wanted
from core.domain.money import ZERO, Contracts, Price
from core.domain.order import Leg
from core.domain.reason import Reason
from core.domain.snapshot import DifferenceSnapshot
from core.services.reporting.snapshot_reader import instrument_of, newest_snapshot
from core.services.trading.choices import choice_problems
from core.services.trading.requests import Asked
from db.store import Store

TOO_OLD = timedelta(seconds=30)  #: what was seen longer ago is not answered: it may be something else by now
LONGEST_STRATEGY = 40
_NOTHING_OFFERED = Reason("answer.none_offered")
ALONE_RECOVERY = RecoveryChoice(enabled=False)
ALONE_REOPEN = ReopenChoice(enabled=False)


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference as last seen. `mark` says which one exactly: give it back with the answer."""

    id: str
    account: str
    kind: DifferenceKind
    symbol: str
    side: Side
    ours: Reason
    theirs: Reason
    since: datetime | None
    words: Reason
    choices: tuple[Choice, ...]
    answer: Choice | None  #: what was said to it; None: it waits for an answer
    mark: str
    quantity: Contracts  #: contracts that are too many or too few
    price: Price | None  #: what a residual was opened at, as far as it can be told
    leverage: Decimal | None  #: of the position at the exchange
    parts: tuple[str, ...]  #: parts that a residual may be assigned to
    seen_at: datetime

    @property
    def key(self) -> PositionKey:
        return PositionKey(self.account, self.symbol, self.side)

    @property
    def blocks(self) -> bool:
        """Return whether nothing is opened or enlarged there because of it."""
        if self.kind is DifferenceKind.RESIDUAL:
            return self.answer is not Choice.IGNORE
        return self.kind in (DifferenceKind.SHORTFALL, DifferenceKind.NET_MODE, DifferenceKind.REDUCED)


@dataclass(frozen=True, slots=True)
class Adoption:
    """How unexplained contracts become a part of our own. By itself it is neither recovered nor reopened."""

    take_profit: Target | None
    stop_loss: Target | None
    strategy: str = "adopted"
    recovery: RecoveryChoice = ALONE_RECOVERY
    reopen: ReopenChoice = ALONE_REOPEN


class Differences:
    """Lists differences and records the trader's answers, each in one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def list(self, account: str) -> tuple[DifferenceRow, ...] | None:
        """Return every difference last seen, unanswered ones first. None: not known, the bot has not looked yet."""
        found = self.store.snapshots.latest(account)
        if found is None:
            return None
        rows = [_row(account, one, found.as_of) for one in found.differences]
        return tuple(sorted(rows, key=lambda row: (row.answer is not None, not row.blocks, row.id)))

    # -- answers --------------------------------------------------------------------------------------------

    def adopt(self, account: str, difference: str, mark: str, asked: Adoption, token: str, by: str) -> Asked:
        """Make a new part of contracts that somebody else opened; the bot guards it like any other."""
        before = self.store.parts.of_token(token)
        if before is not None:
            return Asked(before, False, Reason("trade.asked_already"))
        row = self._standing(account, difference, mark, Choice.ADOPT)
        rules, entry = self._rules(row), self._entry(row)
        problems = tuple(self._adoption_problems(row, asked, rules))
        if problems:
            raise Misconfigured(*problems)
        wish = Intent(
            part="",
            key=row.key,
            wanted=Wanted.OPEN,
            position_value=rules.notional(entry.quantity, entry.price),
            leverage=row.leverage or Decimal(1),
            entry=ExecutionStyle(),
            take_profit=asked.take_profit,
            stop_loss=asked.stop_loss,
            strategy=asked.strategy.strip(),
            contracts=entry.quantity,
            cycle_started_at=row.seen_at,
            own_recovery=asked.recovery,
            own_reopen=asked.reopen,
            asked_by=by,
            asked_at=self.clock.now(),
        )
        intent, new = self.store.differences.adopt(wish, entry, token)
        return Asked(intent.part, new, self._words(account, Reason("answer.adopted")))

    def assign(self, account: str, difference: str, mark: str, part: str, token: str, by: str) -> Asked:
        """Add contracts that somebody else opened to an existing part; its TP and SL then protect the whole."""
        if self.store.parts.of_token(token) is not None:
            return Asked(part, False, Reason("trade.asked_already"))
        row = self._standing(account, difference, mark, Choice.ASSIGN)
        if part not in row.parts:
            offered = row.parts or Reason("answer.no_part_now")
            raise Misconfigured(
                Reason(
                    "answer.cannot_take",
                    field=Reason("field.part"),
                    value=part,
                    allowed=Reason("allowed.one_of", all=offered),
                )
            )
        if row.quantity % self._rules(row).quantity_step:
            raise Misconfigured(Reason("answer.between_steps", quantity=row.quantity))
        _, new = self.store.differences.assign(part, self._entry(row), token, by)
        return Asked(part, new, self._words(account, Reason("answer.assigned", part=part)))

    def ignore(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        """Leave a difference alone, without an alarm, until it changes."""
        return self._answer(account, difference, mark, Choice.IGNORE, token, by, Reason("answer.ignored"))

    def book(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        """Book what is missing as closed at the mark price, without looking for its fill any longer."""
        words = self._words(account, Reason("answer.booked"))
        return self._answer(account, difference, mark, Choice.BOOK, token, by, words)

    def wait(self, account: str, difference: str, mark: str, token: str, by: str) -> Asked:
        """Keep what is missing in the book until its fill is found, however long that takes."""
        words = Reason("answer.waits")
        return self._answer(account, difference, mark, Choice.WAIT, token, by, words)

    def divide(self, account: str, difference: str, mark: str, choice: Choice, token: str, by: str) -> Asked:
        """Choose which parts lose what somebody closed of a position they share."""
        words = self._words(account, Reason("answer.divided", how=Division(choice)))
        return self._answer(account, difference, mark, choice, token, by, words)

    # -- helpers --------------------------------------------------------------------------------------------

    def _answer(
        self, account: str, difference: str, mark: str, choice: Choice, token: str, by: str, words: Reason
    ) -> Asked:
        row = self._standing(account, difference, mark, choice)
        return Asked(
            "", self.store.differences.answer(row.key, DifferenceAnswer(row.kind, choice, row.mark), token, by), words
        )

    def _standing(self, account: str, difference: str, mark: str, choice: Choice) -> DifferenceRow:
        """Return the difference as it is now. Raises Misconfigured where it is no longer what the trader saw."""
        found = self.list(account)
        if found is None:
            raise Misconfigured(Reason("answer.not_looked"))
        row = next((row for row in found if row.id == difference), None)
        if row is None:
            raise Misconfigured(Reason("answer.gone"))
        if row.mark != mark:
            raise Misconfigured(Reason("answer.changed", now=row.words))
        if choice not in row.choices:
            raise Misconfigured(Reason("answer.not_offered", choice=choice, choices=row.choices or _NOTHING_OFFERED))
        if self.clock.now() - row.seen_at > TOO_OLD:
            raise Unavailable(Reason("answer.look_too_old"))
        return row

    def _entry(self, row: DifferenceRow) -> ExternalEntry:
        if row.price is None or row.since is None:
            raise Unavailable(Reason("answer.price_unknown"))
        # The difference in which they are too many can be given away once: the same until the book has it.
        name = f"{row.symbol}/{row.side}/{row.since.isoformat()}/{row.ours}"
        return ExternalEntry(row.quantity, row.price, row.seen_at, name)

    def _adoption_problems(self, row: DifferenceRow, asked: Adoption, rules: Instrument) -> Iterator[Reason]:
        if not 0 < len(asked.strategy.strip()) <= LONGEST_STRATEGY:
            yield Reason(
                "answer.strategy_name", field=Reason("field.strategy"), value=asked.strategy, most=LONGEST_STRATEGY
            )
        quantity, price = row.quantity, row.price
        if quantity < rules.min_quantity or quantity % rules.quantity_step:
            yield (Reason("answer.too_small", quantity=quantity, least=rules.min_quantity, step=rules.quantity_step))
        ticker = newest_snapshot(self.store, row.account).tickers.get(row.symbol)
        for leg, target in ((Leg.TAKE_PROFIT, asked.take_profit), (Leg.STOP_LOSS, asked.stop_loss)):
            if target is None or price is None:
                continue
            # A stop given as a price may lock in profit: it must lie behind the price, not behind the entry.
            wrong = (
                [] if target.price is not None else list(target_problems(leg, target, row.side, rules, price, quantity))
            )
            level = rules.stop_price(row.side, target.raw_price(rules, row.side, price, quantity))
            if level <= ZERO and not wrong:
                wrong = [Reason("target.not_above_zero", field=FIELDS[leg], level=level)]
            yield from wrong
            passed = passed_problem(leg, level, row.side, ticker.mark) if ticker is not None and not wrong else None
            if passed is not None:
                yield passed
        yield from choice_problems(asked.recovery, asked.reopen)

    def _rules(self, row: DifferenceRow) -> Instrument:
        return instrument_of(newest_snapshot(self.store, row.account), row.symbol)

    def _words(self, account: str, done: Reason) -> Reason:
        return done if self.store.bots.get(account).running else Reason("trade.done_once_started", done=done)


def _row(account: str, difference: DifferenceSnapshot, seen_at: datetime) -> DifferenceRow:
    return DifferenceRow(
        id=difference.id,
        account=account,
        kind=difference.kind,
        symbol=difference.symbol,
        side=difference.side,
        ours=difference.ours,
        theirs=difference.theirs,
        since=difference.since,
        words=difference.words,
        choices=difference.choices,
        answer=difference.answer,
        mark=difference.mark,
        quantity=Contracts(difference.quantity),
        price=None if difference.price is None else Price(difference.price),
        leverage=difference.leverage,
        parts=difference.parts,
        seen_at=seen_at,
    )
