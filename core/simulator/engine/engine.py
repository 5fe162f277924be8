"""The exchange itself: accounts, markets, orders and time, moved by commands alone, so that a run can be repeated.

The same seed and the same commands give the same state, ids included. Nothing here knows a wire, a socket or the
machine's clock; what one exchange alone does is in its annexes. Who wants to hear what happens registers a listener; it is told at once, in order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.simulator.behaviour import DEFAULTS, checked
from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.algo_orders import BinanceAlgos
from core.simulator.binance.engine.instruments import catalogue
from core.simulator.binance.engine.listen_key import BinanceListen
from core.simulator.binance.engine.orders import BinanceOrders
from core.simulator.engine.account import DAY_MS, Account
from core.simulator.engine.algo_orders import Guarding
from core.simulator.engine.candles import Candle, Tape, history
from core.simulator.engine.extension import Annex
from core.simulator.engine.instruments import Contract, demo
from core.simulator.engine.market import FUNDING_MS, Market, Prices
from core.simulator.engine.order_checks import Admission
from core.simulator.engine.orders import Trading
from core.simulator.engine.settlement import Reckoning
from core.simulator.engine.state import ZERO, Algo, Bill, Fill, Order, Refusal, near
from core.simulator.faults import Faults

HISTORY_MINUTES = 500
FINE_MS = 120_000  # up to here time moves second by second, beyond it minute by minute
WALK_WIDTH = Decimal("0.0001")
Listener = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run begins with. Times in ms since 1970, the balance in USDT."""

    seed: int
    start: int
    balance: Decimal
    contracts: dict[str, Contract]
    candles: dict[str, list[Candle]] = field(default_factory=dict)
    rate_limits: bool = True
    binance_balance: Decimal | None = None  # where it differs


