"""Rows as an older version wrote them, with a text and no code: nothing of them is lost, and what it tells is known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from core.domain.account import Level
from core.domain.asked import asked_by
from core.domain.reason import Reason
from core.domain.reason import text as said
from core.services.reporting.audit import act_of
from db import migrate
from db.mapping.older_texts import does
from db.store import Store
from tests.postgres import Postgres

ACCOUNT = "paper-okx"
BEFORE = "0012"
WRITTEN = """
INSERT INTO accounts (id, name, exchange, environment, rest_url, stream_url)
    VALUES ('paper-okx', '', 'okx', 'paper', '', '');
INSERT INTO execution_events (at, account, part, rule, because, action, outcome) VALUES
    (now(), 'paper-okx', NULL, 'switch', 'asked by ayla: news at noon', 'level no_new_entries', 'done'),
    (now(), 'paper-okx', NULL, 'switch', 'asked by ayla', 'start the bot', 'done'),
    (now(), 'paper-okx', '00a7k2', 'asked', 'asked by ayla: less risk', 'stop_loss -20.5 USDT', 'done'),
    (now(), 'paper-okx', '00a7k2', 'totals', '5 contracts were closed at 9 by another (liquidated)', 'book exit 5',
        'done'),
    (now(), 'paper-okx', '00a7k2', 'recover', 'recovery step 2 waits: no price', NULL, NULL);
INSERT INTO cycles (part, number, account, symbol, side, started, ended, contracts, realised_pnl, fees, funding, reason,
    words, life) VALUES ('00a7k2', 1, 'paper-okx', 'BTC-USDT-PERP', 'long', now(), now(), 1, 5, -1, 0, 'take_profit',
    'the take-profit closed it', '');
INSERT INTO alarms (account, subject, words, raised_at) VALUES ('paper-okx', 'stuck/x', 'it is stuck', now());
INSERT INTO bots (account, level, level_by, level_why, why) VALUES
    ('paper-okx', 'no_new_entries', 'ayla', 'news at noon', 'never started');
INSERT INTO alerts (key, at, kind, account, part, subject, words, severe) VALUES
    ('k', now(), 'level', 'paper-okx', '', 'k', 'the level is now pause entries, set by ayla', false);
INSERT INTO history_sync (account, trouble) VALUES ('paper-okx', 'funding: HTTP 502');
INSERT INTO risk_checks (at, account, symbol, part, purpose, passed, words, checks) VALUES
    (now(), 'paper-okx', 'BTC-USDT-PERP', '00a7k2', 'E', false, 'too many parts', '[]');
"""


@pytest.fixture
def older(postgres: Postgres) -> Store:
    """A database that an older version has filled, brought up to date."""
    url = postgres.create()
    migrate.upgrade(url, BEFORE)
    with create_engine(migrate.normal_url(url)).begin() as connection:
        connection.execute(text(WRITTEN))
    migrate.upgrade(url)
    return Store.open(url)


def test_every_text_is_still_there(older: Store) -> None:
    happened = older.events.find(ACCOUNT)
    assert [(str(event.because), str(event.action or "")) for event in happened] == [
        ("recovery step 2 waits: no price", ""),
        ("5 contracts were closed at 9 by another (liquidated)", "book exit 5"),
        ("asked by ayla: less risk", "stop_loss -20.5 USDT"),
        ("asked by ayla", "start the bot"),
        ("asked by ayla: news at noon", "level no new entries"),
    ]
    (cycle,) = older.history.cycles(ACCOUNT)
    (alarm,) = older.alarms.open(ACCOUNT)
    (alert,) = older.alert_channels.recent_alerts(9)
    (check,) = older.risk_checks.find(ACCOUNT)
    bot = older.bots.get(ACCOUNT)
    assert [cycle.words, alarm.words, alert.alert.words, check.words, bot.why, bot.level_why] == [
        *(said("the take-profit closed it"), said("it is stuck")),
        *(said("the level is now pause entries, set by ayla"), said("too many parts")),
        *(said("never started"), said("news at noon")),
    ]
    assert older.history.sync_state(ACCOUNT).trouble == said("funding: HTTP 502")


def test_who_asked_for_what_is_known(older: Store) -> None:
    *_, edit, start, level = older.events.find(ACCOUNT)
    assert (level.because, level.action) == (
        asked_by("ayla", "news at noon"),
        Reason("asked.level", level=Level.NO_NEW_ENTRIES),
    )
    assert (start.because, start.action) == (asked_by("ayla"), Reason("asked.start_bot"))
    act = act_of(edit)
    assert (act.who, act.why, act.what) == ("ayla", said("less risk"), said("stop_loss -20.5 USDT"))


def test_what_was_booked_is_found(older: Store) -> None:
    booked = [event for event in older.events.find(ACCOUNT) if does(event.action, "action.book_exit")]
    assert [str(event.action) for event in booked] == ["book exit 5"]


def test_the_newer_columns_go_again_and_the_texts_stay(postgres: Postgres) -> None:
    url = postgres.create()
    migrate.upgrade(url)
    store = Store.open(url)
    store.bots.set_level(ACCOUNT, Level.REDUCE_ONLY, by="ayla", why=Reason("bot.never_started"))
    store.alarms.raise_alarm(ACCOUNT, "stuck/x", Reason("alert.over", what=said("stuck")), datetime.now(UTC))
    store.close()
    migrate.downgrade(url, BEFORE)
    with create_engine(migrate.normal_url(url)).begin() as connection:
        assert connection.scalar(text("SELECT action FROM execution_events")) == "level reduce only"
        assert connection.scalar(text("SELECT level_why FROM bots")) == "never started"
        assert connection.scalar(text("SELECT words FROM alarms")) == "over: stuck"
