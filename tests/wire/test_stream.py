"""The lines to OKX: login, subscriptions, keep-alive, loss and return, and what of it the bot is told."""

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from core.exchange.connection import CONNECT, Connection, ConnectionListener, Lost, Pace
from core.exchange.okx.stream.connection import OKXProtocol, login_request
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.port import Credentials, Push
from core.exchange.throttle import Limit, Throttle
from tests.eventually import eventually
from tests.wire.stream_server import Life, ScriptedExchange, scripted_exchange

KEYS = Credentials("11112222-3333-4444-5555-666677778888", "22582BD0CFF14C41EDBF1AB98506286D", "a passphrase")
SECRETS = (KEYS.api_secret, KEYS.passphrase)
QUICK = Pace(open=2, answer=0.5, silence=60, pong=60, close=0.1)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


class Heard:
    """Everything one stream told its listener."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []

    def __call__(self, push: Push) -> None:
        self.pushes.append(push)

    @property
    def words(self) -> list[str]:
        return [push.words for push in self.pushes if push.channel == "connection"]

    def said(self, start: str) -> bool:
        return any(words.startswith(start) for words in self.words)


class Naps:
    """Sleeps that are written down and over at once, as long as no line asks for more than `most` of them."""

    def __init__(self, most: int = 1000) -> None:
        self.seconds: list[float] = []
        self.most = most

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self.most:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


@pytest.fixture
def exchange() -> Iterator[ScriptedExchange]:
    with scripted_exchange() as exchange:
        yield exchange


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def stream(exchange: Any, naps: Any) -> Iterator[OKXStream]:
    stream = open_stream(exchange.url, naps)
    yield stream
    stream.stop()


def open_stream(url: str, naps: Naps, pace: Pace = QUICK) -> OKXStream:
    return OKXStream(KEYS, url, connect_limit=Throttle({CONNECT: Limit(10_000, 1.0)}), pace=pace, sleep=naps.sleep)


def connect(stream: OKXStream, heard: Heard) -> None:
    stream.start(heard)
    eventually(lambda: heard.said("connected"))


# -- login and subscriptions -----------------------------------------------------------------------------------------


def test_the_login_is_signed_as_the_docs_say() -> None:
    request = json.loads(login_request(KEYS, datetime(2024, 1, 10, 8, 55, 47, tzinfo=UTC)))
    assert request == {
        "op": "login",
        "args": [
            {
                "apiKey": KEYS.api_key,
                "passphrase": KEYS.passphrase,
                "timestamp": "1704876947",
                "sign": "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU=",
            }
        ],
    }


@pytest.mark.parametrize(("name", "channels"), [
    ("private", ["orders", "positions", "account"]),
    ("business", ["orders-algo"]),
])  # fmt: skip
def test_a_private_line_logs_in_before_it_subscribes(
    exchange: Any, stream: Any, heard: Any, name: str, channels: Any
) -> None:
    connect(stream, heard)
    life = exchange.life(name)
    assert [message["op"] for message in life.heard] == ["login"] + ["subscribe"] * len(channels)
    assert [one["channel"] for one in life.subscribed] == channels


def test_the_login_goes_by_the_exchanges_clock(exchange: Any, heard: Any) -> None:
    theirs = datetime(2024, 1, 10, 8, 55, 47, tzinfo=UTC)
    stream = OKXStream(KEYS, exchange.url, exchange_now=lambda: theirs, pace=QUICK)
    connect(stream, heard)
    assert exchange.life("private").heard[0]["args"][0]["timestamp"] == "1704876947"
    assert stream.last_heard is not None
    assert stream.last_heard.year > 2024
    stream.stop()


def test_nothing_is_subscribed_before_the_login_is_answered(exchange: Any, heard: Any, naps: Any) -> None:
    exchange.login = {"event": "nothing yet"}
    stream = open_stream(exchange.url, naps, Pace(answer=60, close=0.1))
    stream.start(heard)
    eventually(lambda: len(exchange.life("private").heard) == 1)
    exchange.life("private").say({"event": "login", "code": "0", "msg": "", "connId": "a1"})
    exchange.subscribed("private", 3)
    assert not stream.connected
    stream.stop()


def test_prices_are_public_and_need_no_login(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    life = exchange.subscribed("public", 2)
    assert life.subscribed == [
        {"channel": "tickers", "instId": "BTC-USDT-SWAP"},
        {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
    ]
    assert all(message["op"] == "subscribe" for message in life.heard)


def test_no_prices_watched_means_no_public_line(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    assert {life.path for life in exchange.lives} == {"/ws/v5/private", "/ws/v5/business"}
    assert stream.connected


def test_connected_is_told_once_and_only_when_everything_is_acknowledged(
    exchange: Any, stream: Any, heard: Any
) -> None:
    exchange.acknowledges = False
    stream.start(heard)
    private, business = exchange.subscribed("private", 3), exchange.subscribed("business", 1)
    for life in (private, business):
        acknowledge(life)
        assert not (life is private and heard.words)
    eventually(lambda: stream.connected)
    eventually(lambda: heard.words == ["connected"])


def acknowledge(life: Life) -> None:
    for message in [message for message in life.heard if message["op"] == "subscribe"]:
        life.say({"id": message["id"], "event": "subscribe", "arg": message["args"][0], "connId": "a1"})


def test_subscriptions_that_nobody_acknowledges_are_made_anew(
    exchange: Any, stream: Any, heard: Any, naps: Any
) -> None:
    exchange.acknowledges = False
    stream.start(heard)
    exchange.subscribed("private", 3, number=2)
    assert "lost: private: no answer in time" in heard.words


@pytest.mark.parametrize(("code", "event"), [("60009", "error"), ("60024", "error"), ("60032", "login")])
def test_a_refused_login_says_so_and_is_not_hammered(exchange: Any, heard: Any, code: Any, event: Any) -> None:
    naps = Naps(most=1)
    exchange.login = {"event": event, "code": code, "msg": "Login failed.", "connId": "a1"}
    stream = open_stream(exchange.url, naps)
    stream.start(heard)
    eventually(lambda: len(heard.words) == 2)
    refusal = f"login refused, code {code}: Login failed."
    assert sorted(heard.words) == [f"lost: business: {refusal}", f"lost: private: {refusal}"]
    assert set(naps.seconds) == {30.0}
    assert not stream.connected
    assert not any(life.subscribed for life in exchange.lives)
    stream.stop()


def test_a_private_channel_refused_means_that_the_line_is_of_no_use(exchange: Any, stream: Any, heard: Any) -> None:
    exchange.refused = {"positions": "60018"}
    stream.start(heard)
    eventually(lambda: heard.said("lost: private: refused, code 60018"))
    assert not stream.connected


def test_a_price_that_does_not_exist_costs_that_price_alone(exchange: Any, stream: Any, heard: Any) -> None:
    exchange.refused = {"GONE-USDT-SWAP": "60018"}
    stream.watch(frozenset({BTC, "GONE-USDT-PERP"}))
    connect(stream, heard)
    life = exchange.subscribed("public", 4)
    life.say(ticker("BTC-USDT-SWAP", "100000", 1))
    life.say(mark("BTC-USDT-SWAP", "100001", 1))
    eventually(lambda: any(push.ticker for push in heard.pushes))
    assert stream.connected


# -- prices ----------------------------------------------------------------------------------------------------------


def ticker(name: str, last: str, ts: int) -> dict[str, object]:
    row = {"instType": "SWAP", "instId": name, "last": last, "askPx": last, "bidPx": last, "ts": str(ts)}
    return {"arg": {"channel": "tickers", "instId": name}, "data": [row]}


def mark(name: str, price: str, ts: int) -> dict[str, object]:
    row = {"instType": "SWAP", "instId": name, "markPx": price, "ts": str(ts)}
    return {"arg": {"channel": "mark-price", "instId": name}, "data": [row]}


def test_watching_changes_what_is_subscribed_on_the_open_line(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    life = exchange.subscribed("public", 2)
    stream.watch(frozenset({ETH}))
    exchange.subscribed("public", 4)
    assert [(message["op"], message["args"][0]["instId"]) for message in life.heard[2:]] == [
        ("unsubscribe", "BTC-USDT-SWAP"), ("unsubscribe", "BTC-USDT-SWAP"),
        ("subscribe", "ETH-USDT-SWAP"), ("subscribe", "ETH-USDT-SWAP"),
    ]  # fmt: skip


def test_watching_more_while_the_line_comes_up_is_not_forgotten(exchange: Any, heard: Any, naps: Any) -> None:
    exchange.acknowledges = False
    stream = open_stream(exchange.url, naps, Pace(answer=60, close=0.1))
    stream.watch(frozenset({BTC}))
    stream.start(heard)
    exchange.subscribed("public", 2)
    stream.watch(frozenset({BTC, ETH}))
    assert exchange.subscribed("public", 4).subscribed[2:] == [
        {"channel": "tickers", "instId": "ETH-USDT-SWAP"},
        {"channel": "mark-price", "instId": "ETH-USDT-SWAP"},
    ]
    stream.stop()


def test_watching_the_same_again_sends_nothing(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    life = exchange.subscribed("public", 2)
    stream.watch(frozenset({BTC}))
    stream.watch(frozenset({BTC, ETH}))
    exchange.subscribed("public", 4)
    assert [one["instId"] for one in life.subscribed] == ["BTC-USDT-SWAP"] * 2 + ["ETH-USDT-SWAP"] * 2


def test_watched_prices_are_subscribed_again_after_a_loss(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    stream.watch(frozenset({BTC, ETH}))
    exchange.subscribed("public", 4).close()
    assert len(exchange.subscribed("public", 4, number=2).subscribed) == 4
    eventually(lambda: heard.said("reconnected"))


# -- keep-alive ------------------------------------------------------------------------------------------------------


def test_after_a_silence_the_line_is_pinged_and_a_pong_keeps_it(exchange: Any, heard: Any, naps: Any) -> None:
    stream = open_stream(exchange.url, naps, Pace(silence=0.02, pong=5, close=0.1))
    connect(stream, heard)
    life = exchange.life("private")
    eventually(lambda: life.heard.count("ping") >= 3)
    assert heard.words == ["connected"]
    assert stream.last_heard is not None
    stream.stop()


def test_no_answer_to_a_ping_is_a_loss(exchange: Any, heard: Any, naps: Any) -> None:
    stream = open_stream(exchange.url, naps, Pace(silence=0.02, pong=0.05, close=0.1))
    connect(stream, heard)
    exchange.answers_pings = False
    eventually(lambda: heard.said("lost: private: silent, and no answer to a ping"))
    exchange.answers_pings = True
    eventually(lambda: stream.connected)
    stream.stop()


# -- loss and return -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["private", "business"])
def test_a_line_that_was_lost_comes_back_and_asks_for_a_new_look(
    exchange: Any, stream: Any, heard: Any, name: str
) -> None:
    connect(stream, heard)
    exchange.life(name).close(1001)
    eventually(lambda: heard.said("reconnected"))
    assert heard.words == ["connected", f"lost: {name}: closed by the exchange, code 1001", "reconnected"]
    assert exchange.life(name, 2).subscribed == exchange.life(name, 1).subscribed
    assert stream.connected


def test_a_line_that_returns_while_another_is_gone_says_both(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    exchange.refused = {"orders-algo": "60018"}
    exchange.life("business").close()
    eventually(lambda: heard.said("lost: business: refused"))
    exchange.life("private").close()
    eventually(lambda: heard.said("reconnected; still lost: business: refused, code 60018"))
    assert not stream.connected


def test_a_notice_of_an_upgrade_is_answered_by_a_new_line_at_once(
    exchange: Any, stream: Any, heard: Any, naps: Any
) -> None:
    connect(stream, heard)
    exchange.life("private").say({"event": "notice", "code": "64008", "msg": "soon closed", "connId": "a1"})
    eventually(lambda: heard.said("reconnected"))
    assert naps.seconds == [0.0]


def test_too_many_connections_on_a_channel_is_a_loss(exchange: Any, stream: Any, heard: Any, naps: Any) -> None:
    connect(stream, heard)
    exchange.life("private").say({"event": "channel-conn-count-error", "channel": "orders", "connCount": "31"})
    eventually(lambda: heard.said("lost: private: too many connections on channel orders"))
    assert naps.seconds[0] == 10.0


def test_a_message_that_makes_no_sense_is_a_loss_and_not_the_end(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    exchange.life("private").say("<html>")
    eventually(lambda: heard.said("reconnected"))
    assert heard.said("lost: private: a message that is no JSON object")


def test_patience_grows_and_does_not_grow_for_ever() -> None:
    naps = Naps(most=9)

    async def live() -> None:
        nobody = socket.socket()
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused

        async def address(after: Lost | None) -> str:
            return f"ws://127.0.0.1:{nobody.getsockname()[1]}/ws/v5/public"

        listener = ConnectionListener(
            lambda name: None, lambda name, words: None, lambda name: None, lambda name, message: None
        )
        protocol = partial(OKXProtocol, credentials=None, now=lambda: datetime.now(UTC), pace=Pace())
        line = Connection(
            "public", address, protocol, [{"channel": "tickers"}], listener,
            connect_limit=Throttle({CONNECT: Limit(1000, 1.0)}), pace=Pace(), sleep=naps.sleep,
        )  # fmt: skip
        task = asyncio.create_task(line.keep_up())
        while len(naps.seconds) < 9:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        nobody.close()

    asyncio.run(live())
    assert naps.seconds == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]


def test_the_same_trouble_is_told_once(heard: Any) -> None:
    naps = Naps(most=6)
    stream = open_stream("ws://127.0.0.1:1", naps)
    stream.start(heard)
    eventually(lambda: len(naps.seconds) >= 6)
    stream.stop()
    assert len(heard.words) == 2
    assert all("no connection" in words for words in heard.words)


# -- the listener, the thread, the secrets ---------------------------------------------------------------------------


def test_a_listener_that_fails_hears_the_next_push_all_the_same(
    exchange: Any, stream: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Push] = []

    def failing(push: Push) -> None:
        told.append(push)
        raise ValueError("a listener's own trouble")

    stream.start(failing)
    eventually(lambda: stream.connected)
    for _ in range(2):
        exchange.life("private").say({"arg": {"channel": "account"}, "eventType": "event_update", "data": [{}]})
    eventually(lambda: [push.channel for push in told].count("account") == 2)
    assert "a listener failed on a push of account" in caplog.text
    assert stream.connected


def test_stop_ends_the_thread_also_while_nobody_answers(naps: Any, heard: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts, and never says a word
        stream = open_stream(f"ws://127.0.0.1:{mute.getsockname()[1]}", naps, Pace())
        stream.start(heard)
        before = [thread for thread in threading.enumerate() if thread.name == "okx-stream"]
        stream.stop()
    assert before
    assert not any(thread.is_alive() for thread in before)


def test_stop_then_start_is_a_new_life(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    stream.stop()
    assert not stream.connected
    connect(stream, again := Heard())
    assert again.words == ["connected"]
    assert stream.connected


def test_stop_without_start_and_start_twice_do_no_harm(exchange: Any, stream: Any, heard: Any) -> None:
    stream.stop()
    connect(stream, heard)
    stream.start(Heard())
    assert len([life for life in exchange.lives if life.path.endswith("private")]) == 1


def test_a_proxy_is_not_asked_for_the_loopback(
    exchange: Any, stream: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    connect(stream, heard)


def test_no_secret_reaches_the_log_or_the_words(
    exchange: Any, stream: Any, heard: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    exchange.login = {"event": "error", "code": "60009", "msg": "Login failed.", "connId": "a1"}
    stream.start(heard)

    def said() -> str:
        ours = (record for record in caplog.records if not record.name.startswith("websockets.server"))
        return " ".join(record.getMessage() for record in ours)

    eventually(lambda: "login refused" in said() and len(heard.words) >= 2)
    ours = said()
    assert '"login"' not in ours  # the library's own record of what is sent, shortened as it may be
    assert not any(secret in ours + " ".join(heard.words) + repr(KEYS) for secret in SECRETS)
