"""What Binance is asked, and what that weighs: a look with nothing to do, a minute of looks, a part's whole life."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cycle import cycle, ready
from benchmarks.harness.frame import Line, Section
from benchmarks.harness.world import PART_USDT, World, calm, hear_price, populate
from core.domain.account import Exchange
from core.exchange.binance.limits import USUAL_WEIGHT
from tests.stack import Stack

PARTS = (1, 10, 100)
SWEEP_EVERY = 10  #: looks, a second apart: so often the whole account is read, and else where anything is known to be
LOOK = (3, 7)  #: requests and weight of a look between two sweeps, with any number of parts on one contract
SWEEP = (3, 85)
LIFE = (42, 260)  #: from the wish to the end of the cycle, looks and up to two sweeps included
MINUTE_SHARE = 0.30  #: of Binance's weight of a minute, for looks every five seconds
LOOKS_A_MINUTE = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """What was asked of the exchange."""

    requests: int
    weight: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.requests + other.requests, self.weight + other.weight)


def spent(stack: Stack) -> Cost:
    """Everything so far; `ready` forgets the requests, and nothing forgets the weight."""
    state = stack.simulator.state()
    asked = sum(count for what, count in state["requests"].items() if " /fapi/" in what)
    return Cost(asked, int(state["binance"]["weight"]))


def cost_of_looks(stack: Stack) -> tuple[Cost, Cost]:
    """The dearest and the cheapest of ten calm looks, a second apart."""
    costs = []
    for _ in range(SWEEP_EVERY):
        ready(stack)
        before = spent(stack)
        cycle(stack)
        after = spent(stack)
        costs.append(Cost(after.requests, after.weight - before.weight))
    return max(costs, key=lambda cost: cost.weight), min(costs, key=lambda cost: cost.weight)


def cost_of_a_life(stack: Stack) -> Cost:
    """One part more: opened at market, protected, and closed by its take-profit, among the parts that are there."""
    stack.simulator.control("POST", "requests/reset")
    before = spent(stack).weight
    name = stack.open(stack.draft(PART_USDT, tp=1, sl=-10))
    _pass_by(stack, lambda: stack.at_rest(name))
    level = stack.part(name).take_profit_price()
    assert level is not None
    stack.price(level + 1, mark=level)
    _pass_by(stack, lambda: bool(stack.store.history.cycles(stack.name, name)))
    after = spent(stack)
    return Cost(after.requests, after.weight - before)


def _pass_by(stack: Stack, reached: object) -> None:
    assert callable(reached)
    for _ in range(30):
        stack.look()
        if reached():
            return
        stack.step(1)
    raise AssertionError(stack.story())


def measure(world: World) -> Section:
    lines, lives = [], []
    with world.stack(Exchange.BINANCE) as stack:
        for parts in PARTS:
            populate(stack, parts - 1 or 1)
            life = cost_of_a_life(stack)
            stack.price("100000")
            lives.append(life)
            populate(stack, parts)
            sweep, look = cost_of_looks(stack)
            lines += [
                _line(f"a look between two sweeps, {parts} parts", look, LOOK),
                _line(f"a sweep of the whole account, {parts} parts", sweep, SWEEP),
                _line(f"a part's life, with {parts} parts at the most", life, LIFE),
            ]
        minute = sweep.weight * LOOKS_A_MINUTE // 2 + look.weight * LOOKS_A_MINUTE // 2
        share = minute / USUAL_WEIGHT
        lines.append(
            Line(
                "a minute of looks every 5 s",
                f"weight {minute} = {share:.0%} of {USUAL_WEIGHT}",
                f"weight {LOOKS_A_MINUTE * LOOK[1]}, without sweeps",
                f"<= {MINUTE_SHARE:.0%}",
                share <= MINUTE_SHARE,
            )
        )
        calm(stack)
        hear_price(stack)
    return Section(
        "What Binance is asked",
        "Requests and their weight by Binance's own table, as the paper exchange counts them, with 1, 10 and 100 parts "
        "on one contract. A life is a part opened at market, protected by two legs and closed by its take-profit, "
        "looked at every second. Floor of a look: positions of the account, and both kinds of orders of one contract; "
        "of a sweep the same for the whole account; of a life the entry, its two legs and a cancel.",
        tuple(lines),
    )


def _line(what: str, cost: Cost, most: tuple[int, int]) -> Line:
    floors = {LOOK: "3, weight 7", SWEEP: "3, weight 85", LIFE: "4"}
    met = cost.requests <= most[0] and cost.weight <= most[1]
    return Line(what, f"{cost.requests}, weight {cost.weight}", floors[most], f"<= {most[0]}, weight {most[1]}", met)
