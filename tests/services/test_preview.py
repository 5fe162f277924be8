"""Before the click: the ladder of a draft, its twin, the size that a risk buys, presets, one wish for many parts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.decision.preview.ladder import LadderEnd
from core.decision.preview.sizing import value_for_risk
from core.domain.action import EndCycle
from core.domain.errors import Misconfigured
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import ExitReason, RecoveryChoice, ReopenChoice, Target, TargetEdit, Wanted
from core.domain.money import Contracts
from core.domain.reason import text
from core.services.trading.bulk import Row, close_many, edit_many
from core.services.trading.positions import PositionManager
from core.services.trading.presets import preset, with_presets
from tests.decision.test_preview import BTC as RULES
from tests.pages.samples.snapshot import part
from tests.services.conftest import BTC, PAPER
from tests.services.test_positions import draft, held, positions, show

__all__ = ["held", "positions"]
D = Decimal
ON = RecoveryChoice(enabled=True, max_steps=2)


class TestTheLadder:
    def test_it_follows_the_draft_s_own_choice_over_the_settings(self, store, clock, positions):
        show(store, clock)
        store.settings.set("recovery_enabled", True, "operator")
        store.settings.set("recovery_max_steps", 5, "operator")
        assert positions.ladder(draft()).steps == 5
        assert positions.ladder(draft(recovery=ON)).steps == 2
        off = positions.ladder(draft(recovery=RecoveryChoice(enabled=False)))
        assert (off.steps, off.end) == (0, LadderEnd.OFF)

    def test_the_limits_hold_for_steps_too(self, store, clock, positions):
        show(store, clock)
        store.settings.set("min_order_value", D(500), "operator")
        assert positions.ladder(draft(recovery=ON)).end is LadderEnd.LIMITS

    def test_without_a_snapshot_or_with_wrong_numbers_it_is_empty(self, store, clock, positions):
        assert positions.ladder(draft()).rungs == ()
        show(store, clock)
        assert positions.ladder(draft(leverage=D(500))).rungs == ()


class TestATwin:
    def test_a_second_of_the_same_kind_is_refused_unless_meant(self, store, clock, positions, held):
        with pytest.raises(Misconfigured, match="with the same strategy already"):
            positions.open(draft(), "second click", "operator")
        assert len(store.parts.intents(PAPER.id)) == 1
        assert positions.open(draft(), "second click", "operator", again=True).new
        assert len(store.parts.intents(PAPER.id)) == 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"strategy": "try1"},
            {"side": Side.SHORT, "take_profit": Target(pnl_usdt=D(50)), "stop_loss": Target(pnl_usdt=D(-100))},
            {"symbol": "ETH-USDT-PERP"},
        ],
    )
    def test_another_strategy_side_or_contract_is_no_twin(self, positions, held, changes):
        assert positions.twin(draft(**changes)) is None

    def test_a_part_that_waits_to_be_opened_again_counts(self, store, clock, positions, held):
        store.settings.set("reopen_enabled", True, "operator")
        end = EndCycle(held, 1, ExitReason.STOP_LOSS, text(""), D(-100), D(-1), Contracts(D(1)), None, None)
        store.cycles.end(PAPER.id, end, D(0), "", clock.now())
        assert held in str(positions.twin(draft()))

    def test_one_that_has_ended_or_is_closed_for_good_does_not(self, positions, held):
        positions.close(held, "close", "operator")
        assert positions.twin(draft()) is None


class TestSizeByRisk:
    @pytest.mark.parametrize(("side", "stop"), [(Side.LONG, D(95_000)), (Side.SHORT, D(105_000))])
    def test_the_stop_then_loses_what_was_asked_and_no_more(self, side, stop):
        value = value_for_risk(RULES, side, D(100), D(100_000), stop)
        assert value is not None
        coins = value / 100_000
        lost = coins * 5_000 + (coins * 100_000 + coins * stop) * RULES.taker_fee
        assert D("99.99") < lost <= 100

    @pytest.mark.parametrize(("risk", "stop"), [(D(100), D(101_000)), (D(100), D(100_000)), (D(0), D(95_000))])
    def test_a_stop_that_is_none_has_no_size(self, risk, stop):
        assert value_for_risk(RULES, Side.LONG, risk, D(100_000), stop) is None

    def test_it_is_counted_from_the_price_of_now(self, store, clock, positions):
        show(store, clock)
        assert positions.value_of_risk(draft(), D(100), D(90_000)) == D("990.58")


def test_a_preset_is_a_draft_that_can_be_asked_for(store, clock, positions):
    show(store, clock)
    ready = preset(PAPER.id, BTC, Side.LONG)
    part = positions.open(ready, "click", "operator").part
    wish = store.parts.intent(part)
    assert (wish.strategy, wish.own_recovery.enabled, wish.own_reopen.enabled) == ("try1", True, True)


def test_presets_are_offered_for_what_is_traded_and_what_is_chosen():
    traded = [BTC, "DOGE-USDT-PERP", "SOL-USDT-PERP"]
    assert with_presets(traded, BTC) == [BTC, "SOL-USDT-PERP"]
    assert with_presets(traded, "DOGE-USDT-PERP") == [BTC, "SOL-USDT-PERP", "DOGE-USDT-PERP"]


class TestMany:
    @pytest.fixture
    def rows(self, positions: PositionManager, held: str) -> list[Row]:
        """The held part, and one that nobody knows."""
        own = Row(held, Target(pnl_usdt=D(50)), Target(pnl_usdt=D(-100)))
        return [own, replace(own, part="nobody")]

    def test_one_that_is_refused_holds_no_other_back(self, store, positions, rows, held):
        results = edit_many(positions, rows[::-1], Target(pnl_usdt=D(80)), None, "click", "operator")
        assert [(one.part, one.done) for one in results] == [("nobody", False), (held, True)]
        assert "is not known" in str(results[0].words)
        assert store.parts.intent(held).edit == TargetEdit(Target(pnl_usdt=D(80)), Target(pnl_usdt=D(-100)), step=0)

    def test_the_same_click_twice_is_one_wish(self, store, positions, rows, held):
        for _ in range(2):
            edit_many(positions, rows, Target(pnl_usdt=D(80)), None, "click", "operator")
        assert store.parts.intent(held).version == 2

    @pytest.mark.parametrize(("later", "wanted"), [(False, Wanted.CLOSED), (True, Wanted.RENEWED)])
    def test_they_are_closed_for_good_or_for_later(self, store, positions, rows, held, later, wanted):
        positions.choose(held, RecoveryChoice(), ReopenChoice(enabled=True), "choice", "operator")
        results = close_many(positions, rows, "click", "operator", reopen=later)
        assert [one.done for one in results] == [True, False]
        assert store.parts.intent(held).wanted is wanted

    def test_a_part_of_the_snapshot_tells_its_targets(self):
        target = Target(percent=D(5), trigger_by=TriggerBy.LAST)
        found = Row.of(part("p", take_profit_wanted=target, stop_loss_wanted=None))
        assert (found.take_profit.percent, found.take_profit.trigger_by, found.stop_loss) == (D(5), "last", None)
