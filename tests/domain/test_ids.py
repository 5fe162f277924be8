"""Client order ids: the same meaning always has the same id, and each id tells its meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.domain.account import PositionKey
from core.domain.ids import Meaning, client_order_id, meaning, net_of, part_name, same_step
from core.domain.instrument import Side
from core.domain.order import Purpose

OURS = [purpose for purpose in Purpose if purpose is not Purpose.FOREIGN]


def test_an_id_reads_as_what_it_means() -> None:
    assert client_order_id("00a7k2", 3, Purpose.PROTECT, 1) == "op00a7k203P01"
    assert meaning("op00a7k203P01") == Meaning("00a7k2", 3, Purpose.PROTECT, 1)


@given(some.integers(0, 36**6 - 1), some.integers(1, 5000), some.sampled_from(OURS), some.integers(1, 100_000))
def test_every_id_comes_back(number: int, cycle: int, purpose: Purpose, count: int) -> None:
    identity = client_order_id(part_name(number), cycle, purpose, count)
    assert meaning(identity) == Meaning(part_name(number), cycle, purpose, count)
    assert len(identity) <= 32
    assert identity.isalnum()


@pytest.mark.parametrize(
    "foreign", ["", "op", "xx00a7k203P01", "op00a7k203Q01", "op00a7k203P", "op00A7K203P01", "op00a7k203P01x", "123456"]
)
def test_what_is_not_ours_means_nothing(foreign: str) -> None:
    assert meaning(foreign) is None


def test_part_names_are_six_letters_or_digits_in_order() -> None:
    names = [part_name(number) for number in (0, 1, 35, 36, 36**6 - 1)]
    assert names == ["000000", "000001", "00000z", "000010", "zzzzzz"]
    assert names == sorted(names)
    for outside in (-1, 36**6):
        with pytest.raises(ValueError, match="outside"):
            part_name(outside)


def test_a_position_key_reads_back() -> None:
    key = PositionKey("paper-okx", "BTC-USDT-PERP", Side.SHORT)
    assert PositionKey.parse(str(key)) == key
    with pytest.raises(ValueError):
        PositionKey.parse("paper-okx/BTC-USDT-PERP")


def test_nets_of_entries_and_recoveries_never_share_an_id() -> None:
    numbers = (*range(1, 2001), *range(100_001, 100_300), *range(300_001, 300_300))
    purposes = (Purpose.ENTRY, Purpose.RECOVERY)
    nets = [net_of(client_order_id("000001", 1, purpose, n)) for purpose in purposes for n in numbers]
    assert len(set(nets)) == len(nets)


def test_the_first_nets_are_numbered_as_ever() -> None:
    assert net_of("op00000101E07") == "op00000101N07"
    assert net_of("op00000101R03") == "op00000101N103"


def test_pieces_of_one_recovery_step_have_one_mark() -> None:
    marks = [same_step(f"op00000101R{n}") for n in ("01", "02", "300001", "300002", "400001")]
    assert marks == [1, 2, 300_000, 300_000, 400_000]
