"""What `/metrics` says, held against what happened: counted from the records, so the same after a restart."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.account import Exchange
from core.domain.errors import Unavailable
from core.domain.intent import ExitReason
from core.monitor.runtime_metrics import LOOP_SECONDS, RuntimeCounter
from core.services.metrics.series import ALL, BY_NAME, MOST, OTHER, Bounded, Samples, SeriesKind
from core.services.metrics.service import Metrics
from db.repositories.metrics import BEGINNING, LifeFact
from tests.builders import NOON
from tests.metrics.conftest import Station
from tests.metrics.day import REJECTED, beat
from tests.stack import Stack

COUNTED = [one.name for one in ALL if one.kind is not SeriesKind.GAUGE]
OWN = ("perpdeck_loop_seconds", "perpdeck_loop_failures_total")  #: of the bot's own process
BREAKOUT = {"strategy_id": "breakout", "symbol": "BTC-USDT-PERP", "position_side": "long"}


def life(stack: Stack, to: str) -> str:
    """A whole life of a part of the strategy `breakout`, from 100,000 to this price."""
    stack.price("100000")
    part = stack.opened(replace(stack.draft(), strategy="breakout"))
    stack.price(to)
    stack.ended(part)
    stack.look()
    return part


def test_a_target_and_two_stops(either: Station) -> None:
    stack = either.stack
    part = life(stack, "106000")
    life(stack, "88000")
    life(stack, "88000")
    told = either.scrape()
    assert told.value("tradeengine_strategy_oco_placed_total", **BREAKOUT) == 3
    assert told.value("tradeengine_strategy_tp_triggered_total", **BREAKOUT) == 1
    assert told.value("tradeengine_strategy_sl_triggered_total", **BREAKOUT) == 2
    assert told.value("perpdeck_cycles_total", close_reason="take_profit", result="won", **BREAKOUT) == 1
    assert told.value("perpdeck_cycles_total", close_reason="stop_loss", result="lost", **BREAKOUT) == 2
    results = "tradeengine_strategy_pnl_realized"
    assert told.value(f"{results}_count", close_reason="stop_loss", **BREAKOUT) == 2
    assert told.value(f"{results}_bucket", le="-100.0", **BREAKOUT) == 2
    assert told.value(f"{results}_bucket", le="25.0", close_reason="take_profit", **BREAKOUT) == 0
    assert told.value(f"{results}_bucket", le="+Inf", **BREAKOUT) == 3
    won = stack.store.history.cycles(stack.name, part)[0].net
    assert told.value(f"{results}_sum", close_reason="take_profit") == pytest.approx(float(won))
    assert told.value("perpdeck_won_usdt_total") == pytest.approx(float(won))
    whole = sum((cycle.net for cycle in stack.store.history.cycles(stack.name)), Decimal(0))
    assert told.value("perpdeck_result_usdt") == pytest.approx(float(whole))
    assert told.value("perpdeck_fills_total", liquidity="taker") == 6
    assert told.value("perpdeck_orders_filled_total", purpose="entry") == 3
    assert told.value("perpdeck_slippage_bp_count", purpose="stop_loss") == 2


def test_counters_are_the_same_after_a_restart_and_only_grow(station: Station) -> None:
    stack = station.stack
    station.scrape()
    life(stack, "106000")
    before = station.scrape()
    part = stack.opened(replace(stack.draft(), strategy="breakout"))
    meanwhile = station.scrape()
    again = Metrics(stack.store.metrics, stack.store.snapshots, stack.store.equity, stack.clock).read()
    shared = station.metrics.read()
    for name in set(COUNTED) - set(OWN):
        assert again.numbers.get(name) == shared.numbers.get(name), name
        assert again.spreads.get(name) == shared.spreads.get(name), name
    stack.price("88000")
    stack.ended(part)
    after = station.scrape()
    for earlier, later in ((before, meanwhile), (meanwhile, after)):
        grown = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in later.samples}
        for sample in earlier.samples:
            signed = sample.name.endswith("_sum")  # results may be negative
            if any(sample.name.startswith(name) for name in COUNTED) and not signed:
                assert grown[sample.name, tuple(sorted(sample.labels.items()))] >= sample.value, sample


def test_an_ended_life_is_read_once(station: Station) -> None:
    stack = station.stack
    ended = [(life(stack, "106000"), 1) for _ in range(3)]
    held = stack.opened()
    first = stack.store.metrics.counted_lives(BEGINNING, 2)
    assert (first.more, first.moving) == (True, ())
    rest = stack.store.metrics.counted_lives(first.cursor, 2)
    assert [named(one) for one in first.settled + rest.settled] == ended
    assert [named(one) for one in rest.moving] == [(held, 1)]
    done = stack.store.metrics.counted_lives(rest.cursor, 2)
    assert (done.settled, done.cursor) == ((), rest.cursor)
    assert [named(one) for one in done.moving] == [(held, 1)]


def test_a_life_whose_end_may_not_be_seen_by_all_yet_is_told_and_not_settled(station: Station) -> None:
    stack = station.stack
    with stack.store.transaction() as elsewhere:
        elsewhere.exec_driver_sql("SELECT pg_current_xact_id()")  # older than what follows, and still open
        part = life(stack, "106000")
        early = stack.store.metrics.counted_lives()
        assert early.settled == ()
        assert [named(one) for one in early.moving] == [(part, 1)]
        assert station.value("tradeengine_strategy_tp_triggered_total") == 1
    assert station.value("tradeengine_strategy_tp_triggered_total") == 1
    assert [named(one) for one in stack.store.metrics.counted_lives().settled] == [(part, 1)]


def named(one: LifeFact) -> tuple[str, int]:
    return one.part, one.cycle


def test_a_refusal_is_counted_by_its_code(station: Station) -> None:
    stack = station.stack
    stack.simulator.faults(REJECTED)
    part = stack.open()
    assert stack.ended(part).reason is ExitReason.NOT_ENTERED
    told = station.scrape()
    assert told.value("perpdeck_orders_refused_total", code="51008", purpose="entry") == 1
    assert told.value("perpdeck_orders_sent_total", purpose="entry") == 1
    assert told.value("perpdeck_orders_accepted_total", purpose="entry") == 0
    assert told.value("perpdeck_cycles_not_entered_total") == 1
    assert told.value("perpdeck_cycles_total") is None


def test_what_the_risk_control_says_is_counted_once(station: Station) -> None:
    stack = station.stack
    stack.opened()
    stack.open()
    stack.store.settings.set_all({"max_order_value": Decimal(500)}, "test")
    stack.settle(4)
    for _ in range(2):
        told = station.scrape()
        assert told.value("perpdeck_risk_checks_total", check="all", result="passed") == 1
        assert told.value("perpdeck_risk_checks_total", check="order_value", result="refused") == 1
    assert Metrics(stack.store.metrics, stack.store.snapshots, stack.store.equity, stack.clock).read().numbers[
        "perpdeck_risk_checks_total"
    ] == {
        (stack.name, "okx", "all", "passed"): 1,
        (stack.name, "okx", "order_value", "refused"): 1,
    }


def test_promtool_finds_nothing_to_say_of_it(station: Station, prometheus_programs: Path) -> None:
    station.stack.opened()
    checked = subprocess.run(
        [prometheus_programs / "promtool", "check", "metrics"],
        input=station.scrape().text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_an_order_without_an_answer_ages_until_it_is_known(station: Station) -> None:
    stack = station.stack
    stack.simulator.faults({"kind": "lost_before", "match": {"method": "POST", "path": "trade/order"}, "count": 1})
    stack.open()
    stack.look()
    stack.step(3)
    told = station.scrape()
    assert told.value("perpdeck_unresolved_commands") == 1
    assert told.value("perpdeck_unresolved_age_seconds") == 3
    stack.settle(40)
    told = station.scrape()
    assert told.value("perpdeck_unresolved_commands") == 0
    assert told.value("perpdeck_unresolved_age_seconds") == 0
    assert told.value("perpdeck_orders_lost_total", purpose="entry") == 1
    assert told.value("perpdeck_orders_sent_total", purpose="entry") == 2


def test_recovery_and_reopening(either: Station) -> None:
    stack = either.stack
    stack.store.settings.set_all({"recovery_enabled": True, "recovery_max_steps": 1, "reopen_enabled": True}, "test")
    part = stack.opened(replace(stack.draft(), strategy="breakout"))
    stack.price("94000")
    stack.until(lambda: len(stack.part(part).steps) == 1 and stack.at_rest(part), seconds=60)
    assert either.value("perpdeck_recoveries_total", **BREAKOUT) == 1
    stack.price("106000")
    stack.ended(part)
    assert either.value("perpdeck_reopens_total", **BREAKOUT) == 0
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    told = either.scrape()
    assert told.value("perpdeck_reopens_total", **BREAKOUT) == 1
    assert told.value("perpdeck_recoveries_total", **BREAKOUT) == 1
    assert told.value("perpdeck_reopen_delay_seconds_bucket", le="15.0") == 0
    assert told.value("perpdeck_reopen_delay_seconds_bucket", le="900.0") == 1


def test_what_is_held_and_how_it_is_guarded(either: Station) -> None:
    stack = either.stack
    names = [stack.opened() for _ in range(2)]
    told = either.scrape()
    position = {"account": stack.name, "symbol": "BTC-USDT-PERP", "position_side": "long"}
    assert told.value("tradeengine_active_oco_pairs_per_position", **position) == 2
    assert told.value("perpdeck_parts_per_position", **position) == 2
    assert told.value("perpdeck_residual_contracts", **position) == 0
    assert told.value("perpdeck_unprotected_seconds") == 0

    before = told.value("perpdeck_unprotected_seconds_today") or 0

    stack.guard.running = False  # so that nothing is put back
    for row in stack.resting():
        if row["algoClOrdId"].startswith(f"op{names[0]}") and row["slTriggerPx"]:
            stack.by_hand("cancel", algoId=row["algoId"], instId=row["instId"])
    stack.look()
    stack.step(12)
    told = either.scrape()
    assert told.value("tradeengine_active_oco_pairs_per_position", **position) == 1
    assert told.value("perpdeck_parts_unprotected") == 1
    assert told.value("perpdeck_unprotected_seconds") == 12
    stack.look()
    assert either.value("perpdeck_unprotected_seconds_today") == before + 12
    stack.guard.running = True
    stack.settle(3)
    told = either.scrape()
    assert told.value("perpdeck_unprotected_seconds") == 0
    assert told.value("tradeengine_active_oco_pairs_per_position", **position) == 2


def test_what_others_did(station: Station) -> None:
    stack = station.stack
    part = stack.opened()
    more = {"instId": "BTC-USDT-SWAP", "posSide": "long", "side": "buy", "ordType": "market", "sz": "0.5"}
    stack.by_hand("place", **more)
    stack.by_hand("place", **{**more, "ordType": "limit", "px": "50000"})
    stack.settle(2)
    told = station.scrape()
    assert told.value("perpdeck_residual_contracts") == 0.5
    assert told.value("perpdeck_foreign_orders") == 1
    assert told.value("perpdeck_differences") >= 1
    assert told.value("perpdeck_alarms_open") >= 1
    assert told.value("perpdeck_parts_held") == 1
    assert stack.part(part).protected


def test_the_bot_and_its_money(station: Station) -> None:
    stack = station.stack
    beat(stack)
    stack.step(5)
    told = station.scrape()
    assert told.value("perpdeck_bot_running") == 1
    assert told.value("perpdeck_lease_held") == 1
    assert told.value("perpdeck_lease_epoch") == 1
    assert told.value("perpdeck_heartbeat_age_seconds") == 5
    assert told.value("perpdeck_picture_age_seconds") == 5
    assert told.value("perpdeck_level") == 0
    assert told.value("perpdeck_equity_usdt") == 10000
    assert told.value("perpdeck_drawdown_ratio") == 0
    stack.opened(stack.draft(tp=None, sl=-500, leverage=10))
    stack.price("90000")
    beat(stack)
    assert station.value("perpdeck_drawdown_ratio") == pytest.approx(0.00995, abs=0.0005)
    assert station.value("perpdeck_daily_loss_ratio") == pytest.approx(0.00995, abs=0.0005)
    stack.guard.lease.release()
    stack.store.bots.set_running(stack.name, False, by="test", why="", manually=True)
    told = station.scrape()
    assert told.value("perpdeck_bot_running") == 0
    assert told.value("perpdeck_lease_held") == 0


def test_passes_are_timed_and_failures_counted(station: Station) -> None:
    stack = station.stack
    before = station.value("perpdeck_loop_seconds_count") or 0
    stack.look()
    stack.look()
    assert station.value("perpdeck_loop_seconds_count") == before + 2
    assert station.value("perpdeck_loop_failures_total") == 0
    stack.guard._failed(Unavailable("the exchange does not answer"), 0.0)
    told = station.scrape()
    assert told.value("perpdeck_loop_failures_total") == 1
    assert told.value("perpdeck_exchange_ok") == 0


def test_an_account_without_a_snapshot_is_told_of_as_far_as_it_is_known(station: Station) -> None:
    stack = station.stack
    stack.store.accounts.save(replace(stack.account, id="new", exchange=Exchange.BINANCE), None)
    told = station.scrape()
    assert told.value("perpdeck_bot_running", account="new", exchange="binance") == 0
    assert told.value("perpdeck_equity_usdt", account="new") is None


def test_secrets_are_nowhere(station: Station) -> None:
    stack = station.stack
    stack.opened()
    text = station.scrape().text
    for secret in (stack.credentials.api_key, stack.credentials.api_secret, stack.credentials.passphrase):
        assert secret not in text


def test_strategies_codes_and_contracts_are_told_apart_up_to_a_number() -> None:
    bounded = Bounded()
    names = [f"strategy {number}" for number in range(MOST["strategy_id"] + 3)]
    assert [bounded("strategy_id", name) for name in names] == [*names[:-3], OTHER, OTHER, OTHER]
    assert bounded("strategy_id", names[0]) == names[0]
    assert bounded("code", names[-1]) == names[-1]


def test_a_histogram_counts_up_to_and_with_its_bounds() -> None:
    told = Samples()
    for value in ("-2000", "-1000", "0", "10", "10.01", "5000"):
        told.observe("tradeengine_strategy_pnl_realized", ("x",), Decimal(value))
    spread = told.spreads["tradeengine_strategy_pnl_realized"]["x",]
    bounds = [*BY_NAME["tradeengine_strategy_pnl_realized"].bounds, None]
    reached = dict(zip(bounds, spread.cumulative(), strict=True))
    assert (reached[-1000.0], reached[-500.0], reached[0.0], reached[10.0], reached[25.0]) == (2, 2, 3, 4, 5)
    assert (reached[1000.0], reached[None], spread.total) == (5, 6, Decimal("2020.01"))


def test_the_counter_puts_each_pass_into_its_class_and_remember_the_oldest_bare_part() -> None:
    counter = RuntimeCounter()
    for seconds in (0.005, 0.01, 0.011, 11.0):
        counter.looped(seconds)
    counter.bare(["a"], NOON)
    counter.bare(["a", "b"], NOON + timedelta(seconds=5))
    told = counter.metrics(2)
    assert (told.loops, told.loop_seconds, told.failures) == ((2, 1, *[0] * 8, 1), 11.026, 2)
    assert told.bare_since == NOON
    counter.bare(["b"], NOON + timedelta(seconds=6))
    assert counter.metrics(2).bare_since == NOON + timedelta(seconds=5)
    counter.bare([], NOON + timedelta(seconds=7))
    assert counter.metrics(2).bare_since is None
    assert BY_NAME["perpdeck_loop_seconds"].bounds == LOOP_SECONDS
