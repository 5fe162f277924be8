"""Binance over HTTP: who is let in, where parameters travel, how often one may ask, what faults do to answers."""

import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.simulator.binance.client import BTCUSDT, BinanceClient, signature
from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator_process import SimulatorProcess

ORDER = {"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01"}
POSTS = {"exchange": "binance", "method": "POST", "path": "v1/order"}


def now() -> int:
    return int(time.time() * 1000)


def held(client: BinanceClient) -> Decimal:
    return Decimal(client.risk(BTCUSDT, "LONG")["positionAmt"])


# -- who is let in


@pytest.mark.parametrize(("key", "http", "code"), [
    ("", 401, -2014), ("short", 401, -2014), ("x" * 64, 401, -2015),
])  # fmt: skip
def test_a_key_that_is_missing_malformed_or_unknown(binance: BinanceClient, key: Any, http: int, code: int) -> None:
    text = urlencode({"timestamp": now()})
    answer = binance.send("GET", "v3/account", f"{text}&signature={signature('any', text)}", key=key)
    if not key:
        binance.keys = {}
        answer = binance.send("GET", "v3/account", f"{text}&signature=00")
    assert (answer.http, answer.code) == (http, code)


def test_a_wrong_signature_and_a_missing_one(binance: BinanceClient) -> None:
    text = urlencode({"timestamp": now()})
    assert binance.send("GET", "v3/account", f"{text}&signature={'0' * 64}").code == -1022
    assert binance.send("GET", "v3/account", text).code == -1102
    upper = signature(binance.keys["secret"], text).upper()
    assert binance.send("GET", "v3/account", f"{text}&signature={upper}").http == 200


@pytest.mark.parametrize("where", ["query", "body"])
def test_parameters_in_the_query_or_in_a_form_body(binance: BinanceClient, where: str) -> None:
    binance.where = where
    placed = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000").ok
    changed = {"symbol": BTCUSDT, "side": "BUY", "orderId": placed["orderId"], "quantity": "0.01", "price": "99001"}
    assert binance.put("v1/order", **changed).ok["price"] == "99001.00"
    assert binance.delete("v1/order", symbol=BTCUSDT, orderId=placed["orderId"]).ok["status"] == "CANCELED"


