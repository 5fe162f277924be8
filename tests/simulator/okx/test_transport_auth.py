"""Who is let in, and in what form the exchange answers: headers, signatures, clocks, keys, worlds, strings."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.simulator.okx.client import BTC, OkxClient, order, signature
from tests.simulator_process import SimulatorProcess

START_MS = "1767225600000"  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("prehash", "expected"),
    [
        ("2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC", "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY="),
        ("1704876947GET/users/self/verify", "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="),
    ],
)
def test_this_client_signs_as_the_documentation_does(prehash: str, expected: str) -> None:
    assert signature("22582BD0CFF14C41EDBF1AB98506286D", prehash) == expected


def test_time_is_public_and_is_the_stepped_clock(sim: SimulatorProcess, public: OkxClient) -> None:
    assert public.get("public/time").row["ts"] == START_MS
    sim.clock(90)
    assert public.get("public/time").row["ts"] == "1767225690000"


def test_the_wire_is_http_1_1_and_json(public: OkxClient) -> None:
    answer = public.send("GET", "/api/v5/public/time")
    assert (answer.http_version, answer.headers["content-type"].split(";")[0]) == ("HTTP/1.1", "application/json")


def test_an_unknown_path_is_no_success(public: OkxClient) -> None:
    answer = public.send("GET", "/api/v5/trade/nothing-here")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("OK-ACCESS-KEY", "50103"),
        ("OK-ACCESS-PASSPHRASE", "50104"),
        ("OK-ACCESS-SIGN", "50106"),
        ("OK-ACCESS-TIMESTAMP", "50107"),
    ],
)
def test_a_header_left_out_is_named(okx: OkxClient, missing: str, code: str) -> None:
    path = "/api/v5/account/balance"
    headers = okx.headers("GET", path)
    del headers[missing]
    assert_let_out(okx.http.get(path, headers=headers), code)


@pytest.mark.parametrize(
    ("story", "wrong", "code"),
    [
        ("passphrase", {"OK-ACCESS-PASSPHRASE": "not this one"}, "50105"),
        ("signature", {"OK-ACCESS-SIGN": "c2lnbmF0dXJl"}, "50113"),
        ("no such key", {"OK-ACCESS-KEY": "00000000-0000-4000-8000-000000000000"}, "50119"),
        ("not a time", {"OK-ACCESS-TIMESTAMP": "yesterday"}, "50112"),
    ],
)
def test_a_wrong_header_is_refused(okx: OkxClient, story: str, wrong: dict[str, Any], code: str) -> None:
    assert_let_out(okx.send("GET", "/api/v5/account/balance", headers=wrong), code)


@pytest.mark.parametrize("off_seconds", [-31, 31])
def test_a_time_more_than_thirty_seconds_off_is_refused(okx: OkxClient, off_seconds: int) -> None:
    path = "/api/v5/account/balance"
    headers = okx.headers("GET", path, at=datetime.now(UTC) + timedelta(seconds=off_seconds))
    assert_let_out(okx.http.get(path, headers=headers), "50102")


@pytest.mark.parametrize("off_seconds", [-25, 25])
def test_a_time_less_than_thirty_seconds_off_passes(okx: OkxClient, off_seconds: int) -> None:
    path = "/api/v5/account/balance"
    headers = okx.headers("GET", path, at=datetime.now(UTC) + timedelta(seconds=off_seconds))
    assert okx.http.get(path, headers=headers).json()["code"] == "0"


def test_the_simulators_own_time_is_good_for_a_signature_too(okx: OkxClient) -> None:
    path = "/api/v5/account/balance"
    headers = okx.headers("GET", path, at=datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC))
    assert okx.http.get(path, headers=headers).json()["code"] == "0"


def test_a_server_clock_that_is_off_shows_it_and_judges_by_it(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(clock_offset_seconds=60)
    path = "/api/v5/account/balance"
    assert okx.get("public/time").row["ts"] == "1767225660000"
    assert_let_out(okx.send("GET", path), "50102")
    headers = okx.headers("GET", path, at=datetime.now(UTC) + timedelta(seconds=60))
    assert okx.http.get(path, headers=headers).json()["code"] == "0"


def test_an_address_off_the_keys_whitelist_is_refused(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"path": "account/balance"}, "kind": "code", "code": "50110", "http": 401, "count": 1})
    assert_let_out(okx.send("GET", "/api/v5/account/balance"), "50110")
    assert okx.get("account/balance").code == "0"


def assert_let_out(answer: httpx.Response, code: str) -> None:
    """401 with msg and code, and no data."""
    assert (answer.status_code, answer.json()["code"]) == (401, code), answer.text
    assert set(answer.json()) == {"msg", "code"}
    assert answer.json()["msg"]


def test_the_signature_covers_the_query_and_the_body_as_sent(okx: OkxClient) -> None:
    assert okx.get("account/positions", instId=f"{BTC},ETH-USDT-SWAP", instType="SWAP").code == "0"
    for spaced in ((", ", ": "), (",", ":")):
        body = json.dumps({"instId": BTC, "lever": "5", "mgnMode": "cross"}, separators=spaced)
        assert okx.send("POST", "/api/v5/account/set-leverage", body).json()["code"] == "0"
    signed_for_another = okx.headers("GET", "/api/v5/account/balance?ccy=BTC")
    assert_let_out(okx.http.get("/api/v5/account/balance?ccy=USDT", headers=signed_for_another), "50113")


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_get_may_carry_either_content_type(okx: OkxClient, content_type: str) -> None:
    answer = okx.send("GET", "/api/v5/account/balance", headers={"Content-Type": content_type})
    assert answer.json()["code"] == "0"


def test_a_post_that_is_not_json_is_refused(okx: OkxClient) -> None:
    body = json.dumps(order(BTC, "buy", "long", "1"))
    answer = okx.send("POST", "/api/v5/trade/order", body, {"Content-Type": "text/plain"})
    assert answer.json()["code"] == "50006"
    assert okx.positions() == []


def test_a_path_prefix_is_taken_off_before_the_signature_is_checked(okx: OkxClient) -> None:
    signed = okx.headers("GET", "/api/v5/account/balance")
    assert okx.http.get("/okx/api/v5/account/balance", headers=signed).json()["code"] == "0"


@pytest.mark.parametrize("header", [None, "0", "1"])
def test_by_default_there_is_one_world_and_the_header_does_not_matter(
    sim: SimulatorProcess, header: str | None
) -> None:
    with OkxClient(sim.base_url, sim.okx, demo=header) as client:
        assert client.get("account/balance").code == "0"


def test_two_worlds_have_keys_positions_and_contracts_of_their_own(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(two_worlds=True)
    demo_keys = sim.switches()["demo_keys"]
    with OkxClient(sim.base_url, demo_keys, demo="1") as demo:
        live_value = okx.get("public/instruments", instType="SWAP", instId=BTC).row["ctVal"]
        demo_value = demo.get("public/instruments", instType="SWAP", instId=BTC).row["ctVal"]
        assert (live_value, demo_value) == ("0.01", "0.001")
        assert demo.order(BTC, "buy", "long", "1").row["sCode"] == "0"
        assert len(demo.positions()) == 1
        assert okx.positions() == []
    with OkxClient(sim.base_url, sim.okx, demo="1") as live_key_on_demo:
        assert_let_out(live_key_on_demo.send("GET", "/api/v5/account/balance"), "50101")
    with OkxClient(sim.base_url, demo_keys) as demo_key_on_live:
        assert_let_out(demo_key_on_live.send("GET", "/api/v5/account/balance"), "50101")


@pytest.mark.parametrize(
    ("key", "permissions"),
    [
        ("okx", {"read_only", "trade"}),
        ("okx_read_only", {"read_only"}),
        ("okx_withdraw", {"read_only", "trade", "withdraw"}),
    ],
)
def test_a_key_tells_its_permissions(sim: SimulatorProcess, key: str, permissions: set[str]) -> None:
    with OkxClient(sim.base_url, sim.ready[key]) as client:
        assert set(client.get("account/config").row["perm"].split(",")) == permissions


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("trade/order", order(BTC, "buy", "long", "1")),
        ("trade/batch-orders", [order(BTC, "buy", "long", "1")]),
        ("trade/cancel-order", {"instId": BTC, "ordId": "1"}),
        ("trade/amend-order", {"instId": BTC, "ordId": "1", "newSz": "2"}),
        ("trade/close-position", {"instId": BTC, "mgnMode": "cross", "posSide": "long"}),
        ("trade/order-algo", order(BTC, "sell", "long", "1", ordType="conditional", slTriggerPx="1", slOrdPx="-1")),
        ("trade/cancel-algos", [{"instId": BTC, "algoId": "1"}]),
        ("account/set-leverage", {"instId": BTC, "lever": "5", "mgnMode": "cross"}),
    ],
)
def test_a_read_only_key_reads_and_changes_nothing(sim: SimulatorProcess, path: str, body: Any) -> None:
    with OkxClient(sim.base_url, sim.ready["okx_read_only"]) as reader:
        assert reader.positions() == []
        assert reader.post(path, body).code == "50120"
        assert reader.positions() == []


def test_an_account_in_spot_mode_cannot_trade_swaps(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(acct_lv="1")
    assert okx.get("account/config").row["acctLv"] == "1"
    assert okx.order(BTC, "buy", "long", "1").refusal == "51010"


READS = [
    ("public/instruments", {"instType": "SWAP"}),
    ("public/mark-price", {"instType": "SWAP", "instId": BTC}),
    ("public/funding-rate", {"instId": BTC}),
    ("public/price-limit", {"instId": BTC}),
    ("market/ticker", {"instId": BTC}),
    ("market/tickers", {"instType": "SWAP"}),
    ("market/candles", {"instId": BTC}),
    ("market/books", {"instId": BTC}),
    ("account/config", {}),
    ("account/balance", {}),
    ("account/positions", {}),
    ("account/leverage-info", {"instId": BTC, "mgnMode": "cross"}),
    ("account/bills", {}),
    ("trade/orders-pending", {}),
    ("trade/orders-history", {"instType": "SWAP"}),
    ("trade/fills", {}),
    ("trade/orders-algo-pending", {"ordType": "conditional,oco"}),
]
NOT_STRINGS = {"instIdCode", "autoLoan", "enableSpotBorrow", "spotBorrowAutoRepay", "enabled", "seqId", "prevSeqId"}


def leaves(value: object, name: str = "") -> list[tuple[str, object]]:
    """Every value that holds no others, with the name it stands under."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, str(key))]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, name)]
    return [(name, value)]


