"""What a person does to positions: preview, open, edit targets, close. It writes wishes; the bot carries them out.

A click comes with a token, and the same token twice is one wish. Bad input raises Misconfigured with every
problem in words, before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.clock import Clock
from core.decision.executions import run_name
from core.decision.preview.ladder import Ladder
from core.decision.preview.preview import Preview, Terms
from core.domain.account import PositionKey
from core.domain.errors import Misconfigured
from core.domain.ids import same_step
from core.domain.instrument import Side
from core.domain.intent import (
    Closing,
    ExecutionKind,
    ExecutionStyle,
    Intent,
    Recovery,
    RecoveryChoice,
    ReopenChoice,
    ReopenRule,
    Target,
    TargetEdit,
    Told,
    Wanted,
    WhenRefused,
)
from core.domain.money import ZERO, Contracts
from core.domain.order import Purpose
from core.domain.risk_result import Check, CheckName, Verdict
from core.execution.limits import problems_of
from core.services.reporting.snapshot_reader import Pictured
from core.services.trading.choices import choice_problems
from core.services.trading.close_preview import ClosePreview, close_preview, close_problems, edit_problems, size_of
from core.services.trading.preview import ladder_of, preview_of, twin_of, value_of_risk
from db.store import Store

__all__ = ["Asked", "ClosePreview", "Draft", "PositionManager", "Preview"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A position somebody thinks of opening. `position_value` in USDT, `leverage` as a multiple."""

    account: str
    symbol: str
    side: Side
    position_value: Decimal
    leverage: Decimal
    take_profit: Target | None
    stop_loss: Target | None
    entry: ExecutionStyle = field(default_factory=ExecutionStyle)
    strategy: str = "manual"
    recovery: RecoveryChoice = RecoveryChoice()  #: what it chooses for itself; the rest follows the settings
    reopen: ReopenChoice = ReopenChoice()
    when_refused: WhenRefused | None = None  #: its stop-loss, by the exchange; None follows the settings

    @property
    def terms(self) -> Terms:
        return Terms(self.side, self.position_value, self.leverage, self.take_profit, self.stop_loss, self.entry)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a click: the part it is about, whether it was news, and words for the page."""

    part: str
    new: bool
    words: str


class PositionManager:
    """Small on purpose: each method is one wish, written in one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    # -- open ---------------------------------------------------------------------------------------------

    def preview(self, draft: Draft) -> Preview:
        """What the draft comes to at the newest price; what is wrong with it is in `problems`."""
        return preview_of(self.store, draft, self.clock.now())

    def ladder(self, draft: Draft) -> Ladder:
        """Every recovery step the draft may come to at the newest price, and the worst that can come of it."""
        return ladder_of(self.store, draft, self.clock.now())

    def value_of_risk(self, draft: Draft, risk: Decimal, stop: Decimal) -> Decimal | None:
        """The position value that loses `risk` USDT, fees included, with the stop at that price; None: none does."""
        return value_of_risk(self.store, draft, risk, stop, self.clock.now())

    def most_risk(self, account: str) -> Decimal | None:
        """USDT that one entry may lose at its stop, by the settings and the newest equity; None: nothing limits it."""
        found = self.store.snapshots.latest(account)
        equity = (found[0]["metrics"] or {}).get("equity") if found else None
        return self.store.parts.limits().most_risk(None if equity is None else Decimal(equity))

    def everybody(self) -> tuple[Recovery | None, ReopenRule | None]:
        """What holds for every part that has made no choice of its own; None: off."""
        rules = self.store.parts.rules()
        return rules.recovery, rules.reopen

    def parts(self, account: str) -> list[Intent]:
        """Every part that the account ever had, newest first."""
        return self.store.parts.intents(account)

    def known(self, part: str) -> bool:
        """Whether there ever was such a part."""
        return self.store.parts.intent(part) is not None

    def asked_for(self, token: str) -> bool:
        """Whether a click with this token has opened or changed a part already."""
        return self.store.parts.of_token(token) is not None

    def twin(self, draft: Draft) -> str:
        """Words, where a part with the same strategy, symbol and side is there already; empty where none is."""
        return twin_of(self.store, draft)

    def open(self, draft: Draft, token: str, by: str, *, again: bool = False) -> Asked:
        """Ask for a position. Raises Misconfigured with every problem, and then nothing has been written.

        A second one with the same strategy, symbol and side is a problem too, unless `again` says it is meant.
        """
        before = self.store.parts.of_token(token)
        if before is not None:
            return Asked(before, False, "asked for already by this click")
        found = self.preview(draft)
        problems = (*found.problems, *choice_problems(draft.recovery, draft.reopen))
        twin = "" if again or problems else self.twin(draft)
        problems += (twin,) if twin else ()
        if problems:
            before = self.store.parts.of_token(token)  # the same click may have got through meanwhile
            if before is not None:
                return Asked(before, False, "asked for already by this click")
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
        return Asked(intent.part, new, "the bot enters now" if running else "the bot enters once it is started")

    def _note_refusal(self, draft: Draft, verdict: Verdict | None, twin: str) -> None:
        """Keep what the risk control has refused before it was a part."""
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
        problems = tuple(edit_problems(intent, self._pictured(intent), take_profit, stop_loss))
        if problems:
            raise Misconfigured(*problems)
        steps = self._steps(intent)
        changes: dict[str, Any] = {"edit": TargetEdit(take_profit, stop_loss, steps)}
        if keep:
            changes |= {"take_profit": take_profit, "stop_loss": stop_loss}
            if not steps:
                changes["edit"] = None
        changed = self.store.parts.change(part, token, by, "take-profit and stop-loss edited", **changes)
        running = self.store.bots.get(intent.key.account).running
        words = "the resting orders are amended now" if running else "the resting orders are amended once the bot runs"
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
            return Asked(part, False, "asked for already by this click")
        intent = self._living(part)
        wanted = Wanted.RENEWED if reopen else Wanted.CLOSED
        why = "close asked for, to be opened again later" if reopen else "close for good asked for"
        closing = None if style is None or style.kind is ExecutionKind.MARKET else Closing(style, self.clock.now())
        if closing is not None:
            self._check_style(intent, closing.style)
        if contracts is None:
            self.store.parts.change(part, token, by, why, wanted=wanted, reduce_to=None, closing=closing, told=None)
            return Asked(part, True, f"the bot closes it now {_how(closing)}" if self._runs(intent) else _LATER)
        pictured = self._pictured(intent)
        rules, size = pictured.instrument(intent.key.symbol), size_of(intent, pictured)
        problems = tuple(close_problems(contracts, size, rules))
        if problems:
            raise Misconfigured(*problems)
        if contracts == size:
            self.store.parts.change(part, token, by, why, wanted=wanted, reduce_to=None, closing=closing, told=None)
        else:
            keep = Contracts(size - contracts)
            why = f"partial close of {contracts:f} of {size:f} contracts asked for"
            self.store.parts.change(part, token, by, why, reduce_to=keep, closing=closing, told=None)
        words = f"the bot closes {contracts:f} contracts now"
        return Asked(
            part, True, (words if closing is None else f"{words} {_how(closing)}") if self._runs(intent) else _LATER
        )

    def end_strategy(self, key: PositionKey, strategy: str, token: str, by: str) -> list[Asked]:
        """Close for good whatever a strategy holds there, and let nothing of it that waits be opened again."""
        wanted = self.store.parts.desired(key.account).get(key)
        mine = [one for one in wanted.intents if one.strategy == strategy] if wanted else []
        ends = [one for one in mine if one.living or one.wanted is not Wanted.CLOSED]
        return [self._end(one, f"{token}/{one.part}", by) for one in sorted(ends, key=lambda one: one.part)]

    def _end(self, intent: Intent, token: str, by: str) -> Asked:
        """One wish for both, so that a cycle that begins meanwhile is closed too."""
        why = "close for good asked for" if intent.living else "the reopen is cancelled"
        nothing = dict.fromkeys(("reopen_at", "reduce_to", "closing", "told"))
        self.store.parts.change(intent.part, token, by, why, wanted=Wanted.CLOSED, **nothing)
        if not intent.living:
            return Asked(intent.part, True, "it is not opened again")
        return Asked(intent.part, True, "the bot closes it now at market" if self._runs(intent) else _LATER)

    def _check_style(self, intent: Intent, style: ExecutionStyle) -> None:
        pictured = self._pictured(intent)
        ticker = pictured.ticker(intent.key.symbol)
        rules, price = pictured.instrument(intent.key.symbol), ticker.mark if ticker is not None else None
        value = rules.notional(size_of(intent, pictured), price) if price is not None else None
        problems = problems_of(style, rules, value, price)
        if problems:
            raise Misconfigured(*problems)

    def tell(self, part: str, run: str, token: str, by: str, *, finish: bool) -> Asked:
        """The trader's word on an execution under way: its rest at market now, or not at all.

        A close whose rest is taken back is no longer wanted: the part goes on with what is left. Raises
        Misconfigured where no such execution is under way.
        """
        if self.store.parts.of_token(token) is not None:
            return Asked(part, False, "asked for already by this click")
        intent = self._living(part)
        row = self._pictured(intent).part(part)
        known = {one["run"]: one for one in (row or {}).get("runs", ())}
        if run not in known:
            under_way = ", ".join(known) or "none"
            raise Misconfigured(f"execution {run!r} of {part} is not under way; under way: {under_way}")
        why = "the rest at market now" if finish else "the rest is taken back"
        changes: dict[str, Any] = {"told": Told(run, finish, self.clock.now())}
        if known[run]["purpose"] == Purpose.CLOSE.name.lower() and not finish:
            changes = {"wanted": Wanted.OPEN, "reduce_to": None, "closing": None, "told": None}
            why = "the close is taken back"
        changed = self.store.parts.change(part, token, by, why, **changes)
        words = why if self._runs(intent) else f"{why}, once the bot is started"
        return Asked(part, changed.version != intent.version, words)

    def preview_close(self, part: str, contracts: Decimal | None) -> ClosePreview:
        """What closing `contracts` (None: all) would come to at the newest price."""
        intent = self._living(part)
        return close_preview(intent, self._pictured(intent), contracts)

    # -- again ----------------------------------------------------------------------------------------------

    def reopen_now(self, part: str, token: str, by: str) -> Asked:
        """Begin the next cycle of an ended part without waiting. Raises Misconfigured while it is open."""
        intent = self._ended(part)
        changes = {"wanted": Wanted.RENEWED, "reopen_at": self.clock.now()}
        changed = self.store.parts.change(part, token, by, "reopen now", **changes)
        words = "it is opened again now" if self._runs(intent) else "it is opened again once the bot is started"
        return Asked(part, changed.version != intent.version, words)

    def cancel_reopen(self, part: str, token: str, by: str) -> Asked:
        """An ended part stays ended. Raises Misconfigured where it has been opened again already."""
        intent = self._ended(part)
        changes = {"wanted": Wanted.CLOSED, "reopen_at": None}
        changed = self.store.parts.change(part, token, by, "the reopen is cancelled", **changes)
        return Asked(part, changed.version != intent.version, "it is not opened again")

    def choose(self, part: str, recovery: RecoveryChoice, reopen: ReopenChoice, token: str, by: str) -> Asked:
        """What the part chooses for itself of recovery and reopening, from now on.

        Raises Misconfigured with every number that is out of its range.
        """
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(f"part {part!r} is not known")
        problems = tuple(choice_problems(recovery, reopen))
        if problems:
            raise Misconfigured(*problems)
        why = "recovery and reopen chosen for this part"
        changes: dict[str, Any] = {"own_recovery": recovery, "own_reopen": reopen}
        told = intent.told
        if told is not None and not told.finish and told.run.startswith(run_name(intent.cycle, Purpose.RECOVERY)):
            changes["told"] = None  # steps that were taken back by hand are wanted again
        changed = self.store.parts.change(part, token, by, why, **changes)
        return Asked(part, changed.version != intent.version, "it holds from the bot's next look")

    def guard_by(self, part: str, when_refused: WhenRefused | None, token: str, by: str) -> Asked:
        """What the part wants done where the exchange refuses its stop-loss; None: as the settings say."""
        intent = self._living(part)
        why = f"where its stop-loss is refused: {when_refused or 'as the settings say'}"
        changed = self.store.parts.change(part, token, by, why, own_unguarded=when_refused)
        return Asked(part, changed.version != intent.version, "it holds from the bot's next look")

    # -- helpers ------------------------------------------------------------------------------------------

    def _living(self, part: str) -> Intent:
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(f"part {part!r} is not known")
        if not intent.living:
            raise Misconfigured(f"part {part} has ended already ({intent.exit_reason})")
        return intent

    def _ended(self, part: str) -> Intent:
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(f"part {part!r} is not known")
        if intent.living:
            raise Misconfigured(f"part {part} is open: close it first")
        return intent

    def _steps(self, intent: Intent) -> int:
        """Recovery steps of the current cycle that have added something."""
        orders = self.store.orders.of_interest(intent.key.account)
        mine = [order for order in orders if (order.part, order.cycle) == (intent.part, intent.cycle)]
        added = (order for order in mine if order.purpose is Purpose.RECOVERY and order.filled)
        return len({same_step(order.client_order_id) for order in added})

    def _pictured(self, intent: Intent) -> Pictured:
        return Pictured.of(self.store, intent.key.account)

    def _runs(self, intent: Intent) -> bool:
        return self.store.bots.get(intent.key.account).running


_LATER = "the bot closes it once it is started; until then its stop and target go on resting on the exchange"


def _how(closing: Closing | None) -> str:
    return "at market" if closing is None else f"by {closing.style.kind}"
