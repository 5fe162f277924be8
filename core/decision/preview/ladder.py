"""Computes the recovery ladder of a draft: each step as the rule `recover` would take it.

Pure arithmetic on one price and the spread of now. It follows the rule to the tick: a step is due at the first price
at which the PnL of everything held lies under the trigger, and is filled at the side of the book that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.decision.preview.preview import OrderTerms, PreviewContext, entry_price, liquidation_price
from core.decision.proposal import Proposal, lost_after_step
from core.decision.risk_control import ExecutionRiskControl
from core.domain.instrument import Instrument, Side
from core.domain.intent import Limits, Recovery, Target
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.risk_result import CheckName

MOST_STEPS = 20  #: more are not worked out


class LadderEnd(StrEnum):
    """The reason why the ladder has no further step."""

    OFF = "off"  #: recovery is off for it
    MAX_STEPS = "max_steps"
    STOP_FIRST = "stop_first"  #: the stop-loss is met before the next trigger
    MAX_LOSS = "max_loss"
    MARGIN = "margin"  #: nothing is free for another step
    LIMITS = "limits"  #: a limit of the trader's own refuses it
    TOO_SMALL = "too_small"  #: one step is less than the smallest order
    WORTHLESS = "worthless"  #: the trigger lies below a price of zero
    CUT = "cut"  #: there are more, which are not shown


@dataclass(frozen=True, slots=True)
class Rung:
    """The position after one step; number 0 is the entry. Money in USDT, losses and fees with their minus."""

    number: int
    at: Decimal  #: the mark price at which it is taken
    fill: Decimal
    added: Contracts
    contracts: Contracts
    average: Decimal
    take_profit: Decimal | None
    stop_loss: Decimal | None
    margin: Decimal  #: of the whole, at `at`
    liquidation: Decimal | None  #: an estimate; None: not reached before a price of zero, or not known
    fees: Decimal  #: of the entry, all steps so far and the close at the stop
    loss: Decimal | None  #: the stop hits now: PnL and fees; None: no stop


@dataclass(frozen=True, slots=True)
class Ladder:
    """Every step that recovery may take, and the worst loss."""

    rungs: tuple[Rung, ...]  #: the entry first; empty where no price or size is known
    end: LadderEnd
    worst: Rung | None  #: the rung whose stop loses most; None: some of it has no stop, or nothing is known
    equity: Decimal | None

    @property
    def steps(self) -> int:
        return max(len(self.rungs) - 1, 0)

    @property
    def worst_loss(self) -> Decimal | None:
        """Return the worst loss in USDT, with its minus: stop and all fees, without slippage beyond the
        spread of now.
        """
        return None if self.worst is None else self.worst.loss

    @property
    def worst_share(self) -> Decimal | None:
        """Return the worst loss in percent of the equity."""
        if self.worst_loss is None or not self.equity:
            return None
        return self.worst_loss / self.equity * 100

    @property
    def standing(self) -> bool:
        """Return whether two steps are due at the same price: only the pause lies between them."""
        return any(first.at == then.at for first, then in zip(self.rungs[1:], self.rungs[2:], strict=False))


def ladder(terms: OrderTerms, rule: Recovery | None, ground: PreviewContext, limits: Limits) -> Ladder:
    """Return the ladder of `terms` at the newest price. Never raises for bad numbers: then it has no rungs."""
    climb = _Climb.begin(terms, rule, ground, limits)
    if climb is None:
        return Ladder((), LadderEnd.OFF, None, ground.equity)
    end = None
    while end is None:
        end = climb.next()
    rungs = tuple(climb.rungs)
    bounded = all(rung.loss is not None for rung in rungs)
    worst = min(rungs, key=lambda rung: rung.loss or ZERO) if bounded else None
    return Ladder(rungs, end, worst, ground.equity)


def first_due(rules: Instrument, side: Side, average: Decimal, contracts: Decimal, trigger_pnl: Decimal) -> Decimal:
    """Return the first price on the tick grid at which the unrealised PnL lies under the trigger; zero or
    less: none.
    """
    raw = average + side.sign * trigger_pnl / (contracts * rules.contract_value)
    edge = rules.round_down(raw) if side is Side.LONG else rules.round_up(raw)
    return edge - side.sign * rules.price_tick if edge == raw else edge


@dataclass(slots=True)
class _Climb:
    """The ladder while it is computed: what is held so far and what it cost."""

    terms: OrderTerms
    rule: Recovery | None
    ground: PreviewContext
    limits: Limits
    pays: Decimal  #: what an opening order pays over the middle of the book, per coin; signed
    gives_up: Decimal  #: what a closing order gets less than it, per coin; signed
    rungs: list[Rung]
    held: Contracts = NONE_HELD
    value: Decimal = ZERO  #: sum of contracts times fill price
    paid: Decimal = ZERO  #: fees so far, positive

    @classmethod
    def begin(cls, terms: OrderTerms, rule: Recovery | None, ground: PreviewContext, limits: Limits) -> _Climb | None:
        """Return the state after the entry; None where it has no price or no size."""
        ticker = ground.ticker
        if ticker is None or terms.position_value <= 0 or terms.leverage <= 0:
            return None
        buying = terms.side is Side.LONG
        near, far = (ticker.ask, ticker.bid) if buying else (ticker.bid, ticker.ask)
        middle = (near + far) / 2
        climb = cls(terms, rule, ground, limits, near - middle, middle - far, [])
        fill = entry_price(terms, ticker)
        contracts = ground.instrument.contracts_for(terms.position_value, Price(fill)) if fill > 0 else NONE_HELD
        if contracts <= 0:
            return None
        climb._add(fill - climb.pays, fill, contracts, terms.take_profit, terms.stop_loss)
        return climb

    def next(self) -> LadderEnd | None:
        """Take the next step, or say why there is none."""
        rule, rules, side, taken = self.rule, self.ground.instrument, self.terms.side, len(self.rungs) - 1
        if rule is None:
            return LadderEnd.OFF
        if rule.max_steps is not None and taken >= rule.max_steps:
            return LadderEnd.MAX_STEPS
        last = self.rungs[-1]
        due = first_due(rules, side, last.average, self.held, rule.trigger_pnl)
        at = min(due, last.at) if side is Side.LONG else max(due, last.at)
        if at <= 0:
            return LadderEnd.WORTHLESS
        if last.stop_loss is not None and (last.stop_loss - at) * side.sign >= 0:
            return LadderEnd.STOP_FIRST
        pnl = rules.pnl(side, self.held, last.average, at)
        if rule.max_loss is not None and pnl <= -rule.max_loss:
            return LadderEnd.MAX_LOSS
        if taken >= MOST_STEPS:
            return LadderEnd.CUT
        fill = self._on_grid(at + self.pays, dearer=side is Side.LONG)
        wanted = rules.contracts_for(rule.add_notional, Price(fill)) if fill > 0 else NONE_HELD
        quantity = Contracts(min(wanted, rules.max_market_quantity))
        end = self._refused(quantity, fill, at, pnl)
        if end is None:
            by = (self.terms.stop_loss or self.terms.take_profit or Target(pnl_usdt=ZERO)).trigger_by
            target, stop = Target(pnl_usdt=rule.tp_usdt, trigger_by=by), Target(pnl_usdt=-rule.sl_usdt, trigger_by=by)
            self._add(at, fill, quantity, target, stop)
        return end

    def _refused(self, quantity: Contracts, fill: Decimal, at: Decimal, pnl: Decimal) -> LadderEnd | None:
        """Return why the step would not be sent; None where it would."""
        rules, leverage, rule = self.ground.instrument, self.terms.leverage, self.rule
        assert rule is not None, "asked for only where steps are taken"
        if quantity < rules.smallest_at(fill):
            return LadderEnd.TOO_SMALL
        free, equity, whole = self.ground.available, self.ground.equity, Contracts(self.held + quantity)
        average = Price((self.value + quantity * fill) / whole)
        order = Proposal(
            instrument=rules,
            side=self.terms.side,
            leverage=leverage,
            price=Price(fill),
            quantity=quantity,
            whole=quantity,
            filled=NONE_HELD,
            asked=rule.add_notional,
            lost_at_stop=lost_after_step(rules, self.terms.side, whole, average, rule),
            held=self.ground.held + rules.notional(self.held, at),
            available=None if free is None else free + pnl - self.paid - rules.notional(self.held, at) / leverage,
            equity=None if equity is None else equity + pnl - self.paid,
            opens=False,
        )
        for check in ExecutionRiskControl(self.limits).checks(order):
            if check.passed or check.value is None or (check.name is CheckName.BALANCE and free is None):
                continue
            return LadderEnd.MARGIN if check.name is CheckName.BALANCE else LadderEnd.LIMITS
        return None

    def _add(self, at: Decimal, fill: Decimal, added: Contracts, target: Target | None, stop: Target | None) -> None:
        rules, side = self.ground.instrument, self.terms.side
        self.held = Contracts(self.held + added)
        self.value += added * fill
        self.paid += rules.notional(added, fill) * rules.taker_fee
        average = self.value / self.held
        stop_price = self._level(stop, average)
        free, left = self.ground.available, None if stop_price is None else self._left_at(stop_price)
        fees = -self.paid - rules.notional(self.held, left or ZERO) * rules.taker_fee
        liquidation = None
        if free is not None:
            liquidation = liquidation_price(rules, side, self.held, average, free - self.paid)
        self.rungs.append(
            Rung(
                number=len(self.rungs),
                at=at,
                fill=fill,
                added=added,
                contracts=self.held,
                average=average,
                take_profit=self._level(target, average),
                stop_loss=stop_price,
                margin=rules.notional(self.held, at) / self.terms.leverage,
                liquidation=liquidation,
                fees=fees,
                loss=None if left is None else rules.pnl(side, self.held, average, left) + fees,
            )
        )

    def _left_at(self, stop_price: Decimal) -> Decimal:
        """Return the price that a close at market gets once the stop has triggered."""
        return self._on_grid(stop_price - self.gives_up, dearer=self.terms.side is Side.SHORT)

    def _on_grid(self, price: Decimal, *, dearer: bool) -> Decimal:
        """Return the next price of the tick grid, to our disadvantage."""
        rules = self.ground.instrument
        return rules.round_up(price) if dearer else rules.round_down(price)

    def _level(self, target: Target | None, average: Decimal) -> Decimal | None:
        """Return a level as the part will have it: on the tick grid, in the trader's favour, above zero."""
        if target is None:
            return None
        rules, side = self.ground.instrument, self.terms.side
        raw = target.raw_price(rules, side, average, self.held)
        return max(rules.stop_price(side, raw), rules.price_tick)
