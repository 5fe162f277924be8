"""What a person hears of a bot at work on the simulator: each fact once, with its numbers, whoever dies in between."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.domain.account import Level
from core.domain.alert import AlertKind
from core.vault import Vault
from tests.alerts.conftest import Desk
from tests.alerts.receiver import Receiver
from tests.stack import ACCOUNT, BTC, SWAP, Stack


@pytest.fixture
def desk(stack: Stack, vault: Vault) -> Desk:
    made = Desk(stack.store, stack.clock, vault)
    made.turn()  # from here on
    return made


def test_a_target_is_heard_once_with_its_numbers(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address())
    part = stack.opened()
    desk.turn()
    assert phone.titles == [f"Position opened · {ACCOUNT}"]
    assert phone.bodies == [f"{BTC} long, part {part}: 0.99 contracts entered at 100000.1"]

    stack.price("106000")
    cycle = stack.ended(part)
    desk.turn()
    desk.restart()
    desk.turn()
    assert phone.titles[1:] == [f"Take-profit · {ACCOUNT}"]
    assert phone.bodies[1] == (
        f"{BTC} long, part {part}: take-profit, 0.99 contracts from 100000.1 to {cycle.average_exit:f}, "
        f"PnL {cycle.realised_pnl:+.2f}, fees {cycle.fees:+.2f}, funding +0.00, net {cycle.net:+.2f} USDT"
    )
    assert cycle.net > 40


def test_the_same_on_binance_where_two_orders_make_the_pair(on_binance: Stack, vault: Vault, phone: Receiver) -> None:
    desk = Desk(on_binance.store, on_binance.clock, vault)
    desk.turn()
    desk.channel(phone.address(), kinds=frozenset(AlertKind) - {AlertKind.BOT})
    part = on_binance.opened()
    on_binance.price("106000")
    on_binance.ended(part)
    desk.turn()
    desk.restart()
    desk.turn()
    told = [title.split(" · ")[0] for title in phone.titles]
    assert sorted(told) == ["Fill", "Fill", "Position opened", "Take-profit"]


def test_what_happened_before_the_first_start_is_not_told(stack: Stack, vault: Vault, phone: Receiver) -> None:
    part = stack.opened()
    stack.store.bots.set_level(ACCOUNT, Level.REDUCE_ONLY, "trader", "")
    stack.store.alarms.raise_alarm(ACCOUNT, "account/old", "an old alarm", stack.clock.now())
    stack.step(5)
    desk = Desk(stack.store, stack.clock, vault)
    desk.channel(phone.address(), kinds=frozenset(AlertKind))
    assert desk.turn() == 0
    stack.store.alarms.raise_alarm(ACCOUNT, "account/old", "an old alarm, said again", stack.clock.now())
    stack.settle(3)
    assert desk.turn() == 0
    stack.price("89000")
    stack.ended(part)
    desk.turn()
    assert f"Stop-loss · {ACCOUNT}" in phone.titles
    assert f"Position opened · {ACCOUNT}" not in phone.titles


def test_two_processes_make_one_alert_of_each_fact(stack: Stack, desk: Desk, phone: Receiver, vault: Vault) -> None:
    desk.channel(phone.address())
    other = Desk(stack.store, stack.clock, vault)
    stack.opened()
    assert desk.turn() + other.turn() + desk.turn() == 2, "the position, and its fill, which nobody wants to hear"
    assert len(phone.heard) == 1


def test_a_late_commit_is_not_passed(stack: Stack, desk: Desk, phone: Receiver) -> None:
    """A row whose number is smaller than that of one told already becomes visible afterwards."""
    desk.channel(phone.address())
    late = stack.store.engine.connect()
    add = text(
        "INSERT INTO execution_events (at, account, rule, because, action, outcome) "
        "VALUES (now(), 'paper-okx', 'switch', 'asked by a slow one', 'level reduce_only', 'done')"
    )
    late.execute(add)
    stack.store.bots.set_level(ACCOUNT, Level.FLATTEN, "a quick one", "")
    desk.turn()
    assert phone.heard == [], "short of the oldest transaction that still runs"
    late.commit()
    late.close()
    desk.turn()
    assert sorted(phone.bodies) == [
        "the level is now flatten, set by a quick one",
        "the level is now reduce only, set by a slow one",
    ]
    desk.turn()
    assert len(phone.heard) == 2


def test_switches_and_levels(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address())
    stack.store.bots.set_running(ACCOUNT, False, by="trader", why="lunch", manually=True)
    stack.store.bots.set_running(ACCOUNT, True, by="trader", why="", manually=False)
    stack.store.bots.raise_level(ACCOUNT, Level.NO_ADDED_RISK, "guard", "daily loss: 12 %")
    desk.turn()
    assert phone.bodies == [
        "the bot was stopped by trader: lunch",
        "the bot was started by trader",
        "the level is now pause entries, recovery and reopening, set by guard: daily loss: 12 %",
    ]


def test_a_refusal_is_told_once_in_the_exchanges_words(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address())
    stack.simulator.faults({"kind": "reject", "code": "51008", "match": {"path": "trade/order"}})
    part = stack.open()
    stack.settle(6)
    desk.turn()
    refused = [body for body in phone.bodies if "the exchange refused" in body]
    assert len(refused) == 1
    assert refused[0].startswith(f"part {part}: the exchange refused entry op{part}01E01: ")
    assert "51008" in refused[0]


def test_a_recovery_step_and_a_reopening(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address())
    stack.store.settings.set_all({"recovery_enabled": True, "reopen_enabled": True}, "test")
    part = stack.opened()
    stack.price("94500")
    stack.until(lambda: stack.part(part).steps)
    desk.turn()
    assert phone.titles[-1] == f"Recovery step · {ACCOUNT}"
    assert phone.bodies[-1].startswith(f"{BTC} long, part {part}: recovery adds 0.1 contracts at 94500")
    stack.price("101000")
    stack.price("106000")
    stack.ended(part)
    stack.until(lambda: stack.part(part).intent.cycle == 2 and stack.part(part).size, seconds=600)
    desk.turn()
    assert f"Position reopened · {ACCOUNT}" in phone.titles


def test_bare_contracts_are_told_after_ten_seconds_and_when_it_is_over(
    stack: Stack, desk: Desk, phone: Receiver
) -> None:
    desk.channel(phone.address(), kinds=frozenset({AlertKind.BARE, AlertKind.CLEARED}))
    part = stack.opened()
    stack.guard.running = False
    stack.simulator.intervene("cancel", algoId=stack.resting()[0]["algoId"])
    stack.settle(1)
    stack.guard.publish()
    desk.turn()
    stack.step(8)
    desk.restart()
    desk.turn()
    assert phone.heard == []
    stack.step(3)
    desk.turn()
    assert phone.titles == [f"Without a stop-loss · {ACCOUNT}"]
    assert phone.bodies == [
        f"{BTC} long, part {part}: 0.99 of 0.99 contracts are held without a stop-loss on the exchange"
    ]
    desk.restart()
    desk.turn()
    assert len(phone.heard) == 1
    stack.guard.running = True
    stack.step(6)
    stack.until(lambda: stack.at_rest(part))
    stack.guard.publish()
    desk.turn()
    assert phone.titles[1:] == [f"Alarm over · {ACCOUNT}"]
    assert phone.bodies[1].startswith("over after 0:")


def test_an_order_without_an_answer(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address(), kinds=frozenset({AlertKind.UNRESOLVED}))
    stack.opened()
    with stack.store.transaction() as connection:
        connection.execute(
            text("UPDATE commands SET outcome = NULL, recorded_at = :at WHERE purpose = 'E'"),
            {"at": stack.clock.now()},
        )
    stack.step(20)
    desk.turn()
    assert phone.heard == []
    stack.step(11)
    desk.turn()
    desk.turn()
    assert [title.split(" · ")[0] for title in phone.titles] == ["Order without an answer"]
    assert "E01 has had no answer since" in phone.bodies[0]


def test_a_bot_that_nobody_runs(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address())
    stack.guard.lease.release()
    desk.turn()
    stack.step(16)
    desk.turn()
    assert phone.titles == [f"Nobody runs the bot · {ACCOUNT}"]
    stack.store.bots.set_running(ACCOUNT, False, by="trader", why="", manually=True)
    desk.turn()
    assert phone.titles[1:] == [f"Bot · {ACCOUNT}"], "that it is over is not among what a new channel hears"


def test_alarms_come_and_go(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address(), kinds=frozenset(AlertKind))
    now = stack.clock.now()
    stack.store.alarms.raise_alarm(ACCOUNT, "account/x", "the keys cannot be opened", now)
    desk.turn()
    stack.store.alarms.raise_alarm(ACCOUNT, "account/x", "the keys cannot be opened", now)
    desk.turn()
    stack.store.alarms.clear(ACCOUNT, (), stack.clock.now(), only=("account/",))
    desk.turn()
    desk.turn()
    assert phone.titles == [f"Alarm · {ACCOUNT}", f"Alarm over · {ACCOUNT}"]
    assert phone.bodies == ["the keys cannot be opened", "over: the keys cannot be opened"]


def test_a_forced_close_is_severe(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address(), kinds=frozenset({AlertKind.LIQUIDATION, AlertKind.CLOSED}))
    part = stack.opened()
    stack.by_hand("liquidate", instId=SWAP, posSide="long")
    stack.ended(part)
    desk.turn()
    assert phone.titles == [f"Liquidation · {ACCOUNT}", f"Position closed · {ACCOUNT}"]
    assert phone.heard[0]["type"] == "failure"
    assert "(liquidat" in phone.bodies[0]


def test_the_summary_comes_once_a_day_at_its_time(stack: Stack, desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address(), kinds=frozenset({AlertKind.SUMMARY}))
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    now = stack.clock.now()
    soon = now.replace(minute=(now.minute + 2) % 60, second=0, microsecond=0)
    stack.store.settings.set("alert_summary_at", f"{soon:%H:%M}", "test")
    desk.turn()
    assert phone.heard == []
    stack.step(180)
    desk.turn()
    desk.restart()
    desk.turn()
    (words,) = phone.bodies
    assert words.startswith("ended cycles: 1, with a profit: 1, net +")
    assert words.endswith(" USDT")
