"""What an answer, or none, makes of a read and of a write. A failed read never becomes an empty one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, PerpdeckError, Refused, Unavailable
from core.domain.order import OrderKind
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.codes import FACTS, MEANS, Says, codes_of, failed_write
from core.exchange.binance.limits import USUAL_WEIGHT, Budget, weight_of
from core.exchange.binance.parse import parse_algo, parse_order
from core.exchange.binance.rest_session import never_sent, understood
from core.exchange.rest import Priority
from core.exchange.rest import RestAnswer as Refusal
from tests.wire.binance.conftest import KEY, SECRET
from tests.wire.binance.stub import Answer, Stub, payload, refused
from tests.wire.binance.words import BTC, close, entry, stop
from tests.wire.conftest import Time
from tests.wire.stub import Page, Vanish
from tests.wire.test_answers import closed_port

GATEWAY = Page(502, "<html><center><h1>502 Bad Gateway</h1></center></html>")
UNKNOWN_503 = Page(
    503, '{"code":-1,"msg":"Unknown error, please check your request or try again later."}', "application/json"
)
FAILED_503 = Page(503, '{"msg":"Service Unavailable."}', "application/json")
THROTTLED = refused(-1008, "Request throttled by system-level protection.", 503)
BANNED = "Way too many requests; IP(1.2.3.4) banned until 1781956890000. Please use the websocket for live updates."


# -- writes: three endings


@pytest.mark.parametrize(("story", "answer", "code"), [
    ("margin", refused(-2019, "Margin is insufficient."), "-2019"),
    ("not on the grid", refused(-1111, "Precision is over the maximum defined for this asset."), "-1111"),
    ("a conditional kind at the wrong place", refused(-4120), "-4120"),
    ("a wrong key", refused(-2015, "Invalid API-key, IP, or permissions for action.", 401), "-2015"),
    ("a wrong signature", refused(-1022), "-1022"),
    ("a code of tomorrow", refused(-9999, "Something new."), "-9999"),
    ("a code in an answer that says 200", {"code": -2010, "msg": "New order rejected."}, "-2010"),
    ("a page that says 404", Page(404, "<html>not here</html>"), "404"),
    ("a place that may not trade", refused(0, "Service unavailable from a restricted location", 451), "451"),
    ("JSON of another kind", Page(400, "[]", "application/json"), "400"),
])  # fmt: skip
def test_refused(binance: BinanceClient, stub: Stub, story: str, answer: Any, code: Any) -> None:
    stub.answer("POST v1/order", answer)
    with pytest.raises(Refused) as caught:
        binance.place(entry())
    assert caught.value.exchange_code == code, story
    assert not caught.value.transient
    assert len(stub.to("POST v1/order")) == 1


@pytest.mark.parametrize(("story", "answer"), [
    ("overload", THROTTLED), ("not available", FAILED_503), ("rate", refused(-1003, status=429)),
    ("rate of orders", refused(-1015, status=429)), ("a ban", refused(-1003, BANNED, 418)),
    ("rate, from the edge", Page(429, "slow down")), ("the firewall", Page(403, "<html>WAF</html>")),
    ("settings are copied over", refused(-4531)), ("shutting down", refused(-1016, status=503)),
])  # fmt: skip
def test_refusals_that_pass_by_themselves(binance: BinanceClient, stub: Stub, story: str, answer: Any) -> None:
    stub.answer("POST v1/order", answer)
    with pytest.raises(Refused) as caught:
        binance.place(entry())
    assert caught.value.transient, story
    assert len(stub.to("POST v1/order")) == 1


@pytest.mark.parametrize(("story", "answer"), [
    ("503, nobody knows", UNKNOWN_503), ("the backend timed out", refused(-1007, status=408)),
    ("the status is not known", refused(-1006, status=500)), ("not known by its HTTP status", Page(408, "{}")),
    ("an error while processing", refused(-1000)), ("disconnected", refused(-1001, status=500)),
    ("an id that stands", refused(-4116, "ClientOrderId is duplicated.")), ("a page of the edge", GATEWAY),
    ("an empty answer", Page(200, "", "application/json")), ("a server's list", Page(500, "[1]", "application/json")),
    ("a page that says yes", Page(200, "<html>hello</html>")), ("the connection cut", Vanish),
    ("yes and nothing else", {}), ("yes in a list", []), ("yes without a number", {"clientOrderId": "op00a7k203E01"}),
    ("a code of tomorrow from a failing server", refused(-9999, status=500)),
])  # fmt: skip
def test_what_leaves_open_whether_it_happened_is_sent_once_and_unknown(
    binance: BinanceClient, stub: Stub, story: str, answer: Any
) -> None:
    stub.answer("POST v1/order", answer)
    with pytest.raises(OutcomeUnknown):
        binance.place(entry())
    assert len(stub.to("POST v1/order")) == 1, story


def test_the_same_for_protection_changes_and_cancels(binance: BinanceClient, stub: Stub) -> None:
    order, algo = parse_order(payload("open_orders")[0]), parse_algo(payload("open_algos")[0])
    for endpoint in ("POST v1/algoOrder", "PUT v1/order", "DELETE v1/order", "DELETE v1/algoOrder"):
        stub.answer(endpoint, UNKNOWN_503)
    for write in (
        lambda: binance.place_oco(stop()),
        lambda: binance.amend(AmendOrder("00a7k2", order, quantity=D("0.009"))),
        lambda: binance.cancel(CancelOrder("00a7k2", order)),
        lambda: binance.cancel(CancelOrder("00a7k2", algo)),
    ):
        with pytest.raises(OutcomeUnknown):
            write()
    assert len([request for request in stub.asked if not request.endpoint.startswith("GET")]) == 4


def test_nobody_listens_so_nothing_was_sent(make_client: Callable[..., BinanceClient]) -> None:
    client = make_client(rest_url=closed_port())
    with pytest.raises(Refused) as caught:
        client.place_oco(stop())
    assert caught.value.transient
    with pytest.raises(Unavailable):
        client.positions()


def test_only_a_connection_that_was_never_made_was_not_sent() -> None:
    unmade = MaxRetryError(None, "/", NewConnectionError(None, "refused"))
    assert never_sent(requests.ConnectionError(unmade))
    assert never_sent(requests.ConnectTimeout("late"))
    assert not never_sent(requests.ConnectionError(ProtocolError("Connection aborted.")))
    assert not never_sent(requests.ReadTimeout("late"))
    assert not never_sent(requests.exceptions.ChunkedEncodingError("cut"))


def test_a_wrong_idea_of_the_time_is_put_right_and_asked_once_more(
    binance: BinanceClient, stub: Stub, clock: Time
) -> None:
    stub.answer("POST v1/order", refused(-1021, "Timestamp for this request is outside of the recvWindow."), "placed")
    assert binance.place(entry()) == "8886774"
    assert len(stub.to("POST v1/order")) == 2
    stub.answer("POST v1/algoOrder", refused(-5028), refused(-5028), "placed_algo")
    with pytest.raises(Refused) as caught:
        binance.place_oco(stop())
    assert caught.value.transient
    assert len(stub.to("POST v1/algoOrder")) == 2


def test_a_read_with_a_wrong_time_too(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/positionRisk", refused(-1021), [])
    assert binance.positions() == []
    assert len(stub.to("GET v1/time")) == 1


def test_a_mode_that_somebody_changed_is_read_anew(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", refused(-4061, "Order's position side does not match user's setting."), "placed")
    with pytest.raises(Refused):
        binance.place(close())
    stub.answer("GET v1/accountConfig", {**payload("account_config"), "dualSidePosition": False})
    binance.place(close())
    assert stub.to("POST v1/order")[1].parameters["reduceOnly"] == "true"


# -- a close that is refused


def held(amount: Any) -> Any:
    row = {**payload("position_risk")[0], "positionAmt": amount}
    return [row] if D(amount) else []


@pytest.mark.parametrize("code", [-2022, -4118])
def test_a_close_is_refused_because_nothing_is_held(binance: BinanceClient, stub: Stub, code: Any) -> None:
    stub.answer("POST v1/order", refused(code, "ReduceOnly Order is rejected."))
    stub.answer("GET v3/positionRisk", held("0"))
    with pytest.raises(Refused) as caught:
        binance.place(close())
    assert caught.value.exchange_code in FACTS.nothing_held_codes


@pytest.mark.parametrize("code", [-2022, -4118])
def test_a_close_is_refused_because_of_what_rests(binance: BinanceClient, stub: Stub, code: Any) -> None:
    resting = {**payload("open_orders")[0], "clientOrderId": "op00a7k203C01", "side": "SELL", "origQty": "0.010"}
    stub.answer("POST v1/order", refused(code, "ReduceOnly Order is rejected."))
    stub.answer("GET v3/positionRisk", held("0.010"))
    stub.answer("GET v1/openOrders", [resting, payload("open_orders")[0]])
    stub.answer("GET v1/openAlgoOrders", payload("open_algos"))
    with pytest.raises(Refused) as caught:
        binance.place(close(client_order_id="op00a7k203C02"))
    assert caught.value.exchange_code not in FACTS.nothing_held_codes
    assert "0.01 are held" in caught.value.exchange_words
    assert "op00a7k203C01 over 0.01" in caught.value.exchange_words
    assert "S01" not in caught.value.exchange_words  # an order that waits for its trigger stands in nobody's way


def test_a_close_is_refused_and_nobody_tells_why(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", refused(-2022))
    stub.answer("GET v3/positionRisk", GATEWAY)
    with pytest.raises(Refused) as caught:
        binance.place(close())
    assert caught.value.exchange_code not in FACTS.nothing_held_codes


# -- reads


@pytest.mark.parametrize(("story", "answers"), [
    ("a gateway's page", [GATEWAY]), ("a cut", [Vanish]), ("nobody knows", [UNKNOWN_503]), ("overload", [THROTTLED]),
    ("not available, twice", [FAILED_503, FAILED_503]), ("no list", [{}]),
])  # fmt: skip
def test_reads_are_tried_again(binance: BinanceClient, stub: Stub, clock: Time, story: str, answers: Any) -> None:
    stub.answer("GET v3/positionRisk", *answers, [])
    if story == "no list":
        with pytest.raises(Unavailable):
            binance.positions()
        return
    assert binance.positions() == []
    assert len(stub.to("GET v3/positionRisk")) == len(answers) + 1
    assert clock.pauses == [0.2, 0.4][: len(answers)]


@pytest.mark.parametrize("answer", [GATEWAY, refused(-2015, status=401), refused(-1121), Page(404, "")])
def test_a_read_that_fails_is_unavailable_and_never_empty(binance: BinanceClient, stub: Stub, answer: Any) -> None:
    for endpoint in (
        "GET v3/positionRisk", "GET v1/openOrders", "GET v1/openAlgoOrders", "GET v1/income", "GET v3/account",
        "GET v1/order", "GET v1/algoOrder", "GET v1/exchangeInfo", "GET v2/ticker/price", "GET v1/klines",
    ):  # fmt: skip
        stub.answer(endpoint, answer)
    since = binance.exchange_now() - timedelta(hours=1)
    for read in (
        binance.positions, binance.working_orders, binance.account_state, binance.instruments,
        lambda: binance.fills(since), lambda: binance.funding(since), lambda: binance.closed_positions(since),
        lambda: binance.find("op00a7k203E01", BTC, OrderKind.LIMIT), lambda: binance.ticker(BTC),
        lambda: binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL), lambda: binance.candles(BTC, "1m", 5),
    ):  # fmt: skip
        with pytest.raises(Unavailable):
            read()


def test_a_wrong_key_is_told_with_its_code_and_asked_once(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/account", refused(-2015, "Invalid API-key, IP, or permissions for action.", 401))
    with pytest.raises(Unavailable) as caught:
        binance.account_state()
    assert caught.value.exchange_code == "-2015"
    assert len(stub.to("GET v3/account")) == 1


def test_a_closed_client_sends_nothing(binance: BinanceClient, stub: Stub) -> None:
    binance.close()
    with pytest.raises(Unavailable):
        binance.positions()
    with pytest.raises(Refused) as caught:
        binance.place_oco(stop())
    assert caught.value.transient
    assert stub.asked == []


@pytest.mark.parametrize(("answers", "working"), [
    ([{}], False), ([refused(-1016, "This service is no longer available.", 503)], True), ([FAILED_503], True),
])  # fmt: skip
def test_maintenance(binance: BinanceClient, stub: Stub, answers: Any, working: Any) -> None:
    stub.answer("GET v1/ping", *answers)
    assert binance.under_maintenance() is working
    assert binance.under_maintenance() is working


# -- haste


def test_told_to_stop_it_stops_altogether_until_the_time_told(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    stub.answer("GET v1/time", lambda _: {"serverTime": int(clock.now().timestamp() * 1000)})
    stub.answer("GET v3/positionRisk", refused(-1003, BANNED, 418), [])
    stub.answer("POST v1/algoOrder", "placed_algo")
    with pytest.raises(Unavailable):
        binance.positions()
    before = len(stub.asked)
    with pytest.raises(Unavailable) as caught:
        binance.positions()
    with pytest.raises(Refused) as refusal:
        binance.place_oco(stop())
    assert (caught.value.exchange_code, refusal.value.transient) == ("budget", True)
    assert len(stub.asked) == before
    clock.passed = 90.0  # 1781956890000
    assert binance.positions() == []
    binance.place_oco(stop())


@pytest.mark.parametrize(("answer", "seconds"), [
    (Answer({"code": -1003, "msg": "Too many requests."}, {"Retry-After": "7"}, 429), 7), (Page(429, "slow"), 60),
])  # fmt: skip
def test_and_so_without_a_time_in_words(
    binance: BinanceClient, stub: Stub, clock: Time, answer: Any, seconds: float
) -> None:
    stub.answer("GET v3/positionRisk", answer, [])
    for passed, sent in ((0, 1), (seconds - 3, 1), (seconds, 2)):
        clock.passed = passed
        if sent == 2:
            assert binance.positions() == []
        else:
            with pytest.raises(Unavailable):
                binance.positions()
        assert len(stub.to("GET v3/positionRisk")) == sent


def test_too_many_orders_stop_new_orders_and_nothing_else(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    stub.answer("GET v1/time", lambda _: {"serverTime": int(clock.now().timestamp() * 1000)})
    stub.answer("POST v1/algoOrder", refused(-1015, "Too many new orders.", 429), "placed_algo")
    stub.answer("DELETE v1/algoOrder", "canceled_algo")
    for _ in range(2):
        with pytest.raises(Refused):
            binance.place_oco(stop())
    assert len(stub.to("POST v1/algoOrder")) == 1
    binance.cancel(CancelOrder("00a7k2", parse_algo(payload("open_algos")[0])))
    clock.passed = 10.0
    binance.place_oco(stop())


def test_binances_own_count_is_believed_and_protection_finds_room(
    binance: BinanceClient, stub: Stub, clock: Time
) -> None:
    def used(weight: Any, body: Any) -> Any:
        return Answer(body, {"X-MBX-USED-WEIGHT-1M": str(weight)})

    stub.answer("GET v3/positionRisk", used(2050, []))
    stub.answer("POST v1/algoOrder", "placed_algo")
    stub.answer("DELETE v1/algoOrder", used(2390, payload("canceled_algo")))
    binance.positions()
    assert binance.usage()["weight 1m"] == (2050, USUAL_WEIGHT)
    for _ in range(4):  # looks go on slowly, on a little of what is kept for orders
        binance.positions()
    with pytest.raises(Unavailable) as caught:
        binance.positions()
    assert caught.value.exchange_code == "budget"
    binance.place_oco(stop())
    binance.cancel(CancelOrder("00a7k2", parse_algo(payload("open_algos")[0])))
    clock.passed = 60.0
    assert binance.positions() == []


def test_an_order_of_history_waits_before_a_look_does() -> None:
    budget, now, at = Budget(sleep=lambda seconds: None), USUAL_WEIGHT, Time().now
    assert budget.take(now // 2, Priority.HISTORY, at) == 0
    assert budget.take(1, Priority.HISTORY, at) > 2
    assert budget.take(80, Priority.LOOK, at) == 0
    assert budget.take(now, Priority.LOOK, at) > 2
    assert budget.take(1, Priority.WRITE, at) == 0
    assert budget.take(0, Priority.LOOK, at) == 0
    budget.answered(80, None, at())
    assert budget.used(at()) == now // 2 + 81


@pytest.mark.parametrize(("endpoint", "parameters", "weight"), [
    ("GET openOrders", {}, 40), ("GET openOrders", {"symbol": "BTCUSDT"}, 1), ("GET openAlgoOrders", {}, 40),
    ("GET positionRisk", {}, 5), ("GET income", {}, 30), ("GET userTrades", {"symbol": "BTCUSDT"}, 5),
    ("POST order", {}, 0), ("POST algoOrder", {}, 0), ("DELETE algoOrder", {}, 1), ("GET ping", {}, 1),
    ("GET klines", {"limit": 99}, 1), ("GET klines", {"limit": 100}, 2), ("GET klines", {"limit": 1000}, 5),
    ("GET klines", {"limit": 1500}, 10), ("GET commissionRate", {}, 20),
])  # fmt: skip
def test_what_a_request_weighs(endpoint: Any, parameters: Any, weight: Any) -> None:
    assert weight_of(endpoint, parameters) == weight


def test_the_weight_that_a_minute_allows_is_read_with_the_contracts(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/exchangeInfo", "exchange_info")
    stub.answer("GET v1/leverageBracket", "leverage_bracket")
    stub.answer("GET v1/commissionRate", "commission_rate")
    binance.instruments()
    assert binance.usage()["weight 1m"][1] == 6000


# -- the table of codes


def test_each_code_says_one_thing_and_each_ending_follows_from_it() -> None:
    for code, says in MEANS.items():
        error = failed_write("it", Refusal(code, "words"))
        if says in (Says.OPEN, Says.EXISTS):
            assert isinstance(error, OutcomeUnknown), code
        else:
            assert isinstance(error, Refused), code
            assert error.transient == (says in (Says.AGAIN, Says.TOO_FAST, Says.CLOCK)), code


def test_facts() -> None:
    assert FACTS.stop_passed_codes == FACTS.target_passed_codes == {"-2021", "-4142"}
    assert {"-1111", "-4014", "-4023"} <= FACTS.precision_codes
    assert FACTS.request_lifetime == timedelta(seconds=6)
    assert (FACTS.conditional_settle, FACTS.max_conditional) == (timedelta(seconds=60), 200)
    assert not any((FACTS.native_oco, FACTS.can_amend_triggers, FACTS.attaches_protection))
    assert not FACTS.nothing_held_codes & codes_of(Says.STATE, Says.OPEN)


def test_a_code_that_no_table_knows_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        failed_write("it", Refusal("-9999", "Something new."))
    assert "-9999" in caplog.text


def test_understood_keeps_decimals() -> None:
    assert understood(200, b'{"maintMarginRatio": 0.0065}').body == {"maintMarginRatio": D("0.0065")}


# -- secrets


def test_no_secret_in_any_error_or_log(
    make_client: Callable[..., BinanceClient], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    listen_key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    stub.answer("PUT v1/listenKey", refused(-1125))
    clients = [make_client(), make_client(rest_url=closed_port())]
    stub.answer("GET v3/account", Vanish)
    stub.answer("POST v1/algoOrder", Vanish)
    told = []
    for client in clients:
        told += [repr(client._session), repr(client), str(vars(client).keys())]
        for ask in (
            client.account_state,
            lambda client=client: client.place_oco(stop()),
            lambda client=client: client.renew_listen_key(listen_key),
        ):
            with pytest.raises(PerpdeckError) as caught:
                ask()
            error = caught.value
            told += [str(error), repr(error), error.exchange_words, repr(error.__cause__)]
    everything = "\n".join([*told, caplog.text])
    for secret in (KEY, SECRET, listen_key, "signature="):
        assert secret not in everything
