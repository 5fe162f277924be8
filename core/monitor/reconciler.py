"""The bot's loop over one account's positions: look, plan, record, act, show.

`plan` decides; this carries it out in order and stops at the first unknown. An exception leaves the old
snapshot to age and asks to be woken later, with back-off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.clock import Clock
from core.decision.executions import UnderWay, under_way
from core.decision.plan import decide
from core.decision.rules.differences import Difference, differences
from core.decision.view import View
from core.domain.account import PositionKey
from core.domain.action import Action, Decision, OutcomeKind, PlaceOrder, Plan, RaiseAlarm, describe
from core.domain.difference import DifferenceKind
from core.domain.intent import Desired
from core.domain.observation import Seen
from core.domain.order import Leg, Order
from core.domain.part import Part
from core.domain.reason import Reason, shape
from core.monitor.executor import TradeExecutor
from core.monitor.fast_protection import Remembered
from core.monitor.observe import Look, Observer
from db.records import Event
from db.store import Store

log = logging.getLogger("perpdeck.reconciler")

NOT_OURS = ("sentinel-", "scheduler", "account/", "guard/", "alerts/")  #: alarms that something else raises and clears
AFTER_REFUSAL = timedelta(seconds=5)  #: a request that was refused twice in a row is not sent more often


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one pass over one position: what was seen, decided and done."""

    key: PositionKey
    seen: Seen
    plan: Plan
    parts: tuple[Part, ...]
    done: tuple[tuple[Action, OutcomeKind], ...] = ()
    differences: tuple[Difference, ...] = ()
    runs: Mapping[str, tuple[UnderWay, ...]] = field(default_factory=dict)  #: executions under way, by part


@dataclass(slots=True)
class _Said:
    """What was last written into the events of one position, so that it is written once."""

    shapes: dict[tuple[str | None, str], tuple[str, bool]] = field(default_factory=dict)


