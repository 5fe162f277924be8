"""Actions on positions: preview, open, edit targets, close. Requests are written; the bot carries them out.

A click comes with a token, and the same token twice is one wish. Bad input raises Misconfigured with every
problem in words, before anything is written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.clock import Clock
from core.decision.executions import run_name
from core.decision.preview.ladder import Ladder
from core.decision.preview.preview import Preview
from core.domain.account import PositionKey
from core.domain.errors import Misconfigured
from core.domain.ids import same_step
from core.domain.intent import (
    Closing,
    ExecutionKind,
    ExecutionStyle,
    Instruction,
    Intent,
    Recovery,
    RecoveryChoice,
    ReopenChoice,
    ReopenRule,
    Target,
    TargetEdit,
    Wanted,
    WhenRefused,
)
from core.domain.money import ZERO, Contracts
from core.domain.order import Purpose
from core.domain.reason import Reason
from core.domain.risk_result import Check, CheckName, Verdict
from core.domain.snapshot import AccountSnapshot
from core.execution.limits import problems_of
from core.services.reporting.snapshot_reader import instrument_of, newest_snapshot
from core.services.trading.choices import choice_problems
from core.services.trading.close_preview import ClosePreview, close_preview, close_problems, edit_problems, size_of
from core.services.trading.preview import ladder_of, preview_of, twin_of, value_of_risk
from core.services.trading.requests import Asked, Draft
from db.store import Store


class PositionManager:
    """Previews and requests changes to positions, each request in one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    # -- open ---------------------------------------------------------------------------------------------

    def preview(self, draft: Draft) -> Preview:
        """Return what the draft would cost and bring at the newest price; what is wrong with it is in `problems`."""
        return preview_of(self.store, draft, self.clock.now())

    def ladder(self, draft: Draft) -> Ladder:
        """Return every recovery step that the draft may take at the newest price, and the worst loss."""
        return ladder_of(self.store, draft, self.clock.now())

    def value_of_risk(self, draft: Draft, risk: Decimal, stop: Decimal) -> Decimal | None:
        """Return the position value that loses `risk` USDT, fees included, with the stop at that price; None: none
        does.
        """
        return value_of_risk(self.store, draft, risk, stop, self.clock.now())

    def most_risk(self, account: str) -> Decimal | None:
        """Return how much USDT one entry may lose at its stop, by settings and newest equity; None: nothing
        limits it.
        """
        found = self.store.snapshots.latest(account)
        return self.store.parts.limits().most_risk(found.money.equity if found and found.money else None)

    def everybody(self) -> tuple[Recovery | None, ReopenRule | None]:
        """Return the recovery and reopening rules for parts that have made no choice of their own; None: off."""
        rules = self.store.parts.rules()
        return rules.recovery, rules.reopen

    def parts(self, account: str) -> list[Intent]:
        """Return every part that the account ever had, newest first."""
        return self.store.parts.intents(account)

    def known(self, part: str) -> bool:
        """Return whether there ever was such a part."""
        return self.store.parts.intent(part) is not None

    def asked_for(self, token: str) -> bool:
        """Return whether a click with this token has opened or changed a part already."""
        return self.store.parts.of_token(token) is not None

    def twin(self, draft: Draft) -> Reason | None:
        """Return which part has the same strategy, symbol and side already; None: none has."""
        return twin_of(self.store, draft)

    def open(self, draft: Draft, token: str, by: str, *, again: bool = False) -> Asked:
        """Open a position. Raises Misconfigured with every problem, and then nothing has been written.

        A second one with the same strategy, symbol and side is a problem too, unless `again` says it is meant.
        """
        before = self.store.parts.of_token(token)
        if before is not None:
            return Asked(before, False, Reason("trade.asked_already"))
        found = self.preview(draft)
        problems = (*found.problems, *choice_problems(draft.recovery, draft.reopen))
        twin = None if again or problems else self.twin(draft)
        problems += (twin,) if twin else ()
        if problems:
            before = self.store.parts.of_token(token)  # the same click may have got through meanwhile
            if before is not None:
                return Asked(before, False, Reason("trade.asked_already"))
            self._note_refusal(draft, found.verdict, twin)
            raise Misconfigured(*problems)
        wish = Intent(
            part="",
            key=PositionKey(draft.account, draft.symbol, draft.side),
            wanted=Wanted.OPEN,
            position_value=draft.position_value,
            leverage=draft.leverage,
            entry=draft.entry,
            take_profit=draft.take_profit,
            stop_loss=draft.stop_loss,
            strategy=draft.strategy,
            own_recovery=draft.recovery,
            own_reopen=draft.reopen,
            own_unguarded=draft.when_refused,
            asked_by=by,
            asked_at=self.clock.now(),
        )
        intent, new = self.store.parts.open(wish, token)
        running = self.store.bots.get(draft.account).running
        return Asked(intent.part, new, Reason("trade.enters_now") if running else Reason("trade.enters_once_started"))

    def _note_refusal(self, draft: Draft, verdict: Verdict | None, twin: Reason | None) -> None:
        """Record what the risk control has refused before it became a part."""
        if verdict is None:
            return
        if twin:
            alike = Check(CheckName.DUPLICATE, Decimal(1), ZERO, "parts", twin)
            others = (check for check in verdict.checks if check.name is not CheckName.DUPLICATE)
            verdict = Verdict(verdict.purpose, (alike, *others))
        if not verdict.passed:
            self.store.risk_checks.add(draft.account, draft.symbol, "", verdict, "", self.clock.now())

    # -- edit ---------------------------------------------------------------------------------------------

    def edit_targets(
        self,
        part: str,
        take_profit: Target | None,
        stop_loss: Target | None,
        token: str,
        by: str,
        *,
        keep: bool = False,
    ) -> Asked:
        """Move take-profit and stop-loss of a living part, for this cycle until its next recovery step.

        With `keep` they are the part's own from now on, in later cycles too. Raises Misconfigured where a level
        cannot rest.
        """
        intent = self._living(part)
        problems = tuple(edit_problems(intent, self._snapshot(intent), take_profit, stop_loss))
        if problems:
            raise Misconfigured(*problems)
        steps = self._steps(intent)
        changes: dict[str, Any] = {"edit": TargetEdit(take_profit, stop_loss, steps)}
        if keep:
            changes |= {"take_profit": take_profit, "stop_loss": stop_loss}
            if not steps:
                changes["edit"] = None
        changed = self.store.parts.change(part, token, by, Reason("trade.targets_edited"), **changes)
        running = self.store.bots.get(intent.key.account).running
        words = Reason("trade.orders_amended_now") if running else Reason("trade.orders_amended_once_started")
        return Asked(part, changed.version != intent.version, words)

    # -- close --------------------------------------------------------------------------------------------

    def close(
        self,
        part: str,
        token: str,
        by: str,
        contracts: Decimal | None = None,
        *,
        reopen: bool = False,
        style: ExecutionStyle | None = None,
    ) -> Asked:
        """Close a part, or `contracts` of it, at market or in a style; whole, it is closed for good unless `reopen`.

        With `reopen` the next cycle follows after the part's delay. What a style leaves over is closed at market.
        Raises Misconfigured where that cannot be.
        """
        if self.store.parts.of_token(token) is not None:
            return Asked(part, False, Reason("trade.asked_already"))
        intent = self._living(part)
        wanted = Wanted.RENEWED if reopen else Wanted.CLOSED
        why = Reason("trade.close_and_reopen_asked") if reopen else Reason("trade.close_for_good_asked")
        closing = None if style is None or style.kind is ExecutionKind.MARKET else Closing(style, self.clock.now())
        if closing is not None:
            self._check_style(intent, closing.style)
        if contracts is None:
            self.store.parts.change(part, token, by, why, wanted=wanted, reduce_to=None, closing=closing, told=None)
            return Asked(part, True, Reason("trade.closes_now", how=_how(closing)) if self._runs(intent) else _LATER)
        snapshot = self._snapshot(intent)
        rules, size = instrument_of(snapshot, intent.key.symbol), size_of(intent, snapshot)
        problems = tuple(close_problems(contracts, size, rules))
        if problems:
            raise Misconfigured(*problems)
        if contracts == size:
            self.store.parts.change(part, token, by, why, wanted=wanted, reduce_to=None, closing=closing, told=None)
        else:
            keep = Contracts(size - contracts)
            why = Reason("trade.partial_close_asked", contracts=contracts, size=size)
            self.store.parts.change(part, token, by, why, reduce_to=keep, closing=closing, told=None)
        if not self._runs(intent):
            return Asked(part, True, _LATER)
        if closing is None:
            return Asked(part, True, Reason("trade.closes_contracts", contracts=contracts))
        return Asked(part, True, Reason("trade.closes_contracts_by", contracts=contracts, how=_how(closing)))

    def end_strategy(self, key: PositionKey, strategy: str, token: str, by: str) -> list[Asked]:
        """Close for good whatever a strategy holds there, and let nothing of it that waits be opened again."""
        wanted = self.store.parts.desired(key.account).get(key)
        mine = [one for one in wanted.intents if one.strategy == strategy] if wanted else []
        ends = [one for one in mine if one.living or one.wanted is not Wanted.CLOSED]
        return [self._end(one, f"{token}/{one.part}", by) for one in sorted(ends, key=lambda one: one.part)]

    def _end(self, intent: Intent, token: str, by: str) -> Asked:
        """Request close and no reopening at once, so that a cycle that begins meanwhile is closed too."""
        why = Reason("trade.close_for_good_asked") if intent.living else Reason("trade.reopen_cancelled")
        nothing = dict.fromkeys(("reopen_at", "reduce_to", "closing", "told"))
        self.store.parts.change(intent.part, token, by, why, wanted=Wanted.CLOSED, **nothing)
        if not intent.living:
            return Asked(intent.part, True, Reason("trade.not_opened_again"))
        return Asked(intent.part, True, Reason("trade.closes_now_at_market") if self._runs(intent) else _LATER)

    def _check_style(self, intent: Intent, style: ExecutionStyle) -> None:
        snapshot = self._snapshot(intent)
        ticker = snapshot.tickers.get(intent.key.symbol)
        rules, price = instrument_of(snapshot, intent.key.symbol), ticker.mark if ticker is not None else None
        value = rules.notional(size_of(intent, snapshot), price) if price is not None else None
        problems = problems_of(style, rules, value, price)
        if problems:
            raise Misconfigured(*problems)

    def tell(self, part: str, run: str, token: str, by: str, *, finish: bool) -> Asked:
        """Tell an execution under way to take its rest at market now, or to stop.

        A close whose rest is taken back is no longer wanted: the part goes on with what is left. Raises
        Misconfigured where no such execution is under way.
        """
        if self.store.parts.of_token(token) is not None:
            return Asked(part, False, Reason("trade.asked_already"))
        intent = self._living(part)
        seen = self._snapshot(intent).part(part)
        known = {one.run: one for one in (seen.executions if seen else ())}
        if run not in known:
            under_way = tuple(known) or None
            raise Misconfigured(
                Reason("trade.run_unknown", field=Reason("field.run"), value=run, part=part, under_way=under_way)
            )
        why = Reason("trade.rest_at_market") if finish else Reason("trade.rest_taken_back")
        changes: dict[str, Any] = {"told": Instruction(run, finish, self.clock.now())}
        if known[run].closes and not finish:
            changes = {"wanted": Wanted.OPEN, "reduce_to": None, "closing": None, "told": None}
            why = Reason("trade.close_taken_back")
        changed = self.store.parts.change(part, token, by, why, **changes)
        words = why if self._runs(intent) else Reason("trade.once_started", why=why)
        return Asked(part, changed.version != intent.version, words)

    def preview_close(self, part: str, contracts: Decimal | None) -> ClosePreview:
        """Return what closing `contracts` (None: all) would bring at the newest price."""
        intent = self._living(part)
        return close_preview(intent, self._snapshot(intent), contracts)

    # -- again ----------------------------------------------------------------------------------------------

    def reopen_now(self, part: str, token: str, by: str) -> Asked:
        """Begin the next cycle of an ended part without waiting. Raises Misconfigured while it is open."""
        intent = self._ended(part)
        changes = {"wanted": Wanted.RENEWED, "reopen_at": self.clock.now()}
        changed = self.store.parts.change(part, token, by, Reason("trade.reopen_now"), **changes)
        words = Reason("trade.opened_now") if self._runs(intent) else Reason("trade.opened_once_started")
        return Asked(part, changed.version != intent.version, words)

    def cancel_reopen(self, part: str, token: str, by: str) -> Asked:
        """Keep an ended part ended. Raises Misconfigured where it has been reopened already."""
        intent = self._ended(part)
        changes = {"wanted": Wanted.CLOSED, "reopen_at": None}
        changed = self.store.parts.change(part, token, by, Reason("trade.reopen_cancelled"), **changes)
        return Asked(part, changed.version != intent.version, Reason("trade.not_opened_again"))

    def choose(self, part: str, recovery: RecoveryChoice, reopen: ReopenChoice, token: str, by: str) -> Asked:
        """Set the part's own recovery and reopening, from now on.

        Raises Misconfigured with every number that is out of its range.
        """
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(Reason("trade.part_unknown", part=part))
        problems = tuple(choice_problems(recovery, reopen))
        if problems:
            raise Misconfigured(*problems)
        why = Reason("trade.choices_made")
        changes: dict[str, Any] = {"own_recovery": recovery, "own_reopen": reopen}
        told = intent.told
        if told is not None and not told.finish and told.run.startswith(run_name(intent.cycle, Purpose.RECOVERY)):
            changes["told"] = None  # steps that were taken back by hand are wanted again
        changed = self.store.parts.change(part, token, by, why, **changes)
        return Asked(part, changed.version != intent.version, Reason("trade.holds_from_next_look"))

    def guard_by(self, part: str, when_refused: WhenRefused | None, token: str, by: str) -> Asked:
        """Set what is done for the part where the exchange refuses its stop-loss; None: as the settings say."""
        intent = self._living(part)
        why = Reason("trade.refused_stop_choice", choice=when_refused or Reason("trade.as_the_settings_say"))
        changed = self.store.parts.change(part, token, by, why, own_unguarded=when_refused)
        return Asked(part, changed.version != intent.version, Reason("trade.holds_from_next_look"))

    # -- helpers ------------------------------------------------------------------------------------------

    def _living(self, part: str) -> Intent:
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(Reason("trade.part_unknown", part=part))
        if not intent.living:
            raise Misconfigured(Reason("trade.part_ended", part=part, why=intent.exit_reason))
        return intent

    def _ended(self, part: str) -> Intent:
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(Reason("trade.part_unknown", part=part))
        if intent.living:
            raise Misconfigured(Reason("trade.part_open", part=part))
        return intent

    def _steps(self, intent: Intent) -> int:
        """Return how many recovery steps of the current cycle have added something."""
        orders = self.store.orders.of_interest(intent.key.account)
        mine = [order for order in orders if (order.part, order.cycle) == (intent.part, intent.cycle)]
        added = (order for order in mine if order.purpose is Purpose.RECOVERY and order.filled)
        return len({same_step(order.client_order_id) for order in added})

    def _snapshot(self, intent: Intent) -> AccountSnapshot:
        return newest_snapshot(self.store, intent.key.account)

    def _runs(self, intent: Intent) -> bool:
        return self.store.bots.get(intent.key.account).running


_LATER = Reason("trade.closes_once_started")


def _how(closing: Closing | None) -> Reason:
    return Reason("trade.at_market") if closing is None else Reason("trade.by_style", kind=closing.style.kind)
