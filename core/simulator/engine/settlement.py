"""Acts of the exchange itself: it charges funding, liquidates accounts in danger, and deleverages.

Every change goes through the account's books, so that the money stays conserved.
"""

from decimal import Decimal

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import Deleverage, Liquidate
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.market import funding_rate
from core.simulator.engine.orders import Orders
from core.simulator.engine.state import ZERO, Bill, HeldPosition, Refusal


class Settlement:
    """Funding, liquidation and auto-deleveraging."""

    def __init__(self, exchange: ExchangeState, orders: Orders) -> None:
        self.exchange, self.orders = exchange, orders

    def fund(self, at: int) -> None:
        """Charge the funding of that time (ms) on every position."""
        for account in self.exchange.accounts.values():
            rates = {symbol: funding_rate(self.exchange.seed, symbol, at) for symbol in account.contracts}
            for position, amount in account.funding_due(rates.__getitem__, self.exchange.prices):
                account.funded(position, amount)
                bill = Bill(self.exchange.next_id(), self.exchange.now, "funding", amount, ZERO, position.instrument)
                bill.price, bill.size = self.exchange.prices(position.instrument).mark, abs(position.contracts)
                account.book(bill)
                self.exchange.publish("position", (account.name, position.instrument, position.side))
                self.exchange.publish("balance", (account.name, "funding_fee", (position.instrument, position.side)))

    def liquidate(self, command: Liquidate) -> None:
        """Take that position away, as if its margin had run out; Refusal where there is none."""
        owner, position = self._named(command)
        self._stop_trading(owner, position)
        self._take_away(owner, position, abs(position.contracts), "liquidation")

    def deleverage(self, command: Deleverage) -> None:
        """Close that much of the position against a bankrupt counterparty; Refusal where there is none."""
        owner, position = self._named(command)
        held = abs(position.contracts)
        self._take_away(owner, position, min(held, Decimal(command.size)) if command.size else held, "adl")

    def _named(self, command: Liquidate | Deleverage) -> tuple[ExchangeAccount, HeldPosition]:
        owner = self.exchange.accounts[command.account]
        position = owner.positions.get((command.symbol, command.side))
        if position is None:
            raise Refusal("no_position")
        return owner, position

    def liquidate_all(self, account: ExchangeAccount) -> None:
        """Take positions away, the largest loser first, until the account is out of danger."""
        while account.in_danger(self.exchange.prices):
            position = account.largest_loser(self.exchange.prices)
            self._stop_trading(account, position)
            self._take_away(account, position, abs(position.contracts), "liquidation")

    def _stop_trading(self, account: ExchangeAccount, position: HeldPosition) -> None:
        """End what is open: of the whole account, or of the instrument alone whose margin is its own."""
        symbols = {position.instrument} if account.stands_alone(position) else set(account.contracts)
        for order in list(self.exchange.live.values()):
            if order.account == account.name and order.instrument in symbols:
                self.orders.end(order, "liquidation")
        if self.exchange.behaviour["liquidation_algos"] == "cancel":
            for extension in self.exchange.extensions:
                extension.stop_trading(account, symbols)

    def _take_away(self, account: ExchangeAccount, position: HeldPosition, size: Decimal, kind: str) -> None:
        self.orders.close_by_force(account, position, size, kind)
        self.exchange.publish("balance", (account.name, kind, (position.instrument, position.side)))
