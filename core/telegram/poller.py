"""Polls Telegram for messages, one process for each bot token, and answers those who are allowed.

An update is taken in the database before it is answered, so a restart repeats no command; what died in between was
not carried out, and its sender gets no answer. Strangers get none either: they are remembered, and logged once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256

from core.clock import Clock
from core.domain.alert import AlertSettings
from core.domain.errors import PerpdeckError
from core.services.settings.alerts import TELEGRAM as TOKEN
from core.services.settings.alerts import TELEGRAM_NOTE as NOTE
from core.telegram.client import HOST, TelegramClient, Update
from core.telegram.commands import Commands
from db.store import Store

log = logging.getLogger("perpdeck.telegram")

WAIT = 20  #: seconds that Telegram holds a question open
BEYOND = 30  #: seconds of the right to poll beyond that


class Poller:
    """Polls Telegram. `acting`: this process runs a bot; others leave the commands to the one that does."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        unseal: Callable[[bytes], str],
        commands: Commands,
        holder: str,
        acting: Callable[[], bool],
        host: str = HOST,
        wait: int = WAIT,
    ) -> None:
        self._store, self._clock, self._unseal, self._commands = store, clock, unseal, commands
        self._holder, self._acting, self._host, self._wait = holder, acting, host, wait
        self._stopping = False

    def turn(self) -> int:
        """Poll once and answer everything that came; returns how many messages were answered. Raises Unavailable,
        Misconfigured.

        0 too where commands are off, or another process has the right to ask.
        """
        settings = AlertSettings.of(self._store.settings.all())
        sealed = self._store.sealed_texts.get(TOKEN) if settings.telegram_on else None
        if sealed is None or not self._acting():
            return 0
        token = self._unseal(sealed[0])
        digest = sha256(token.encode()).hexdigest()
        first = self._store.telegram.take_line(digest, self._holder, self._wait + BEYOND)
        if first is None:
            return 0
        line = TelegramClient(token, self._host)
        try:
            found = line.updates(first, self._wait)
        except PerpdeckError as trouble:
            self._note(str(trouble))
            raise
        self._note("")
        return sum(self._take(line, digest, update, settings.telegram_ids) for update in found)

    def stop(self) -> None:
        """Stop polling: what comes now is answered by whoever polls next."""
        self._stopping = True

    def _take(self, line: TelegramClient, digest: str, update: Update, allowed: tuple[int, ...]) -> bool:
        if self._stopping or not self._store.telegram.take_update(digest, self._holder, update.id):
            return False
        if not {update.user, update.chat} & set(allowed):
            if self._store.telegram.note_stranger(digest, str(update.user or update.chat)):
                log.warning("a stranger writes to the Telegram bot: user %s in chat %s", update.user, update.chat)
            return False
        answer = self._commands.answer(update)
        if not answer:
            return False
        log.info("telegram command by %s: %s", update.user, update.text.split()[0][:32])
        try:
            line.say(update.chat, answer)
        except PerpdeckError as trouble:
            log.warning("an answer was not taken by Telegram: %s", trouble)
        return True

    def _note(self, trouble: str) -> None:
        """Store the poller's state for the page, when it has changed."""
        kept = self._store.secrets.get(NOTE)
        if kept is None or kept["trouble"] != trouble:
            note = {"at": self._clock.now().isoformat(), "trouble": trouble}
            self._store.secrets.keep(NOTE, note, "telegram")
