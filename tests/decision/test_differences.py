"""Differences between exchange and book: told with both sides, answered, and in the way of nothing but new risk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.decision.plan import plan
from core.decision.rules.differences import Difference, differences, residual_price
from core.decision.view import View
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind
from core.domain.intent import Desired, ExternalEntry, Recovery
from core.domain.observation import Seen
from core.domain.order import OrderKind
from core.domain.reason import text
from tests.builders import (
    LONG,
    NOON,
    D,
    after,
    because,
    begun,
    command,
    contracts,
    desired,
    entry,
    fill,
    in_words,
    intent,
    oco,
    order,
    position,
    price,
    seen,
)

TWO_IGNORED = (DifferenceAnswer(DifferenceKind.RESIDUAL, Choice.IGNORE, "2"),)


def found(wanted: Desired, look: Seen) -> list[Difference]:
    return list(differences(View.of(wanted, look, NOON)))


def taken(quantity: object = 2, at: object = 1010) -> ExternalEntry:
    return ExternalEntry(contracts(quantity), price(at), after(-30), "SOMETHING/long")


# -- items ----------------------------------------------------------------------------------------------------


def test_more_than_ours_is_a_residual_with_its_own_average() -> None:
    look = seen(entry(), oco(), position=position(12, average_price=price(1005)), differs_since=after(-9))
    (item,) = found(desired(begun()), look)
    assert (item.kind, item.key, str(item.ours), str(item.theirs)) == (DifferenceKind.RESIDUAL, LONG, "10", "12")
    assert (item.quantity, item.price, item.since) == (2, 1030, after(-9))
    assert item.choices == (Choice.ADOPT, Choice.ASSIGN, Choice.IGNORE)
    assert item.answer is None


def test_an_average_that_exits_have_moved_away_tells_nothing_and_the_exchanges_is_taken() -> None:
    look = seen(entry(at=400), oco(), position=position(12, average_price=price(1000)))
    assert residual_price(View.of(desired(begun()), look, NOON)) == 1000


def test_what_is_missing_and_traced_to_its_fill_is_no_item() -> None:
    gone = seen(entry(), oco(), held=7, differs_since=after(-5), foreign_fills=(fill("f1", 3, 990),))
    assert found(desired(begun()), gone) == []


def test_what_is_missing_untraced_is_a_shortfall() -> None:
    gone = seen(entry(), oco(), held=5, differs_since=after(-5), foreign_fills=(fill("f1", 3, 990),))
    (item,) = found(desired(begun()), gone)
    assert (item.kind, str(item.ours), str(item.theirs), item.quantity) == (DifferenceKind.SHORTFALL, "10", "5", 2)
    assert item.choices == (Choice.BOOK, Choice.WAIT)


@pytest.mark.parametrize(
    ("story", "changes"),
    [
        ("the size is not read twice yet", {"confirmed": False}),
        ("an order of ours has vanished", {"settled": False}),
        ("an entry has no answer", {"commands": (command("op00000101E02", outcome=None),)}),
    ],
)
def test_a_moment_is_no_difference(story: str, changes: dict[str, object]) -> None:
    assert found(desired(begun()), seen(entry(), oco(), held=12, **changes)) == [], story


def test_orders_of_others_beside_a_part_are_named() -> None:
    theirs = order("", 1, kind=OrderKind.LIMIT, exchange_order_id="77", part=None, cycle=None, created_at=after(-90))
    look = seen(entry(), oco(), theirs, held=10)
    (item,) = found(desired(begun()), look)
    assert (item.kind, str(item.theirs), item.since, item.mark) == (
        DifferenceKind.FOREIGN_ORDERS,
        "1",
        after(-90),
        "77",
    )
    assert item.choices == (Choice.IGNORE,)
    assert found(desired(), look) != found(desired(begun()), look)


def test_orders_of_others_where_nothing_of_ours_is_are_their_own_business() -> None:
    theirs = order("", 1, kind=OrderKind.LIMIT, exchange_order_id="77", part=None, cycle=None)
    assert found(desired(), seen(theirs)) == []


def test_net_mode_and_another_leverage_are_told() -> None:
    look = seen(entry(), oco(), position=position(10, leverage=D(3)), hedge_mode=False, other_side=text("held"))
    mode, leverage = found(desired(begun()), look)
    assert (mode.kind, mode.choices) == (DifferenceKind.NET_MODE, ())
    assert (leverage.kind, str(leverage.ours), str(leverage.theirs)) == (DifferenceKind.LEVERAGE, "10x", "3x")


def test_the_leverage_of_any_part_on_a_shared_position_will_do() -> None:
    other = begun("000002", leverage=D(3))
    look = seen(entry(), oco(), entry(part="000002"), oco(part="000002"), position=position(20, leverage=D(3)))
    assert found(desired(begun(), other), look) == []


# -- what waits -----------------------------------------------------------------------------------------------

NOT_OURS = "2 contracts here are not ours: adopt, assign or ignore them first"


def test_nothing_is_entered_beside_contracts_that_nobody_has_answered_for() -> None:
    decided = plan(desired(intent()), seen(held=2), NOON)
    assert because(decided, "enter") == f"waits: {NOT_OURS}"
    assert in_words(decided) == ["alarm residual"]


def test_ignored_ones_are_in_nobodys_way_and_no_alarm() -> None:
    decided = plan(desired(intent(), answers=TWO_IGNORED), seen(held=2), NOON)
    assert in_words(decided) == ["start cycle 1 of 9.9", "place entry 9.9"]
    assert "ignored as asked" in because(decided, "totals")


def test_no_recovery_step_either() -> None:
    losing = begun(recovery=Recovery())
    look = seen(entry(), oco(), position=position(12, 940), mark=940)
    assert NOT_OURS in because(plan(desired(losing), look, NOON), "recover")


def test_nothing_is_opened_again_either() -> None:
    ended = begun(cycle=2, cycle_ended_at=after(-600), reopen_at=after(-1))
    assert because(plan(desired(ended), seen(held=2), NOON), "reopen") == f"due to open again and waits: {NOT_OURS}"


def test_protection_and_close_go_on_beside_them() -> None:
    assert in_words(plan(desired(begun()), seen(entry(), held=12), NOON))[0] == "place oco 10 tp 1050 sl 900"


# -- answers --------------------------------------------------------------------------------------------------


def test_an_answer_to_what_has_changed_is_forgotten_and_the_rest_is_asked_about() -> None:
    decided = plan(desired(begun(), answers=TWO_IGNORED), seen(entry(), oco(), held=13), NOON)
    assert in_words(decided) == ["alarm residual", "forget the answer to residual 2"]


def test_an_answer_to_what_is_gone_is_forgotten() -> None:
    decided = plan(desired(answers=TWO_IGNORED), seen(), NOON)
    assert in_words(decided) == ["forget the answer to residual 2"]


def test_a_moment_makes_no_answer_forgotten() -> None:
    look = seen(entry(), oco(), held=13, confirmed=False)
    assert in_words(plan(desired(begun(), answers=TWO_IGNORED), look, NOON)) == []


def test_what_is_missing_is_booked_at_once_where_the_trader_says_so() -> None:
    look = seen(entry(), oco(), held=7, differs_since=after(-5))
    book = (DifferenceAnswer(DifferenceKind.SHORTFALL, Choice.BOOK, "3"),)
    assert in_words(plan(desired(begun()), look, NOON))[-1:] == []
    assert in_words(plan(desired(begun(), answers=book), look, NOON))[-2:] == [
        "alarm untraced",
        "book exit 3 at 1000: not_known",
    ]


def test_what_is_missing_waits_for_ever_where_the_trader_says_so() -> None:
    look = seen(entry(), oco(), held=7, differs_since=after(-3600))
    wait = (DifferenceAnswer(DifferenceKind.SHORTFALL, Choice.WAIT, "3"),)
    decided = plan(desired(begun(), answers=wait), look, NOON)
    assert in_words(decided) == []
    assert "waits for the fill, as asked" in because(decided, "totals")


# -- taken over -----------------------------------------------------------------------------------------------


def test_an_adopted_part_is_protected_and_nothing_is_entered() -> None:
    adopted = begun(contracts=contracts(2), external_entries=(taken(),))
    decided = plan(desired(adopted), seen(held=2), NOON)
    assert in_words(decided) == ["place oco 2 tp 1260 sl 510"]


def test_an_assigned_residual_is_protected_with_the_part() -> None:
    whole = begun(contracts=contracts(12), external_entries=(taken(2, 1060),))
    decided = plan(desired(whole), seen(entry(), oco(), held=12), NOON)
    assert in_words(decided) == ["amend P01 to 12 tp 1052 sl 927"]


def test_a_part_that_is_still_entering_counts_what_it_took_over() -> None:
    filling = begun(contracts=contracts(12), external_entries=(taken(),))
    decided = plan(desired(filling), seen(entry(6, 6), oco(8), held=8), NOON)
    assert "place entry 4" in in_words(decided)


def test_the_gap_of_a_taken_over_part_is_traced_like_any_other() -> None:
    adopted = begun(contracts=contracts(2), external_entries=(taken(),))
    look = seen(oco(2, 1260, 510), held=0, foreign_fills=(fill("f1", 2, 990),), differs_since=after(-1))
    assert "book exit 2 at 990: closed_by_hand" in in_words(plan(desired(adopted), look, NOON))


def test_since_when_is_the_oldest_of_their_orders() -> None:
    theirs = [
        order("", 1, kind=OrderKind.LIMIT, exchange_order_id=name, part=None, cycle=None, created_at=NOON - ago)
        for name, ago in (("8", timedelta(hours=1)), ("9", timedelta(hours=2)))
    ]
    (item,) = found(desired(begun()), seen(entry(), oco(), *theirs, held=10))
    assert (item.since, item.mark) == (NOON - timedelta(hours=2), "8,9")