@pytest.mark.parametrize(("path", "parameters"), READS, ids=[path for path, _ in READS])
def test_every_value_is_a_string_and_nothing_is_null(okx: OkxClient, path: Any, parameters: Any) -> None:
    okx.order(BTC, "buy", "long", "1")
    okx.order(BTC, "buy", "long", "1", ordType="limit", px="99000")
    okx.algo(BTC, "sell", "long", "oco", sz="1", slTriggerPx="95000", slOrdPx="-1", tpTriggerPx="105000", tpOrdPx="-1")
    rows = okx.get(path, **parameters).rows
    assert rows
    odd = [(name, value) for name, value in leaves(rows) if not isinstance(value, str) and name not in NOT_STRINGS]
    assert odd == []


def test_unknown_fields_can_be_added_to_every_row(sim: SimulatorProcess, okx: OkxClient) -> None:
    known = {path: set(okx.get(path, **parameters).rows[0]) for path, parameters in READS[:1]}
    sim.switches(extra_fields=True)
    seen: set[str] = set()
    for _ in range(20):
        for path, parameters in READS[:1]:
            for row in okx.get(path, **parameters).rows:
                seen |= set(row) - known[path]
    assert seen


def test_empty_strings_and_nulls_mean_not_sent(okx: OkxClient) -> None:
    body = order(BTC, "buy", "long", "1", ccy="", clOrdId="", tag="", px="", reduceOnly="", tgtCcy="", stpMode="")
    assert okx.post("trade/order", body | {"attachAlgoOrds": None, "pxUsd": "", "banAmend": ""}).row["sCode"] == "0"


def test_unknown_keys_are_ignored(okx: OkxClient) -> None:
    assert okx.order(BTC, "buy", "long", "1", stopLossPrice="90000", anything={"at": "all"}).row["sCode"] == "0"


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '"text"', "null"])
def test_a_body_that_is_no_order_is_refused_not_crashed_on(okx: OkxClient, body: str) -> None:
    answer = okx.send("POST", "/api/v5/trade/order", body)
    assert answer.status_code < 500, answer.text
    assert answer.json()["code"] != "0"


def test_a_second_process_on_the_same_state_is_refused(sim: SimulatorProcess) -> None:
    with pytest.raises(RuntimeError, match=r"(?i)state|another|already"):
        SimulatorProcess(state_dir=sim.state_dir).start()
