"""The dashboard dies, comes back, is doubled and is told to go; the position stays guarded all along."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.browser.conftest import OpenDesk, still
from tests.browser.ledger import Truth
from tests.browser.product import REPOSITORY, Product, alive, command_of, folder, in_time

pytestmark = pytest.mark.browser


@pytest.fixture
def own() -> Iterator[Product]:
    """A product of this story's own, since it will be killed."""
    with folder() as place, Product(place / "home") as running:
        yield running


def test_after_a_power_cut_the_position_is_guarded_and_the_bot_waits_to_be_started(
    own: Product, open_desk: OpenDesk
) -> None:
    exchange = still(own.simulator())
    desk = open_desk(own).open()
    desk.start_bot()
    part = desk.trade("BTC", value=1000, tp=50, sl=-100)
    desk.page.goto("about:blank")
    own.kill9()
    assert Truth(exchange).guarded()

    own.start()
    desk = open_desk(own).open()
    desk.bot_is("Bot stopped")
    desk.says("1 position rests on exchange-side protection alone")
    desk.protected(part)
    again = own.simulator()
    assert Truth(again).guarded()
    assert Truth(again).held == Decimal("0.99")
    desk.start_bot()
    desk.pill("1/1 protected")
    desk.protected(part)
    truth = Truth(again)
    assert (len(truth.entries), truth.held, len(truth.protection)) == (1, Decimal("0.99"), 1)


def test_a_database_that_dies_is_back_in_seconds_and_nothing_is_lost(own: Product, open_desk: OpenDesk) -> None:
    exchange = still(own.simulator())
    desk = open_desk(own).open()
    desk.start_bot()
    part = desk.trade("BTC", value=1000, tp=50, sl=-100)
    own.kill_database()
    in_time(lambda: own.health()["status"] == "ok", "the database answers again", 40)
    desk.open()
    desk.bot_is("Bot running")
    desk.protected(part)
    exchange.price("BTC-USDT-SWAP", "106000")
    in_time(lambda: Truth(exchange).held == 0, "the take-profit fills")
    desk.pill("0/0 protected")


def test_a_second_dashboard_shows_and_does_not_act_and_the_first_goes_when_told(
    own: Product, open_desk: OpenDesk, tmp_path: Path
) -> None:
    exchange = still(own.simulator())
    first = open_desk(own).open()
    first.start_bot()
    second = Product(own.home, log=tmp_path / "second.log")
    try:
        second.start()
        other = open_desk(second).open()
        part = other.trade("BTC", value=1000, tp=50, sl=-100)
        first.protected(part)
        truth = Truth(exchange)
        assert (len(truth.entries), truth.held, len(truth.protection)) == (1, Decimal("0.99"), 1)
        assert second.terminate() in (0, -15, 143)
        first.pill("1/1 protected")
        first.bot_is("Bot running")
        assert own.health()["status"] == "ok"
    finally:
        if second.returncode is None:
            second.kill9()
    told_to_go(own)


def told_to_go(own: Product) -> None:
    """It goes when it is told, and leaves nothing behind."""
    started = [int(path.name) for path in Path("/proc").glob("[0-9]*") if str(own.home) in command_of(int(path.name))]
    assert started, "the paper exchange and the database are processes of their own"
    assert own.terminate() in (0, -15, 143)
    in_time(lambda: not [pid for pid in started if alive(pid)], "all it started has ended")
    assert not re.search(r"Traceback|did not stop", own.log())


def test_a_busy_port_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = run_port_check(port)
    assert port in said
    assert "PERPDECK_PORT" in said


def run_port_check(port: str) -> str:
    """What `make run` says before it starts anything on this port."""
    ended = subprocess.run(
        [sys.executable, "scripts/port.py"],
        cwd=REPOSITORY,
        env=os.environ | {"PERPDECK_PORT": port},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr


def test_a_wrong_port_is_said_in_one_sentence() -> None:
    assert "1 to 65535" in run_port_check("eighty")
