"""Orders that are worked over time, asked for by programs: entered, watched, finished, taken back, closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.domain.intent import AtEnd, ExecutionKind
from core.domain.token import Scope
from tests.api.conftest import Desk, key

TWAP = {"kind": "twap", "duration_seconds": 600, "slices": 5, "at_end": "market"}
ICEBERG = {"kind": "iceberg", "visible": "0.25", "price": "101000"}


def test_a_twap_is_watched_and_finished_and_the_close_by_iceberg_taken_back(either: Desk) -> None:
    trader, stack, account = either.client(Scope.TRADE), either.stack, {"account": either.stack.name}
    part = trader.post("/parts", json=either.wish(entry=TWAP), headers=key("o")).json()["part"]
    stack.until(lambda: stack.held() > 0)
    stack.settle()

    def runs() -> list[dict[str, Any]]:
        return list(trader.get(f"/parts/{part}", params=account).json()["runs"])

    (run,) = runs()
    assert (run["run"], run["purpose"], run["kind"], run["told"]) == ("1E", "entry", "twap", None)
    assert Decimal(run["filled"]) + Decimal(run["remaining"]) == Decimal(run["planned"])
    assert 0 < stack.held() < Decimal(run["planned"])
    assert run["until"] is not None

    def tell(word: str, name: str, click: str) -> Any:
        return trader.post(f"/parts/{part}/runs/{name}", json={"do": word}, headers=key(click))

    unknown = tell("finish", "1C", "f0")
    assert (unknown.status_code, unknown.json()["problems"][0]["field"]) == (422, "run")
    assert tell("finish", "1E", "f1").status_code == 200
    assert tell("finish", "1E", "f1").headers["idempotency-replayed"] == "true"
    stack.until(lambda: stack.held() == Decimal(run["planned"]) and stack.at_rest(part))
    assert runs() == []

    body = {"style": ICEBERG}
    assert trader.post(f"/parts/{part}/close", json=body, headers=key("c")).status_code == 200
    stack.until(lambda: stack.working())
    stack.settle(2)
    assert [(one["run"], one["kind"], one["price"]) for one in runs()] == [("1C", "iceberg", "101000")]
    assert tell("take_back", "1C", "b").status_code == 200
    stack.until(lambda: not stack.working())
    assert stack.held() == Decimal(run["planned"])


def test_what_is_taken_back_of_an_entry_is_not_bought(desk: Desk) -> None:
    trader, stack, account = desk.client(Scope.TRADE), desk.stack, {"account": desk.stack.name}
    part = trader.post("/trading/orders", json=desk.wish(entry=TWAP), headers=key("o")).json()["part"]
    stack.until(lambda: stack.held() > 0 and stack.at_rest(part))
    held = stack.held()
    assert trader.post(f"/parts/{part}/runs/1E", json={"do": "take_back"}, headers=key("b")).status_code == 200
    stack.settle(8, 100)
    assert stack.held() == held
    assert trader.get(f"/parts/{part}", params=account).json()["runs"] == []


def test_every_style_comes_to_the_book_as_it_was_sent(desk: Desk) -> None:
    trader, store = desk.client(Scope.TRADE), desk.store
    recovery = {"enabled": True, "style": {"kind": "limit", "reprice_seconds": 20, "follow": "0.02"}}
    limit = {"kind": "limit", "price": 99000.5, "timeout_seconds": 60, "at_end": "market"}
    asked = trader.post("/parts", json=desk.wish(entry=limit, recovery=recovery), headers=key("o"))
    intent = store.parts.intent(asked.json()["part"])
    assert intent is not None
    assert (intent.entry.kind, intent.entry.price, intent.entry.at_end) == (
        ExecutionKind.LIMIT,
        Decimal("99000.5"),
        AtEnd.MARKET,
    )
    worked = intent.own_recovery.style
    assert worked is not None
    assert (worked.kind, worked.price, worked.follow) == (ExecutionKind.LIMIT, None, Decimal("0.02"))
    signal = trader.post("/signals", json=desk.signal(entry=TWAP | {"randomness": 0.25}))
    assert signal.status_code == 201, signal.text
    opened = store.parts.intent(signal.json()["parts"][0])
    assert opened is not None
    assert (opened.entry.kind, opened.entry.slices, opened.entry.randomness) == (ExecutionKind.TWAP, 5, Decimal("0.25"))


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"kind": "limit", "price": "99000.05"}, "entry.price"),
        ({"kind": "limit", "price": "99000", "at_end": "market"}, "entry.timeout_seconds"),
        ({"kind": "twap", "duration_seconds": 20, "slices": 50}, "entry.slices"),
    ],
)
def test_what_only_the_contract_can_tell_names_its_field_too(desk: Desk, entry: dict[str, Any], field: str) -> None:
    trader = desk.client(Scope.TRADE)
    answer = trader.post("/parts", json=desk.wish(entry=entry), headers=key("o"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["field"] == field
    assert desk.untouched()


def test_reports_tell_arrival_average_and_cost_and_can_be_narrowed(desk: Desk) -> None:
    trader, stack, account = desk.client(Scope.TRADE), desk.stack, {"account": desk.stack.name}
    short = TWAP | {"duration_seconds": 20, "slices": 4}
    part = trader.post("/parts", json=desk.wish(entry=short), headers=key("o")).json()["part"]
    stack.until(lambda: stack.held() == Decimal("0.99") and stack.at_rest(part), 60)
    (soon,) = trader.get("/executions", params=account).json()["items"]
    assert (soon["filled"], soon["working"]) == ("0.99", False)
    assert soon["duration_seconds"] >= 10, "it is known before the fills are in the ledger"
    trader.post(f"/parts/{part}/close", json={}, headers=key("c"))
    stack.ended(part)
    close, entry = trader.get("/executions", params=account).json()["items"]
    assert [(one["run"], one["purpose"], one["kind"]) for one in (entry, close)] == [
        ("1E", "entry", "twap"),
        ("1C", "close", "market"),
    ]
    assert (entry["orders"], entry["planned"], entry["filled"]) == (4, "0.99", "0.99")
    assert Decimal(entry["slippage_bp"]) == 0, "the price stood still"
    assert Decimal(entry["fees"]) < 0
    assert entry["duration_seconds"] >= 10
    for narrowed in ({"kind": "twap"}, {"purpose": "entry"}):
        found = trader.get("/executions", params=account | narrowed).json()["items"]
        assert [one["run"] for one in found] == ["1E"]
    assert trader.get("/executions", params=account | {"part": "zzzzzz"}).json()["items"] == []


def test_a_style_of_recovery_that_cannot_be_names_its_field(desk: Desk) -> None:
    worked = {"kind": "twap", "duration_seconds": 20, "slices": 50}
    body = desk.wish(recovery={"enabled": True, "style": worked})
    answer = desk.client(Scope.TRADE).post("/parts", json=body, headers=key("o"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["field"] == "recovery.style.slices"
    assert desk.untouched()
