"""What programs read of the record: events and facts by page or as one file, verdicts, and results by strategy."""

from __future__ import annotations

import csv
import io
import socket
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from core.api import health, limits
from core.domain.token import Scope
from core.services.access.idempotency import KEPT_FOR
from db.store import Store
from tests.api.conftest import MOUNT, Desk, key, serve, services_on
from tests.eventually import eventually


def read(desk: Desk, path: str, **query: Any) -> Any:
    answer = desk.client(Scope.READ).get(f"/trading/{path}", params={"account": desk.stack.name, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def lived(desk: Desk, strategy: str, level: str) -> str:
    """A part of this strategy that has been opened and ended at this price."""
    stack = desk.stack
    stack.price("100000")
    stack.hear()
    body = desk.wish(strategy=strategy, again=True)
    part = str(desk.client(Scope.TRADE).post("/parts", json=body, headers=key(f"{strategy}{level}")).json()["part"])
    stack.until(lambda: stack.at_rest(part))
    stack.price(level)
    stack.ended(part)
    return part


def test_each_fact_can_be_asked_for_by_its_kind(either: Desk) -> None:
    part = lived(either, "breakout", "106000")
    kinds = ("order_created", "order_changed", "fill", "position_opened", "position_closed", "decision")
    found = {kind: read(either, "events", kind=kind, part=part)["items"] for kind in kinds}
    assert all(found.values())
    assert {one["kind"] for items in found.values() for one in items} == set(kinds)
    (closed,) = found["position_closed"]
    assert (closed["outcome"], closed["symbol"], closed["rule"]) == ("take_profit", "BTC-USDT-PERP", "record")
    whole = read(either, "performance")["whole"]
    assert Decimal(closed["amount"]) == Decimal(whole["net"])
    assert sum(Decimal(one["amount"]) for one in found["fill"]) == Decimal(whole["fees"])
    later = (either.stack.clock.now() + timedelta(seconds=1)).isoformat()
    assert read(either, "events", kind="fill", since=later)["items"] == []
    assert len(read(either, "events", kind="fill", until=later)["items"]) == len(found["fill"])


def test_the_whole_record_is_one_file(desk: Desk) -> None:
    part = lived(desk, "breakout", "106000")
    desk.store.bots.set_level(desk.stack.name, desk.store.bots.get(desk.stack.name).level, "ayla", "=1+1")
    answer = desk.client(Scope.READ).get("/trading/events", params={"account": desk.stack.name, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == len(read(desk, "events", limit=500)["items"])
    (fill, *_) = [row for row in rows if row["kind"] == "fill"]
    assert (fill["part"], fill["account"]) == (part, desk.stack.name)
    assert Decimal(fill["amount"]) < 0
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    only = {"account": desk.stack.name, "format": "csv", "kind": "fill"}
    short = desk.client(Scope.READ).get("/trading/events", params=only).text.splitlines()
    assert len(short) == 1 + len([row for row in rows if row["kind"] == "fill"])


def test_what_the_risk_control_said(desk: Desk) -> None:
    stack = desk.stack
    passed = stack.opened()
    stack.hear()
    asked = desk.client(Scope.TRADE).post("/parts", json=desk.wish(strategy="second"), headers=key("1")).json()["part"]
    desk.store.settings.set_all({"max_order_value": Decimal(500)}, "trader")
    stack.settle(3)
    refused, first = read(desk, "risk-checks")["items"]
    assert (first["part"], first["passed"], first["client_order_id"]) == (passed, True, f"op{passed}01E01")
    assert (refused["part"], refused["passed"], refused["check"]) == (asked, False, "order_value")
    assert (refused["purpose"], refused["limit"], refused["unit"], refused["repeats"]) == ("entry", "500", "USDT", 2)
    assert "above your limit: 500.00 USDT at most" in refused["words"]
    assert len(refused["checks"]) == 11
    assert [one["name"] for one in refused["checks"] if not one["passed"]] == ["order_value"]
    assert read(desk, "risk-checks", passed=False)["items"] == [refused]
    assert read(desk, "risk-checks", check="balance")["items"] == []
    page = read(desk, "risk-checks", limit=1)
    assert (page["items"], read(desk, "risk-checks", limit=1, after=page["next"])["items"]) == ([refused], [first])
    bad = desk.client(Scope.READ).get("/trading/risk-checks", params={"account": stack.name, "check": "luck"})
    assert bad.status_code == 422


def test_the_same_limit_speaks_before_a_click(desk: Desk) -> None:
    """A program that asks for too much hears the risk control's own words, and nothing is written."""
    desk.store.settings.set_all({"max_open_parts": 1}, "trader")
    desk.stack.opened()
    desk.stack.hear()
    answer = desk.client(Scope.TRADE).post("/parts", json=desk.wish(strategy="second"), headers=key("1"))
    assert answer.status_code == 422
    assert "account has 1 open parts: 1 at most, by the settings" in answer.json()["detail"]
    assert len(desk.store.parts.intents(desk.stack.name)) == 1
    (refused,) = read(desk, "risk-checks", passed=False)["items"]
    assert (refused["part"], refused["check"], refused["value"], refused["limit"]) == ("", "open_parts", "2", "1")


def test_a_twin_that_nobody_has_confirmed_is_a_duplicate(desk: Desk) -> None:
    desk.stack.opened(desk.stack.draft())
    desk.stack.hear()
    for number in ("1", "2"):
        answer = desk.client(Scope.TRADE).post("/parts", json=desk.wish(strategy="manual"), headers=key(number))
        assert answer.status_code == 422
    (refused,) = read(desk, "risk-checks", check="duplicate")["items"]
    assert "with the same strategy already" in refused["words"]
    assert refused["repeats"] == 1
    assert [one["action"] for one in read(desk, "events", kind="risk_failure")["items"]] == ["duplicate"]


def test_results_of_each_strategy(desk: Desk) -> None:
    lived(desk, "breakout", "106000")
    lived(desk, "trend", "89000")
    told = read(desk, "performance", by="strategy")
    assert list(told["groups"]) == ["strategy"]
    won, lost = told["groups"]["strategy"]["breakout"], told["groups"]["strategy"]["trend"]
    assert (won["cycles"], won["win_rate"], lost["cycles"], lost["win_rate"]) == (1, "1", 1, "0")
    assert Decimal(won["net"]) + Decimal(lost["net"]) == Decimal(told["whole"]["net"])
    assert Decimal(lost["drawdown"]["amount"]) == -Decimal(lost["net"])
    assert Decimal(won["drawdown"]["amount"]) == 0
    assert (won["sharpe"], won["sortino"]) == (None, None)  # one day says nothing of the next
    assert set(read(desk, "performance")["groups"]) == {"symbol", "side", "strategy", "reason", "recovery"}


# -- the door --------------------------------------------------------------------------------------------------


def test_a_body_that_does_not_come_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)
    secret = desk.token(Scope.TRADE).secret
    where = urlsplit(desk.url)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 0), timeout=10) as line:
        head = f"POST {MOUNT}/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nIdempotency-Key: slow\r\n"
        line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        answer = line.recv(65_536).decode()
    assert answer.startswith("HTTP/1.1 408 ")
    assert "application/problem+json" in answer
    assert desk.untouched()


def test_an_answer_is_forgotten_after_a_month_and_not_before(desk: Desk) -> None:
    answers, clock, made = desk.services.answers, desk.stack.clock, []

    def work(click: str) -> tuple[int, str]:
        made.append(click)
        return 200, "{}"

    answers.once("t", "k", {"a": 1}, work)
    clock.advance((KEPT_FOR - timedelta(minutes=1)).total_seconds())
    answers.once("t", "other", {"a": 1}, work)
    assert not answers.once("t", "k", {"a": 1}, work).new
    clock.advance(timedelta(hours=7).total_seconds())
    answers.once("t", "third", {"a": 1}, work)
    assert answers.kept("t", "k", {"a": 1}) is None
    assert answers.once("t", "k", {"a": 1}, work).new
    assert answers.kept("t", "other", {"a": 1}) is not None
    assert len(made) == 4


@pytest.mark.parametrize("trouble", ["the database is away", "the bot is silent"])
def test_what_is_not_ready_says_so(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    services, stack = desk.services, desk.stack
    if trouble == "the database is away":
        nowhere = Store.open("postgresql://somebody@127.0.0.1:1/nothing")
        services = services_on(cast(Any, SimpleNamespace(store=nowhere, clock=stack.clock, positions=None)), tmp_path)
    monkeypatch.setattr(health, "get_services", lambda: services)
    server, thread, url = serve(Starlette(routes=[Route("/readyz", health.readyz)]))
    try:
        if trouble == "the bot is silent":
            stack.clock.advance(timedelta(days=3650).total_seconds())
            desk.store.bots.heartbeat(stack.name, stack.clock.now())
            stack.guard.lease.renew()
            assert httpx.get(f"{url}/readyz", trust_env=False, verify=False).json()["status"] == "ready"
            stack.clock.advance(60)
        answer = httpx.get(f"{url}/readyz", trust_env=False, verify=False)
    finally:
        server.should_exit = True
        thread.join(10)
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert stack.name not in answer.text
    eventually(lambda: not thread.is_alive(), 10, "the server has ended")
