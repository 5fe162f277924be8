"""Many write the book at once, late commits among them, and several copy it: nothing is missed, nothing goes back."""

from __future__ import annotations

import random
from threading import Event, Thread

import pytest
from sqlalchemy import text

from db.backup import writer
from db.store import Store
from tests.backup.conftest import Book, Copying
from tests.eventually import eventually


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHUNK", 3)


def test_a_transaction_that_commits_late_is_not_passed_over(copying: Copying, book: Book, store: Store) -> None:
    """It began first and commits last; a cursor over numbers alone would have gone past it."""
    slow, quick = book.open(), book.open()
    copying.up_to_date()
    with store.engine.connect() as late:
        late.execute(text("UPDATE positions SET status = 'late' WHERE part = :part"), {"part": slow})
        book.begin(quick)
        copying.pass_by()
        assert copying.writer.note.trouble == ""
        assert copying.copy()["parts"][slow,]["status"] == "asked"
        late.commit()
    assert copying.behind() >= 1
    copying.up_to_date()
    copied = copying.copy()
    assert copied == copying.book()
    assert copied["parts"][slow,]["status"] == "late"


def test_a_transaction_that_is_taken_back_leaves_nothing(copying: Copying, book: Book, store: Store) -> None:
    part = book.open()
    with store.engine.connect() as taken_back:
        taken_back.execute(text("UPDATE positions SET status = 'never' WHERE part = :part"), {"part": part})
        taken_back.rollback()
    copying.up_to_date()
    assert copying.copy()["parts"][part,]["status"] == "asked"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("many")
def test_threads_that_write_while_two_copy_lose_nothing(seed: int, copying: Copying, store: Store) -> None:
    book = Book(store)
    parts = [book.open() for _ in range(8)]
    done = Event()
    writers = [copying.writer, copying.new_writer()]

    def trade(numbers: random.Random) -> None:
        for turn in range(25):
            with store.engine.connect() as connection:
                for part in sorted(numbers.sample(parts, numbers.randint(1, 3))):
                    connection.execute(
                        text("UPDATE positions SET status = :word, version = version + 1 WHERE part = :part"),
                        {"word": f"{turn}", "part": part},
                    )
                    connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": numbers.random() / 50})
                (connection.rollback if numbers.random() < 0.2 else connection.commit)()

    def copy(one: writer.BackupWriter) -> None:
        while not done.is_set():
            one.work_once()

    traders = [Thread(target=trade, args=(random.Random(100 * seed + number),)) for number in range(4)]
    keepers = [Thread(target=copy, args=(one,)) for one in writers]
    for thread in (*traders, *keepers):
        thread.start()
    for thread in traders:
        thread.join(60)
    done.set()
    for thread in keepers:
        thread.join(60)
    copying.up_to_date()
    assert copying.copy() == copying.book()
    assert copying.behind() == 0
    writers[1].stop()


def test_the_thread_copies_by_itself_and_ends_when_told(
    beside: Copying, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "EVERY_SECONDS", 0.02)
    beside.writer.start()
    eventually(lambda: beside.writer.note.succeeded_at, words="the first pass")
    part = book.life()
    eventually(lambda: (part,) in beside.copy()["parts"] and beside.copy() == beside.book(), every=0.05)
    thread = beside.writer._thread
    assert thread is not None
    beside.writer.stop()
    assert not thread.is_alive()
