"""Opening, editing and closing by hand: wishes in the book, each click once, bad input in sentences and no trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Exchange, PositionKey
from core.domain.action import EndCycle, StartCycle
from core.domain.errors import Misconfigured
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import (
    ExecutionKind,
    ExecutionStyle,
    ExitReason,
    Instruction,
    RecoveryChoice,
    ReopenChoice,
    Target,
    TargetEdit,
    Wanted,
    WhenRefused,
)
from core.domain.money import Contracts, Price
from core.domain.reason import text
from core.domain.snapshot import ConditionalOrders
from core.i18n.translate import Speech
from core.services.trading.choices import choice_problems
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from tests.builders import order
from tests.pages.samples.snapshot import part, sample_snapshot, ticker
from tests.services.conftest import BTC, PAPER

D = Decimal
RULES = {"exchange_symbol": "BTC-USDT-SWAP", "maintenance_rate": D("0.005")}


@pytest.fixture
def positions(store, clock):
    return PositionManager(store, clock)


def show(store, clock, **changes):
    """BTC at 100,000 in the snapshot, 10,000 USDT free, and one part; `name`: which."""
    sample = sample_snapshot()
    assert sample.money is not None
    shown = {"name": "00a7k2", "average_entry": "100000", "size": "1", "contracts": "1", **changes}
    store.snapshots.put(
        replace(
            sample,
            as_of=clock.now(),
            tickers={BTC: replace(ticker(BTC, "100000", "100000", "99999.9"), at=clock.now())},
            instruments={name: replace(rules, **RULES) for name, rules in sample.instruments.items()},
            parts=(part(**shown),),
            money=replace(sample.money, equity=D(10000), available=D(10000)),
        )
    )


def changed(store, **changes):
    """The same snapshot with these changes."""
    store.snapshots.put(replace(store.snapshots.latest(PAPER.id), **changes))


def draft(**changes):
    asked = {
        "account": PAPER.id,
        "symbol": BTC,
        "side": Side.LONG,
        "position_value": D(1000),
        "leverage": D(10),
        "take_profit": Target(pnl_usdt=D(50)),
        "stop_loss": Target(pnl_usdt=D(-100)),
    }
    return Draft(**{**asked, **changes})


@pytest.fixture
def held(store, clock, positions):
    """A part of one contract, entered at 100,000."""
    show(store, clock)
    part = positions.open(draft(), "first click", "operator").part
    store.cycles.start(StartCycle(part, 1, Contracts(D(1)), Price(D(100000))), clock.now())
    show(store, clock, name=part)
    return part


class TestOpening:
    def test_a_wish_is_written_and_the_bot_is_woken(self, store, clock, positions, heard):
        show(store, clock)
        asked = positions.open(draft(), "click", "operator")
        intent = store.parts.intent(asked.part)
        assert asked.new
        assert "once it is started" in str(asked.words)
        assert (intent.wanted, intent.position_value, intent.leverage) == (Wanted.OPEN, D(1000), D(10))
        assert (intent.asked_by, intent.stop_loss) == ("operator", Target(pnl_usdt=D(-100)))
        assert heard({"wake": str(PositionKey(PAPER.id, BTC, Side.LONG))})

    def test_what_to_do_where_the_stop_is_refused_is_the_parts_own(self, store, clock, positions):
        show(store, clock)
        own = positions.open(draft(when_refused=WhenRefused.CLOSE), "click", "operator").part
        follows = positions.open(draft(strategy="other"), "another click", "operator").part
        assert store.parts.intent(own).own_unguarded is WhenRefused.CLOSE
        assert store.parts.intent(follows).own_unguarded is None

    def test_a_running_part_may_choose_anew_what_follows_a_refused_stop(self, store, clock, positions):
        show(store, clock)
        part = positions.open(draft(), "click", "operator").part
        assert positions.guard_by(part, WhenRefused.ALARM, "another", "operator").new
        assert store.parts.intent(part).own_unguarded is WhenRefused.ALARM
        positions.guard_by(part, None, "a third", "operator")
        assert store.parts.intent(part).own_unguarded is None

    def test_a_price_that_the_exchange_does_not_watch_can_set_off_nothing(self, store, clock, positions):
        by_index = Target(pnl_usdt=D(-100), trigger_by=TriggerBy.INDEX)
        show(store, clock)
        part = positions.open(draft(stop_loss=by_index), "on okx", "operator").part
        changed(store, exchange=Exchange.BINANCE)
        with pytest.raises(Misconfigured, match="cannot be triggered by index here: last or mark is allowed"):
            positions.open(draft(stop_loss=by_index, strategy="b"), "on binance", "operator")
        with pytest.raises(Misconfigured, match="cannot be triggered by index here"):
            positions.edit_targets(part, None, by_index, "edit", "operator")

    @pytest.mark.parametrize(
        ("exchange", "leverage", "step"),
        [("binance", "1.5", "1"), ("okx", "1.005", "0.01"), ("okx", "1.5", ""), ("binance", "15", "")],
    )
    def test_a_leverage_that_the_exchange_does_not_have_is_refused_before_anything_is_sent(
        self, store, clock, positions, exchange, leverage, step
    ):
        show(store, clock)
        changed(store, exchange=Exchange(exchange))
        words = (f"leverage {leverage} is between two steps: a multiple of {step} is allowed here",) if step else ()
        assert tuple(map(str, positions.preview(draft(leverage=D(leverage))).problems)) == words

    @pytest.mark.parametrize(
        ("used", "status", "fits"), [(198, "open", True), (199, "open", False), (198, "opening", False)]
    )
    def test_a_position_whose_legs_would_not_fit_is_refused(self, store, clock, positions, used, status, fits):
        show(store, clock, status=status)
        changed(store, conditional=ConditionalOrders(used, 200))
        if fits:
            assert positions.open(draft(), "click", "operator").new
            return
        with pytest.raises(Misconfigured, match="of 200 conditional orders rest or are about to: a position needs 2"):
            positions.open(draft(), "click", "operator")
        assert store.parts.of_token("click") is None

    def test_a_double_click_is_one_part_even_when_the_money_has_gone_meanwhile(self, store, clock, positions):
        show(store, clock)
        first = positions.open(draft(position_value=D(99_000)), "click", "operator")
        changed(store, money=None, as_of=clock.now() - timedelta(hours=1))
        again = positions.open(draft(position_value=D(99_000)), "click", "operator")
        assert (again.part, again.new) == (first.part, False)
        assert len(store.parts.intents(PAPER.id)) == 1

    def test_everything_wrong_is_said_at_once_and_nothing_is_written(self, store, clock, positions):
        show(store, clock)
        with pytest.raises(Misconfigured) as refusal:
            positions.open(draft(position_value=D(5), leverage=D(500)), "click", "operator")
        said = tuple(map(str, refusal.value.problems))
        assert any(words.startswith("position value 5 USDT is too small") for words in said)
        assert any(words.startswith("leverage 500 is out of range: 1 to 100") for words in said)
        assert store.parts.intents(PAPER.id) == []

    def test_a_refused_click_may_be_corrected_and_sent_again(self, store, clock, positions):
        show(store, clock)
        with pytest.raises(Misconfigured):
            positions.open(draft(leverage=D(500)), "click", "operator")
        assert positions.open(draft(), "click", "operator").new

    def test_without_a_snapshot_there_is_a_reason_and_no_order(self, positions):
        shown = positions.preview(draft())
        assert "has not looked at the exchange" in str(shown.problems[0])

    def test_a_contract_that_is_not_offered(self, store, clock, positions):
        show(store, clock)
        assert "'DOGE-USDT-PERP' is not offered" in str(positions.preview(draft(symbol="DOGE-USDT-PERP")).problems[0])

    def test_own_limits_count(self, store, clock, positions):
        show(store, clock)
        store.settings.set("max_order_value", D(500), "operator")
        assert any("is above your limit: 500.00" in str(words) for words in positions.preview(draft()).problems)


class TestEditing:
    def test_new_levels_are_written(self, store, positions, held):
        stop = Target(price=Price(D(95000)))
        asked = positions.edit_targets(held, Target(pnl_usdt=D(80)), stop, "click", "operator")
        assert asked.new
        assert store.parts.intent(held).edit == TargetEdit(Target(pnl_usdt=D(80)), stop, step=0)
        assert store.parts.intent(held).stop_loss == Target(pnl_usdt=D(-100)), "the next cycle begins with the original"

    def test_kept_they_are_the_parts_own_from_now_on(self, store, positions, held):
        stop = Target(pnl_usdt=D(-70))
        positions.edit_targets(held, None, stop, "click", "operator", keep=True)
        intent = store.parts.intent(held)
        assert (intent.take_profit, intent.stop_loss, intent.edit) == (None, stop, None)

    def test_the_pieces_of_a_recovery_step_are_one_step(self, store, positions, held):
        pieces = [order(f"op{held}01R10000{number}", 1, filled=1, symbol=BTC) for number in (1, 2, 3)]
        store.orders.save(PAPER.id, pieces)
        positions.edit_targets(held, None, Target(pnl_usdt=D(-70)), "click", "operator")
        assert store.parts.intent(held).edit.step == 1

    def test_a_stop_may_lock_in_profit(self, store, clock, positions, held):
        show(store, clock, name=held, average_entry="99000")
        positions.edit_targets(held, None, Target(price=Price(D(99500))), "click", "operator")
        assert store.parts.intent(held).edit == TargetEdit(None, Target(price=Price(D(99500))), step=0)

    def test_a_stop_that_the_price_has_passed_is_refused(self, store, positions, held):
        before = store.parts.intent(held)
        with pytest.raises(Misconfigured, match="stop-loss 100500 has been passed already: the price is 100000"):
            positions.edit_targets(held, None, Target(price=Price(D(100_500))), "click", "operator")
        assert store.parts.intent(held) == before

    def test_a_target_that_the_price_has_passed_is_refused(self, positions, held):
        with pytest.raises(Misconfigured, match="take-profit 99000 has been passed already"):
            positions.edit_targets(held, Target(price=Price(D(99_000))), None, "click", "operator")

    def test_a_level_below_zero_is_refused(self, positions, held):
        with pytest.raises(Misconfigured, match="it must stay above 0"):
            positions.edit_targets(held, None, Target(pnl_usdt=D(-2000)), "click", "operator")


class TestClosing:
    def test_the_whole_part(self, store, positions, held):
        assert positions.close(held, "close", "operator").new
        assert store.parts.intent(held).wanted is Wanted.CLOSED

    def test_some_of_it_is_a_size_to_keep(self, store, positions, held):
        positions.close(held, "close", "operator", D("0.3"))
        assert store.parts.intent(held).reduce_to == D("0.7")
        assert store.parts.intent(held).wanted is Wanted.OPEN

    def test_the_same_click_twice_reduces_once(self, store, clock, positions, held):
        positions.close(held, "close", "operator", D("0.3"))
        show(store, clock, name=held, size="0.7")
        assert not positions.close(held, "close", "operator", D("0.3")).new
        assert store.parts.intent(held).reduce_to == D("0.7")

    def test_a_second_click_counts_from_what_will_be_left(self, store, positions, held):
        positions.close(held, "close", "operator", D("0.3"))
        positions.close(held, "again", "operator", D("0.3"))
        assert store.parts.intent(held).reduce_to == D("0.4")

    @pytest.mark.parametrize(
        ("contracts", "words"),
        [
            ("2", "contracts 2 is out of range: 0.01 to 1 is allowed"),
            ("0", "contracts 0 is out of range"),
            ("0.005", "contracts 0.005 is out of range"),
            ("0.015", "contracts 0.015 is between two steps: a multiple of 0.01"),
        ],
    )
    def test_sizes_that_cannot_be(self, store, positions, held, contracts, words):
        with pytest.raises(Misconfigured, match=words):
            positions.close(held, "close", "operator", D(contracts))
        assert store.parts.intent(held).reduce_to is None

    def test_what_it_would_come_to(self, positions, held):
        shown = positions.preview_close(held, D("0.5"))
        assert (shown.contracts, shown.notional) == (D("0.5"), D("499.9995"))
        assert (shown.pnl, shown.fee) == (D("-0.0005"), D("-0.24999975"))
        assert shown.problems == ()

    def test_a_part_that_nobody_knows(self, positions):
        with pytest.raises(Misconfigured, match="part 'nobody' is not known"):
            positions.close("nobody", "close", "operator")

    def test_closed_to_be_opened_again_later(self, store, positions, held):
        positions.close(held, "close", "operator", reopen=True)
        assert store.parts.intent(held).wanted is Wanted.RENEWED


class TestAgain:
    @pytest.fixture
    def over(self, store, clock, held):
        end = EndCycle(
            held, 1, ExitReason.TAKE_PROFIT, text(""), D(50), D(-1), Contracts(D(1)), Price(D(1)), Price(D(2))
        )
        store.cycles.end(PAPER.id, end, D(0), "", clock.now())
        return held

    def test_now(self, store, clock, positions, over):
        assert positions.reopen_now(over, "click", "operator").new
        intent = store.parts.intent(over)
        assert (intent.wanted, intent.reopen_at) == (Wanted.RENEWED, clock.now())

    def test_never(self, store, positions, over):
        positions.cancel_reopen(over, "click", "operator")
        assert store.parts.intent(over).wanted is Wanted.CLOSED

    def test_an_open_part_cannot_be_reopened(self, positions, held):
        with pytest.raises(Misconfigured, match="is open: close it first"):
            positions.reopen_now(held, "click", "operator")

    def test_a_part_chooses_for_itself(self, store, positions, held):
        recovery = RecoveryChoice(enabled=True, add_notional=D(250))
        reopen = ReopenChoice(enabled=True, delay=timedelta(minutes=2))
        positions.choose(held, recovery, reopen, "click", "operator")
        intent = store.parts.intent(held)
        assert (intent.recovery.add_notional, intent.reopen.delay) == (D(250), timedelta(minutes=2))

    def test_choices_out_of_range_are_all_named(self, store, positions, held):
        before = store.parts.intent(held)
        wrong, late = RecoveryChoice(trigger_pnl=D(50), max_steps=0), ReopenChoice(delay=timedelta(minutes=90))
        with pytest.raises(Misconfigured) as refusal:
            positions.choose(held, wrong, late, "click", "operator")
        assert tuple(map(str, refusal.value.problems)) == (
            "recovery trigger 50 USDT is out of range: -1,000,000 to -0.01 USDT is allowed",
            "recovery steps 0 is out of range: 1 to 100 is allowed",
            "reopen delay 90 minutes is out of range: 1 to 60 minutes is allowed",
        )
        assert store.parts.intent(held) == before


def test_a_close_in_a_style_that_cannot_be_is_refused_and_nothing_changes(positions, store, held) -> None:
    before = store.parts.intent(held)
    style = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=1), slices=3)
    with pytest.raises(Misconfigured, match="duration must be 10 s to 1 d, not 1 s"):
        positions.close(held, "click-slow", "trader", style=style)
    assert store.parts.intent(held) == before


def test_a_recovery_that_is_worked_in_a_style_is_checked_like_its_numbers(positions, held) -> None:
    choice = RecoveryChoice(style=ExecutionStyle(ExecutionKind.ICEBERG, Price(D(1)), visible=D(2)))
    with pytest.raises(Misconfigured, match=r"recovery visible share must be 0\.01 to 1, not 2") as refusal:
        positions.choose(held, choice, ReopenChoice(), "click-steps", "trader")
    assert "recovery limit price must be empty" in str(refusal.value)


def test_saving_the_recovery_settings_allows_steps_again_that_were_taken_back(positions, store, held) -> None:
    store.parts.change(held, "back", "trader", "", told=Instruction("1R2", finish=False))
    positions.choose(held, RecoveryChoice(True), ReopenChoice(), "again", "trader")
    assert store.parts.intent(held).told is None
    store.parts.change(held, "hurry", "trader", "", told=Instruction("1E", finish=True))
    positions.choose(held, RecoveryChoice(False), ReopenChoice(), "off", "trader")
    assert store.parts.intent(held).told is not None


def test_a_number_out_of_range_is_told_in_turkish_with_its_field_unit_and_range():
    problems = choice_problems(
        RecoveryChoice(trigger_pnl=D(50), max_steps=0), ReopenChoice(delay=timedelta(minutes=90))
    )
    assert [Speech("tr").told(one) for one in problems] == [
        "kurtarma tetiği 50 USDT sınır dışında: -1,000,000 ile -0.01 USDT arası olmalı",
        "kurtarma adımları 0 sınır dışında: 1 ile 100 arası olmalı",
        "yeniden açma beklemesi 90 dakika sınır dışında: 1 ile 60 dakika arası olmalı",
    ]
