"""Replaying recorded minutes: the clock, the path inside a minute, wicks of last against mark, orders on the way."""

import gzip
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.simulator.make_candles import FILE, FIRST_MS, VIOLENT, candles
from tests.simulator.okx.client import ETH, OkxClient
from tests.simulator_process import SimulatorProcess

ROWS = candles()
OPEN, HIGH, LOW, CLOSE = ROWS[VIOLENT][1:5]


@pytest.fixture(scope="module")
def replaying() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(candles={ETH: FILE}) as simulator:
        yield simulator


@pytest.fixture
def replay(replaying: SimulatorProcess) -> SimulatorProcess:
    replaying.reset()
    replaying.switches(rate_limits=False)
    return replaying


@pytest.fixture
def trader(replay: SimulatorProcess) -> Iterator[OkxClient]:
    with OkxClient(replay.base_url, replay.okx) as client:
        yield client


def minutes(client: OkxClient, limit: int = 300) -> dict[int, list[Decimal]]:
    rows = client.get("market/candles", instId=ETH, bar="1m", limit=str(limit)).rows
    return {int(row[0]): [Decimal(price) for price in row[1:5]] for row in rows if row[8] == "1"}


def to_the_violent_minute(replay: SimulatorProcess) -> None:
    replay.clock(VIOLENT * 60)


def test_the_committed_file_is_what_its_script_writes() -> None:
    lines = FILE.read_text().splitlines()
    assert lines[0] == "open_time,open,high,low,close,volume"
    assert lines[1:] == [",".join(str(value) for value in row) for row in ROWS]
    assert OPEN - LOW > OPEN / 10 - 1


def test_the_clock_starts_with_the_first_candle(replay: SimulatorProcess, trader: OkxClient) -> None:
    assert int(trader.get("public/time").row["ts"]) == FIRST_MS
    assert Decimal(trader.get("market/ticker", instId=ETH).row["last"]) == ROWS[0][1]


def test_each_minute_comes_out_as_it_was_recorded(replay: SimulatorProcess, trader: OkxClient) -> None:
    replay.clock(20 * 60)
    seen = minutes(trader)
    assert [seen[row[0]] for row in ROWS[:20]] == [list(row[1:5]) for row in ROWS[:20]]


def test_the_violent_minute_too_and_steps_of_any_length_see_the_same(
    replay: SimulatorProcess, trader: OkxClient
) -> None:
    for seconds in (VIOLENT * 60, 7, 13, 40, 60):
        replay.clock(seconds)
    assert minutes(trader)[ROWS[VIOLENT][0]] == [OPEN, HIGH, LOW, CLOSE]


def test_orders_on_the_way_of_the_wick_are_filled_at_their_prices(replay: SimulatorProcess, trader: OkxClient) -> None:
    to_the_violent_minute(replay)
    deep = (LOW + 20).quantize(Decimal("1"))
    trader.order(ETH, "buy", "long", "1", clOrdId="deep", ordType="limit", px=str(deep))
    trader.order(ETH, "buy", "long", "1", clOrdId="deeper", ordType="limit", px=str((LOW - 5).quantize(Decimal("1"))))
    replay.clock(60)
    found = trader.find(ETH, clOrdId="deep")
    assert (found["state"], Decimal(found["avgPx"])) == ("filled", deep)
    assert trader.find(ETH, clOrdId="deeper")["state"] == "live"


def test_the_mark_follows_the_wick_less_deeply_than_the_last_price(replay: SimulatorProcess, trader: OkxClient) -> None:
    to_the_violent_minute(replay)
    trader.order(ETH, "buy", "long", "2")
    level = str((LOW + 3).quantize(Decimal("1")))
    for kind in ("last", "mark"):
        legs = {"slTriggerPx": level, "slOrdPx": "-1", "slTriggerPxType": kind}
        trader.algo(ETH, "sell", "long", "conditional", sz="1", algoClOrdId=f"by{kind}", **legs)
    replay.clock(60)
    assert trader.find_algo(algoClOrdId="bylast")["state"] == "effective"
    assert trader.find_algo(algoClOrdId="bymark")["state"] == "live"


