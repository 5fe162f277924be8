"""Orders whose answer is lost, late, slow, wrong or no answer at all; and orders that are hidden."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.simulator.okx.client import BTC, SOL, OkxClient, order
from tests.simulator.words import RESTING
from tests.simulator_process import SimulatorProcess

# -- deadlines


def test_a_deadline_in_the_past_is_refused_for_certain(okx: OkxClient) -> None:
    body = order(BTC, "buy", "long", "1")
    for path, payload in (("trade/order", body), ("trade/batch-orders", [body])):
        answer = okx.post(path, payload, {"expTime": str(1767225600000 - 1000)})
        assert answer.refusal == "50036"
    assert okx.positions() == []


def test_a_deadline_still_to_come_passes(okx: OkxClient) -> None:
    in_a_minute = {"expTime": str(int(time.time() * 1000) + 60000)}
    assert okx.post("trade/order", order(BTC, "buy", "long", "1"), in_a_minute).row["sCode"] == "0"


@pytest.mark.parametrize(("offset", "code"), [(-40, "0"), (40, "50036")])
def test_a_deadline_is_held_against_the_clock_that_the_exchange_shows(
    sim: SimulatorProcess, okx: OkxClient, offset: int, code: str
) -> None:
    sim.switches(clock_offset_seconds=offset)
    path, body = "/api/v5/trade/order", json.dumps(order(BTC, "buy", "long", "1"))
    headers = okx.headers("POST", path, body, at=datetime.now(UTC) + timedelta(seconds=offset))
    answer = okx.http.post(path, content=body, headers=headers | {"expTime": str(1767225600000 - 10_000)}).json()
    assert (answer["data"][0]["sCode"] if answer["data"] else answer["code"]) == code


# -- faults


def lost(okx: OkxClient, clOrdId: str = "lost") -> None:
    with pytest.raises(httpx.TransportError):
        okx.order(BTC, "buy", "long", "1", clOrdId=clOrdId)


@pytest.mark.parametrize(
    ("kind", "more", "executed"),
    [
        ("lost_after", {}, True),
        ("lost_before", {}, False),
        ("reset", {"executed": True}, True),
        ("reset", {"executed": False}, False),
    ],
)
def test_an_answer_that_never_comes(
    sim: SimulatorProcess, okx: OkxClient, kind: str, more: dict[str, Any], executed: bool
) -> None:
    sim.faults({"match": {"method": "POST", "path": "trade/order"}, "kind": kind, "count": 1, **more})
    lost(okx)
    assert sim.fault_hits() == [1]
    found = okx.get("trade/order", instId=BTC, clOrdId="lost")
    assert found.code == ("0" if executed else "51603")
    assert len(okx.positions()) == int(executed)
    assert okx.order(BTC, "buy", "long", "1").row["sCode"] == "0"  # struck once, then well again


def test_an_order_that_arrives_later_than_its_answer_is_missed(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": "late", "seconds": 5, "count": 1})
    lost(okx)
    assert okx.get("trade/order", instId=BTC, clOrdId="lost").code == "51603"
    sim.clock(6)
    assert okx.find(BTC, clOrdId="lost")["state"] == "filled"


def test_an_order_that_arrives_after_its_deadline_is_dropped(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": "late", "seconds": 5, "count": 1})
    with pytest.raises(httpx.TransportError):
        okx.post("trade/order", order(BTC, "buy", "long", "1", clOrdId="lost"), {"expTime": str(1767225600000 + 3000)})
    sim.clock(6)
    assert okx.get("trade/order", instId=BTC, clOrdId="lost").code == "51603"


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(("code", "http"), [
    ("50004", 400), ("50026", 500), ("50001", 503), ("50013", 429), ("50011", 200),
])  # fmt: skip
def test_an_answer_that_leaves_the_outcome_open(
    sim: SimulatorProcess, okx: OkxClient, code: str, http: int, executed: bool
) -> None:
    answered = {"kind": "code", "code": code, "http": http, "executed": executed}
    sim.faults({"match": {"path": "trade/order"}, "count": 1} | answered)
    answer = okx.order(BTC, "buy", "long", "1")
    assert (answer.http, answer.code) == (http, code)
    assert len(okx.positions()) == int(executed)


@pytest.mark.parametrize("executed", [True, False])
def test_a_web_page_instead_of_an_answer(sim: SimulatorProcess, okx: OkxClient, executed: bool) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": "html_502", "executed": executed, "count": 1})
    answer = okx.send("POST", "/api/v5/trade/order", json.dumps(order(BTC, "buy", "long", "1")))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert len(okx.positions()) == int(executed)


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("kind", ["empty", "garbled"])
def test_nothing_or_half_of_an_answer(sim: SimulatorProcess, okx: OkxClient, kind: str, executed: bool) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": kind, "executed": executed, "count": 1})
    answer = okx.send("POST", "/api/v5/trade/order", json.dumps(order(BTC, "buy", "long", "1")))
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(okx.positions()) == int(executed)


def test_an_answer_slower_than_the_clients_patience(sim: SimulatorProcess) -> None:
    sim.faults({"match": {"method": "POST", "path": "trade/order"}, "kind": "slow", "seconds": 0.6, "count": 1})
    with OkxClient(sim.base_url, sim.okx) as hasty:
        hasty.http.timeout = httpx.Timeout(0.2)
        with pytest.raises(httpx.ReadTimeout):
            hasty.order(BTC, "buy", "long", "1", clOrdId="slow")
        hasty.http.timeout = httpx.Timeout(10)
        deadline = time.monotonic() + 5
        while not hasty.positions() and time.monotonic() < deadline:
            pass
        assert hasty.find(BTC, clOrdId="slow")["state"] == "filled"


@pytest.mark.parametrize("code", ["51008", "51024", "54031"])
def test_a_refusal_on_demand(sim: SimulatorProcess, okx: OkxClient, code: str) -> None:
    sim.faults({"match": {"path": "trade/order", "instId": BTC}, "kind": "reject", "code": code, "count": 1})
    assert okx.order(SOL, "buy", "long", "1").row["sCode"] == "0"
    answer = okx.order(BTC, "buy", "long", "1")
    assert (answer.code, answer.refusal) == ("1", code)


def test_a_fault_strikes_only_orders_whose_id_begins_so(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"clOrdId": "bad"}, "kind": "reject", "code": "51008"})
    assert okx.order(BTC, "buy", "long", "1", clOrdId="good1").row["sCode"] == "0"
    assert [okx.order(BTC, "buy", "long", "1", clOrdId=f"bad{n}").refusal for n in range(3)] == ["51008"] * 3
    assert sim.fault_hits() == [3]


def test_a_fault_with_a_probability_strikes_alike_for_the_same_seed(sim: SimulatorProcess, okx: OkxClient) -> None:
    def strikes() -> list[str]:
        sim.faults({"match": {"path": "trade/order"}, "kind": "reject", "code": "51008", "probability": 0.5, "seed": 7})
        return [okx.order(BTC, "buy", "long", "0.01").refusal for _ in range(20)]

    first = strikes()
    assert set(first) == {"0", "51008"}
    assert strikes() == first


def test_an_order_can_be_accepted_and_not_be_found_for_a_while(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"clOrdId": "ghost"}, "kind": "not_found", "seconds": 3, "count": 1})
    order_id = okx.order(BTC, "buy", "long", "1", clOrdId="ghost", **RESTING).row["ordId"]
    assert okx.get("trade/order", instId=BTC, clOrdId="ghost").code == "51603"
    assert okx.get("trade/orders-pending").rows == []
    assert [row["ordId"] for row in sim.state()["orders"]] == [order_id]
    sim.clock(4)
    assert okx.find(BTC, clOrdId="ghost")["ordId"] == order_id
    assert len(okx.get("trade/orders-pending").rows) == 1


def test_accepted_now_and_filled_later(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": "accept_delay", "seconds": 3, "count": 1})
    order_id = okx.order(BTC, "buy", "long", "1").row["ordId"]
    assert okx.find(BTC, ordId=order_id)["state"] == "live"
    sim.clock(4)
    assert okx.find(BTC, ordId=order_id)["state"] == "filled"


def test_dead_man_switch_cancels_resting_orders(sim: SimulatorProcess, okx: OkxClient) -> None:
    order_id = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    assert okx.post("trade/cancel-all-after", {"timeOut": "10"}).code == "0"
    sim.clock(11)
    found = okx.find(BTC, ordId=order_id)
    assert (found["state"], found["cancelSource"]) == ("canceled", "20")
