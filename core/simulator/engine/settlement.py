"""What the exchange does unasked: it charges funding, liquidates who is in danger, and deleverages.

Every change goes through the account's books, so that the money stays conserved.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from core.simulator.engine.account import Account
from core.simulator.engine.market import funding_rate
from core.simulator.engine.state import ZERO, Bill, Position, Refusal

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine


class Reckoning:
    """The exchange's own hand."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    def fund(self, at: int) -> None:
        """Charge the funding of that time (ms) on every position."""
        for account in self.engine.accounts.values():
            rates = {symbol: funding_rate(self.engine.seed, symbol, at) for symbol in account.contracts}
            for position, amount in account.funding_due(rates.__getitem__, self.engine.prices):
                account.funded(position, amount)
                bill = Bill(self.engine.next_id(), self.engine.now, "funding", amount, ZERO, position.instrument)
                bill.price, bill.size = self.engine.prices(position.instrument).mark, abs(position.contracts)
                account.book(bill)
                self.engine.tell("position", (account.name, position.instrument, position.side))
                self.engine.tell("balance", (account.name, "funding_fee", (position.instrument, position.side)))

    def liquidate(self, symbol: str, side: str, account: str = "live") -> None:
        """Take that position away, as if its margin had run out."""
        position = self.engine.accounts[account].positions.get((symbol, side))
        if position is None:
            raise Refusal("no_position")
        self._stop_trading(self.engine.accounts[account], position)
        self._take_away(self.engine.accounts[account], position, abs(position.contracts), "liquidation")

    def deleverage(self, symbol: str, side: str, size: str | None = None, account: str = "live") -> None:
        """Close that much of the position against a bankrupt counterparty."""
        position = self.engine.accounts[account].positions.get((symbol, side))
        if position is None:
            raise Refusal("no_position")
        held = abs(position.contracts)
        self._take_away(self.engine.accounts[account], position, min(held, Decimal(size)) if size else held, "adl")

    def liquidate_all(self, account: Account) -> None:
        """Take positions away, the largest loser first, until the account is out of danger."""
        while account.in_danger(self.engine.prices):
            position = account.largest_loser(self.engine.prices)
            self._stop_trading(account, position)
            self._take_away(account, position, abs(position.contracts), "liquidation")

    def _stop_trading(self, account: Account, position: Position) -> None:
        """End what is open: of the whole account, or of the instrument alone whose margin is its own."""
        symbols = {position.instrument} if account.stands_alone(position) else set(account.contracts)
        for order in list(self.engine.live.values()):
            if order.account == account.name and order.instrument in symbols:
                self.engine.trading.end(order, "liquidation")
        if self.engine.switches["liquidation_algos"] == "cancel":
            for algo in list(self.engine.waiting.values()):
                if algo.account == account.name and algo.instrument in symbols:
                    self.engine.guarding.end(algo)
            for annex in self.engine.annexes:
                annex.stop_trading(account, symbols)

    def _take_away(self, account: Account, position: Position, size: Decimal, kind: str) -> None:
        self.engine.trading.forced(account, position, size, kind)
        self.engine.tell("balance", (account.name, kind, (position.instrument, position.side)))
