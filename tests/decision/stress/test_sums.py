"""Parts add up to the exchange: contracts to the last step and money to the last cent, over random histories.

Two or three parts share one position through recoveries, reopenings, partial closes, lost answers and people who
close some of it; `SEED=4711` runs one history again.
"""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random

import pytest

from core.domain.difference import Division
from core.domain.money import ZERO
from core.domain.part import Part
from tests.decision.stress.adversary import Trouble
from tests.decision.stress.smallest_bot import Book
from tests.decision.stress.stress import Storm

HISTORIES = int(os.environ.get("SEEDS", "500"))
CHUNKS = 2
ONE = os.environ.get("SEED")
CENT = Decimal("0.01")
RULES = (Division.PRO_RATA, Division.OLDEST, Division.NEWEST)


class History(Storm):
    """A storm in which nobody opens anything but us, so that every contract has a part."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Trouble())
        self.most_parts = Random(seed).choice((2, 3))
        self.meddling = 0.25

    def _new_book(self) -> Book:
        return Book(division=self.dice.choice(RULES))

    def _meddle(self) -> None:
        dice, exchange = self.dice, self.exchange
        some = self.instrument.quantity_step * dice.randint(1, 60)
        dice.choice(
            (
                lambda: exchange.by_hand_close(some),
                lambda: exchange.by_hand_close(some, "deleveraging"),
                lambda: exchange.by_hand_close(exchange.held),
                lambda: exchange.by_hand_close(exchange.held, "liquidation"),
            )
        )()

    def _answer(self) -> None:
        """There is nothing of others to adopt."""

    def adds_up(self) -> None:
        """What the parts and their ended cycles tell, against what the exchange's own fills tell."""
        parts = self._parts()
        assert sum((part.size for part in parts), ZERO) == self.exchange.held
        mark = self.exchange.mark
        ended = self.book.ended
        ours = sum((cycle.realised_pnl for cycle in ended), ZERO)
        ours += sum((part.realised_pnl + part.unrealised_pnl(mark) for part in parts), ZERO)
        assert abs(ours - self._theirs(mark)) < CENT / 1000, f"parts {ours}, exchange {self._theirs(mark)}"
        fees = sum((cycle.fees for cycle in ended), ZERO) + sum((part.fees for part in parts), ZERO)
        assert abs(fees - sum((fill.fee for fill in self.exchange.all_fills), ZERO)) < CENT / 1000

    def _theirs(self, mark: Decimal) -> Decimal:
        """Cash that the fills have moved, and what is held at the mark."""
        cash = self.exchange.held * mark
        for fill in self.exchange.all_fills:
            cash += fill.quantity * fill.price * (1 if fill.closing else -1)
        return cash * self.key.side.sign * self.instrument.contract_value


def chunks() -> list[range]:
    if ONE:
        return [range(int(ONE), int(ONE) + 1)]
    return [range(HISTORIES * n // CHUNKS, HISTORIES * (n + 1) // CHUNKS) for n in range(CHUNKS)]


@pytest.mark.parametrize("seeds", chunks(), ids=str)
def test_parts_add_up_to_the_exchange(seeds: range) -> None:
    shared = 0
    for seed in seeds:
        history = History(seed)
        try:
            history.rage()
            history.settle()
            history.adds_up()
        except AssertionError as broken:
            raise AssertionError(f"SEED={seed}: {broken}") from broken
        shared += len({Part.fold(one, history.instrument, ()).name for one in history.book.intents.values()}) > 1
    assert ONE or shared > len(seeds) / 2
