"""Commands from a phone: who may give them, what they do once and never twice, and what nobody can do with them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text

from core.domain.account import Level
from core.domain.errors import Misconfigured, Unavailable
from core.services.accounts.accounts import Accounts
from core.services.accounts.keys import Keys
from core.services.reporting.audit import Audit, AuditKind
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from core.telegram.client import TelegramClient
from core.telegram.commands import Commands, Remote
from core.telegram.poller import TOKEN as SEALED
from core.telegram.poller import Poller
from core.vault import Vault
from tests.alerts.telegram_server import TOKEN, TelegramServer
from tests.stack import ACCOUNT, BTC, Stack

ME, FRIENDS, STRANGER = 42, -1001, 666
DIGEST = sha256(TOKEN.encode()).hexdigest()


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as made:
        yield made


class Phone:
    """A person with a phone, and the process that answers."""

    def __init__(self, stack: Stack, telegram: TelegramServer, vault: Vault) -> None:
        self.stack, self.telegram, self.vault = stack, telegram, vault
        self.acting = True
        settings = {"alert_telegram_on": True, "alert_telegram_ids": [ME, FRIENDS]}
        stack.store.settings.set_all(settings, "test")
        stack.store.sealed_texts.seal(SEALED, vault.seal(TOKEN), TOKEN[-4:])
        self.restart()

    def restart(self, holder: str = "one") -> Poller:
        store, clock = self.stack.store, self.stack.clock
        keys = Keys(store.accounts, store.sealed_texts, self.vault)
        accounts = Accounts(store, self.vault, None, None, keys, None, clock)  # type: ignore[arg-type]
        remote = Remote(accounts, Levels(store, clock), Reports(store, clock))
        self.poller = Poller(
            store,
            clock,
            self.vault.unseal,
            Commands(remote, clock, lambda: str),
            holder,
            lambda: self.acting,
            self.telegram.host,
            wait=0,
        )
        return self.poller

    def says(self, text: str, user: int = ME, chat: int | None = None, late: float = 0) -> str:
        """The answer, empty where there is none."""
        before = len(self.telegram.said)
        self.telegram.write(text, self.stack.clock.now() - timedelta(seconds=late), user, chat)
        self.poller.turn()
        answers = self.telegram.said[before:]
        assert all(where == (chat or user) for where, _ in answers)
        return "\n".join(words for _, words in answers)

    @property
    def level(self) -> Level:
        return self.stack.store.bots.get(ACCOUNT).level


@pytest.fixture
def phone(stack: Stack, telegram: TelegramServer, vault: Vault) -> Phone:
    return Phone(stack, telegram, vault)


def test_status_positions_and_why(stack: Stack, phone: Phone) -> None:
    assert phone.says("/positions") == "nothing is held"
    part = stack.opened()
    stack.guard.publish()
    status = phone.says("/status").splitlines()
    assert status[0].startswith(f"{ACCOUNT}: ")
    assert status[0].endswith(", level run")
    assert status[2] == "1 of 1 open parts are protected"
    assert status[3].startswith("equity 9,")
    (held,) = phone.says("/positions@OurBot").splitlines()
    assert held.startswith(f"{ACCOUNT} {part}: {BTC} long, 0.99 contracts at 100000.1, PnL ")
    assert "TP 105050.7, SL 89899.1" in held
    why = phone.says(f"/why {part.upper()}")
    assert "in place: TP 105050.7, SL 89899.1 for 0.99 contracts" in why
    assert phone.says("/why nothing") == f"which part? {part}"
    assert phone.says("/fly me").startswith("/fly is not known\n/status")
    assert phone.says("good morning") == ""


def test_levels_are_raised_and_never_lowered_and_it_is_on_the_record(stack: Stack, phone: Phone) -> None:
    assert phone.says("/pause") == f"{ACCOUNT}: the level is now pause entries, recovery and reopening"
    assert phone.level is Level.NO_ADDED_RISK
    assert phone.says(f"/reduce_only {ACCOUNT}") == f"{ACCOUNT}: the level is now reduce only"
    assert phone.says("/pause") == f"{ACCOUNT}: the level stays reduce only, which protects as much"
    assert phone.level is Level.REDUCE_ONLY
    assert phone.says("/run").startswith("/run is not known")
    assert phone.says("/pause elsewhere") == f"which account? {ACCOUNT}, or all"
    acts = Audit(stack.store.events).acts(ACCOUNT, frozenset({AuditKind.SWITCH}))
    assert [(act.who, str(act.what), str(act.why)) for act in acts if act.who.startswith("telegram")] == [
        ("telegram:42", "level reduce only", "/reduce_only"),
        ("telegram:42", "level no added risk", "/pause"),
    ]


def test_flatten_wants_its_code_back_within_a_minute(stack: Stack, phone: Phone) -> None:
    part = stack.opened()
    asked = phone.says("/flatten")
    code = re.search(r"/flatten (\d{6}) within 60 s", asked)
    assert code, asked
    assert phone.level is Level.RUN
    wrong = "111111" if code[1] != "111111" else "222222"
    assert phone.says(f"/flatten {wrong}") == "this is not the code; nothing was done"
    assert phone.level is Level.RUN
    stack.step(30)
    assert phone.says(f"/flatten {code[1]}") == f"{ACCOUNT}: the level is now flatten"
    stack.ended(part)
    assert stack.held() == 0
    assert phone.says(f"/flatten {code[1]}") == "there is no code to confirm: send /flatten first"


def test_a_late_code_a_guessed_code_and_the_code_of_another_do_nothing(stack: Stack, phone: Phone) -> None:
    code = re.findall(r"\d{6}", phone.says("/flatten"))[0]
    stack.step(61)
    assert phone.says(f"/flatten {code}") == "the code has run out: send /flatten again"

    code = re.findall(r"\d{6}", phone.says("/flatten"))[0]
    assert phone.says(f"/flatten {code}", user=7, chat=FRIENDS) == "there is no code to confirm: send /flatten first"
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(2):
        phone.says(f"/flatten {wrong}")
    assert phone.says(f"/flatten {wrong}").startswith("this is not the code, for the third time")
    assert phone.says(f"/flatten {code}") == "there is no code to confirm: send /flatten first"

    code = re.findall(r"\d{6}", phone.says("/flatten"))[0]
    phone.restart()
    assert phone.says(f"/flatten {code}") == "there is no code to confirm: send /flatten first"
    assert phone.level is Level.RUN


def test_a_code_may_be_written_in_the_digits_of_another_language(stack: Stack, phone: Phone) -> None:
    code = re.findall(r"\d{6}", phone.says("/flatten"))[0]
    assert phone.says("/flatten \N{SUPERSCRIPT TWO}") == f"which account? {ACCOUNT}, or all"
    arabic = "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(digit)) for digit in code)
    assert phone.says(f"/flatten {arabic}") == f"{ACCOUNT}: the level is now flatten"


def test_what_was_done_is_told_also_where_the_rest_fails(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, real = phone.stack, Levels.raise_level
    stack.store.accounts.save(replace(stack.account, id="second", name="Second"), None)

    def fails_for_the_second(levels: Levels, account: str, *what: object) -> bool:
        if account == "second":
            raise Unavailable("the database does not answer")
        return real(levels, account, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(Levels, "raise_level", fails_for_the_second)
    first, then = phone.says("/reduce_only").splitlines()
    assert (first, then) == (f"{ACCOUNT}: the level is now reduce only", "the database does not answer")


def test_strangers_get_no_answer_and_are_logged_once(phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    for words in ("/status", "/flatten", "/pause"):
        assert phone.says(words, user=STRANGER) == ""
    assert phone.level is Level.RUN
    assert caplog.text.count("a stranger writes to the Telegram bot: user 666") == 1
    assert phone.stack.store.telegram.strangers(DIGEST) == ["666"]
    assert phone.says("/pause", user=STRANGER, chat=FRIENDS), "whoever is in a chat on the list may"


def test_an_order_that_lay_about_is_not_carried_out(phone: Phone) -> None:
    assert phone.says("/reduce_only", late=90).startswith("/reduce_only came more than a minute late")
    assert phone.level is Level.RUN
    assert phone.says("/status", late=90).startswith(ACCOUNT)


def test_a_restart_repeats_no_command(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the command was taken: it is not given again, whether it was carried out or not."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(TelegramClient, "say", die)
    phone.telegram.write("/pause", phone.stack.clock.now())
    with pytest.raises(Killed):
        phone.poller.turn()
    monkeypatch.undo()
    assert phone.level is Level.NO_ADDED_RISK
    phone.stack.store.bots.set_level(ACCOUNT, Level.RUN, "trader", "")
    phone.restart()
    assert phone.poller.turn() == 0
    assert phone.level is Level.RUN
    assert phone.telegram.asked[-1] == 502


def test_one_process_asks_and_another_takes_over(phone: Phone) -> None:
    first = phone.poller
    first.turn()
    other = phone.restart("two")
    phone.telegram.write("/pause", phone.stack.clock.now())
    asked = len(phone.telegram.asked)
    assert other.turn() == 0
    assert len(phone.telegram.asked) == asked
    with phone.stack.store.one_statement() as connection:
        connection.execute(text("UPDATE telegram_lines SET expires_at = clock_timestamp()"))
    assert other.turn() == 1
    assert first.turn() == 0
    assert len(phone.telegram.said) == 1


def test_only_the_process_that_runs_a_bot_asks_and_only_while_it_is_switched_on(phone: Phone) -> None:
    phone.acting = False
    phone.poller.turn()
    phone.acting = True
    phone.stack.store.settings.set("alert_telegram_on", False, "test")
    phone.poller.turn()
    assert phone.telegram.asked == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, Misconfigured, "does not know this bot token"),
        (409, Unavailable, "another program asks"),
        (500, Unavailable, "answered with 500"),
    ],
)
def test_trouble_is_told_without_the_token(
    phone: Phone, status: int, error: type[Exception], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone.telegram.status = status
    with pytest.raises(error, match=words) as trouble:
        phone.poller.turn()
    shown = f"{trouble.value!r} {trouble.value.__cause__!r} {caplog.text} {TelegramClient(TOKEN)!r}"
    shown += str(phone.stack.store.secrets.get("telegram_note"))
    assert TOKEN not in shown
    assert TOKEN.split(":")[1] not in shown


def test_a_host_that_is_away_is_told_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Unavailable, match="cannot be reached") as trouble:
        TelegramClient(TOKEN, "http://127.0.0.1:9").updates(0, 0)
    assert TOKEN not in f"{trouble.value!r} {caplog.text}"