def test_parameters_in_both_are_signed_without_anything_between_and_the_query_wins(binance: BinanceClient) -> None:
    query = urlencode({"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "MARKET"})
    body = urlencode({"side": "SELL", "quantity": "0.01", "timestamp": now()})
    signed = f"{body}&signature={signature(binance.keys['secret'], query + body)}"
    placed = binance.send("POST", "v1/order", query, signed).ok
    assert (placed["side"], placed["origQty"]) == ("BUY", "0.010")
    between = f"{body}&signature={signature(binance.keys['secret'], query + '&' + body)}"
    assert binance.send("POST", "v1/order", query, between).code == -1022


def test_the_signature_is_over_the_bytes_as_sent(binance: BinanceClient) -> None:
    raw = f"newClientOrderId=a:b&{urlencode(ORDER | {'timestamp': now()})}"
    sent = raw.replace("a:b", "a%3Ab")
    assert binance.send("POST", "v1/order", sent + f"&signature={signature(binance.keys['secret'], raw)}").code == -1022
    assert binance.send("POST", "v1/order", sent + f"&signature={signature(binance.keys['secret'], sent)}").http == 200


@pytest.mark.parametrize(("off", "window", "words"), [
    (-6_000, None, "outside of the recvWindow"), (-11_000, 10_000, "outside of the recvWindow"),
    (2_500, 60_000, "1000ms ahead of the server's time"),
])  # fmt: skip
def test_a_time_outside_the_window(
    sim: SimulatorProcess, binance: BinanceClient, off: int, window: int | None, words: str
) -> None:
    answer = binance.get("v3/account", timestamp=now() + off, recvWindow=window)
    assert answer.code == -1021
    assert words in answer.body["msg"]


@pytest.mark.parametrize(("off", "window"), [(-4_000, None), (-9_000, 10_000), (500, None)])
def test_a_time_inside_the_window(binance: BinanceClient, off: int, window: int | None) -> None:
    assert binance.get("v3/account", timestamp=now() + off, recvWindow=window).http == 200


def test_a_skewed_server_clock_is_told_and_kept(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(clock_offset_seconds=-30)
    assert binance.get("v3/account").code == -1021
    machine = now()
    assert binance.get("v3/account", timestamp=machine - 30_000).http == 200


def test_a_window_longer_than_the_switch_allows(sim: SimulatorProcess, binance: BinanceClient) -> None:
    assert binance.get("v3/account", recvWindow=9_999_999).http == 200
    sim.switches(binance_recv_window_max=60_000)
    assert binance.get("v3/account", recvWindow=60_001).code == -1131


def test_a_read_only_key_reads_and_does_not_trade(sim: SimulatorProcess, binance: BinanceClient) -> None:
    with BinanceClient(sim.base_url, sim.ready["binance_read_only"]) as reader:
        assert reader.get("v3/balance").http == 200
        refused = reader.post("v1/order", **ORDER)
        assert (refused.http, refused.code) == (401, -2015)


def test_unknown_paths(binance: BinanceClient) -> None:
    for path in ("v1/balance", "v1/positionRisk", "v1/nothing"):
        assert binance.get(path).http == 404, path


def test_empty_parameters_count_as_absent_and_unknown_ones_do_not_matter(binance: BinanceClient) -> None:
    placed = binance.post("v1/order", **ORDER, reduceOnly="", price="", stopLossPrice="1", newOrderRespType="RESULT")
    assert placed.ok["status"] == "FILLED"


# -- how often


def test_weights_add_up_in_the_header_until_429_and_then_418(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(rate_limits=True, binance_weight_limit=100, binance_ban_after=2, binance_ban_seconds=120)
    used = [int(binance.get("v1/openOrders").headers["X-MBX-USED-WEIGHT-1M"]) for _ in range(2)]
    assert used == [40, 80]
    assert binance.get("v1/openOrders", symbol=BTCUSDT).headers["X-MBX-USED-WEIGHT-1M"] == "81"
    first = binance.get("v1/openOrders")
    assert (first.http, first.code) == (429, -1003)
    assert binance.get("v1/openOrders").http == 429
    banned = binance.get("v1/openOrders")
    assert (banned.http, banned.code) == (418, -1003)
    until = int(sim.state()["now"] and banned.body["msg"].split("banned until ")[1].split(".")[0])
    assert f"banned until {until}" in banned.body["msg"]
    assert binance.send("GET", "v1/time").http == 418
    sim.clock(121)
    assert binance.get("v1/openOrders", symbol=BTCUSDT).http == 200


def test_new_orders_are_counted_and_limited(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(rate_limits=True, binance_orders_10s=3)
    for count in range(1, 4):
        answer = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000")
        assert (answer.headers["X-MBX-ORDER-COUNT-10S"], answer.headers["X-MBX-ORDER-COUNT-1M"]) == (str(count),) * 2
    refused = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000")
    assert (refused.http, refused.code) == (429, -1015)
    sim.clock(11)
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000").http == 200


def test_a_refused_order_bears_no_order_count(binance: BinanceClient) -> None:
    refused = binance.market(BTCUSDT, "BUY", "LONG", "0.0001")
    assert "X-MBX-ORDER-COUNT-10S" not in refused.headers
    assert "X-MBX-USED-WEIGHT-1M" in refused.headers


# -- faults


@pytest.mark.parametrize(("fault", "http", "code"), [
    ({"kind": "http_503", "variant": "A"}, 503, -1000),
    ({"kind": "code", "code": "-1006"}, 400, -1006),
    ({"kind": "code", "code": "-1007", "http": 408}, 408, -1007),
    ({"kind": "code", "code": "-1000"}, 400, -1000),
    ({"kind": "code", "code": "-1001"}, 400, -1001),
])  # fmt: skip
@pytest.mark.parametrize("executed", [True, False])
def test_an_unknown_outcome_may_or_may_not_have_happened(
    sim: SimulatorProcess, binance: BinanceClient, fault: dict[str, Any], http: int, code: int, executed: bool
) -> None:
    sim.faults({"match": POSTS, "count": 1, "executed": executed, **fault})
    answer = binance.post("v1/order", **ORDER)
    assert (answer.http, answer.code) == (http, code)
    assert held(binance) == (Decimal("0.01") if executed else 0)
    assert sim.fault_hits() == [1]


def test_the_words_of_the_three_kinds_of_503(sim: SimulatorProcess, binance: BinanceClient) -> None:
    said = []
    for variant in "ABC":
        sim.faults({"match": POSTS, "kind": "http_503", "variant": variant})
        answer = binance.post("v1/order", **ORDER)
        assert answer.http == 503
        said.append((answer.code, answer.body["msg"]))
    assert said[0][1].startswith("Unknown error, please check your request or try again later.")
    assert said[1][1] == "Service Unavailable."
    assert said[2][0] == -1008
    assert held(binance) == 0


def test_an_overload_spares_what_closes_but_not_the_algo_service(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.02")
    sim.faults({"match": {"exchange": "binance"}, "kind": "http_503", "variant": "C"})
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01").code == -1008
    assert binance.market(BTCUSDT, "SELL", "LONG", "0.01").http == 200
    assert binance.post("v1/algoOrder", symbol=BTCUSDT).code == -1008


@pytest.mark.parametrize(("kind", "executed"), [("lost_after", True), ("lost_before", False), ("reset", False)])
def test_a_connection_that_dies_after_or_before(
    sim: SimulatorProcess, binance: BinanceClient, kind: str, executed: bool
) -> None:
    sim.faults({"match": POSTS, "kind": kind, "count": 1})
    with pytest.raises(httpx.TransportError):
        binance.post("v1/order", **ORDER)
    assert held(binance) == (Decimal("0.01") if executed else 0)


@pytest.mark.parametrize(("seconds", "arrives"), [(3, True), (30, False)])
def test_a_late_request_is_carried_out_within_its_window_only(
    sim: SimulatorProcess, binance: BinanceClient, seconds: int, arrives: bool
) -> None:
    sim.faults({"match": POSTS, "kind": "late", "seconds": seconds, "count": 1})
    with pytest.raises(httpx.TransportError):
        binance.post("v1/order", **ORDER, recvWindow=10_000)
    assert held(binance) == 0
    sim.clock(seconds + 1)
    assert held(binance) == (Decimal("0.01") if arrives else 0)


def test_a_page_of_html_and_a_list_instead_of_an_object(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"match": POSTS, "kind": "html_502", "count": 1})
    answer = binance.http.post(f"/fapi/v1/order?{signed_order(binance)}", headers=key_of(binance))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (502, "text/html")
    sim.faults({"match": POSTS, "kind": "json_list", "count": 1})
    answer = binance.http.post(f"/fapi/v1/order?{signed_order(binance)}", headers=key_of(binance))
    assert (answer.status_code, type(answer.json())) == (400, list)
    assert held(binance) == 0


@pytest.mark.parametrize("kind", ["empty", "garbled"])
def test_an_answer_with_nothing_in_it_or_half_of_one(sim: SimulatorProcess, binance: BinanceClient, kind: str) -> None:
    sim.faults({"match": POSTS, "kind": kind, "executed": True, "count": 1})
    answer = binance.http.post(f"/fapi/v1/order?{signed_order(binance)}", headers=key_of(binance))
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert held(binance) == Decimal("0.01")


def test_fields_that_nobody_knows(sim: SimulatorProcess, binance: BinanceClient) -> None:
    known = set(binance.get("v3/balance").ok[0])
    sim.switches(extra_fields=True)
    assert len(set(binance.get("v3/balance").ok[0]) - known) == 1


def signed_order(client: BinanceClient) -> str:
    text = urlencode(ORDER | {"timestamp": now()})
    return f"{text}&signature={signature(client.keys['secret'], text)}"


def key_of(client: BinanceClient) -> dict[str, str]:
    return {"X-MBX-APIKEY": client.keys["api_key"]}


@pytest.mark.parametrize(("http", "code"), [(451, "0"), (403, "0"), (400, "-5028"), (400, "-1021")])
def test_any_other_answer_can_be_played(sim: SimulatorProcess, binance: BinanceClient, http: int, code: str) -> None:
    fault = {"kind": "code", "code": code, "http": http, "message": "as told", "count": 1}
    sim.faults({"match": {"exchange": "binance"}, **fault})
    answer = binance.get("v3/account")
    assert (answer.http, answer.body) == (http, {"code": int(code), "msg": "as told"})


def test_a_slow_answer_outlasts_an_impatient_client(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"match": POSTS, "kind": "slow", "seconds": 2, "count": 1})
    binance.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.TimeoutException):
        binance.post("v1/order", **ORDER)
    binance.http.timeout = httpx.Timeout(10)
    assert held(binance) == Decimal("0.01")


def test_faults_strike_one_exchange_and_spare_the_other(
    sim: SimulatorProcess, binance: BinanceClient, okx: OkxClient
) -> None:
    sim.faults({"match": {"exchange": "binance"}, "kind": "code", "code": "-1000"})
    assert okx.order(BTC, "buy", "long", "2").row["sCode"] == "0"
    assert binance.get("v3/balance").code == -1000
    sim.faults({"match": {"exchange": "okx"}, "kind": "code", "code": "50004"})
    assert binance.get("v3/balance").http == 200


def test_a_fault_rejects_one_order_by_its_id(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"match": {"clOrdId": "bad"}, "kind": "reject", "code": "-2019"})
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000", newClientOrderId="bad-1").code == -2019
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000", newClientOrderId="good-1").http == 200


def test_the_demo_side_has_more_weight_and_no_spot_addresses(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_flavour="demo")
    limits = binance.public("v1/exchangeInfo")["rateLimits"]
    assert next(row["limit"] for row in limits if row["rateLimitType"] == "REQUEST_WEIGHT") == 6000
    assert binance.get("/sapi/v1/capital/config/getall").http == 403


def test_every_answer_tells_the_weight_used_refusals_too(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(rate_limits=True, binance_weight_limit=50)
    answers = [binance.get(path) for path in ("v1/nothing", "v1/order", "v1/openOrders", "v1/openOrders")]
    assert [answer.http for answer in answers] == [404, 400, 200, 429]
    assert all("X-MBX-USED-WEIGHT-1M" in answer.headers for answer in answers)
