"""Which orders belong to one execution, and what is kept of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.action import OutcomeKind, PlaceOrder, Worked
from core.domain.ids import client_order_id
from core.domain.instrument import OrderSide
from core.domain.intent import ExecutionKind
from core.domain.order import OrderKind, OrderStatus, Purpose
from db.recorder import TradeRecorder
from db.repositories.executions import ExecutionFacts, ExecutionsOnly
from db.store import Store
from tests.db.values import ACCOUNT, BTC, LONG, NOON, contracts, draft, entry, fill, order, price

EVERYTHING = ExecutionsOnly()
TWAP, MARKET = ExecutionKind.TWAP, ExecutionKind.MARKET


class Book:
    """One part and what is sent for it, a second after the other."""

    def __init__(self, store: Store, epoch: int, click: str = "click") -> None:
        self.store, self.epoch, self.now = store, epoch, NOON
        self.part = store.parts.open(draft(strategy=f"by {click}"), click)[0].part

    def sends(
        self,
        purpose: Purpose,
        number: int,
        quantity: str,
        worked: Worked | None,
        *,
        filled: str | None = None,
        outcome: OutcomeKind = OutcomeKind.DONE,
        cycle: int = 1,
    ) -> PlaceOrder:
        """One order, and (where it arrived) what it filled."""
        self.now += timedelta(seconds=1)
        name = client_order_id(self.part, cycle, purpose, number)
        side = OrderSide.SELL if purpose is Purpose.CLOSE else OrderSide.BUY
        facts: dict[str, Any] = {"client_order_id": name, "purpose": purpose, "side": side}
        facts |= {"quantity": contracts(quantity)}
        sent = entry(self.part, cycle=cycle, worked=worked, reference=price("100000.5"), **facts)
        self.store.orders.record(ACCOUNT, LONG, sent, self.epoch, self.now)
        self.store.orders.settle(name, outcome, now=self.now)
        if outcome is OutcomeKind.DONE:
            had = contracts(filled if filled is not None else quantity)
            facts |= {"exchange_order_id": f"x{name}", "kind": OrderKind.MARKET, "price": None}
            facts |= {"status": OrderStatus.FILLED, "filled": had, "average_price": price("100001")}
            self.store.orders.save(ACCOUNT, [order(self.part, cycle=cycle, **facts)])
        return sent

    def all(self, only: ExecutionsOnly = EVERYTHING) -> list[ExecutionFacts]:
        return [facts for _, facts in self.store.executions.find(ACCOUNT, only, None, 100)]


@pytest.fixture
def epoch(store: Store) -> int:
    taken = store.leases.acquire(ACCOUNT, "here", 60)
    assert taken is not None
    return taken


@pytest.fixture
def book(store: Store, epoch: int) -> Book:
    return Book(store, epoch)


def worked(run: str, planned: str, kind: ExecutionKind = MARKET, since: datetime | None = None) -> Worked:
    return Worked(run, since, kind, contracts(planned), contracts("0.01"))


def in_words(found: list[ExecutionFacts]) -> list[str]:
    """Run, kind, and the quantities of its requests."""
    return [f"{one.run} {one.kind} {' '.join(str(sent.quantity) for sent in one.placements)}" for one in found]


def test_an_execution_is_all_its_orders(book: Book) -> None:
    for number, quantity in enumerate(("2", "3", "5"), start=1):
        book.sends(Purpose.ENTRY, number, quantity, worked("1E", "10", TWAP))
    step = worked("1R1", "4", ExecutionKind.ICEBERG)
    book.sends(Purpose.RECOVERY, 100_001, "2", step)
    book.sends(Purpose.RECOVERY, 100_002, "2", step)
    book.sends(Purpose.RECOVERY, 200_001, "7", worked("1R2", "7"))
    assert in_words(book.all()) == ["1R2 market 7", "1R1 iceberg 2 2", "1E twap 2 3 5"]
    assert in_words(book.store.executions.of_cycle(book.part, 1)) == [
        "1E twap 2 3 5",
        "1R1 iceberg 2 2",
        "1R2 market 7",
    ]
    assert book.store.executions.of_cycle(book.part, 2) == []


def test_everything_that_is_kept_of_it(book: Book) -> None:
    sent = book.sends(Purpose.ENTRY, 1, "0.99", worked("1E", "1.5", TWAP), filled="0.66")
    exchange_id = f"x{sent.client_order_id}"
    done = [fill(1, exchange_id, sent.client_order_id), fill(2, exchange_id, maker=True)]
    TradeRecorder(book.store).record_fills(ACCOUNT, [*done, fill(3, "somebody else's")])
    (found,) = book.all()
    assert (found.account, found.symbol, found.side) == (ACCOUNT, BTC, LONG.side)
    assert (found.strategy, found.part, found.cycle) == ("by click", book.part, 1)
    assert (found.purpose, found.contract_value) == (Purpose.ENTRY, contracts("0.01"))
    (placement,) = found.placements
    assert (placement.reference, placement.planned) == (price("100000.5"), contracts("1.5"))
    assert (placement.side, placement.outcome, placement.recorded_at) == (OrderSide.BUY, OutcomeKind.DONE, book.now)
    assert [one.filled for one in found.orders] == [contracts("0.66")]
    assert found.fills == tuple(done), "by the number of their order: the exchange does not always tell its name"


def test_a_refused_request_belongs_to_it(book: Book) -> None:
    book.sends(Purpose.ENTRY, 1, "10", worked("1E", "10"), outcome=OutcomeKind.REFUSED)
    book.sends(Purpose.ENTRY, 2, "10", worked("1E", "10"))
    (found,) = book.all()
    assert [one.outcome for one in found.placements] == [OutcomeKind.REFUSED, OutcomeKind.DONE]
    assert len(found.orders) == 1


def test_closes_at_market_go_on_where_the_one_before_left(book: Book) -> None:
    def close(number: int, quantity: str, planned: str, **more: Any) -> None:
        book.sends(Purpose.CLOSE, number, quantity, worked("1C", planned), **more)

    close(1, "3", "3")  # a part of it
    close(2, "5", "9", outcome=OutcomeKind.REFUSED)  # some time later the rest
    close(3, "5", "9")
    close(4, "4", "4", filled="1")
    close(5, "3", "3")
    assert in_words(book.all()) == ["1C market 5 5 4 3", "1C market 3"]


def test_closes_in_a_style_are_told_apart_by_when_they_were_asked_for(book: Book) -> None:
    for number, since in ((1, NOON), (2, NOON), (3, NOON + timedelta(minutes=5))):
        book.sends(Purpose.CLOSE, number, "2", worked("1C", "4", TWAP, since))
    assert in_words(book.all()) == ["1C twap 2", "1C twap 2 2"]


def test_orders_that_are_no_execution_are_left_out(book: Book) -> None:
    book.sends(Purpose.BALANCE, 1, "1", None)
    assert book.all() == []


def test_orders_from_before_it_was_kept_stand_for_themselves(book: Book) -> None:
    book.sends(Purpose.ENTRY, 1, "10", None)
    book.sends(Purpose.RECOVERY, 3, "1", None)
    book.sends(Purpose.CLOSE, 1, "11", None)
    found = book.all()
    assert in_words(found) == ["1C market 11", "1R3 market 1", "1E market 10"]
    assert {one.contract_value for one in found} == {None}


@pytest.mark.parametrize(
    ("only", "runs"),
    [
        (EVERYTHING, ["2E", "1C", "1E"]),
        (ExecutionsOnly(kind=TWAP), ["2E"]),
        (ExecutionsOnly(purpose=Purpose.CLOSE), ["1C"]),
        (ExecutionsOnly(symbol="ETH-USDT-PERP"), []),
        (ExecutionsOnly(symbol=BTC, strategy="by click", kind=MARKET), ["1C", "1E"]),
        (ExecutionsOnly(strategy="by nobody"), []),
        (ExecutionsOnly(part="zzzzzz"), []),
        (ExecutionsOnly(since=NOON + timedelta(seconds=2)), ["2E", "1C"]),
        (ExecutionsOnly(until=NOON + timedelta(seconds=2)), ["1E"]),
        # the twap began with its first order, whatever is asked of its second
        (ExecutionsOnly(since=NOON + timedelta(seconds=4)), []),
    ],
)
def test_lists_are_narrowed(book: Book, only: ExecutionsOnly, runs: list[str]) -> None:
    book.sends(Purpose.ENTRY, 1, "10", worked("1E", "10"))
    book.sends(Purpose.CLOSE, 1, "10", worked("1C", "10"))
    book.sends(Purpose.ENTRY, 1, "5", worked("2E", "10", TWAP), cycle=2)
    book.sends(Purpose.ENTRY, 2, "5", worked("2E", "10", TWAP), cycle=2)
    assert [one.run for one in book.all(only)] == runs


def test_page_by_page(store: Store, epoch: int) -> None:
    """Two parts that begin in the same moment too."""
    books = [Book(store, epoch, f"click {number}") for number in range(3)]
    for cycle in (1, 2, 3):
        for book in books:
            book.sends(Purpose.ENTRY, 1, "1", worked(f"{cycle}E", "1"), cycle=cycle)
    seen, after = [], None
    while found := store.executions.find(ACCOUNT, EVERYTHING, after, 2):
        assert len(found) <= 2
        seen += [(one.run, one.part) for _, one in found]
        after = found[-1][0]
    names = sorted((book.part for book in books), reverse=True)
    assert seen == [(f"{cycle}E", name) for cycle in (3, 2, 1) for name in names]


def test_another_account_is_not_told(book: Book) -> None:
    book.sends(Purpose.ENTRY, 1, "10", worked("1E", "10"))
    assert book.store.executions.find("paper-binance", EVERYTHING, None, 10) == []
    other = replace(LONG, account="paper-binance")
    epoch = book.store.leases.acquire("paper-binance", "here", 60)
    assert epoch is not None
    sent = entry(book.part, number=7, worked=worked("1E", "10"))
    book.store.orders.record("paper-binance", other, sent, epoch, NOON)
    assert len(book.store.executions.find("paper-binance", EVERYTHING, None, 10)) == 1
    assert len(book.all()) == 1
