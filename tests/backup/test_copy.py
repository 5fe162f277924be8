"""What lies in the backup: the book itself, to the digit and the microsecond, on every make of database."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest
from sqlalchemy import text

from core.domain.errors import Misconfigured
from db.backup import writer
from db.backup.target import BackupTarget
from db.backup.writer import rebuild
from db.store import Store
from tests.backup.conftest import Book, Copying
from tests.db.values import NOON, PAPER, contracts


def test_parts_cycles_and_steps_lie_there_exactly(copying: Copying, book: Book) -> None:
    ended, living = book.life(), book.open(position_value=Decimal("1000.000000000000000001"))
    book.begin(living)
    copying.up_to_date()
    copied = copying.copy()
    assert copied == copying.book()
    assert {key[0] for key in copied["parts"]} == {ended, living}
    assert copied["parts"][living,]["position_value"] == Decimal("1000.000000000000000001")
    assert copied["parts"][living,]["cycle_started_at"] == NOON
    assert orjson.loads(copied["parts"][living,]["stop_loss"])["pnl_usdt"] == "-100"
    assert copied["cycles"][ended, 1]["average_entry"] == round(Decimal("100250.1") / 3, 18)
    assert copied["cycles"][ended, 1]["realised_pnl"] == Decimal("49.999999999999999999")
    assert [row["filled"] for row in copied["recovery_steps"].values()] == [Decimal("0.1")]
    assert copying.behind() == 0


def test_a_change_takes_the_place_of_the_older_state(copying: Copying, book: Book) -> None:
    part = book.open()
    copying.up_to_date()
    book.begin(part)
    book.step(part, filled=contracts("0.1"))
    assert copying.behind() == 2
    copying.up_to_date()
    book.step(part, filled=contracts("0.3"))
    book.end(part)
    copying.up_to_date()
    assert copying.copy() == copying.book()


def test_a_long_way_goes_in_short_steps(copying: Copying, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHUNK", 2)
    for _ in range(5):
        book.life()
    assert [copying.pass_by() for _ in range(3)] == [writer.BREATH_SECONDS, writer.BREATH_SECONDS, 5]
    assert copying.copy() == copying.book()
    assert copying.behind() == 0


def test_a_rebuild_makes_it_anew(copying: Copying, book: Book) -> None:
    book.life()
    copying.up_to_date()
    target = BackupTarget(copying.url)
    with target.writing() as connection:
        connection.execute(text("UPDATE perpdeck_parts SET status = 'spoilt'"))
        connection.execute(text("DELETE FROM perpdeck_cycles"))
    counts = rebuild(copying.source, target, lambda: NOON)
    target.close()
    assert counts == {"parts": 1, "cycles": 1, "recovery_steps": 1}
    assert copying.copy() == copying.book()
    book.life()
    copying.up_to_date()
    assert copying.copy() == copying.book()


def test_a_rebuild_does_not_throw_away_what_the_book_has_lost(copying: Copying, book: Book) -> None:
    lost = book.life()
    copying.up_to_date()
    with copying.store.transaction() as connection:
        connection.execute(text("DELETE FROM positions"))
    target = BackupTarget(copying.url)
    with pytest.raises(Misconfigured, match=f"1 parts that the main database does not have .{lost}"):
        rebuild(copying.source, target, lambda: NOON)
    assert len(copying.copy()["parts"]) == 1
    assert rebuild(copying.source, target, lambda: NOON, discard=True)["parts"] == 0
    target.close()


def test_keys_and_secrets_never_go_there(copying: Copying, book: Book, store: Store) -> None:
    store.accounts.save(PAPER, b"sealed-keys-of-the-account")
    store.secrets.keep("login", "hash-of-the-password", "test")
    store.settings.set("language", "value-of-a-setting", "test")
    book.life()
    copying.up_to_date()
    target = BackupTarget(copying.url)
    with target.writing() as connection:
        tables = ("perpdeck_parts", "perpdeck_cycles", "perpdeck_recovery_steps", "perpdeck_backup")
        everything = str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in tables])
    target.close()
    for secret in ("sealed-keys", "hash-of-the-password", "value-of-a-setting", "click-1"):
        assert secret not in everything


def test_a_column_that_an_older_version_had_not_made_is_added_and_filled(copying: Copying, book: Book) -> None:
    book.life()
    copying.up_to_date()
    target = BackupTarget(copying.url)
    with target.writing() as connection:
        connection.execute(text("ALTER TABLE perpdeck_cycles DROP COLUMN funding"))
    target.close()
    copying.writer = copying.new_writer()
    copying.up_to_date()
    assert copying.copy() == copying.book()


def test_a_table_that_is_gone_is_made_and_filled_again(copying: Copying, book: Book) -> None:
    book.life()
    copying.up_to_date()
    target = BackupTarget(copying.url)
    with target.writing() as connection:
        connection.execute(text("DROP TABLE perpdeck_cycles"))
    target.close()
    book.life()
    copying.pass_by()
    assert "perpdeck_cycles" in copying.writer.note.trouble
    copying.up_to_date()
    assert copying.copy() == copying.book()


def test_rows_with_numbers_of_another_server_are_copied_too(copying: Copying, book: Book) -> None:
    """A dump brought them here, so they bear numbers that this server reaches in years."""
    book.life()
    with copying.store.transaction() as connection:
        for table in ("positions", "cycles", "orders"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER mark_changed"))
            connection.execute(text(f"UPDATE {table} SET changed = 1000000000000"))
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER mark_changed"))
    copying.up_to_date()
    part = book.life()
    copying.up_to_date()
    assert (part,) in copying.copy()["parts"]
    assert copying.copy() == copying.book()