def test_a_falling_minute_goes_up_first(replay: SimulatorProcess, trader: OkxClient) -> None:
    """Both legs lie inside the violent minute, which closes below its open: its high comes before its low."""
    to_the_violent_minute(replay)
    trader.order(ETH, "buy", "long", "1")
    legs = {"tpTriggerPx": str(OPEN + 2), "tpOrdPx": "-1", "slTriggerPx": str(OPEN - 50), "slOrdPx": "-1"}
    trader.algo(ETH, "sell", "long", "oco", sz="1", algoClOrdId="both", **legs)
    replay.clock(60)
    assert trader.find_algo(algoClOrdId="both")["actualSide"] == "tp"


def test_a_rising_minute_goes_down_first(replay: SimulatorProcess, trader: OkxClient) -> None:
    number = next(n for n, row in enumerate(ROWS) if row[4] > row[1] + 1 and row[3] < row[1] - Decimal("0.5") and n > 2)
    _, opened, high, low, _, _ = ROWS[number]
    replay.clock(number * 60)
    trader.order(ETH, "buy", "long", "1")
    levels = {"tpTriggerPx": str(high - Decimal("0.05")), "slTriggerPx": str(low + Decimal("0.05"))}
    legs = levels | {"tpOrdPx": "-1", "slOrdPx": "-1"}
    assert trader.algo(ETH, "sell", "long", "oco", sz="1", algoClOrdId="both", **legs).row["sCode"] == "0"
    assert low < opened < high
    replay.clock(60)
    assert trader.find_algo(algoClOrdId="both")["actualSide"] == "sl"


def test_prices_keep_to_the_tick_and_inside_each_minute(replay: SimulatorProcess, trader: OkxClient) -> None:
    for number, (_, _, high, low, _, _) in enumerate(ROWS[:5]):
        for _ in range(6):
            replay.clock(10)
            last = Decimal(trader.get("market/ticker", instId=ETH).row["last"])
            assert last % Decimal("0.01") == 0
            bounds = (low, high) if _ < 5 else (min(low, ROWS[number + 1][3]), max(high, ROWS[number + 1][2]))
            assert bounds[0] <= last <= bounds[1]


def test_packed_files_other_symbol_forms_and_a_later_start(tmp_path: Path) -> None:
    packed = tmp_path / "eth.csv.gz"
    with FILE.open("rb") as plain, gzip.open(packed, "wb") as target:
        shutil.copyfileobj(plain, target)
    replay = SimulatorProcess(candles={"ETHUSDT": packed}, start_at="2025-02-19T22:20:00Z")
    with replay as simulator, OkxClient(simulator.base_url, simulator.okx) as client:
        assert Decimal(client.get("market/ticker", instId=ETH).row["last"]) == ROWS[60][1]
        simulator.clock(60)
        assert minutes(client)[ROWS[60][0]] == list(ROWS[60][1:5])
        assert minutes(client)[ROWS[59][0]] == list(ROWS[59][1:5])  # what came before the start is history


def test_a_file_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nowhere"):
        SimulatorProcess(candles={ETH: tmp_path / "nowhere.csv"}).start()


def test_the_replay_goes_on_after_a_power_cut(tmp_path: Path) -> None:
    with SimulatorProcess(candles={ETH: FILE}, state_dir=tmp_path) as simulator:
        simulator.clock(90)
        simulator.kill9()
        simulator.restart()
        simulator.clock(150)
        with OkxClient(simulator.base_url, simulator.okx) as client:
            seen = minutes(client)
            assert [seen[row[0]] for row in ROWS[:4]] == [list(row[1:5]) for row in ROWS[:4]]