class Reconciler:
    """Runs the loop of one account. `run` and `protect_at_once` have a thread each: they look apart and act in turn."""

    def __init__(self, account: str, observer: Observer, executor: TradeExecutor, store: Store, clock: Clock) -> None:
        self.account, self.observer, self.executor = account, observer, executor
        self.store, self.clock = store, clock
        self.results: dict[PositionKey, Result] = {}
        self.last_look: Look | None = None
        self._said: dict[PositionKey, _Said] = {}
        self._remembered: dict[PositionKey, Remembered] = {}
        self._lives: dict[PositionKey, str] = {}  #: the exchange's life of each position, also when it has just ended
        self._refused: dict[PositionKey, tuple[Reason, ...]] = {}
        self._differs: dict[PositionKey, dict[tuple[DifferenceKind, str], datetime]] = {}
        self._subjects: dict[PositionKey, frozenset[str]] | None = None
        self._acting = threading.RLock()
        self._answers = 0  #: fills that were answered at once, or are about to be
        self.acted = False  #: the last run did something that may have moved money

    def run(self, keys: Iterable[PositionKey] | None, *, act: bool) -> timedelta | None:
        """Look at the account once, then decide each position; all of them where `keys` is None. Returns when to look
        again.

        With `act` False everything is decided and shown, and nothing is done. A look is older than a fill answered
        since it began: nothing more is done by it then, and the next one follows at once. Raises Unavailable.
        """
        if self.executor.rules_doubted:
            self.observer.refresh_instruments()
            self.executor.rules_doubted = False
        answers = self._answers
        look = self.observer.look()
        self.last_look = look
        present = look.keys()
        for gone in set(self.results) - set(present):
            self._forget(gone)
        wanted = present if keys is None else tuple(key for key in present if key in set(keys))
        self.acted = False
        again = [self._reconcile(key, look, answers, act=act) for key in wanted]
        self._clear_alarms()
        return min((wish for wish in again if wish is not None), default=None)

    def protect_at_once(self, key: PositionKey, pushed: Iterable[Order]) -> int:
        """Place protection for a pushed fill, and cancel the leg that it has left over.

        Returns how many requests were sent.
        """
        if self.executor.port.facts.attaches_protection:
            return 0
        self._answers += 1  # before the lock: a turn under way sees it and makes room
        with self._acting:
            remembered = self._remembered.get(key)
            if remembered is None:
                return 0
            orders = tuple(pushed)
            remembered = self._remembered[key] = remembered.with_orders(orders)
            concerned = remembered.about(order.part for order in orders)
            decisions = concerned.first_aid(self.executor.tracker.ticker(key.symbol), self.clock.now())
            done = self._perform(key, decisions, remembered.seen, self._answers)
            self._write_down(key, decisions, dict(done), act=True)
            return len(done)

    def _reconcile(self, key: PositionKey, look: Look, answers: int, *, act: bool) -> timedelta | None:
        desired = look.desired.get(key) or Desired(key, ())
        seen = self.observer.seen(key, look)
        view = View.of(desired, seen, self.clock.now())
        decided = decide(view)
        if seen.position is not None:
            self._lives[key] = seen.position.life
        with self._acting:
            if self._answers != answers:
                return timedelta()
            self._remembered[key] = Remembered(desired, seen)
        done = self._perform(key, decided.decisions, seen, answers) if act else ()
        self.observer.note_done(key, done)
        self.acted = self.acted or bool(done)
        with self._acting:
            self._write_down(key, decided.decisions, dict(done), act=act)
            if act:
                self._note_verdicts(key, decided.decisions, dict(done))
        self.results[key] = Result(
            key, seen, decided, view.parts, done, self._dated(key, differences(view)), _runs(view)
        )
        self._note_ids(view.parts, seen)
        when = self._when_next(key, decided, done)
        return when if self._answers == answers else timedelta()

    def _when_next(
        self, key: PositionKey, decided: Plan, done: tuple[tuple[Action, OutcomeKind], ...]
    ) -> timedelta | None:
        """Return when the plan wants the next look; later where the exchange has refused the very same again."""
        refused = tuple(describe(action) for action, outcome in done if outcome is OutcomeKind.REFUSED)
        again = bool(refused) and refused == self._refused.get(key)
        self._refused[key] = refused
        return max(decided.look_again or AFTER_REFUSAL, AFTER_REFUSAL) if again else decided.look_again

    def _dated(self, key: PositionKey, found: tuple[Difference, ...]) -> tuple[Difference, ...]:
        """Return each difference with when we first saw it, where the exchange does not tell since when it is so."""
        known, now = self._differs.get(key, {}), self.clock.now()
        first = {(one.kind, one.mark): one.since or known.get((one.kind, one.mark), now) for one in found}
        self._differs[key] = first
        return tuple(replace(one, since=first[one.kind, one.mark]) for one in found)

    def _perform(
        self, key: PositionKey, decisions: Iterable[Decision], seen: Seen, answers: int
    ) -> tuple[tuple[Action, OutcomeKind], ...]:
        """Perform the actions in order. One that fails ends the turn of its part; an unknown outcome, or a newer fill,
        everybody's.
        """
        done: list[tuple[Action, OutcomeKind]] = []
        stuck: set[str | None] = set()
        for decision in decisions:
            action = decision.action
            if action is None or decision.part in stuck:
                continue
            with self._acting:
                if self._answers != answers:
                    break
                outcome = self.executor.perform(key, action, self._lives.get(key, ""))
                if not seen.facts.attaches_protection:  # else nobody asks
                    self._remembered[key] = self._remembered[key].after([(action, outcome)], self.clock.now())
            done.append((action, outcome))
            if outcome is OutcomeKind.UNKNOWN:
                break
            if outcome is not OutcomeKind.DONE:
                stuck.add(decision.part)
        return tuple(done)

    # -- explain -----------------------------------------------------------------------------------------------

    def _write_down(
        self, key: PositionKey, decisions: Iterable[Decision], done: dict[Action, OutcomeKind], *, act: bool
    ) -> None:
        """Record each action with its outcome, and each reason for doing nothing when it changes."""
        said = self._said.setdefault(key, _Said())
        now, events = self.clock.now(), []
        for decision in decisions:
            action = decision.action
            if action is not None and action in done:
                events.append(self._event(decision, now, str(done[action])))
            elif self._is_news(said, decision, act=act):
                events.append(self._event(decision, now, None))
        if events:
            self.store.events.add(self.account, events)

    def _event(self, decision: Decision, now: datetime, outcome: str | None) -> Event:
        action = describe(decision.action) if decision.action is not None else None
        return Event(now, self.account, decision.part, decision.rule, decision.because, action, outcome)

    def _note_verdicts(self, key: PositionKey, decisions: Iterable[Decision], done: dict[Action, OutcomeKind]) -> None:
        """Record the risk control's results: of each order that was sent, and of each that was not to be."""
        for decision in decisions:
            verdict, action = decision.verdict, decision.action
            if verdict is None or (verdict.passed and action not in done):
                continue
            name = action.client_order_id if isinstance(action, PlaceOrder) else ""
            part = decision.part or ""
            self.store.risk_checks.add(self.account, key.symbol, part, verdict, name, self.clock.now())

    def _is_news(self, said: _Said, decision: Decision, *, act: bool) -> bool:
        now = (shape(decision.because), act)
        slot = (decision.part, f"{decision.rule}{'!' if decision.action else ''}")
        if said.shapes.get(slot) == now:
            return False
        said.shapes[slot] = now
        return True

    def _clear_alarms(self) -> None:
        """Close alarms raised by rules once no rule raises them any more; those of others are not touched."""
        subjects = {
            key: frozenset(action.subject for action in result.plan.actions if isinstance(action, RaiseAlarm))
            for key, result in self.results.items()
        }
        if subjects == self._subjects:
            return
        self._subjects = subjects
        still_true = {subject for of_one in subjects.values() for subject in of_one}
        others = {alarm.subject for alarm in self.store.alarms.open(self.account) if alarm.subject.startswith(NOT_OURS)}
        self.store.alarms.clear(self.account, still_true | others, self.clock.now())

    def _note_ids(self, parts: tuple[Part, ...], seen: Seen) -> None:
        """Store the exchange's ids of a part's position, take-profit and stop-loss in its row."""
        position = seen.position
        for part in parts:
            legs: list[Order | None] = [part.resting(leg) for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS)]
            self.store.cycles.note_position(
                part.name,
                position.position_id if position and part.size else "",
                *(order.exchange_order_id if order else "" for order in legs),
            )

    def _forget(self, key: PositionKey) -> None:
        self.results.pop(key, None)
        self._said.pop(key, None)
        self._remembered.pop(key, None)
        self._lives.pop(key, None)
        self._refused.pop(key, None)
        self._differs.pop(key, None)


def _runs(view: View) -> dict[str, tuple[UnderWay, ...]]:
    return {part.name: found for part in view.living if (found := under_way(part, view))}
