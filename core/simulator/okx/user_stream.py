"""Pushes each change of an account to its subscribers, in OKX V5 words.

Orders and algos are pushed at once and in order; positions and account are gathered for 50 ms.
Source: OKX V5 docs, each channel's page.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from core.simulator.okx.channels import fits
from core.simulator.okx.connection import OkxConnection, OkxSockets
from core.simulator.okx.endpoints import OkxCall
from core.simulator.okx.format import Row, text
from core.simulator.okx.rows import account as account_rows
from core.simulator.okx.rows import algo, orders

GATHER_SECONDS = 0.05


class OkxUserStream:
    """The listener that turns what happens to accounts into pushes."""

    def __init__(self, sockets: OkxSockets) -> None:
        self.sockets = sockets
        self.exchange, self.context = sockets.runtime.exchange, sockets.runtime.okx
        self._notes: Row = {}
        self._positions: dict[str, set[tuple[str, str]]] = {}
        self._balances: set[str] = set()
        self.exchange.listeners.append(self.on_event)

    def about(self, call: OkxCall) -> None:
        """Take note of the call that is about to be carried out: its notes go onto the pushes it causes."""
        self._notes = call.notes

    def on_event(self, what: str, about: Any) -> None:
        """Push what happened to an account, or gather it."""
        if not self.sockets.open:
            return
        if what == "order":
            self._order(*about)
        elif what == "algo":
            channel = "algo-advance" if about.kind == "move_order_stop" else "orders-algo"
            notes = self._noted(("reqId", "amendResult"))
            self._row(channel, about.account, lambda: algo.algo_push(self.exchange, about) | notes)
        elif what == "position":
            account, symbol, side = about
            self._positions.setdefault(account, set()).add((symbol, side))
            self._gather()
        elif what == "balance":
            account, reason, key = about
            self._balances.add(account)
            self._gather()
            self._balance_and_position(account, reason, key)

    # -- at once

    def _noted(self, names: tuple[str, ...] = ()) -> Row:
        return {name: value for name, value in self._notes.items() if name in names}

    def _order(self, order: Any, fill: Any) -> None:
        note = self._noted(("reqId", "amendResult", "amendSource")) if fill is None else {}
        self._row("orders", order.account, lambda: orders.order_push(self.exchange, order, fill, note))

    def _row(self, channel: str, account: str, row: Callable[[], Row]) -> None:
        made: Row | None = None
        for connection, _, argument in self.sockets.subscribed(channel, account):
            made = made or row()
            if fits(argument, made):
                self.sockets.send(connection, argument, {"data": [made]})

    def _gather(self) -> None:
        if len(self._balances) + sum(map(len, self._positions.values())) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._push_gathered)

    def _push_gathered(self) -> None:
        positions, self._positions = self._positions, {}
        balances, self._balances = self._balances, set()
        for account, keys in positions.items():
            self._push_positions(account, sorted(keys))
        for account in balances:
            for connection, _, argument in self.sockets.subscribed("account", account):
                self.sockets.send(
                    connection, argument, {"eventType": "event_update", "data": [self._account(account, argument)]}
                )

    def _account(self, account: str, argument: Row) -> Row:
        row = account_rows.balance(self.context, self.exchange.accounts[account])
        return row | {
            "details": [detail for detail in row["details"] if argument.get("ccy") in (None, "", detail["ccy"])]
        }

    def _position_rows(self, account: str, keys: list[tuple[str, str]] | None) -> list[Row]:
        exchange, owner = self.exchange, self.exchange.accounts[account]
        found = []
        for key in list(owner.positions) if keys is None else keys:
            position = owner.positions.get(key)
            if position is None and keys is not None and exchange.behaviour["flat_push"]:
                position = owner.flat_position(key, exchange.now, exchange.retention_ms)
            if position is not None:
                found.append(account_rows.position(self.context, position) | {"pTime": str(exchange.now)})
        return found

    def _push_positions(self, account: str, keys: list[tuple[str, str]]) -> None:
        for connection, _, argument in self.sockets.subscribed("positions", account):
            data = [row for row in self._position_rows(account, keys) if fits(argument, row)]
            if data:
                self.sockets.send(connection, argument, {"eventType": "event_update", "data": data})

    def _balance_and_position(self, account: str, reason: str, key: tuple[str, str] | None) -> None:
        subscribed = self.sockets.subscribed("balance_and_position", account)
        if subscribed:
            row = self._balance_row(account, reason, [key] if key else [])
            for connection, _, argument in subscribed:
                self.sockets.send(connection, argument, {"data": [row]})

    def _balance_row(self, account: str, reason: str, keys: list[tuple[str, str]] | None) -> Row:
        exchange, owner = self.exchange, self.exchange.accounts[account]
        names = """posId tradeId instId instType mgnMode posSide pos ccy posCcy avgPx nonSettleAvgPx settledPnl
            uTime""".split()  # noqa: SIM905 - one name a line would hide the rest
        held = [{name: row[name] for name in names} for row in self._position_rows(account, keys)]
        cash = {"ccy": "USDT", "cashBal": text(owner.balance), "uTime": str(exchange.now)}
        trades = [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in held] if reason == "filled" else []
        return {"pTime": str(exchange.now), "eventType": reason, "balData": [cash], "posData": held, "trades": trades}

    # -- what a subscription begins with, and what is repeated

    def begin(self, connection: OkxConnection, argument: Row) -> None:
        """Push how things stand to a subscription that has begun."""
        channel, account = argument["channel"], connection.account
        if account is None:
            return
        snapshot = {"eventType": "snapshot", "curPage": 1, "lastPage": True}
        if channel == "positions":
            data = [row for row in self._position_rows(account, None) if fits(argument, row)]
            self.sockets.send(connection, argument, {**snapshot, "data": data})
        elif channel == "account":
            self.sockets.send(connection, argument, {**snapshot, "data": [self._account(account, argument)]})
        elif channel == "balance_and_position":
            self.sockets.send(connection, argument, {"data": [self._balance_row(account, "snapshot", None)]})

    def repeat(self, connection: OkxConnection, argument: Row) -> None:
        """Push positions or the account once more; an account without a position gets no push of positions."""
        channel, account = argument["channel"], connection.account
        data: list[Row] = []
        if channel == "positions" and account:
            data = [row for row in self._position_rows(account, None) if fits(argument, row)]
        elif channel == "account" and account:
            data = [self._account(account, argument)]
        if data:
            self.sockets.send(connection, argument, {"eventType": "event_update", "data": data})
