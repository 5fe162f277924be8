"""What an answer, or none, makes of a read and of a write. A failed read never becomes an empty one."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import httpx
import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, PerpdeckError, Refused, Unavailable
from core.domain.order import OrderKind
from core.exchange.okx.client import OKXClient
from core.exchange.okx.codes import FACTS
from core.exchange.okx.parse import parse_algo, parse_order
from core.exchange.okx.rest_session import is_loopback
from core.exchange.throttle import Limit, Throttle
from tests.wire.conftest import KEY, PASSPHRASE, SECRET, Time
from tests.wire.stub import Page, Stub, Vanish, row, rows
from tests.wire.words import BTC, close, entry, protection

GATEWAY = Page(502, "<html><center><h1>502 Bad Gateway</h1></center></html>")


def code(number: str, words: str = "words of OKX", **more: object) -> dict[str, object]:
    return {"code": number, "msg": words, "data": [], **more}


def nested(number: str, words: str = "words of OKX", top: str = "1") -> dict[str, object]:
    return {"code": top, "msg": "All operations failed", "data": [{"ordId": "", "sCode": number, "sMsg": words}]}


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


# -- writes: three endings


@pytest.mark.parametrize(("story", "answer", "refusal", "words"), [
    ("margin, in the row", "refused_margin", "51008", "Order failed. Insufficient USDT margin in account"),
    ("in the row of an envelope that says 0", "refused_in_envelope_zero", "51280", "SL trigger price cannot be higher"),
    ("the whole request", code("50002"), "50002", "words of OKX"),
    ("a wrong key, without data", "refused_wrong_key", "50119", "API key doesn't exist"),
    ("all failed and no row says why", {"code": "1", "msg": "Operation failed.", "data": []}, "1", "Operation failed."),
    ("a code of tomorrow", nested("59999"), "59999", "words of OKX"),
])  # fmt: skip
def test_refused(okx: OKXClient, stub: Stub, story: str, answer: Any, refusal: Any, words: str) -> None:
    stub.answer("trade/order", answer)
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert caught.value.exchange_code == refusal, story
    assert caught.value.exchange_words.startswith(words)
    assert not caught.value.transient
    assert len(stub.to("trade/order")) == 1


@pytest.mark.parametrize(("story", "answer"), [
    ("rate of the endpoint", "refused_too_fast"),
    ("the same with HTTP 429", Page(429, '{"code":"50011","msg":"Too Many Requests","data":[]}', "application/json")),
    ("the same from the edge", Page(429, "slow down", "text/plain")),
    ("rate of the account", code("50061")), ("rate of operations", nested("50040")),
    ("too late on arrival", code("50036")), ("too late in the queue", nested("50037")),
])  # fmt: skip
def test_refusals_that_pass_by_themselves(okx: OKXClient, stub: Stub, story: str, answer: Any) -> None:
    stub.answer("trade/order", answer)
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert caught.value.transient, story


@pytest.mark.parametrize(("story", "answer"), [
    ("the gateway timed out", code("50004")), ("service unavailable", code("50001")), ("system busy", code("50013")),
    ("system error", code("50026")), ("the order timed out", nested("51054")), ("it timed out", nested("51149")),
    ("an id that exists already", nested("51016")), ("an algo id that exists", nested("51065")),
    ("an attached id that exists", nested("51068")), ("the same by another name", nested("51011")),
    ("and by a general code", nested("51000", "Parameter clOrdId  error")),
    ("a page of the edge", GATEWAY), ("an empty page", Page(200, "", "application/json")),
    ("JSON of another kind", Page(200, "[]", "application/json")), ("the connection cut", Vanish),
    ("yes and nothing else", code("0")), ("yes without an id", {"code": "0", "msg": "", "data": [{"sCode": "0"}]}),
])  # fmt: skip
def test_what_leaves_open_whether_it_happened_is_sent_once_and_unknown(
    okx: OKXClient, stub: Stub, story: str, answer: Any
) -> None:
    stub.answer("trade/order", answer)
    with pytest.raises(OutcomeUnknown):
        okx.place(entry())
    assert len(stub.to("trade/order")) == 1, story


def test_the_same_for_protection_changes_and_cancels(okx: OKXClient, stub: Stub) -> None:
    order = parse_order(rows("orders_pending")[0])
    for path in ("order-algo", "amend-order", "amend-algos", "cancel-order", "cancel-algos"):
        stub.answer(f"trade/{path}", GATEWAY)
    algo = parse_algo(rows("algos_pending")[0])
    writes = [
        lambda: okx.place_oco(protection()),
        lambda: okx.amend(AmendOrder("00a7k2", order, quantity=D(9))),
        lambda: okx.amend(AmendOrder("00a7k2", algo, quantity=D(9))),
        lambda: okx.cancel(CancelOrder("00a7k2", order)),
        lambda: okx.cancel(CancelOrder("00a7k2", algo)),
    ]
    for write in writes:
        with pytest.raises(OutcomeUnknown):
            write()
    assert len([request for request in stub.asked if request.method == "POST"]) == 5


def test_a_connection_that_never_opened_sent_nothing(stub: Stub, make_client: Callable[..., OKXClient]) -> None:
    nowhere = make_client(rest_url=closed_port())
    with pytest.raises(Refused) as caught:
        nowhere.place(entry())
    assert (caught.value.exchange_code, caught.value.transient) == ("not_sent", True)


def test_a_server_gone_after_the_first_questions_is_not_sent_either(
    okx: OKXClient, stub: Stub, make_client: Callable[..., OKXClient]
) -> None:
    stub.answer("trade/order", "placed")
    okx.place(entry())
    okx._session.base_url = httpx.URL(closed_port())  # the next connection goes where nobody listens
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert (caught.value.exchange_code, caught.value.transient) == ("not_sent", True)


@pytest.mark.parametrize("gone", ["51400", "51401", "51402", "51405", "51410", "51412", "51416", "51603"])
def test_a_cancel_of_what_has_ended_is_done(okx: OKXClient, stub: Stub, gone: Any) -> None:
    stub.answer("trade/cancel-order", nested(gone))
    okx.cancel(CancelOrder("00a7k2", parse_order(rows("orders_pending")[0])))


def test_any_other_refused_cancel_is_refused(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/cancel-order", nested("51403"))
    with pytest.raises(Refused, match="51403"):
        okx.cancel(CancelOrder("00a7k2", parse_order(rows("orders_pending")[0])))


@pytest.mark.parametrize("gone", ["51503", "51509", "51510", "51527"])
def test_a_change_of_what_has_ended_is_refused_with_its_code(okx: OKXClient, stub: Stub, gone: Any) -> None:
    stub.answer("trade/amend-algos", nested(gone))
    with pytest.raises(Refused) as caught:
        okx.amend(AmendOrder("00a7k2", parse_algo(rows("algos_pending")[0]), quantity=D(9)))
    assert caught.value.exchange_code == gone


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        (FACTS.stop_passed_codes, ("51278", "51280", "51302", "51304", "51306", "51308", "51047", "51049")),
        (FACTS.target_passed_codes, ("51277", "51279", "51300", "51303", "51305", "51307", "51046", "51048")),
        (FACTS.nothing_held_codes, ("51023", "51169")),
    ],
)
def test_codes_that_decisions_ask_for(codes: str, named: Any) -> None:
    assert set(named) <= codes


def test_no_code_means_two_things() -> None:
    assert not FACTS.stop_passed_codes & FACTS.target_passed_codes


# -- settings


def test_leverage_that_did_not_take_is_refused(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/leverage-info", "leverage")
    stub.answer("account/set-leverage", {"code": "0", "msg": "", "data": [{"lever": "5"}]})
    with pytest.raises(Refused, match="it is 10"):
        okx.set_leverage(BTC, D(5))


def test_leverage_that_cannot_be_read_first_is_not_sent(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/leverage-info", GATEWAY)
    with pytest.raises(Refused) as caught:
        okx.set_leverage(BTC, D(5))
    assert caught.value.transient
    assert stub.to("account/set-leverage") == []


def test_leverage_that_cannot_be_read_back_is_unknown(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/leverage-info", "leverage", GATEWAY)
    stub.answer("account/set-leverage", {"code": "0", "msg": "", "data": [{"lever": "5"}]})
    with pytest.raises(OutcomeUnknown):
        okx.set_leverage(BTC, D(5))


def test_orders_in_the_way_of_leverage(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/leverage-info", "leverage")
    stub.answer("account/set-leverage", code("59669"))
    with pytest.raises(Refused, match="59669"):
        okx.set_leverage(BTC, D(5))


def test_an_unknown_position_mode_sends_no_order(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/config", GATEWAY)
    with pytest.raises(Refused) as caught:
        okx.place(close())
    assert caught.value.transient
    assert stub.to("trade/order") == []


def test_a_wrong_parameter_makes_us_read_the_mode_again(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", nested("51000", "Parameter posSide error"), "placed")
    with pytest.raises(Refused):
        okx.place(entry())
    okx.place(entry())
    assert len(stub.to("account/config")) == 2


# -- reads: an answer or Unavailable


READS = {
    "account/positions": lambda okx: okx.positions(),
    "trade/orders-pending": lambda okx: okx.working_orders(),
    "trade/order": lambda okx: okx.find("op00a7k203E01", BTC, OrderKind.MARKET),
    "trade/order-algo": lambda okx: okx.find("op00a7k203P01", BTC, OrderKind.OCO),
    "trade/fills": lambda okx: okx.fills(okx.exchange_now() - timedelta(days=1)),
    "account/bills": lambda okx: okx.funding(okx.exchange_now() - timedelta(days=1)),
    "account/balance": lambda okx: okx.account_state(),
    "account/leverage-info": lambda okx: okx.leverage(BTC),
    "public/instruments": lambda okx: okx.instruments(),
    "market/ticker": lambda okx: okx.ticker(BTC),
    "market/candles": lambda okx: okx.candles(BTC, "1m", 5),
    "system/status": lambda okx: okx.under_maintenance(),
}


@pytest.mark.parametrize("answer", [GATEWAY, Vanish, code("50026"), code("50011")], ids=lambda answer: None)
@pytest.mark.parametrize("path", READS)
def test_a_read_that_fails_three_times_is_unavailable(
    make_client: Callable[..., OKXClient], stub: Stub, path: str, answer: Any
) -> None:
    okx = make_client(throttle=Throttle({}, otherwise=Limit(100, 1)))  # OKX's own limits are not the matter here
    stub.answer(path, answer)
    with pytest.raises(Unavailable):
        READS[path](okx)
    assert len(stub.to(path)) == 3


def test_a_read_recovers_within_three_tries(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("account/positions", GATEWAY, code("50011"), "positions")
    assert len(okx.positions()) == 2
    assert clock.pauses == [0.1, 1.0]


def test_a_plain_refusal_of_a_read_is_not_asked_again(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("account/positions", "refused_wrong_key")
    with pytest.raises(Unavailable) as caught:
        okx.positions()
    assert (caught.value.exchange_code, caught.value.exchange_words) == ("50119", "API key doesn't exist")
    assert (len(stub.to("account/positions")), clock.pauses) == (1, [])


def test_one_unreadable_row_makes_the_whole_list_unavailable(okx: OKXClient, stub: Stub) -> None:
    broken = [*rows("positions"), {**row("positions"), "posSide": "both"}]
    stub.answer("account/positions", {"code": "0", "msg": "", "data": broken})
    with pytest.raises(Unavailable, match="posSide"):
        okx.positions()


def test_a_failing_second_page_is_not_the_end_of_the_list(okx: OKXClient, stub: Stub) -> None:
    full = [{**rows("orders_pending")[1], "ordId": str(number)} for number in range(200, 100, -1)]
    stub.answer("trade/orders-pending", {"code": "0", "msg": "", "data": full}, GATEWAY)
    with pytest.raises(Unavailable):
        okx.working_orders()


def test_a_child_that_cannot_be_asked_for_makes_the_oco_unavailable(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order-algo", "algo_effective")
    stub.answer("trade/order", GATEWAY)
    with pytest.raises(Unavailable):
        okx.find("op00a7k203P01", BTC, OrderKind.OCO)


# -- our own haste, and clocks


def test_a_spent_budget_sends_nothing(stub: Stub, make_client: Callable[..., OKXClient], clock: Time) -> None:
    throttle = Throttle({}, otherwise=Limit(2, 60), monotonic=clock.monotonic, sleep=clock.sleep)
    okx = make_client(throttle=throttle)
    stub.answer("account/positions", "positions")
    okx.positions(), okx.positions()
    with pytest.raises(Unavailable) as read:
        okx.positions()
    assert read.value.exchange_code == "budget"
    stub.answer("trade/order", "placed")
    okx.place(entry())
    with pytest.raises(Refused) as write:
        okx.place(entry())
    assert (write.value.exchange_code, write.value.transient) == ("budget", True)
    assert (len(stub.to("account/positions")), len(stub.to("trade/order"))) == (2, 1)


@pytest.mark.parametrize("off", ["50102", "50036"])
def test_a_clock_that_is_off_is_measured_and_the_order_sent_once_more(
    okx: OKXClient, stub: Stub, clock: Time, off: Any
) -> None:
    stub.answer("trade/order", code(off), "placed")
    assert okx.place(entry(), clock.now() + timedelta(seconds=4)) == "2711430091826454528"
    assert (len(stub.to("public/time")), len(stub.to("trade/order"))) == (2, 2)


def test_and_not_a_third_time(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", code("50102"))
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert (caught.value.transient, len(stub.to("trade/order"))) == (True, 2)


def test_a_deadline_that_has_passed_is_not_sent_again(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("trade/order", code("50036"))
    with pytest.raises(Refused) as caught:
        okx.place(entry(), clock.now())
    assert (caught.value.transient, len(stub.to("trade/order"))) == (True, 1)


def test_a_read_with_a_clock_that_is_off(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/positions", code("50102"), "positions")
    assert len(okx.positions()) == 2
    assert len(stub.to("public/time")) == 1


def test_without_the_exchanges_time_nothing_is_placed(okx: OKXClient, stub: Stub) -> None:
    stub.answer("public/time", GATEWAY)
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert caught.value.transient
    assert stub.to("trade/order") == []


def test_threads_share_one_session_and_not_their_terms(make_client: Callable[..., OKXClient], stub: Stub) -> None:
    okx = make_client(throttle=Throttle({}, otherwise=Limit(1000, 1)))
    stub.answer("account/positions", "positions")
    stub.answer("trade/order", "placed")

    def work(number: int) -> int:
        if number % 4 == 0:
            okx.place(entry())
        return len(okx.positions())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(64))) == {2}
    assert (len(stub.to("account/positions")), len(stub.to("trade/order"))) == (64, 16)
    assert all("expTime" in request.headers for request in stub.to("trade/order"))
    assert not any("expTime" in request.headers for request in stub.to("account/positions"))


# -- secrets and proxies


def test_no_secret_leaves_the_session(okx: OKXClient, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = [repr(okx), repr(okx._session), str(okx._session)]
    for answer in ("refused_wrong_key", "refused_margin", GATEWAY, Vanish, code("50113", "Invalid Sign")):
        stub.answer("trade/order", answer)
        for call in (lambda: okx.place(entry()), lambda: okx.find("op00a7k203E01", BTC, OrderKind.MARKET)):
            with pytest.raises(PerpdeckError) as caught:
                call()
            error: BaseException | None = caught.value
            while error is not None:
                assert not isinstance(error, httpx.HTTPError), "its request carries the signed headers"
                said += [repr(error), str(vars(error))]
                error = error.__cause__ or error.__context__
    for secret in (SECRET, PASSPHRASE, KEY):
        assert secret not in "\n".join([*said, caplog.text])


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:1/okx", True),
        ("http://[::1]:9", True),
        ("https://openapi.okx.com", False),
        ("https://127.0.0.1.example.com", False),
    ],
)
def test_this_machine_needs_no_proxy(url: Any, answer: Any) -> None:
    assert is_loopback(url) is answer


def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(
    stub: Stub, make_client: Callable[..., OKXClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    stub.answer("account/positions", "positions")
    assert len(make_client().positions()) == 2


def test_a_closed_client_sends_nothing_and_says_so(okx: OKXClient, stub: Stub) -> None:
    okx.close()
    with pytest.raises(Unavailable, match="has been closed"):
        okx.positions()
    with pytest.raises(Refused) as caught:
        okx.place(entry())
    assert caught.value.transient
    assert stub.to("trade/order") == []