class Engine:
    """One exchange. `perform` is the only way to change it."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.listeners: list[Listener] = []
        self.faults = Faults()
        self.admission = Admission(self)
        self.trading = Trading(self)
        self.guarding = Guarding(self)
        self.reckoning = Reckoning(self)
        self.binance, self.binance_algos = BinanceOrders(self), BinanceAlgos(self)
        self.binance_listen = BinanceListen(self)
        self.annexes: tuple[Annex, ...] = (self.binance, self.binance_algos, self.binance_listen)
        self.commands: dict[str, Callable[..., Any]] = {
            "advance": self.advance, "price": self.price, "market": self.set_market, "switches": self.set_switches,
            "faults": self.faults.replace, "reset": self.begin, "deposit": self.deposit,
            "liquidate": self.reckoning.liquidate, "adl": self.reckoning.deleverage,
            "mode": self.set_mode, "leverage": self.set_leverage, "dead_man": self.set_dead_man, "later": self.put_off,
            "place": self.trading.place, "cancel": self.trading.cancel, "amend": self.trading.amend,
            "close": self.trading.close_position, "close_part": self.trading.close_part,
            "place_algo": self.guarding.place, "cancel_algo": self.guarding.cancel, "amend_algo": self.guarding.amend,
        }  # fmt: skip
        for annex in self.annexes:
            self.commands |= annex.commands
        self.begin()

    # -- state

    def begin(self, seed: int | None = None, balance: str | None = None) -> None:
        """Everything fresh: new accounts, new prices, the clock at its start."""
        setup = self.setup
        self.seed = setup.seed if seed is None else int(seed)
        self.now = setup.start
        self.numbers = 0
        self.switches: dict[str, Any] = dict(DEFAULTS) | {"rate_limits": setup.rate_limits}
        self.faults.active = []
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        self.named: dict[tuple[str, str, str], Order] = {}  # the latest of each client id
        self.algos: dict[str, Algo] = {}
        self.waiting: dict[str, Algo] = {}
        self.fills: dict[str, Fill] = {}
        self.hidden: dict[str, int] = {}
        self.delayed: list[tuple[int, dict[str, Any]]] = []
        self.dead_man: dict[str, int] = {}
        self.markets = {symbol: self._market(contract) for symbol, contract in setup.contracts.items()}
        worlds = {"live": setup.contracts, "demo": demo(setup.contracts)}
        self.accounts = {name: Account(name, contracts) for name, contracts in worlds.items()}
        for name in self.accounts:
            self.deposit(str(setup.balance if balance is None else balance), name)
        self.accounts["binance"] = self._binance_account(balance)
        for annex in self.annexes:
            annex.begin()

    def _binance_account(self, balance: str | None) -> BinanceAccount:
        account = BinanceAccount("binance", self.binance_contracts())
        usual = self.setup.balance if self.setup.binance_balance is None else self.setup.binance_balance
        amount = usual if balance is None else Decimal(str(balance))
        account.book(Bill(str(10**15), self.now, "deposit", amount, ZERO))  # an id that `next_id` never gives
        return account

    def binance_contracts(self) -> dict[str, Contract]:
        """The contracts as the Binance side lists them now."""
        return catalogue(self.setup.contracts, self.switches["binance_flavour"], self.switches["binance_filters"])

    def _market(self, contract: Contract) -> Market:
        recorded = {candle[0]: candle for candle in self.setup.candles.get(contract.symbol, [])}
        begin, end = contract.price, self.setup.start - self.setup.start % 60_000
        before = [recorded[at] for at in sorted(recorded) if at < end][-HISTORY_MINUTES * 40 :]
        if recorded:
            here = recorded.get(end) or next((recorded[at] for at in sorted(recorded) if at > end), None)
            begin = here[1] if here else before[-1][4]
        width = WALK_WIDTH
        past = [list(c) for c in before] or history(
            self.seed, contract.symbol, begin, contract.tick, end, HISTORY_MINUTES, width
        )
        tape = Tape(past)
        market = Market(
            contract, self.seed, Prices(begin, begin, begin), tape, "candles" if recorded else "walk", {}, recorded
        )
        market.set(Prices(begin, begin, begin), self.setup.start)
        return market

    SAVED = ("seed", "now", "numbers", "switches", "orders", "algos", "fills", "hidden", "delayed", "dead_man")

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on from here."""
        markets = {
            symbol: [
                list(map(str, (m.prices.last, m.prices.mark, m.prices.index))),
                m.source,
                m.settings,
                m.tape.minutes,
            ]
            for symbol, m in self.markets.items()
        }
        accounts = {name: account.state() for name, account in self.accounts.items()}
        annexes = {annex.name: annex.state() for annex in self.annexes}
        whole = {name: getattr(self, name) for name in self.SAVED}
        return whole | {"markets": markets, "accounts": accounts, "annexes": annexes}

    def restore(self, state: dict[str, Any]) -> None:
        self.begin(state["seed"])
        for name in self.SAVED:
            setattr(self, name, state[name])
        self.switches = dict(DEFAULTS) | self.switches
        self.named = {(o.account, o.instrument, o.client_id): o for o in self.orders.values()}
        self.live = {order_id: order for order_id, order in self.orders.items() if order.living}
        self.waiting = {algo_id: algo for algo_id, algo in self.algos.items() if algo.state == "live"}
        for symbol, (prices, source, settings, minutes) in state["markets"].items():
            if symbol in self.markets:
                market = self.markets[symbol]
                market.prices, market.seed = Prices(*map(Decimal, prices)), self.seed
                market.source, market.settings, market.tape = source, settings, Tape(minutes)
        for name, account in state["accounts"].items():
            self.accounts[name].restore(account)
        self.accounts["binance"].contracts = self.binance_contracts()
        for annex in self.annexes:
            if annex.name in state.get("annexes", {}):
                annex.restore(state["annexes"][annex.name])

    def perform(self, command: dict[str, Any]) -> Any:
        """Carry out one command ({"do": name, ...its arguments}); Refusal where the exchange says no."""
        arguments = dict(command)
        return self.commands[arguments.pop("do")](**arguments)

    def tell(self, what: str, about: Any) -> None:
        for listener in self.listeners:
            listener(what, about)

    def next_id(self) -> str:
        self.numbers += 1
        return str(10**15 + self.numbers)

    def prices(self, symbol: str) -> Prices:
        return self.markets[symbol].prices

    def contract(self, account: Account, symbol: str) -> Contract:
        if symbol not in account.contracts:
            raise Refusal("unknown_instrument", symbol)
        return account.contracts[symbol]

    def last_fill(self, order: Order) -> Fill | None:
        """The latest execution of that order."""
        return self.fills.get(order.last_fill)

    def order_changed(self, order: Order) -> None:
        """A plain order was filled or ended."""
        for annex in self.annexes:
            annex.order_changed(order)

    def position_ended(self, owner: Account, symbol: str, side: str) -> None:
        """A position is flat: what hangs on it learns of it."""
        self.guarding.position_ended(owner, symbol, side)
        for annex in self.annexes:
            annex.position_ended(owner, symbol, side)

    def bnb_price(self) -> Decimal | None:
        """What a BNB costs (USDT) where fees are paid in it, else None."""
        if self.switches["binance_fee_asset"] != "BNB":
            return None
        market = self.markets.get("BNB-USDT-SWAP")
        return market.prices.last if market else Decimal(self.switches["binance_bnb_price"])

    @property
    def retention_ms(self) -> int:
        return int(Decimal(str(self.switches["pos_id_retention_days"])) * DAY_MS)

    # -- time

    def advance(self, to: int, fine: bool = False) -> None:
        """Let time pass up to that moment (ms): prices walk, delayed orders arrive, funding is charged on its way."""
        steps = [to] if fine else self._steps(self.now, to)
        for at in steps:
            before, self.now = self.now, at
            self._arrive()
            for symbol, market in self.markets.items():
                goal = market.next(before, at)
                if goal is not None:
                    self.walk(symbol, goal)
                else:
                    market.set(market.prices, at)
                    self.evaluate(symbol)
            if before // FUNDING_MS != at // FUNDING_MS:
                for number in range(before // FUNDING_MS + 1, at // FUNDING_MS + 1):
                    self.reckoning.fund(number * FUNDING_MS)
            for annex in self.annexes:
                annex.moved_on(at)
            self.tell("time", at)

    def _steps(self, begin: int, end: int) -> Iterator[int]:
        grid = 1000 if end - begin <= FINE_MS else 60_000
        recorded = any(market.source == "candles" for market in self.markets.values())
        points = (20_000, 40_000, 59_000, 60_000) if recorded and grid == 60_000 else (grid,)
        at = begin
        while at < end:
            base = at - at % (60_000 if len(points) > 1 else grid)
            at = min(end, next(base + point for point in points if base + point > at))
            yield at

    def _arrive(self) -> None:
        due = [entry for entry in self.delayed if entry[0] <= self.now]
        self.delayed = [entry for entry in self.delayed if entry[0] > self.now]
        for _, command in due:
            deadline = command.pop("deadline", None)
            if deadline is None or deadline >= self.now:
                try:
                    self.perform(command)
                except Refusal:
                    continue  # nobody waits for this answer
        for name, at in list(self.dead_man.items()):
            if at <= self.now:
                del self.dead_man[name]
                for order in [order for order in self.live.values() if order.account == name]:
                    self.trading.end(order, "dead_man")

    def put_off(self, at: int, command: dict[str, Any]) -> None:
        """Carry out the command only at that time (ms)."""
        self.delayed.append((at, command))

    # -- prices

    def price(self, symbol: str, last: str, mark: str | None = None, index: str | None = None) -> None:
        """Walk straight to these prices; mark and index go where last goes unless they are given."""
        tick = self.markets[symbol].contract.tick
        goal = [max(tick, near(tick, Decimal(price if price is not None else last))) for price in (last, mark, index)]
        self.walk(symbol, Prices(*goal))

    def walk(self, symbol: str, goal: Prices) -> None:
        market = self.markets[symbol]
        busy = any(order.instrument == symbol for order in self.live.values())
        busy = busy or any(algo.instrument == symbol for algo in self.waiting.values())
        busy = busy or any(annex.waits_on(symbol) for annex in self.annexes)
        busy = busy or any(account.positions for account in self.accounts.values())
        changed = market.prices != goal
        for prices in market.path(goal) if busy else (goal,):
            market.set(prices, self.now)
            self.evaluate(symbol)
        if changed:
            self.tell("price", symbol)

    def evaluate(self, symbol: str) -> None:
        """Fill what fills, wake what wakes, liquidate what must be, at the prices as they are."""
        self.trading.evaluate(symbol)
        self.guarding.evaluate(symbol)
        for annex in self.annexes:
            annex.evaluate(symbol)
        for account in self.accounts.values():
            if account.in_danger(self.prices):
                self.reckoning.liquidate_all(account)

    def set_market(self, source: str, symbol: str | None = None, settings: dict[str, Any] | None = None) -> None:
        """What moves the price of one instrument, or of all, from now on."""
        for market in [self.markets[symbol]] if symbol else self.markets.values():
            market.source, market.settings = source, dict(settings or {})
            if source == "script":
                begin = [[self.now, str(market.prices.last)]]
                market.settings["points"] = begin + [
                    [self.now + int(Decimal(str(seconds)) * 1000), str(price)]
                    for seconds, price in market.settings["path"]
                ]

    # -- the account's own

    def set_switches(self, values: dict[str, Any]) -> None:
        self.switches.update({name: checked(name, value) for name, value in values.items()})
        for annex in self.annexes:
            annex.switched(sorted(values))
        self.tell("switches", sorted(values))

    def deposit(self, amount: str, account: str = "live", asset: str = "USDT") -> None:
        """Put that much into the account; BNB only into the one that pays fees with it."""
        owner = self.accounts[account]
        if asset == "BNB" and isinstance(owner, BinanceAccount):
            owner.bnb, owner.bnb_deposits = owner.bnb + Decimal(amount), owner.bnb_deposits + Decimal(amount)
            self.tell("balance", (account, "deposit", None))
            return
        owner.book(Bill(self.next_id(), self.now, "deposit", Decimal(amount), ZERO))
        self.tell("balance", (account, "deposit", None))

    def set_mode(self, account: str, hedged: bool) -> None:
        """Hedge or net mode; Refusal while anything is held or rests."""
        owner = self.accounts[account]
        if owner.positions or any(order.account == account for order in self.live.values()):
            raise Refusal("mode_in_use")
        owner.hedged = hedged

    def set_leverage(self, account: str, symbol: str, leverage: str) -> None:
        """One value for both sides; Refusal where it is too high, in use, or needs more margin than there is."""
        owner, value = self.accounts[account], Decimal(leverage)
        contract = self.contract(owner, symbol)
        if not 0 < value <= contract.max_leverage:
            raise Refusal("leverage_too_high")
        if any(order.account == account and order.instrument == symbol for order in self.live.values()):
            raise Refusal("leverage_orders_pending")
        if any(algo.account == account and algo.instrument == symbol for algo in self.waiting.values()):
            raise Refusal("leverage_algos_pending")
        before = owner.lever(symbol)
        owner.leverage[symbol] = value
        if value < before and owner.held_margin(self.prices) > owner.equity(self.prices):
            owner.leverage[symbol] = before
            raise Refusal("leverage_too_low")
        for (instrument, side), position in owner.positions.items():
            if instrument == symbol:
                position.leverage = value
                self.tell("position", (account, instrument, side))
        self.tell("balance", (account, "set_leverage", None))

    def set_dead_man(self, account: str, seconds: int) -> None:
        self.dead_man.pop(account, None)
        if seconds:
            self.dead_man[account] = self.now + seconds * 1000
