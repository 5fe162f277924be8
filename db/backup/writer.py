"""Keeps the backup: a thread that copies what has changed every few seconds, and waits longer while that fails.

The main database is the truth and is only read. Nobody waits for this thread; nothing that happens here reaches the
bot.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import Event, Thread
from typing import Self

from core.domain.errors import Misconfigured, PerpdeckError
from db.backup.source import BackupSource, Note
from db.backup.tables import KINDS, Cursor
from db.backup.target import BackupTarget

log = logging.getLogger("perpdeck.backup")

CHUNK = 500  #: rows of each table in one transaction
EVERY_SECONDS = 5.0
LONGEST_BACK_OFF = 60.0
BREATH_SECONDS = 0.02  #: between two chunks of a long way, so that the bot's threads come first

Now = Callable[[], datetime]


class BackupWriter:
    """Copies changes to the backup: `start` and `stop` a thread, or `work_once` for one step in the caller's thread."""

    def __init__(self, source: BackupSource, target: BackupTarget | None, note: Note, now: Now) -> None:
        self._source, self._target, self._now = source, target, now
        self._note = note
        self._ending = Event()
        self._thread: Thread | None = None
        self._wait = EVERY_SECONDS
        self._is_new = True

    @classmethod
    def open(cls, source: BackupSource, url: str, now: Now) -> Self:
        """Make a writer; a URL that cannot be used is noted as a trouble, not raised: trading does not depend on it."""
        try:
            target = BackupTarget(url, source.engine.url)
        except Misconfigured as wrong:
            return cls(source, None, Note("", trouble=str(wrong)), now)
        return cls(source, target, Note(target.place), now)

    @property
    def note(self) -> Note:
        """Return the state of the backup, as this process knows it."""
        return self._note

    def start(self) -> None:
        self._ending.clear()
        self._thread = Thread(target=self._run, name="backup", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """Stop the thread; what is under way is given so many seconds to finish and is then cancelled."""
        self._ending.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(seconds)
            if thread.is_alive() and self._target is not None:
                self._target.cut()
                thread.join(seconds)
        if self._target is not None and (thread is None or not thread.is_alive()):
            self._target.close()

    def _run(self) -> None:
        while not self._ending.wait(self.work_once()):
            pass

    def work_once(self) -> float:
        """Copy one chunk of what is left, keep the note, and tell after how many seconds to go on."""
        began = self._now()
        try:
            complete = self._copy(began)
            self._succeeded(began, complete)
        except PerpdeckError as trouble:
            return self._failed(str(trouble), began)
        except Exception as bug:  # a thread that died would say nothing
            log.exception("the backup met an error it did not expect")
            return self._failed(f"{type(bug).__name__}, see the log", began)
        return EVERY_SECONDS if complete else BREATH_SECONDS

    def _copy(self, now: datetime) -> bool:
        if self._target is None:
            raise Misconfigured(self._note.trouble)
        self._remember()
        complete, cursors = copy_chunk(self._source, self._target, now)
        self._note = replace(self._note, cursors=cursors)
        return complete

    def _remember(self) -> None:
        """Load the state stored before a restart, so that the lag is right before the backup's database answers."""
        if self._is_new:
            kept = self._source.note()
            if kept is not None and kept.place == self._note.place:
                self._note = kept
            self._is_new = False

    def _succeeded(self, began: datetime, complete: bool) -> None:
        behind = self._source.behind(self._note.cursors)
        if self._note.trouble:
            log.info("the backup is reached again place=%s behind=%s", self._note.place, behind)
        self._wait = EVERY_SECONDS
        up_to = began if complete and not behind else self._note.complete_at
        self._note = replace(
            self._note, at=began, succeeded_at=began, complete_at=up_to, trouble="", trouble_since=None
        )
        self._source.keep(self._note)

    def _failed(self, words: str, began: datetime) -> float:
        if self._ending.is_set():
            return EVERY_SECONDS  # cut off by us
        since = self._note.trouble_since or began
        if words != self._note.trouble or self._note.trouble_since is None:
            log.warning("the backup is not written: %s place=%s", words, self._note.place)
        self._note = replace(self._note, at=began, trouble=words, trouble_since=since)
        try:
            self._source.keep(self._note)
        except PerpdeckError as trouble:
            log.warning("how the backup fares cannot be kept: %s", trouble)
        wait, self._wait = self._wait, min(self._wait * 2, LONGEST_BACK_OFF)
        return wait


def copy_chunk(source: BackupSource, target: BackupTarget, now: datetime) -> tuple[bool, dict[str, Cursor]]:
    """Copy the next rows of each table in one transaction; return True where none are left, and how far each table is.

    The book is read after the cursors are locked, so that of two who copy the later one always has the newer state.
    Raises Unavailable.
    """
    origin = source.origin()
    target.make_ready()
    complete = True
    with target.writing() as connection:
        cursors = target.cursors(connection, origin)
        for kind in KINDS:
            if kind.name not in cursors:
                source.mark_again()
                cursors[kind.name] = target.begin_copying(connection, origin, kind, now)
        for kind in KINDS:
            rows = source.changed(kind, cursors[kind.name], CHUNK)
            if rows:
                cursors[kind.name] = target.write(connection, origin, kind, rows, now)
            complete = complete and len(rows) < CHUNK
    return complete, cursors


def rebuild(source: BackupSource, target: BackupTarget, now: Now, *, discard: bool = False) -> dict[str, int]:
    """Make the backup anew from the main database; returns how many rows of each table it got.

    Raises Misconfigured where it holds parts that the main database has lost, unless they are to be discarded.
    """
    if not discard:
        held = target.parts()
        lost = [part for at in range(0, len(held), CHUNK) for part in source.unknown(held[at : at + CHUNK])]
        if lost:
            raise Misconfigured(
                f"the backup holds {len(lost)} parts that the main database does not have ({lost[0]} among them): "
                f"they would be lost; add --discard to let them go"
            )
    target.wipe()
    while not copy_chunk(source, target, now())[0]:
        pass
    return target.counts()
