"""Parses Binance's user stream. An event that cannot be parsed still wakes the bot, which then reads by REST.

A conditional order and the ordinary order that it sets off are two orders there and one here; their events come in
any order and are put together by id. What a push carries is whole or it carries nothing: fees come one trade at a
time, so an order of which a trade was missed only rings. Source: Binance USD-M docs, user data streams, each event.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from core.domain.errors import Unavailable
from core.domain.ids import meaning
from core.domain.money import ZERO, total
from core.domain.order import Order
from core.exchange.binance.fields import is_ours, number, number_or_zero, text, to_name, to_symbol
from core.exchange.binance.parse import fold, parse_algo, parse_order
from core.exchange.connection import Message
from core.exchange.fields import Row
from core.exchange.port import Push

log = logging.getLogger("perpdeck.stream")
T = TypeVar("T")

#: an event's letters -> the names that REST has for the same things
ORDER_NAMES: Mapping[str, str] = {
    "s": "symbol", "c": "clientOrderId", "S": "side", "o": "type", "ot": "origType", "f": "timeInForce",
    "q": "origQty", "p": "price", "ap": "avgPrice", "sp": "stopPrice", "X": "status", "i": "orderId",
    "z": "executedQty", "R": "reduceOnly", "wt": "workingType", "ps": "positionSide", "cp": "closePosition",
    "pP": "priceProtect", "gtd": "goodTillDate", "er": "er",
}  # fmt: skip
ALGO_NAMES: Mapping[str, str] = {
    "caid": "clientAlgoId", "aid": "algoId", "at": "algoType", "o": "orderType", "s": "symbol", "S": "side",
    "ps": "positionSide", "f": "timeInForce", "q": "quantity", "X": "algoStatus", "ai": "actualOrderId",
    "ap": "actualPrice", "aq": "actualQty", "act": "actualType", "tp": "triggerPrice", "p": "price",
    "wt": "workingType", "cp": "closePosition", "pP": "priceProtect", "R": "reduceOnly", "tt": "triggerTime",
    "gtd": "goodTillDate", "cr": "callbackRate", "rm": "rm",
}  # fmt: skip
SETTLED_IN = "USDT"
NEW = "NEW"
REASONS = {
    *("DEPOSIT", "WITHDRAW", "ORDER", "FUNDING_FEE", "WITHDRAW_REJECT", "ADJUSTMENT", "INSURANCE_CLEAR", "ADL"),
    *("ADMIN_DEPOSIT", "ADMIN_WITHDRAW", "MARGIN_TRANSFER", "MARGIN_TYPE_CHANGE", "ASSET_TRANSFER", "AUTO_EXCHANGE"),
    *("OPTIONS_PREMIUM_FEE", "OPTIONS_SETTLE_PROFIT", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW"),
}
MOST_REMEMBERED = 5_000  #: orders; what happens to an older one only rings


@dataclass(slots=True)
class _Told:
    """What events have told of one ordinary order, in whatever order they came."""

    order: Order  #: as far as it is known to have come, without fees
    trades: dict[tuple[str, str], tuple[Decimal, Decimal | None]] = field(default_factory=dict)  #: size, fee
    created_at: datetime | None = None

    @property
    def whole(self) -> Order | None:
        """Return the order with its fees; None while a trade of it, or what a trade cost in USDT, is not known."""
        fees = [fee for _, fee in self.trades.values() if fee is not None]
        if len(fees) < len(self.trades) or total(size for size, _ in self.trades.values()) != self.order.filled:
            return None
        return self.order.but(fee=total(fees), created_at=self.created_at)


class Pushes:
    """Parses one event after the other. `settings_changed` is called for leverage and modes, with the
    contract or None.
    """

    def __init__(self, settings_changed: Callable[[str | None], None]) -> None:
        self.ignored: Counter[str] = Counter()
        self._settings_changed = settings_changed
        self._told: dict[tuple[str, str], _Told] = {}  #: by symbol and the exchange's order id
        self._by_name: dict[str, tuple[str, str]] = {}  #: our id -> the key of the ordinary order that bears it
        self._algos: dict[str, Order] = {}  #: by client id
        self._set_off: dict[tuple[str, str], str] = {}  #: an ordinary order's key -> the algo that placed it
        self._readers: Mapping[str, Callable[[Message], Iterator[Push]]] = {
            "ORDER_TRADE_UPDATE": self._order,
            "ALGO_UPDATE": self._algo,
            "ACCOUNT_UPDATE": self._account,
            "ACCOUNT_CONFIG_UPDATE": self._settings,
            "MARGIN_CALL": self._margin_call,
            "TRADE_LITE": self._early,
        }

    def read(self, event: Message) -> Iterator[Push]:
        """Yield the pushes of one event, with the states it carried."""
        kind = str(event["e"])
        if kind not in self._readers:
            self._ignore(f"event {kind}")
            return
        yield from self._readers[kind](event)

    def _ignore(self, what: str) -> None:
        self.ignored[what] += 1
        if self.ignored[what] == 1:
            log.info("stream: %s is not read here", what)

    # -- orders ------------------------------------------------------------------------------------------------

    def _order(self, event: Message) -> Iterator[Push]:
        row = event["o"]
        if not is_ours(row.get("s")):
            self._ignore("a contract that we do not trade")
            return
        symbol = to_symbol(row["s"])
        try:
            key, order = self._note(event, row)
        except Unavailable as unreadable:
            log.warning("an event of an order cannot be read: %s", unreadable)
            yield Push("orders", symbol)
            return
        parent = self._parent(key, order.client_order_id)
        if parent is not None:
            yield Push("orders", symbol, orders=(self._folded(parent),))
        elif _may_be_set_off(order.client_order_id):
            yield Push("orders", symbol)  # its conditional order has not been heard of: whose it is takes a look
        elif not order.filled:
            yield Push("orders", symbol, orders=(order,))
        else:
            whole = self._told[key].whole
            yield Push("orders", symbol, orders=() if whole is None else (whole,))

    def _note(self, event: Message, row: Row) -> tuple[tuple[str, str], Order]:
        """Add an event to what is known of its order; returns the order as this event alone tells it, without fees."""
        key = (text(row, "s"), text(row, "i"))
        known = self._told.get(key)
        created_at = known.created_at if known is not None else None
        named = _renamed(row, ORDER_NAMES) | {"updateTime": row.get("T") or event.get("T")}
        order = parse_order(named)
        if created_at is None and row.get("X") == NEW:
            created_at = order.updated_at
        order = order.but(created_at=created_at, fee=ZERO)
        if known is None:
            known = self._told[key] = _Told(order)
        elif not _behind(order, known.order):
            known.order = order
        known.created_at = created_at
        size = number_or_zero(row, "l")
        if size:
            known.trades[text(row, "t"), text(row, "T")] = (size, _fee(row))
        if order.client_order_id:
            self._by_name[order.client_order_id] = key
        _forget_oldest(self._told)
        _forget_oldest(self._by_name)
        return key, order

    def _early(self, event: Message) -> Iterator[Push]:
        """Yield a push for a trade told before its order is; it does not say whose position, so it only wakes
        the bot.
        """
        if not is_ours(event.get("s")):
            self._ignore("a contract that we do not trade")
        elif not self._knows_trade(event):
            yield Push("orders", to_symbol(event["s"]))

    def _knows_trade(self, event: Message) -> bool:
        told = self._told.get((str(event.get("s")), str(event.get("i"))))
        return told is not None and any(trade == str(event.get("t")) for trade, _ in told.trades)

    # -- conditional orders ------------------------------------------------------------------------------------

    def _algo(self, event: Message) -> Iterator[Push]:
        row = event["o"]
        if not is_ours(row.get("s")):
            self._ignore("a contract that we do not trade")
            return
        symbol = to_symbol(row["s"])
        try:
            algo = self._read_algo(event, row)
        except Unavailable as unreadable:
            log.warning("an event of a conditional order cannot be read: %s", unreadable)
            yield Push("orders", symbol)
            return
        name = algo.client_order_id
        known = self._algos.pop(name, None)
        self._algos[name] = known if known is not None and _rank(algo) < _rank(known) else algo
        for child in algo.child_order_ids:
            self._set_off[row["s"], child] = name
        _forget_oldest(self._algos)
        _forget_oldest(self._set_off)
        yield Push("orders", symbol, orders=(self._folded(name),))

    def _read_algo(self, event: Message, row: Row) -> Order:
        known = self._algos.get(str(row.get("caid")))
        named = _renamed(row, ALGO_NAMES) | {"updateTime": event.get("T") or event.get("E")}
        algo = parse_algo(named)
        created_at = known.created_at if known is not None else None
        if created_at is None and row.get("X") == NEW:
            created_at = algo.updated_at
        return algo.but(created_at=created_at)

    def _parent(self, key: tuple[str, str], name: str) -> str | None:
        """Return the conditional order that placed this ordinary one: by the id they share, or by its number."""
        return name if name in self._algos else self._set_off.get(key)

    def _folded(self, name: str) -> Order:
        """Return a conditional order with what the order it placed has done, as far as all of that is known."""
        algo = self._algos[name]
        numbers = [(to_name(algo.symbol), number) for number in algo.child_order_ids]
        told = self._told.get(numbers[0] if numbers else self._by_name.get(name, ("", "")))
        child = told.whole if told is not None else None
        return algo if child is None else fold(algo, child)

    # -- the account -------------------------------------------------------------------------------------------

    def _account(self, event: Message) -> Iterator[Push]:
        """Yield pushes of an account event. Only what changed is listed: a position that is not there is not flat."""
        news = event["a"]
        reason = str(news.get("m"))
        if reason not in REASONS:
            self._ignore(f"account update for {reason}")
        yield from self._positions(news.get("P") or ())
        yield Push("account")

    def _margin_call(self, event: Message) -> Iterator[Push]:
        yield from self._positions(event.get("p") or ())
        yield Push("account")

    def _positions(self, rows: Any) -> Iterator[Push]:
        for name in dict.fromkeys(row.get("s") for row in rows):
            if is_ours(name):
                yield Push("positions", to_symbol(name))
            else:
                self._ignore("a contract that we do not trade")

    def _settings(self, event: Message) -> Iterator[Push]:
        name = str((event.get("ac") or {}).get("s"))
        self._settings_changed(to_symbol(name) if is_ours(name) else None)
        yield Push("account")


def _renamed(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    return {names[letter]: value for letter, value in row.items() if letter in names}


def _fee(row: Row) -> Decimal | None:
    """Return a trade's fee, negative = paid; None where it was paid in something else. No fee: neither field
    is there.
    """
    if row.get("n") in (None, ""):
        return ZERO
    paid = number(row, "n")
    return -paid if row.get("N") == SETTLED_IN or not paid else None


def _may_be_set_off(name: str) -> bool:
    """Return whether a conditional order of ours may bear this id."""
    said = meaning(name)
    return said is not None and said.purpose.protects


def _behind(heard: Order, known: Order) -> bool:
    """Return whether an event tells less than what is known: it came late."""
    return (known.status.ended and not heard.status.ended) or heard.filled < known.filled


def _rank(algo: Order) -> tuple[bool, bool, bool]:
    """Return a sort key for how far a conditional order has come."""
    return algo.status.ended, bool(algo.child_order_ids), algo.triggered_leg is not None


def _forget_oldest(memory: dict[Any, T]) -> None:
    while len(memory) > MOST_REMEMBERED:
        del memory[next(iter(memory))]
