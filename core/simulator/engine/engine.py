"""The engine: one exchange moved by commands alone, so that a run can be repeated.

The same seed and the same commands give the same state, ids included. Nothing here knows a wire, a socket or the
machine's clock; what one wire alone does is in the extensions that the engine is given.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.simulator.engine.behaviour import checked
from core.simulator.engine.candles import Tape
from core.simulator.engine.commands import (
    Advance,
    Deleverage,
    Deposit,
    EngineCommand,
    Kinds,
    Later,
    Liquidate,
    MovePrice,
    Reset,
    Result,
    SetBehaviour,
    SetFaults,
    SetMarket,
    read_command,
)
from core.simulator.engine.components import Components
from core.simulator.engine.extension import Extensions, Handlers
from core.simulator.engine.market import FUNDING_MS, MarketPrices
from core.simulator.engine.state import ZERO, Bill, Refusal, near

FINE_MS = 120_000  # up to here time moves second by second, beyond it minute by minute


class Engine:
    """One exchange, composed of its components and the wires' extensions; `perform` is the only way to change it."""

    def __init__(self, components: Components, extensions: Extensions) -> None:
        self.exchange, self.components = components.exchange, components
        self.orders, self.settlement = components.orders, components.settlement
        self.exchange.extend(extensions)
        self.handlers: Handlers = {
            Advance: self.advance,
            MovePrice: self.move_price,
            SetMarket: self.set_market,
            SetBehaviour: self.set_behaviour,
            SetFaults: self.set_faults,
            Reset: self.reset,
            Deposit: self.deposit,
            Liquidate: self.settlement.liquidate,
            Deleverage: self.settlement.deleverage,
            Later: self._put_off,
        }
        for extension in extensions:
            self.handlers |= extension.handlers
        self.kinds: Kinds = {kind.word: kind for kind in self.handlers}
        self.reset(Reset())

    def perform(self, command: EngineCommand[Result]) -> Result:
        """Carry out one command and return its answer; Refusal where the exchange says no."""
        answer: Result = self.handlers[type(command)](command)
        return answer

    # -- state

    def reset(self, command: Reset) -> None:
        """Begin everything anew: accounts, prices, orders, the clock at its start."""
        seed = self.exchange.setup.seed if command.seed is None else int(command.seed)
        self.exchange.begin(seed)
        balance = None if command.balance is None else Decimal(str(command.balance))
        for extension in self.exchange.extensions:
            extension.begin(balance)

    SAVED = ("seed", "now", "numbers", "behaviour", "orders", "fills", "hidden")

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs to go on from here, in values that `pack` can write."""
        exchange = self.exchange
        markets = {
            symbol: [
                [str(m.prices.last), str(m.prices.mark), str(m.prices.index)],
                m.source,
                m.settings,
                m.tape.minutes,
            ]
            for symbol, m in exchange.markets.items()
        }
        return {name: getattr(exchange, name) for name in self.SAVED} | {
            "markets": markets,
            "delayed": [later.written() for later in exchange.delayed],
            "accounts": {name: account.state() for name, account in exchange.accounts.items()},
            "extensions": {extension.name: extension.state() for extension in exchange.extensions},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        exchange = self.exchange
        self.reset(Reset(seed=state["seed"]))
        for name in self.SAVED:
            setattr(exchange, name, state[name])
        exchange.behaviour = exchange.default_behaviour() | exchange.behaviour
        exchange.named = {(o.account, o.instrument, o.client_id): o for o in exchange.orders.values()}
        exchange.live = {order_id: order for order_id, order in exchange.orders.items() if order.living}
        for row in state["delayed"]:
            later = read_command(row, self.kinds)
            assert isinstance(later, Later)
            exchange.delayed.append(later)
        for symbol, (prices, source, settings, minutes) in state["markets"].items():
            if symbol in exchange.markets:
                market = exchange.markets[symbol]
                market.prices, market.seed = MarketPrices(*map(Decimal, prices)), exchange.seed
                market.source, market.settings, market.tape = source, settings, Tape(minutes)
        for name, account in state["accounts"].items():
            exchange.accounts[name].restore(account)
        for extension in exchange.extensions:
            if extension.name in state["extensions"]:
                extension.restore(state["extensions"][extension.name])

    # -- time

    def advance(self, command: Advance) -> None:
        """Let time pass up to that moment: prices walk, delayed orders arrive, funding is charged on its way."""
        exchange = self.exchange
        for at in [command.to] if command.fine else self._steps(exchange.now, command.to):
            before, exchange.now = exchange.now, at
            self._carry_out_delayed()
            for extension in exchange.extensions:
                extension.before_step(at)
            for symbol, market in exchange.markets.items():
                goal = market.next(before, at)
                if goal is not None:
                    self.walk(symbol, goal)
                else:
                    market.set(market.prices, at)
                    self.evaluate(symbol)
            for number in range(before // FUNDING_MS + 1, at // FUNDING_MS + 1):
                self.settlement.fund(number * FUNDING_MS)
            for extension in exchange.extensions:
                extension.after_step(at)
            exchange.publish("time", at)

    def _steps(self, begin: int, end: int) -> Iterator[int]:
        grid = 1000 if end - begin <= FINE_MS else 60_000
        recorded = any(market.source == "candles" for market in self.exchange.markets.values())
        points = (20_000, 40_000, 59_000, 60_000) if recorded and grid == 60_000 else (grid,)
        at = begin
        while at < end:
            base = at - at % (60_000 if len(points) > 1 else grid)
            at = min(end, next(base + point for point in points if base + point > at))
            yield at

    def _carry_out_delayed(self) -> None:
        now = self.exchange.now
        due = [later for later in self.exchange.delayed if later.at <= now]
        self.exchange.delayed = [later for later in self.exchange.delayed if later.at > now]
        for later in due:
            if later.deadline is None or later.deadline >= now:
                try:
                    self.perform(later.command)
                except Refusal:
                    continue  # nobody waits for this answer

    def _put_off(self, later: Later) -> None:
        self.exchange.delayed.append(later)

    # -- prices

    def move_price(self, command: MovePrice) -> None:
        """Walk straight to these prices; mark and index go where last goes unless they are given."""
        tick, last = self.exchange.markets[command.symbol].contract.tick, command.last
        asked = (last, command.mark, command.index)
        goal = [max(tick, near(tick, Decimal(last if price is None else price))) for price in asked]
        self.walk(command.symbol, MarketPrices(*goal))

    def walk(self, symbol: str, goal: MarketPrices) -> None:
        """Move the prices to the goal, in small steps where anything could fill or be triggered on the way."""
        exchange = self.exchange
        market = exchange.markets[symbol]
        changed = market.prices != goal
        for prices in market.path(goal) if self._is_busy(symbol) else (goal,):
            market.set(prices, exchange.now)
            self.evaluate(symbol)
        if changed:
            exchange.publish("price", symbol)

    def _is_busy(self, symbol: str) -> bool:
        exchange = self.exchange
        return (
            any(order.instrument == symbol for order in exchange.live.values())
            or any(extension.waits_on(symbol) for extension in exchange.extensions)
            or any(account.positions for account in exchange.accounts.values())
        )

    def evaluate(self, symbol: str) -> None:
        """Fill what fills, trigger what waits, liquidate what must be, at the prices as they are."""
        self.orders.evaluate(symbol)
        for extension in self.exchange.extensions:
            extension.evaluate(symbol)
        for account in self.exchange.accounts.values():
            if account.in_danger(self.exchange.prices):
                self.settlement.liquidate_all(account)

    def set_market(self, command: SetMarket) -> None:
        """Set what moves the price of one instrument, or of all, from now on."""
        now, markets = self.exchange.now, self.exchange.markets
        for market in [markets[command.symbol]] if command.symbol else markets.values():
            market.source, market.settings = command.source, dict(command.settings or {})
            if command.source == "script":
                market.settings["points"] = [[now, str(market.prices.last)]] + [
                    [now + int(Decimal(str(seconds)) * 1000), str(price)] for seconds, price in market.settings["path"]
                ]

    # -- behaviours, faults and deposits

    def set_behaviour(self, command: SetBehaviour) -> None:
        """Choose behaviours; ValueError, and nothing is changed, where one is unknown or does not take its value."""
        table, names = self.exchange.behaviours, sorted(command.values)
        self.exchange.behaviour.update({name: checked(table, name, value) for name, value in command.values.items()})
        for extension in self.exchange.extensions:
            extension.behaviour_changed(names)
        self.exchange.publish("behaviour", names)

    def set_faults(self, command: SetFaults) -> None:
        """Replace all active faults; ValueError where one makes no sense."""
        self.exchange.faults.replace(command.asked)

    def deposit(self, command: Deposit) -> None:
        """Put an amount into the account, into the wallet of another asset where it has one."""
        exchange, amount = self.exchange, Decimal(command.amount)
        owner = exchange.accounts[command.account]
        if not owner.takes_in(command.asset, amount):
            owner.book(Bill(exchange.next_id(), exchange.now, "deposit", amount, ZERO))
        exchange.publish("balance", (command.account, "deposit", None))
