"""One seed: a storm of orders, faults, crashes and people, then calm; and the promises that hold throughout.

`run(seed)` raises AssertionError with the seed in its words where a promise is broken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from core.decision.executions import run_name
from core.decision.plan import plan
from core.decision.rules.differences import may_take_over
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
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind
from core.domain.errors import Unavailable
from core.domain.ids import meaning
from core.domain.instrument import TriggerBy
from core.domain.intent import (
    AtEnd,
    Closing,
    Desired,
    ExecutionKind,
    ExecutionStyle,
    ExternalEntry,
    Instruction,
    Intent,
    Recovery,
    ReopenRule,
    Target,
    TargetEdit,
    Wanted,
)
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.observation import Seen
from core.domain.order import Leg, OrderKind, Purpose
from core.domain.part import Part
from tests.builders import COIN, FACTS, LONG, SHORT, intent
from tests.decision.stress.adversary import Adversary, Resting, Trouble
from tests.decision.stress.smallest_bot import Book, Crash, SmallestBot
from tests.decision.stress.table import Row

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
    answers: Counter[str] = field(default_factory=Counter)  #: to contracts that were not ours
    parts: int = 1  #: on the one position, at most
    native: bool = True  #: take-profit and stop-loss are one order
    both_filled: int = 0  #: pairs of which both legs filled
    windows: list[float] = field(default_factory=list)  #: seconds from the fill of a leg to the end of the other
    pieces: Counter[Purpose] = field(default_factory=Counter)  #: fills of executions that took more than one order
    longest_bare: float = 0.0  #: seconds that a part had size, was to have a stop, and none rested at the exchange


def run(seed: int, trouble: Trouble | None = None, kind: type[Storm] | None = None) -> Outcome:
    """A storm and the calm after it."""
    storm = (kind or Storm)(seed, trouble or Trouble())
    try:
        storm.rage()
        storm.settle()
    except AssertionError as broken:
        raise AssertionError(f"SEED={seed}: {broken}") from broken
    return storm.outcome


def rows_of(where: str, outcomes: Iterable[Outcome]) -> list[Row]:
    """What these storms came to, by parts on the position and by whether the legs are one order or two."""
    rows: dict[tuple[str, int], Row] = {}
    for one in outcomes:
        kind = f"{where}, {'native OCO' if one.native else 'two legs'}"
        row = rows.setdefault((kind, one.parts), Row(kind, str(one.parts)))
        row.seeds += 1
        row.turns += one.turns
        row.both_filled += one.both_filled
        row.overshoots += bool(one.overshoots)
        row.bare = max(row.bare, one.longest_bare)
        row.windows += one.windows
    return list(rows.values())


class Storm:
    """One exchange, one book, and bots that live from crash to crash."""

    turns = STORM_TURNS

    def __init__(self, seed: int, trouble: Trouble) -> None:
        self.dice = Random(seed)
        dice = self.dice
        step = COIN.quantity_step
        self.instrument = replace(
            COIN,
            max_market_quantity=Contracts(Decimal(dice.choice((500, 500, 8)))),
            max_limit_quantity=Contracts(Decimal(dice.choice((500, 12)))),
            min_quantity=Contracts(step * dice.choice((1, 1, 1, 5))),
            min_notional=Decimal(dice.choice((0, 0, 120))),
        )
        self.key = dice.choice((LONG, SHORT))
        facts = replace(FACTS, attaches_protection=dice.random() < 0.7, can_amend_triggers=dice.random() < 0.85)
        if dice.random() < 0.35:
            facts = replace(FACTS, native_oco=False, attaches_protection=False, can_amend_triggers=False)
        self.exchange = Adversary(dice, self.key, self.instrument, trouble, facts)
        self.book = self._new_book()
        self.outcome = Outcome()
        self.taken: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)  #: what others opened of a part
        self.crashes = dice.choice((0.0, 0.03))
        self.meddling = dice.choice((0.0, 0.25))
        self.most_parts = dice.randint(1, MOST_PARTS)
        self.outcome.parts, self.outcome.native = self.most_parts, facts.native_oco
        self._bare_since: dict[str, datetime] = {}
        self.bot = self._start()

    def _new_book(self) -> Book:
        return Book()

    def _start(self) -> SmallestBot:
        return SmallestBot(self.book, self.exchange, self.dice, self.crashes, self._check)

    # -- the storm -----------------------------------------------------------------------------------------------

    def rage(self) -> None:
        self._open()
        for _ in range(self.turns):
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
            dice.choice((self._open, self._edit, self._close, self._reduce, self._tell, self._set_level))()
        if dice.random() < self.meddling:
            self._meddle()
            self._answer()

    def _open(self) -> None:
        if len(self.book.living) >= self.most_parts:
            return
        dice, again = self.dice, self.dice.random() < 0.3
        asked = intent(
            key=self.key,
            position_value=Decimal(dice.choice((100, 330, 1000, 2500))),
            entry=ExecutionStyle() if again else self._style(),
            asked_at=self.exchange.now,
        )
        self.book.open(asked.but(**self._targets(moving=again), **self._rules(again)))

    def _rules(self, again: bool) -> dict[str, object]:
        """Recovery and reopening, for some."""
        dice = self.dice
        style = replace(self._sliced(), at_end=AtEnd.MARKET)  # one that ends with nothing is begun again for ever
        added, steps = Decimal(dice.choice((100, 400))), dice.randint(1, MOST_STEPS)
        losing = Recovery(Decimal(-20), added, max_steps=steps, style=style)
        delay = timedelta(seconds=dice.choice((5, 40)))
        return {
            "recovery": losing if dice.random() < 0.4 else None,
            "reopen": ReopenRule(delay=delay, max_cycles=3) if again else None,
        }

    def _sliced(self) -> ExecutionStyle:
        """At market for most, else piece by piece."""
        dice = self.dice
        at_end = dice.choice(tuple(AtEnd))
        kind = dice.choice((ExecutionKind.MARKET, ExecutionKind.MARKET, ExecutionKind.TWAP, ExecutionKind.ICEBERG))
        if kind is ExecutionKind.TWAP:
            return ExecutionStyle(
                kind,
                duration=timedelta(seconds=dice.choice((10, 60))),
                slices=dice.choice((2, 5, 20)),
                randomness=Decimal(dice.choice(("0", "0.4"))),
                passive=dice.random() < 0.4,
                at_end=at_end,
            )
        if kind is ExecutionKind.ICEBERG:
            visible, refresh = Decimal(dice.choice(("0.1", "0.5"))), timedelta(seconds=dice.choice((2, 20)))
            limit = dice.choice((None, timedelta(seconds=60)))
            return ExecutionStyle(kind, timeout=limit, at_end=at_end, visible=visible, refresh=refresh)
        return ExecutionStyle()

    def _style(self) -> ExecutionStyle:
        dice = self.dice
        if dice.random() < 0.7:
            return self._sliced()
        near = self.exchange.last * Decimal(1 - self.key.side.sign * dice.choice((0.0, 0.002, 0.02)))
        price = Price(near // self.instrument.price_tick * self.instrument.price_tick)
        reprice = dice.choice((None, timedelta(seconds=5)))
        limit, at_end = dice.choice((None, timedelta(seconds=20))), dice.choice(tuple(AtEnd))
        return ExecutionStyle(ExecutionKind.LIMIT, price, limit, at_end, reprice)

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
            self.book.change(one.part, wanted=wanted, reduce_to=None, **self._worked())

    def _worked(self) -> dict[str, object]:
        """How a close is worked."""
        style = self._sliced()
        at_once = style.kind is ExecutionKind.MARKET
        return {"closing": None if at_once else Closing(style, self.exchange.now), "told": None}

    def _tell(self) -> None:
        """The trader's word on an execution, whether or not it is under way."""
        one = self._one()
        if one is not None:
            purpose = self.dice.choice((Purpose.ENTRY, Purpose.RECOVERY, Purpose.CLOSE))
            step = one.adding.step if purpose is Purpose.RECOVERY and one.adding is not None else None
            told = Instruction(run_name(one.cycle, purpose, step), finish=self.dice.random() < 0.5)
            taken_back = purpose is Purpose.CLOSE and not told.finish and one.wanted is Wanted.CLOSED
            back = {"wanted": Wanted.OPEN, "reduce_to": None, "closing": None} if taken_back else {}
            self.book.change(one.part, told=told, **back)

    def _reduce(self) -> None:
        one = self._one()
        if one is not None and one.wanted is Wanted.OPEN and one.contracts:
            half = self.instrument.round_quantity(one.contracts * self.dice.choice((1, 2)) / 3)
            self.book.change(one.part, reduce_to=half, **self._worked())

    def _set_level(self) -> None:
        self.book.level = self.dice.choice((Level.RUN, Level.RUN, *LIMITED))

    def _answer(self) -> None:
        """What the trader says to contracts that are not ours, as the last look showed them."""
        dice, found = self.dice, [one for one in self.bot.differences if one.kind is DifferenceKind.RESIDUAL]
        if not found:
            return
        (row,) = found
        if dice.random() < 0.3:
            self.book.answer(self.key, DifferenceAnswer(row.kind, Choice.IGNORE, row.mark))
            self.outcome.answers["ignore"] += 1
            return
        rules, now = self.instrument, self.exchange.now
        if row.price is None or row.since is None or row.quantity % rules.quantity_step:
            return
        entry = ExternalEntry(row.quantity, row.price, now, f"{row.since.isoformat()}/{row.ours}")
        takers = [part for part in self._parts() if may_take_over(part)]
        if takers and dice.random() < 0.5:
            part = self.book.assign(dice.choice(takers).name, entry)
        elif row.quantity >= rules.min_quantity:
            value = rules.notional(row.quantity, row.price)
            asked = intent(
                key=self.key, position_value=value, contracts=row.quantity, cycle_started_at=now, asked_at=now
            )
            part = self.book.adopt(asked.but(**self._targets(moving=True)), entry)
        else:
            return
        if part:
            self.taken[part, self.book.cycle_of(part)] += row.quantity
            self.outcome.answers["assign" if part in {taker.name for taker in takers} else "adopt"] += 1

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
            rests = any(order.kind is OrderKind.LIMIT for order in part.closes_working)  # as it was asked for
            assert part.intent.wanted is Wanted.OPEN or part.size < self.instrument.min_quantity or rests, (
                f"{part.name} was to be closed and holds {part.size}"
            )
            self._guarded(part)
        if self.book.level is Level.FLATTEN:
            left = [part for part in self._parts() if part.size >= self.instrument.min_quantity]
            assert not left, f"FLATTEN leaves {[(part.name, part.size) for part in left]}"
        self.outcome.alarms.update(self.book.alarms)
        self.outcome.pieces.update(self.exchange.pieces())
        self._measure_pairs()

    def _guarded(self, part: Part) -> None:
        if part.size < self.instrument.min_quantity:
            return
        mine = [o for o in self._live() if o.kind.rests_on_trigger and _part_of(o) == part.name]
        stop, target = part.stop_price(), part.take_profit_price()
        if stop is None and target is None:
            return
        native = self.exchange.facts.native_oco
        legs = 1 if native else sum(level is not None for level in (stop, target))
        assert len(mine) == legs, f"{part.name} holds {part.size} and has {len(mine)} protective orders"
        for rests in mine:
            assert rests.quantity == part.size, f"{rests.client_order_id} guards {rests.quantity} of {part.size}"
        stops, targets = (sorted(filter(None, levels)) for levels in ([o.sl for o in mine], [o.tp for o in mine]))
        if stop is not None:
            assert stops, f"{part.name} is bare"
        alarms = self.book.alarms & {"stop-passed", "target-passed"}
        wanted = [[level] if level is not None else [] for level in (stop, target)]
        assert alarms or [stops, targets] == wanted, f"{part.name} is guarded at wrong levels"

    def _live(self) -> list[Resting]:
        return [order for order in self.exchange.orders.values() if order.working]

    # -- promises at every turn ----------------------------------------------------------------------------------

    def _truth(self) -> None:
        """What really filled, against what was asked for."""
        for (part, cycle), planned in self.book.planned.items():
            entered = self.exchange.filled_of(part, cycle, Purpose.ENTRY)
            assert entered <= planned, f"{part} entered {entered} of {planned}"
            steps = self.exchange.filled_steps(part, cycle)
            assert len(steps) <= MOST_STEPS, f"{part} took {len(steps)} recovery steps"
            for step, added in steps.items():
                most = self.book.steps.get((part, cycle, step), added)
                assert added <= most, f"{part} added {added} of {most} in one recovery step"
            entered += self.exchange.filled_of(part, cycle, Purpose.RECOVERY)
            entered += self.taken[part, cycle]
            exited = self.exchange.filled_of(part, cycle, *EXITS)
            if exited > entered:
                self._exited_too_much(part, exited, entered)
        guarded = {_part_of(order) for order in self._live() if order.sl is not None}
        parts = self._parts()
        for part in parts:
            if part.size and not part.protected:
                self.outcome.bare_turns += 1
        bare = {
            part.name
            for part in parts
            if part.size >= self.instrument.min_quantity and part.stop_price() and part.name not in guarded
        }
        now = self.exchange.now
        self._bare_since = {name: self._bare_since.get(name, now) for name in bare}
        for since in self._bare_since.values():
            self.outcome.longest_bare = max(self.outcome.longest_bare, (now - since).total_seconds())

    def _measure_pairs(self) -> None:
        """Where the legs are two orders: how long one of them stood after the other had begun to fill."""
        first: dict[str, datetime] = {}
        for fill in reversed(self.exchange.all_fills):
            first[fill.exchange_order_id] = fill.at
        pairs: defaultdict[tuple[str, int], list[Resting]] = defaultdict(list)
        for order in self.exchange.orders.values():
            said = meaning(order.client_order_id)
            if said is not None and order.kind is OrderKind.CONDITIONAL:
                pairs[said.part, said.cycle].append(order)
        for legs in pairs.values():
            struck = [leg for leg in legs if leg.filled]
            self.outcome.both_filled += any(leg.sl is not None for leg in struck) and any(
                leg.tp is not None for leg in struck
            )
            if not struck:
                continue
            by = min(struck, key=lambda leg: first[f"{leg.exchange_order_id}c"])
            begun = first[f"{by.exchange_order_id}c"]
            self.outcome.windows += [
                (leg.updated_at - begun).total_seconds()
                for leg in legs
                if (leg.sl is None) != (by.sl is None) and leg.created_at <= begun <= leg.updated_at
            ]

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
    same = [command.client_order_id for command in view.unanswered(part) if command.purpose is action.purpose]
    bare = view.alone(part) and part.resting(Leg.STOP_LOSS) is None
    again = bare and len(same) == 1 and action.purpose in (Purpose.PROTECT, Purpose.STOP_LOSS)
    assert not same or again, f"{name} while {same} is unresolved"
    if isinstance(action, PlaceOrder) and action.purpose.adds_risk:
        assert view.unresolved(part) is None, f"{name} adds risk while something is unresolved"
        level, again = view.desired.level, action.purpose is not Purpose.ENTRY or action.cycle > 1
        assert level is Level.RUN or (again and level is Level.NO_NEW_ENTRIES), f"{name} adds risk at level {level}"
        assert action.side is part.side.opening
        return
    assert action.side is part.side.closing, f"{name} is on the wrong side"
    assert action.quantity <= part.size, f"{name} closes {action.quantity} of {part.size}"
    if isinstance(action, PlaceOrder):
        assert action.reduce_only, f"{name} is not reduce-only"
        most = rules.max_market_quantity if action.kind is OrderKind.MARKET else rules.max_limit_quantity
        assert action.quantity <= most
        working = sum((order.remaining for order in part.closes_working), ZERO)
        assert action.quantity + working <= part.size, f"{name} closes {action.quantity} beside {working}"
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
    return " | ".join(str(decision.because) for decision in decided.decisions)
