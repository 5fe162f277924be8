"""Contracts, prices, bars, the clock: what everyone may read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from core.exchange.port import ExchangePort
from tests.contract.bench import LOT, SYMBOL, Bench
from tests.contract.conftest import ONE_OF_EACH
from tests.contract.orders import D, lots, only_position, smallest

pytestmark = ONE_OF_EACH


def test_contracts_come_with_the_rules_that_the_exchange_applies(port: ExchangePort) -> None:
    contract = port.instruments()[SYMBOL]
    assert (contract.symbol, contract.base, contract.quote, contract.settle) == (SYMBOL, "BTC", "USDT", "USDT")
    assert contract.tradable
    assert contract.price_tick > 0
    assert contract.quantity_step > 0
    assert contract.min_quantity % contract.quantity_step == 0
    assert contract.max_market_quantity <= contract.max_limit_quantity
    assert contract.max_leverage > 1
    assert contract.maker_fee < contract.taker_fee
    assert lots(1) * contract.contract_value == LOT
    least = smallest(contract)
    port.place(least)
    position = only_position(port)
    notional = least.quantity * contract.contract_value * position.mark_price
    assert (position.contracts, round(position.margin * position.leverage, 6)) == (least.quantity, notional)


def test_every_contract_is_settled_in_usdt(port: ExchangePort) -> None:
    contracts = port.instruments()
    assert {"BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"} <= set(contracts)
    assert all(name == one.symbol and one.settle == "USDT" for name, one in contracts.items())


def test_a_ticker(bench: Bench, port: ExchangePort) -> None:
    bench.price(D(101_000), mark=D(101_050))
    before = datetime.now(UTC)
    ticker = port.ticker(SYMBOL)
    assert (ticker.symbol, ticker.last, ticker.mark) == (SYMBOL, D(101_000), D(101_050))
    assert ticker.bid < ticker.ask
    assert abs(ticker.at - before) < timedelta(seconds=5)


@pytest.mark.parametrize(("bar", "length"), [("1m", timedelta(minutes=1)), ("5m", timedelta(minutes=5))])
def test_bars_come_oldest_first_and_only_the_newest_may_be_forming(
    port: ExchangePort, bar: str, length: timedelta
) -> None:
    bars = port.candles(SYMBOL, bar, 20)
    assert len(bars) == 20
    assert all(later.opened_at - earlier.opened_at == length for earlier, later in pairwise(bars))
    assert all(one.complete for one in bars[:-1])
    assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in bars)


def test_more_bars_than_one_answer_holds(port: ExchangePort) -> None:
    bars = port.candles(SYMBOL, "1m", 400)
    assert len({one.opened_at for one in bars}) == 400
    assert bars == sorted(bars, key=lambda one: one.opened_at)


def test_the_exchanges_clock(bench: Bench, port: ExchangePort) -> None:
    bench.advance(90)
    assert abs(port.server_time() - bench.now()) < timedelta(seconds=1)


def test_maintenance_is_noticed(bench: Bench, port: ExchangePort) -> None:
    bench.suspend(minutes=30)
    assert port.under_maintenance()


def test_no_maintenance(port: ExchangePort) -> None:
    assert not port.under_maintenance()


def test_facts(port: ExchangePort) -> None:
    facts = port.facts
    assert timedelta(seconds=1) <= facts.request_lifetime <= timedelta(seconds=30)
    assert facts.stop_passed_codes
    assert facts.target_passed_codes
    assert facts.nothing_held_codes
    if facts.native_oco:  # where it says one of the two, it says which
        assert not facts.stop_passed_codes & facts.target_passed_codes
    assert facts.conditional_settle >= timedelta(0)
