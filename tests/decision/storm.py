"""One seed: a storm of orders, faults, crashes and people, then calm; and the promises that hold throughout.

`run(seed)` raises AssertionError with the seed in its words where a promise is broken.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from core.decision.plan import plan
from core.decision.view import DEBOUNCE, View
from core.domain.account import Level
from core.domain.action import (
    AmendOrder,
    CancelOrder,
    Decision,
    PlaceOco,
    PlaceOrder,
    Plan,
    RaiseAlarm,
    Rule,
)
from core.domain.errors import Unavailable
from core.domain.ids import meaning
from core.domain.instrument import TriggerBy
from core.domain.intent import (
    Desired,
    EntryKind,
    EntryStyle,
    Intent,
    Recovery,
    ReopenRule,
    Target,
    TargetEdit,
    Wanted,
)
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.seen import Seen
from tests.builders import COIN, FACTS, LONG, SHORT, intent
from tests.decision.adversary import Adversary, Resting, Trouble
from tests.decision.smallest_bot import Book, Crash, SmallestBot

STORM_TURNS = 22
MOST_STEPS = 3  #: of recovery, in one cycle
EXITS = tuple(purpose for purpose in Purpose if not purpose.adds_risk)
MOST_PARTS = 3
CALM_TURNS = 400  #: a run that is not silent by then never will be
QUIET_TURNS = 3
SAFETY_SWEEP = timedelta(seconds=5)
LIMITED = (Level.REDUCE_ONLY, Level.FLATTEN, Level.NO_NEW_ENTRIES, Level.NO_ADDED_RISK)


@dataclass(slots=True)
class Outcome:
    """What a run counted."""

    turns: int = 0
    bare_turns: int = 0
    calm_turns: int = 0
    overshoots: set[str] = field(default_factory=set)  #: parts whose exits closed more than the part
    alarms: Counter[str] = field(default_factory=Counter)


def run(seed: int, trouble: Trouble | None = None) -> Outcome:
    """A storm and the calm after it."""
    storm = Storm(seed, trouble or Trouble())
    try:
        storm.rage()
        storm.settle()
    except AssertionError as broken:
        raise AssertionError(f"SEED={seed}: {broken}") from broken
    return storm.outcome


class Storm:
    """One exchange, one book, and bots that live from crash to crash."""

    def __init__(self, seed: int, trouble: Trouble) -> None:
        self.dice = Random(seed)
        dice = self.dice
        step = COIN.quantity_step
        self.instrument = replace(
            COIN,
            max_market_quantity=Contracts(Decimal(dice.choice((500, 500, 8)))),
            max_limit_quantity=Contracts(Decimal(dice.choice((500, 12)))),
            min_quantity=Contracts(step * dice.choice((1, 1, 1, 5))),
        )
        self.key = dice.choice((LONG, SHORT))
        facts = replace(FACTS, attaches_protection=dice.random() < 0.7, can_amend_triggers=dice.random() < 0.85)
        self.exchange = Adversary(dice, self.key, self.instrument, trouble, facts)
        self.book = self._new_book()
        self.outcome = Outcome()
        self.crashes = dice.choice((0.0, 0.03))
        self.meddling = dice.choice((0.0, 0.25))
        self.most_parts = dice.randint(1, MOST_PARTS)
        self.bot = self._start()

    def _new_book(self) -> Book:
        return Book()

    def _start(self) -> SmallestBot:
        return SmallestBot(self.book, self.exchange, self.dice, self.crashes, self._check)

    # -- the storm -----------------------------------------------------------------------------------------------

    def rage(self) -> None:
        self._open()
        for _ in range(STORM_TURNS):
            self._something_happens()
            self._turn()
            self.exchange.pass_time(self.dice.choice((0.1, 0.3, 1, 4, 15)))

    def _turn(self) -> Plan | None:
        self.outcome.turns += 1
        try:
            decided = self.bot.turn()
        except Crash:
            self.bot = self._start()
            decided = None
        except Unavailable:
            decided = None
        self._truth()
        return decided

    def _something_happens(self) -> None:
        dice = self.dice
        if dice.random() < 0.3:
            dice.choice((self._open, self._edit, self._close, self._reduce, self._set_level))()
        if dice.random() < self.meddling:
            self._meddle()

    def _open(self) -> None:
        if len(self.book.living) >= self.most_parts:
            return
        dice, again = self.dice, self.dice.random() < 0.3
        asked = intent(
            key=self.key,
            position_value=Decimal(dice.choice((100, 330, 1000, 2500))),
            entry=EntryStyle() if again else self._style(),
            asked_at=self.exchange.now,
        )
        self.book.open(asked.but(**self._targets(moving=again), **self._rules(again)))

    def _rules(self, again: bool) -> dict[str, object]:
        """Recovery and reopening, for some."""
        dice = self.dice
        losing = Recovery(Decimal(-20), Decimal(dice.choice((100, 400))), max_steps=dice.randint(1, MOST_STEPS))
        delay = timedelta(seconds=dice.choice((5, 40)))
        return {
            "recovery": losing if dice.random() < 0.4 else None,
            "reopen": ReopenRule(delay=delay, max_cycles=3) if again else None,
        }

    def _style(self) -> EntryStyle:
        dice = self.dice
        if dice.random() < 0.7:
            return EntryStyle()
        near = self.exchange.last * Decimal(1 - self.key.side.sign * dice.choice((0.0, 0.002, 0.02)))
        price = Price(near // self.instrument.price_tick * self.instrument.price_tick)
        return EntryStyle(EntryKind.LIMIT, price, dice.choice((None, timedelta(seconds=20))))

    def _targets(self, *, moving: bool = False) -> dict[str, Target | None]:
        """TP and SL, for some; `moving`: none at a fixed price, which a later cycle would find passed."""
        dice, sign = self.dice, self.key.side.sign
        by = dice.choice((TriggerBy.MARK, TriggerBy.LAST))
        tick, last = self.instrument.price_tick, self.exchange.last

        def target(direction: int) -> Target:
            kind = dice.random()
            if kind < 0.5:
                return Target(pnl_usdt=direction * Decimal(dice.choice((5, 50, 200))), trigger_by=by)
            if kind < 0.75 or moving:
                return Target(percent=direction * Decimal(dice.choice(("0.5", "5", "20"))), trigger_by=by)
            away = last * Decimal(dice.choice(("0.01", "0.1")))
            return Target(price=Price((last + direction * sign * away) // tick * tick), trigger_by=by)

        profit = target(1) if dice.random() < 0.85 else None
        stop = target(-1) if dice.random() < 0.9 else None
        return {"take_profit": profit, "stop_loss": stop}

    def _one(self) -> Intent | None:
        return self.dice.choice(self.book.living) if self.book.living else None

    def _edit(self) -> None:
        one = self._one()
        if one is not None:
            targets = self._targets(moving=one.reopen is not None)
            steps = len(next(part for part in self._parts() if part.name == one.part).steps)
            self.book.change(one.part, edit=TargetEdit(targets["take_profit"], targets["stop_loss"], steps))

    def _close(self) -> None:
        one = self._one()
        if one is not None:
            wanted = self.dice.choice((Wanted.CLOSED, Wanted.CLOSED, Wanted.RENEWED))
            self.book.change(one.part, wanted=wanted, reduce_to=None)

    def _reduce(self) -> None:
        one = self._one()
        if one is not None and one.wanted is Wanted.OPEN and one.contracts:
            half = self.instrument.round_quantity(one.contracts * self.dice.choice((1, 2)) / 3)
            self.book.change(one.part, reduce_to=half)

    def _set_level(self) -> None:
        self.book.level = self.dice.choice((Level.RUN, Level.RUN, *LIMITED))

    def _meddle(self) -> None:
        dice, exchange = self.dice, self.exchange
        some = self.instrument.quantity_step * dice.randint(1, 120)
        dice.choice(
            (
                lambda: exchange.by_hand_close(exchange.held),
                lambda: exchange.by_hand_close(some),
                lambda: exchange.by_hand_close(some, "deleveraging"),
                lambda: exchange.by_hand_close(exchange.held, "liquidation"),
                lambda: exchange.by_hand_add(some),
                lambda: exchange.by_hand_rest(some),
                exchange.by_hand_cancel,
                exchange.by_hand_cancel,
                exchange.by_hand_amend,
            )
        )()

    # -- the calm ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """No more trouble: the loop must come to rest, and what rests must be right."""
        self.exchange.calm()
        self.crashes = 0.0
        self.bot = self._start()
        if self.dice.random() < 0.7:
            self.book.level = Level.RUN
        quiet, rested, quiet_since = 0, False, self.exchange.now
        for turn in range(CALM_TURNS):
            decided = self._turn()
            assert decided is not None, "a read failed in calm weather"
            if not self._at_rest(decided):
                quiet, quiet_since = 0, self.exchange.now
            quiet += 1
            self.exchange.pass_time((decided.look_again or SAFETY_SWEEP).total_seconds())
            if quiet > QUIET_TURNS and self.exchange.now - quiet_since > 2 * DEBOUNCE:
                self.outcome.calm_turns = turn
                if rested:
                    break
                rested, quiet = True, 0
                quiet_since = self.exchange.now + timedelta(seconds=100)
                self.exchange.pass_time(100)
        else:
            raise AssertionError(f"not silent after {CALM_TURNS} turns: {_said(decided)}")
        self._at_the_end()

    def _at_rest(self, decided: Plan) -> bool:
        acts = [action for action in decided.actions if not isinstance(action, RaiseAlarm)]
        return not acts and not self.book.waiting and not self.exchange.on_the_way and not self._missing()

    def _missing(self) -> bool:
        return self._parts_total() > self.exchange.held

    def _parts(self) -> list[Part]:
        return [Part.fold(one, self.instrument, self.book.orders.values()) for one in self.book.living]

    def _parts_total(self) -> Decimal:
        return sum((part.size for part in self._parts()), ZERO)

    def _at_the_end(self) -> None:
        current = {(one.part, one.cycle) for one in self.book.living}
        for order in self._live():
            said = meaning(order.client_order_id)
            assert said is None or (said.part, said.cycle) in current, f"orphan {order.client_order_id}"
        for part in self._parts():
            assert part.intent.wanted is Wanted.OPEN or part.size < self.instrument.min_quantity, (
                f"{part.name} was to be closed and holds {part.size}"
            )
            self._guarded(part)
        if self.book.level is Level.FLATTEN:
            left = [part for part in self._parts() if part.size >= self.instrument.min_quantity]
            assert not left, f"FLATTEN leaves {[(part.name, part.size) for part in left]}"
        self.outcome.alarms.update(self.book.alarms)

    def _guarded(self, part: Part) -> None:
        if part.size < self.instrument.min_quantity:
            return
        mine = [o for o in self._live() if o.kind.rests_on_trigger and _part_of(o) == part.name]
        stop, target = part.stop_price(), part.take_profit_price()
        if stop is None and target is None:
            return
        assert len(mine) == 1, f"{part.name} holds {part.size} and has {len(mine)} protective orders"
        rests = mine[0]
        assert rests.quantity == part.size, f"{rests.client_order_id} guards {rests.quantity} of {part.size}"
        if stop is not None:
            assert rests.sl is not None, f"{part.name} is bare"
        alarms = self.book.alarms & {"stop-passed", "target-passed"}
        assert alarms or (rests.sl, rests.tp) == (stop, target), f"{rests.client_order_id} rests at wrong levels"

    def _live(self) -> list[Resting]:
        return [order for order in self.exchange.orders.values() if order.working]

    # -- promises at every turn ----------------------------------------------------------------------------------

    def _truth(self) -> None:
        """What really filled, against what was asked for."""
        for (part, cycle), planned in self.book.planned.items():
            entered = self.exchange.filled_of(part, cycle, Purpose.ENTRY)
            assert entered <= planned, f"{part} entered {entered} of {planned}"
            steps = self.exchange.filled_orders(part, cycle, Purpose.RECOVERY)
            assert steps <= MOST_STEPS, f"{part} took {steps} recovery steps"
            entered += self.exchange.filled_of(part, cycle, Purpose.RECOVERY)
            exited = self.exchange.filled_of(part, cycle, *EXITS)
            if exited > entered:
                self._exited_too_much(part, exited, entered)
        for part in self._parts():
            if part.size and not part.protected:
                self.outcome.bare_turns += 1

    def _exited_too_much(self, part: str, exited: Decimal, entered: Decimal) -> None:
        """Only where an OCO was set off between another exit of its part and our next look; market closes never."""
        exits = [o for o in self.exchange.orders.values() if _part_of(o) == part and o.reduce_only and o.filled]
        by = ", ".join(f"{order.client_order_id} {order.filled}" for order in exits)
        assert any(order.leg for order in exits), f"{part} exited {exited} of {entered}: {by}"
        self.outcome.overshoots.add(part)

    def _check(self, desired: Desired, seen: Seen, decided: Plan) -> None:
        """The promises that a plan itself can break."""
        view = View.of(desired, seen, self.exchange.now)
        parts = {part.name: part for part in view.parts}
        cancels = {d.action.order.client_order_id for d in decided.decisions if isinstance(d.action, CancelOrder)}
        for decision in decided.decisions:
            match decision.action:
                case PlaceOrder() | PlaceOco():
                    _placement(decision.action, parts[decision.action.part], view)
                case AmendOrder():
                    _amendment(decision.action, view)
                case CancelOrder():
                    _cancellation(decision, decision.action, parts, view, cancels)
        if self.dice.random() < 0.05:
            self._same_in_any_order(desired, seen, decided)

    def _same_in_any_order(self, desired: Desired, seen: Seen, decided: Plan) -> None:
        def shuffled(things: tuple[object, ...]) -> tuple[object, ...]:
            return tuple(self.dice.sample(things, len(things)))

        other = replace(
            seen,
            orders=shuffled(seen.orders),
            commands=shuffled(seen.commands),
            foreign_fills=shuffled(seen.foreign_fills),
        )
        again = plan(replace(desired, intents=shuffled(desired.intents)), other, self.exchange.now)
        assert again == decided, "the order of inputs changed the plan"


def _placement(action: PlaceOrder | PlaceOco, part: Part, view: View) -> None:
    rules, name = view.seen.instrument, action.client_order_id
    assert action.quantity >= rules.min_quantity, f"{name}: {action.quantity} is below the smallest order"
    assert action.quantity % rules.quantity_step == ZERO, f"{name}: {action.quantity} is off the step"
    same = view.unresolved(part, action.purpose)
    assert same is None, f"{name} while {same.client_order_id if same else ''} is unresolved"
    if isinstance(action, PlaceOrder) and action.purpose.adds_risk:
        assert view.unresolved(part) is None, f"{name} adds risk while something is unresolved"
        level, again = view.desired.level, action.purpose is Purpose.RECOVERY or action.cycle > 1
        assert level is Level.RUN or (again and level is Level.NO_NEW_ENTRIES), f"{name} adds risk at level {level}"
        assert action.side is part.side.opening
        return
    assert action.side is part.side.closing, f"{name} is on the wrong side"
    assert action.quantity <= part.size, f"{name} closes {action.quantity} of {part.size}"
    if isinstance(action, PlaceOrder):
        assert action.reduce_only, f"{name} is not reduce-only"
        assert action.quantity <= rules.max_market_quantity
    else:
        for trigger in (action.tp_trigger, action.sl_trigger):
            assert trigger is None or trigger % rules.price_tick == ZERO, f"{name}: {trigger} is off the tick"


def _amendment(action: AmendOrder, view: View) -> None:
    rules = view.seen.instrument
    assert action.order.working
    for price in (action.price, action.tp_trigger, action.sl_trigger):
        assert price is None or price % rules.price_tick == ZERO, f"{price} is off the tick"
    if action.quantity is not None:
        assert action.quantity >= rules.min_quantity, f"amended to {action.quantity}, below the smallest order"


def _cancellation(
    decision: Decision, action: CancelOrder, parts: dict[str, Part], view: View, cancels: set[str]
) -> None:
    """The last stop of a part with size goes only on a shared position, where the legs must change."""
    part = parts.get(action.part)
    order = action.order
    assert order.part is not None, f"a foreign order is cancelled: {order.exchange_order_id}"
    if part is None or part.size == NONE_HELD or part.targets[1] is None:
        return
    if order.sl_trigger is None or order not in part.protection:
        return
    left = [o for o in part.protection if o.sl_trigger is not None and o.client_order_id not in cancels]
    legs_change = (
        not view.seen.facts.can_amend_triggers
        or order.tp_trigger is None
        or part.take_profit_price() is None
        or part.stop_price() is None
    )
    forced = decision.rule is Rule.PROTECT and not view.alone(part) and legs_change
    assert left or forced, f"the last stop of {part.name} is cancelled: {decision.because}"


def _part_of(order: Resting) -> str:
    said = meaning(order.client_order_id)
    return said.part if said else ""


def _said(decided: Plan) -> str:
    return " | ".join(decision.because for decision in decided.decisions)
