"""From a signal to the result, over HTTP: part, protection at the exchange, target, cycle, performance."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

from core.domain.intent import WhenRefused
from core.domain.token import Scope
from tests.api.conftest import Desk, key


def test_a_signal_becomes_a_guarded_part_and_its_result_is_told(either: Desk) -> None:
    desk, stack = either, either.stack
    token = desk.token(Scope.TRADE, name="TradingView")
    stranger, reader = desk.client(None), desk.client(Scope.READ)
    account = {"account": stack.name}

    sent = desk.signal(secret=token.signal_secret)
    opened = stranger.post("/signals", json=sent)
    assert opened.status_code == 201, opened.text
    part = opened.json()["parts"][0]
    stack.until(lambda: stack.at_rest(part))

    row = reader.get(f"/parts/{part}", params=account).json()
    assert (row["strategy"], row["side"], row["protected"]) == ("breakout", "long", True)
    assert Decimal(row["size"]) == stack.held()
    assert {leg["sz"] for leg in stack.resting()} == {row["size"]}
    assert reader.get("/trading/orders/active", params=account).json()["items"] != []
    held = reader.get("/trading/positions/BTC-USDT-PERP", params=account).json()["items"]
    assert [(one["side"], one["residual"]) for one in held] == [("long", "0")]

    stack.price("106000")
    stack.ended(part)
    told = reader.get("/trading/performance", params={**account, "strategy": "breakout"}).json()
    assert (told["whole"]["cycles"], told["whole"]["win_rate"]) == (1, "1")
    money = stack.money()
    assert Decimal(told["whole"]["net"]) == money["all"]
    assert Decimal(told["whole"]["fees"]) == money["fees"]
    assert told["groups"]["reason"]["take_profit"]["cycles"] == 1

    numbers = reader.get("/trading/statistics", params=account).json()
    assert (numbers["pairs_placed"], numbers["target_hits"], numbers["stop_hits"]) == (1, 1, 0)
    fills = reader.get("/trading/trades", params={**account, "part": part}).json()["items"]
    assert {fill["part"] for fill in fills} == {part}
    asked = reader.get("/trading/events", params={**account, "part": part, "rule": "asked"}).json()["items"]
    assert asked[0]["because"] == "asked by API token TradingView"

    again = stranger.post("/signals", json=sent)
    assert (again.status_code, again.json()) == (201, opened.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert stack.held() == 0


def test_a_closing_signal_closes_the_parts_of_its_strategy_and_no_other(desk: Desk) -> None:
    trader, stack = desk.client(Scope.TRADE), desk.stack
    first = trader.post("/signals", json=desk.signal("a")).json()["parts"][0]
    stack.until(lambda: stack.at_rest(first))
    stack.hear()
    other = trader.post("/signals", json=desk.signal("b", strategy="trend")).json()["parts"][0]
    stack.until(lambda: stack.at_rest(other))
    closing = desk.signal("c", action="close", symbol="OKX:BTCUSDT.P", position_value=..., leverage=...)
    assert trader.post("/signals", json=closing).json()["parts"] == [first]
    stack.ended(first)
    assert [part.name for part in stack.parts() if part.size] == [other]
    nothing = trader.post("/signals", json=closing | {"id": "d"})
    assert (nothing.status_code, nothing.json()["parts"]) == (201, [])


def test_a_closing_signal_lets_nothing_be_opened_again_that_its_strategy_had_held(desk: Desk) -> None:
    trader, stack = desk.client(Scope.TRADE), desk.stack
    stack.store.settings.set("reopen_enabled", True, "test")
    part = trader.post("/signals", json=desk.signal("a")).json()["parts"][0]
    stack.until(lambda: stack.at_rest(part))
    stack.price("106000")
    stack.ended(part)
    stack.hear()
    closing: dict[str, Any] = {"action": "close", "position_value": ..., "leverage": ...}
    told = trader.post("/signals", json=desk.signal("b", **closing))
    assert (told.json()["parts"], told.json()["words"]) == ([part], "it is not opened again")
    stack.step(600)
    stack.settle()
    assert stack.held() == 0
    assert trader.post("/signals", json=desk.signal("c", **closing)).json()["parts"] == []


def test_a_strategy_that_sends_its_own_entries_keeps_the_bot_from_opening_again_and_averaging_down(desk: Desk) -> None:
    trader, stack = desk.client(Scope.TRADE), desk.stack
    stack.store.settings.set_all({"reopen_enabled": True, "recovery_enabled": True}, "test")
    alone = {"reopen": {"enabled": False}, "recovery": {"enabled": False}, "when_refused": "close"}
    part = trader.post("/signals", json=desk.signal("a", **alone)).json()["parts"][0]
    intent = stack.store.parts.intent(part)
    assert intent is not None
    assert (intent.reopen, intent.recovery, intent.own_unguarded) == (None, None, WhenRefused.CLOSE)
    stack.until(lambda: stack.at_rest(part))
    stack.price("106000")
    stack.ended(part)
    stack.settle()
    stack.hear()
    assert trader.post("/signals", json=desk.signal("b")).status_code == 201, "nothing of it stands in the way"


def test_a_part_is_opened_moved_closed_by_halves_and_for_good(desk: Desk) -> None:
    trader, stack, account = desk.client(Scope.TRADE), desk.stack, {"account": desk.stack.name}
    draft = desk.wish(position_value="2000", strategy="api desk")
    seen = trader.post("/parts/preview", json=draft).json()
    assert (seen["contracts"], seen["problems"]) == ("1.99", [])
    opened = trader.post("/parts", json=draft, headers=key("o"))
    assert opened.status_code == 201
    part = opened.json()["part"]
    stack.until(lambda: stack.at_rest(part))

    levels = {"take_profit": {"price": "104000"}, "stop_loss": {"price": 97000.5}}
    assert trader.post(f"/parts/{part}/targets", json=levels, headers=key("t")).status_code == 200
    stack.until(lambda: {leg["slTriggerPx"] for leg in stack.resting()} == {"97000.5"})
    assert {leg["tpTriggerPx"] for leg in stack.resting()} == {"104000"}

    wrong = trader.post(f"/parts/{part}/close", json={"contracts": 5}, headers=key("c0"))
    assert wrong.status_code == 422
    assert wrong.json()["problems"] == [
        {
            "field": "contracts",
            "value": "5",
            "allowed": "0.01 to 1.99 is allowed",
            "words": "contracts 5 is out of range: 0.01 to 1.99 is allowed",
            "code": "range.outside",
            "values": {"field": "contracts", "value": "5", "allowed": "0.01 to 1.99 is allowed"},
        }
    ]
    assert (wrong.json()["code"], wrong.json()["text"]) == ("range.outside", wrong.json()["detail"])
    assert trader.post(f"/parts/{part}/close", json={"contracts": "1"}, headers=key("c1")).status_code == 200
    stack.until(lambda: stack.held() == Decimal("0.99"))
    assert trader.post(f"/parts/{part}/close", json={}, headers=key("c2")).status_code == 200
    stack.ended(part)
    assert stack.held() == 0
    row = next(
        one for one in trader.get("/trading/orders", params=account).json()["items"] if one["purpose"] == "close"
    )
    assert trader.get(f"/trading/orders/{row['client_order_id']}", params=account).json() == row


def test_a_resting_entry_is_cancelled_and_what_protects_is_not(desk: Desk) -> None:
    trader, stack, account = desk.client(Scope.TRADE), desk.stack, {"account": desk.stack.name}
    limit = {"kind": "limit", "price": "99000"}
    part = trader.post("/trading/orders", json=desk.wish(entry=limit), headers=key("o")).json()["part"]
    stack.until(lambda: stack.working())
    entry = stack.working()[0]["clOrdId"]
    gone = trader.delete(f"/trading/orders/{entry}", params=account)
    assert (gone.status_code, gone.json()["part"]) == (200, part)
    stack.until(lambda: not stack.working())
    assert trader.delete(f"/trading/orders/{entry}", params=account).json() == gone.json()

    stack.hear()
    held = trader.post("/trading/orders", json=desk.wish(strategy="other"), headers=key("o2")).json()["part"]
    stack.until(lambda: stack.at_rest(held))
    guard = stack.part(held).protection[0].client_order_id
    kept = trader.delete(f"/trading/orders/{guard}", params=account)
    assert kept.status_code == 422
    assert "protects part" in kept.json()["detail"]
    assert trader.delete("/trading/orders/op00000001E01", params=account).status_code == 404


def test_the_bot_is_stopped_and_the_level_raised_with_its_consequences_told_first(desk: Desk) -> None:
    admin, stack, account = desk.client(Scope.ADMIN), desk.stack, {"account": desk.stack.name}
    part = admin.post("/parts", json=desk.wish(), headers=key("o")).json()["part"]
    stack.until(lambda: stack.at_rest(part))
    told = admin.get("/level/preview", params={**account, "to": "flatten"}).json()
    assert (told["held"], told["closing"]) == (1, [part])
    stopped = admin.post("/bot/stop", json=account, headers=key("s")).json()
    assert (stopped["state"], stopped["on_exchange_alone"]) == ("stopped", 1)
    assert admin.get("/bot", params=account).json()["state"] == "stopped"
    assert admin.post("/bot/start", json=account, headers=key("r")).status_code == 200
    raised = admin.post(
        "/level", json={**account, "level": "flatten", "why": "end of the day"}, headers=key("l")
    ).json()
    assert (raised["level"], raised["why"]) == ("flatten", "end of the day")
    stack.ended(part)
    assert admin.get("/level", params=account).json() == raised


def test_a_sync_is_noted_once(desk: Desk) -> None:
    trader, account = desk.client(Scope.TRADE), {"account": desk.stack.name}
    answers = [trader.post("/trading/positions/sync", json=account, headers=key("s")) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert [one.headers["idempotency-replayed"] for one in answers] == ["false", "true"]
    assert desk.store.history.sync_state(desk.stack.name).waiting


def test_pages_follow_one_another_without_a_gap(desk: Desk) -> None:
    reader, stack = desk.client(Scope.READ), desk.stack
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    for path in ("events", "orders", "trades"):
        query = {"account": stack.name, "limit": 1}
        whole = reader.get(f"/trading/{path}", params={**query, "limit": 500}).json()
        assert (whole["next"], len(whole["items"]) > 1) == (None, True), path
        found, after = [], None
        while True:
            page = reader.get(f"/trading/{path}", params={**query, **({"after": after} if after else {})}).json()
            found += page["items"]
            after = page["next"]
            if after is None:
                break
        assert found == whole["items"], path
    half_a_letter = base64.urlsafe_b64encode(json.dumps(["2026-12-01", "\ud800"]).encode()).decode()
    for wrong in ("x", half_a_letter):
        assert reader.get("/trading/orders", params={"account": stack.name, "after": wrong}).status_code == 422
