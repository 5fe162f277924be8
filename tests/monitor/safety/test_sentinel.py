"""The watchdog looks past the loop's memory: it tells what is wrong, takes it back when it has passed, trades never."""

from __future__ import annotations

from sqlalchemy import text

from core.alerts import Alerts
from core.monitor import sentinel
from tests.stack import ACCOUNT, Stack

ALERTS = Alerts([])
LONG = f"{ACCOUNT}/BTC-USDT-PERP/long"


def test_all_is_well(stack: Stack) -> None:
    stack.opened()
    assert sentinel.check(stack.guard, ALERTS) == []
    assert stack.alarms() == []


def test_a_stop_that_is_gone_while_the_bot_stands_still(stack: Stack) -> None:
    part = stack.opened()
    stack.guard.running = False
    stack.simulator.intervene("cancel", algoId=stack.resting()[0]["algoId"])
    assert list(map(str, sentinel.check(stack.guard, ALERTS))) == [f"{LONG}: stop-losses cover 0 of 0.99 contracts"]
    assert stack.alarms() == [f"sentinel-bare/{LONG}"]
    assert stack.resting() == []

    stack.settle(2)
    assert stack.alarms() == [f"sentinel-bare/{LONG}"], "the loop does not take back what the watchdog has said"
    stack.guard.running = True
    stack.step(6)
    stack.until(lambda: stack.at_rest(part))
    assert sentinel.check(stack.guard, ALERTS) == []
    assert stack.alarms() == []


def test_a_target_that_is_gone_while_the_stop_rests(on_binance: Stack) -> None:
    part = on_binance.opened()
    on_binance.guard.running = False
    target = next(row for row in on_binance.resting() if row["tpTriggerPx"])
    on_binance.by_hand("cancel", algoId=target["algoId"])
    held = on_binance.part(part).size
    long = f"{on_binance.name}/BTC-USDT-PERP/long"
    assert list(map(str, sentinel.check(on_binance.guard, ALERTS))) == [
        f"{long}: take-profits cover 0 of {held} contracts"
    ]
    assert on_binance.alarms() == [f"sentinel-target/{long}"]


def test_a_picture_and_a_heartbeat_that_nobody_renews(stack: Stack) -> None:
    stack.opened()
    as_of = stack.clock.now()
    stack.store.bots.heartbeat(ACCOUNT, as_of)
    stack.step(45)
    stack.guard.reconciler.run(None, act=True)  # looks, and shows nothing
    assert list(map(str, sentinel.check(stack.guard, ALERTS))) == [
        "the picture that pages show is 45 s old",
        "the heartbeat that others read is 45 s old",
    ]
    stack.look()
    stack.store.bots.heartbeat(ACCOUNT, stack.clock.now())
    assert sentinel.check(stack.guard, ALERTS) == []


def test_a_loop_that_stands_still(stack: Stack) -> None:
    stack.opened()
    stack.step(45)
    (words,) = map(str, sentinel.check(stack.guard, ALERTS))
    assert words == "the last complete look at the exchange was 45 s ago"
    stack.look()
    assert sentinel.check(stack.guard, ALERTS) == []


def test_trigger_orders_that_the_loop_does_not_list(stack: Stack) -> None:
    stack.simulator.intervene(
        "place_algo", instId="BTC-USDT-SWAP", posSide="long", side="buy", ordType="trigger", sz="1",
        triggerPx="90000", orderPx="-1",
    )  # fmt: skip
    (words,) = map(str, sentinel.check(stack.guard, ALERTS))
    assert words == "1 trigger or trailing orders rest on BTC-USDT-PERP; they are not ours and are left alone"


def test_a_pnl_that_has_drifted_from_the_exchanges(stack: Stack) -> None:
    stack.opened()
    with stack.store.transaction() as connection:
        connection.execute(text("UPDATE orders SET average_price = average_price + 500 WHERE purpose = 'E'"))
    stack.look()
    (words,) = map(str, sentinel.check(stack.guard, ALERTS))
    assert words == f"{LONG}: our PnL -4.95 USDT, the exchange's -0.00 USDT"


def test_an_average_that_is_still_blended_with_a_part_that_has_ended_is_no_drift(stack: Stack) -> None:
    first = stack.opened()
    stack.price("103000")
    stack.opened()
    stack.positions.close(first, stack.token(), "trader")
    stack.ended(first)
    assert sentinel.check(stack.guard, ALERTS) == []
