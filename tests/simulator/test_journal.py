"""The journal: every command comes back as it was written, and folders of the first layout are still understood.

`data/first_journal` was written before commands had types and extensions a place of their own: a snapshot, and after it
one of each command that there was.
"""

import dataclasses
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.simulator.engine.commands import EngineCommand, Later, read_command
from core.simulator.engine.exchange import Setup
from core.simulator.journal import CommandJournal
from core.simulator.okx.engine.commands import OkxCancel
from core.simulator.okx.engine.instruments import contracts
from core.simulator.runtime import Sides
from tests.simulator.okx.client import BTC, ETH, SOL
from tests.simulator_process import SimulatorProcess

FIRST = Path(__file__).parent / "data" / "first_journal"
START_MS = 1_767_225_600_000


def sides() -> Sides:
    """A new exchange as the sample was begun: 10,000 USDT on the one side, 100,000 on the other."""
    balances = {"okx": Decimal(10_000), "binance": Decimal(100_000)}
    return Sides(Setup(1, START_MS, balances, contracts(), rate_limits=False))


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A copy of the folder of the first layout."""
    folder = tmp_path / "state"
    shutil.copytree(FIRST, folder)
    return folder


def test_a_folder_of_the_first_layout_is_read_whole(first: Path) -> None:
    exchange = sides()
    journal = CommandJournal(first, exchange.engine)
    assert journal.resumed
    assert journal.serial == 52
    state = exchange.engine.exchange
    assert (len(state.orders), len(state.fills)) == (13, 11)
    assert state.now == START_MS + 146_000
    assert state.behaviour["acct_lv"] == "2"
    assert state.behaviour["fees"] == {"maker": "0.0002", "taker": "0.0006"}
    assert state.faults.shown()[0]["kind"] == "code"
    live, binance = state.accounts["live"], exchange.binance.owner
    assert live.deposits == 10_500
    assert {key: position.contracts for key, position in live.positions.items()} == {(SOL, "long"): 2}
    assert live.leverage == {ETH: Decimal(9)}
    assert not state.accounts["demo"].hedged
    assert (binance.hedged, binance.bnb, binance.isolated) == (True, 2, {SOL})
    algos = {algo.client_id: algo.state for algo in exchange.okx.algo_book.all.values()}
    assert algos == {"alg1": "canceled", "guard1": "effective"}
    states = {algo.client_id: algo.state for algo in exchange.binance.algo_orders.algos.values()}
    assert states == {"bstop": "FINISHED", "btrail": "EXPIRED", "bgone": "CANCELED"}
    assert exchange.binance.listen_key.key == "b" * 64
    assert exchange.okx.orders.countdowns == {"demo": START_MS + 101_000 + 900_000}
    assert exchange.binance.orders.countdowns == {ETH: START_MS + 221_000}
    cancel = OkxCancel("live", SOL, client_id="rest1")
    assert state.delayed == [Later(START_MS + 601_000, cancel, START_MS + 9_101_000)]
    journal.close()


def test_what_was_read_from_the_first_layout_is_kept_in_the_present_one(first: Path) -> None:
    before = sides()
    CommandJournal(first, before.engine).close()
    assert "extensions" in (first / "snapshot.json").read_text()
    after = sides()
    journal = CommandJournal(first, after.engine)
    assert after.engine.state() == before.engine.state()
    journal.close()


def test_the_sample_holds_every_command_there_was() -> None:
    rows = [json.loads(line)[1] for line in (FIRST / "commands.jsonl").read_text().splitlines()]
    early = {"place_algo", "binance_mode", "switches", "reset"}  # before the snapshot, or it ends the journal itself
    assert {row["do"] for row in rows} | early == set(sides().engine.kinds)


def sample(kind: type[EngineCommand[Any]]) -> EngineCommand[Any]:
    """A command of that kind with a value of its own in each field."""
    if kind is Later:
        return Later(7, OkxCancel("live", BTC, "1"), 9)
    assert dataclasses.is_dataclass(kind)
    return kind(**{each.name: f"{number}" for number, each in enumerate(dataclasses.fields(kind))})


@pytest.mark.parametrize("word", sorted(sides().engine.kinds))
def test_a_command_comes_back_as_it_was_written(word: str) -> None:
    kinds = sides().engine.kinds
    command = sample(kinds[word])
    row = json.loads(json.dumps(command.written()))
    assert row["do"] == word
    assert read_command(row, kinds) == command


def test_a_position_turned_round_at_once_keeps_its_ended_life(tmp_path: Path) -> None:
    with SimulatorProcess(state_dir=tmp_path / "state") as simulator:
        simulator.reset()
        simulator.market("hold")
        for side, quantity in (("BUY", "1"), ("SELL", "2")):
            simulator.intervene(
                "place", account="binance", symbol="ETHUSDT", side=side, type="MARKET", quantity=quantity
            )
        before = simulator.state()["binance"]["lives"]
        assert [row["closeTotalPos"] for row in before] == ["1"]
        simulator.stop()
        simulator.restart()
        assert simulator.state()["binance"]["lives"] == before
