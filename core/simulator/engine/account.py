"""One account's money: balance, margin, positions with their lives, and a ledger row for each change.

Promises that deposits + realised + funding - fees - penalties is the balance, to the last digit, and that the ledger
adds up to it as well. Knows prices only as they are handed in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from core.simulator.engine.instruments import Contract
from core.simulator.engine.market import MarketPrices
from core.simulator.engine.state import ZERO, Bill, BookedFill, BookOrder, HeldPosition, money

DEFAULT_LEVERAGE = Decimal(3)
DAY_MS = 86_400_000
Key = tuple[str, str]  # instrument, position side


@dataclass
class ExchangeAccount:
    """The account of one world (live or demo)."""

    name: str
    contracts: dict[str, Contract]
    balance: Decimal = ZERO
    deposits: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    penalties: Decimal = ZERO
    hedged: bool = True
    leverage: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[Key, HeldPosition] = field(default_factory=dict)
    lives: list[HeldPosition] = field(default_factory=list)  # what has ever been closed, wholly or in part
    ledger: list[Bill] = field(default_factory=list)
    position_ids: dict[Key, tuple[str, int]] = field(
        default_factory=dict
    )  # the id, and when it was last flat (0: held)

    SAVED: ClassVar[tuple[str, ...]] = (
             "balance", "deposits", "realised", "fees", "funding", "penalties", "hedged", "leverage", "positions",
             "lives", "ledger", "position_ids",
    )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs."""
        return {name: getattr(self, name) for name in self.SAVED}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        for name, value in state.items():
            setattr(self, name, value)
        living = {(position.position_id, position.created): position for position in self.positions.values()}
        self.lives = [  # a life that has ended may share id and time with the one that began as it ended
            living.get((life.position_id, life.created), life) if life.contracts else life for life in self.lives
        ]

    # -- margin

    def forced_name(self, kind: str, now: int) -> str:
        """Return the client id under which the exchange closes a position (liquidation, adl); "" for none."""
        return ""

    def lever(self, instrument: str) -> Decimal:
        """Return the leverage that is set for the instrument, or the default."""
        return self.leverage.get(instrument, DEFAULT_LEVERAGE)

    def notional(self, instrument: str, contracts: Decimal, price: Decimal) -> Decimal:
        """Return what that many contracts are worth at that price (USDT)."""
        return abs(contracts) * self.contracts[instrument].value * price

    def unrealised(self, position: HeldPosition, price: Decimal) -> Decimal:
        """Return what closing the position at that price would gain (USDT)."""
        return position.contracts * self.contracts[position.instrument].value * (price - position.average)

    def equity(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return balance and unrealised gains at the mark prices (USDT)."""
        return self.balance + sum(
            (self.unrealised(p, prices(p.instrument).mark) for p in self.positions.values()), ZERO
        )

    def margin(self, position: HeldPosition, mark: Decimal) -> Decimal:
        """Return the initial margin of the position at that mark: notional by leverage (USDT)."""
        return self.notional(position.instrument, position.contracts, mark) / self.lever(position.instrument)

    def maintenance(self, position: HeldPosition, mark: Decimal) -> Decimal:
        """Return the maintenance margin of the position at that mark (USDT)."""
        return self.contracts[position.instrument].maintenance_of(position.contracts, mark)

    def held_margin(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return the initial margin of all positions (USDT)."""
        return sum((self.margin(p, prices(p.instrument).mark) for p in self.positions.values()), ZERO)

    def held_maintenance(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return the maintenance margin of all positions (USDT)."""
        return sum((self.maintenance(p, prices(p.instrument).mark) for p in self.positions.values()), ZERO)

    def liquidation_price(self, instrument: str, prices: Callable[[str], MarketPrices]) -> Decimal | None:
        """Return the mark at which equity meets maintenance, all others standing still; None: never."""
        mark, contract = prices(instrument).mark, self.contracts[instrument]
        here = [position for (symbol, _), position in self.positions.items() if symbol == instrument]
        slope = sum((p.contracts * contract.value for p in here), ZERO)
        needed = sum((contract.maintenance_slope(p.contracts, mark) for p in here), ZERO)
        elsewhere = self.held_maintenance(prices) - needed * mark
        if slope == needed:
            return None
        price = (elsewhere - self.equity(prices) + slope * mark) / (slope - needed)
        return price if 0 < price < mark * 10 else None

    # -- positions

    def held(self, instrument: str, side: str) -> Decimal:
        """Return the contracts held on that side: above zero long, below zero short."""
        position = self.positions.get((instrument, side))
        return position.contracts if position else ZERO

    def closable(self, order: BookOrder) -> Decimal:
        """Return how many contracts the order could close of what is held."""
        held = self.held(order.instrument, order.position_side)
        return abs(held) if held * order.sign < 0 else ZERO

    def closes(self, order: BookOrder) -> bool:
        """Return whether the order can only close: by its side while hedged, by its flag otherwise."""
        if order.position_side == "net":
            return order.reduce_only
        return (order.position_side == "long") == (order.side == "sell")

    def fill(
        self, order: BookOrder, fill: BookedFill, now: int, retention_ms: int, next_id: Callable[[], str]
    ) -> tuple[Decimal, bool]:
        """Book one execution whose fee is known; return the PnL it realised and whether the position is now flat."""
        key, left, realised, flat = (order.instrument, order.position_side), fill.size, ZERO, False
        position, fee = self.positions.get(key), fill.fee
        if position is not None and position.contracts * order.sign < 0:
            closing = min(left, abs(position.contracts))
            realised = self._close(position, fill, closing, order, now)
            position.fee += (part := money(fee * closing / fill.size))
            left, fee, flat = left - closing, fee - part, position.contracts == 0
            if flat:
                self._end(key, position, now)
        if left:
            self._open(key, fill, left, fee, order, now, retention_ms, next_id)
            flat = False
        return realised, flat

    def _close(self, position: HeldPosition, fill: BookedFill, closing: Decimal, order: BookOrder, now: int) -> Decimal:
        value = self.contracts[position.instrument].value
        way = 1 if position.contracts > 0 else -1
        pnl = money(closing * value * (fill.price - position.average) * way)
        if position.closed == 0:
            self.lives.append(position)
        position.contracts -= way * closing
        position.pnl += pnl
        position.closed += closing
        position.closed_value += closing * fill.price
        position.updated, position.trade_id = now, fill.trade_id
        whole = position.contracts == 0
        position.last_close = {
            "liquidation": "liquidation" if whole else "partial_liquidation",
            "adl": "full_adl" if whole else "adl",
        }.get(fill.kind, "full" if whole else "partial")
        if fill.kind in ("liquidation", "adl"):
            position.end_price = fill.mark
        return pnl

    def _end(self, key: Key, position: HeldPosition, now: int) -> None:
        del self.positions[key]
        self.position_ids[key] = (position.position_id, now)

    def _open(
        self, key: Key, fill: BookedFill, size: Decimal, fee: Decimal, order: BookOrder, now: int, retention_ms: int,
        next_id: Callable[[], str],
    ) -> None:  # fmt: skip
        position = self.positions.get(key)
        if position is None:
            known, flat_since = self.position_ids.get(key, ("", 0))
            identity = known if known and now - flat_since <= retention_ms else next_id()
            self.position_ids[key] = (identity, 0)
            position = HeldPosition(
                identity, self.name, *key, ZERO, ZERO, now, now, self.lever(key[0]), order.margin_mode
            )
            self.positions[key] = position
        before = abs(position.contracts)
        position.average = (position.average * before + fill.price * size) / (before + size)
        position.contracts += order.sign * size
        position.long = position.contracts > 0
        position.largest = max(position.largest, abs(position.contracts))
        position.fee += fee
        position.updated, position.trade_id = now, fill.trade_id

    def flat_position(self, key: Key, now: int, retention_ms: int) -> HeldPosition | None:
        """Return the last life of that key, if nothing is held and its id is still remembered."""
        identity, flat_since = self.position_ids.get(key, ("", 0))
        if key in self.positions or not identity or now - flat_since > retention_ms:
            return None
        lives = (life for life in reversed(self.lives) if life.position_id == identity)
        return next(lives, None)

    def spare(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return the equity that no position needs as margin (USDT)."""
        return self.equity(prices) - self.held_margin(prices)

    def left_for(self, position: HeldPosition, mark: Decimal) -> Decimal:
        """Return what is left to pay a liquidation of that position with (USDT); below zero others must pay."""
        return self.balance + self.unrealised(position, mark)

    def stands_alone(self, position: HeldPosition) -> bool:
        """Return whether the position has margin of its own, so that its end touches no other."""
        return False

    def funded(self, position: HeldPosition, amount: Decimal) -> None:
        """Book funding that was paid (below zero) or received on that position."""
        position.funding += amount

    def charged(self, fee: Decimal) -> tuple[Decimal, str, Decimal]:
        """Return what a fee (USDT, below zero) costs: in USDT, and the asset and amount that the trade then shows."""
        return fee, "USDT", fee

    def in_danger(self, prices: Callable[[str], MarketPrices]) -> bool:
        """Return whether the equity has fallen to the maintenance margin."""
        return bool(self.positions) and self.equity(prices) <= self.held_maintenance(prices)

    def largest_loser(self, prices: Callable[[str], MarketPrices]) -> HeldPosition:
        """Return the position to liquidate first: the one that has lost most."""
        return min(
            self.positions.values(), key=lambda p: (self.unrealised(p, prices(p.instrument).mark), p.instrument, p.side)
        )

    # -- money

    def book(self, bill: Bill) -> Bill:
        """Change the balance by the bill, under the heading that its kind names, and return it."""
        self.balance += bill.change
        if bill.kind == "deposit":
            self.deposits += bill.change
        elif bill.kind == "funding":
            self.funding += bill.change
        elif bill.kind == "liquidation_penalty":
            self.penalties -= bill.change
        else:
            self.realised += bill.pnl
            self.fees -= bill.fee
        bill.balance = self.balance
        self.ledger.append(bill)
        return bill

    def takes_in(self, asset: str, amount: Decimal) -> bool:
        """Take in a deposit of another asset than USDT; False where the account has no wallet for it."""
        return False

    def funding_due(
        self, rates: Callable[[str], Decimal], prices: Callable[[str], MarketPrices]
    ) -> Iterator[tuple[HeldPosition, Decimal]]:
        """Yield what each position pays (below zero) or receives at a funding time."""
        for position in list(self.positions.values()):
            notional = position.contracts * self.contracts[position.instrument].value * prices(position.instrument).mark
            yield position, money(-notional * rates(position.instrument))
