"""Reasons: one code, exact values, the same sentence after a journey through JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from string import Formatter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import reason
from core.domain.reason import Reason, as_reason, from_json, text, to_json
from core.domain.sentences import SENTENCES


def nested(value: reason.Value) -> Reason:
    return Reason("text", words=value)


plain_values = (
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(max_size=8)
    | st.booleans()
    | st.none()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(min_value=timedelta(days=-999), max_value=timedelta(days=999))
)
values = st.recursive(
    plain_values, lambda inner: st.lists(inner, max_size=3).map(tuple) | inner.map(nested), max_leaves=5
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["step", "pnl", "words", "at"]), values))
def test_a_reason_comes_back_from_json_as_it_was(found: dict[str, reason.Value]) -> None:
    sent = Reason("text", **found)
    assert from_json(to_json(sent)) == sent


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_can_be_filled(code: str) -> None:
    """Its places have names, and formats that exist."""
    for _words, name, spec, conversion in Formatter().parse(SENTENCES[code]):
        assert name is None or name.isidentifier(), f"{code} has a place without a name"
        assert conversion is None
        if spec and spec not in ("usdt", "clock", "span", "or", "sentences", "begin"):
            format(Decimal("1.5"), spec)


def test_the_sentence_is_filled_with_exact_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        SENTENCES, "sample", "step {step} waits: PnL {pnl:usdt}, price {price}, {rest}, {clock:clock}, {why}"
    )
    said = Reason(
        "sample",
        step=2,
        pnl=Decimal("-1234.5"),
        price=Decimal("105300.70"),
        rest=timedelta(seconds=15),
        clock=timedelta(seconds=252),
        why=text("the exchange's words"),
    )
    assert str(said) == "step 2 waits: PnL -1,234.50 USDT, price 105300.7, 15.0 s, 4:12, the exchange's words"


def test_an_unknown_code_is_named_and_not_lost() -> None:
    assert str(Reason("of.a.later.version", step=2, at=datetime(2026, 1, 1, tzinfo=UTC))) == (
        "of.a.later.version at=2026-01-01 00:00:00 UTC step=2"
    )


def test_words_of_others_are_shown_as_they_are() -> None:
    assert str(as_reason("Insufficient {margin}")) == "Insufficient {margin}"


def test_several_values_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SENTENCES, "sample", "{steps}; {prices:or}; {all:sentences}")
    why = (text("one"), text("two"))
    assert str(Reason("sample", steps=(1, 2), prices=("last", "mark", "index"), all=why)) == (
        "1, 2; last, mark or index; one; two"
    )
    assert str(Reason("sample", steps=(), prices=("last",), all=why[:1])) == "; last; one"
