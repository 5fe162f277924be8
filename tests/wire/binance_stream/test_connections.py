"""The lines to Binance: keys, addresses, subscriptions, silence, loss, handover, and what of it the bot is told."""

import json
import logging
import socket
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from core.domain.errors import Refused, Unavailable
from core.exchange.binance.stream.stream import BinanceStream
from core.exchange.port import Push
from tests.eventually import eventually
from tests.wire.binance_stream.conftest import Heard, connect

BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
PRIVATE, OLD_FORM = "/private/ws", "/ws/"
LIFE_BEGAN = 1_790_000_000_000


def account_update(reason: str = "ORDER") -> dict[str, object]:
    return {"e": "ACCOUNT_UPDATE", "E": LIFE_BEGAN, "T": LIFE_BEGAN, "a": {"m": reason, "B": [{"a": "USDT"}], "P": []}}


# -- the user stream and its key -------------------------------------------------------------------------------------


def test_the_key_is_asked_for_and_put_into_the_address(exchange: Any, rest: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    assert exchange.life(PRIVATE).path == "/private/ws?listenKey=K1"
    assert (rest.made, exchange.life(PRIVATE).heard) == (1, [])
    assert heard.words == ["connected"]
    assert stream.connected


def test_events_come_bare_or_wrapped(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    exchange.life(PRIVATE).say(account_update())
    exchange.life(PRIVATE).say({"stream": "K1", "data": account_update()})
    eventually(lambda: [push.channel for push in heard.pushes].count("account") == 2)


@pytest.mark.parametrize("code", ["-2014", "-2015", "-2017"])
def test_a_key_that_is_refused_says_so_and_is_not_hammered(
    exchange: Any, rest: Any, make_stream: Any, heard: Any, code: Any
) -> None:
    rest.trouble = Refused(
        "listen key", exchange_code=code, exchange_words="Invalid API-key, IP, or permissions for action."
    )
    stream = make_stream({"after_refused_login": 3600.0})
    stream.start(heard)
    eventually(lambda: heard.words)
    assert heard.words == [
        f"lost: private: login refused, code {code}: Invalid API-key, IP, or permissions for action."
    ]
    assert not stream.connected
    assert not exchange.knocks


def test_a_key_that_cannot_be_had_is_asked_for_again(exchange: Any, rest: Any, stream: Any, heard: Any) -> None:
    rest.trouble = Unavailable("no connection to Binance")
    stream.start(heard)
    eventually(lambda: heard.said("lost: private: no listen key: no connection to Binance"))
    rest.trouble = None
    eventually(lambda: stream.connected)


def test_the_key_is_renewed_and_never_made_anew_while_that_works(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(renew=0.01)
    connect(stream, heard)
    eventually(lambda: len(rest.renewed) >= 3)
    assert set(rest.renewed) == {"K1"}
    assert (rest.made, heard.words) == (1, ["connected"])


def test_a_key_that_is_gone_is_a_loss_and_another_is_made(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(renew=0.05)
    connect(stream, heard)
    rest.renew_trouble = Refused("renew", exchange_code="-1125", exchange_words="This listenKey does not exist.")
    eventually(lambda: heard.said("reconnected"))
    assert heard.words == ["connected", "lost: private: the listen key is gone", "reconnected"]
    assert exchange.life(PRIVATE, 2).path.endswith("=K2")


def test_a_key_that_could_not_be_renewed_is_replaced_without_a_gap(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(renew=0.05)
    connect(stream, heard)
    rest.renew_trouble = Unavailable("no answer from Binance")
    first, second = exchange.life(PRIVATE), exchange.life(PRIVATE, 2)
    eventually(lambda: first.ended)
    assert not second.ended
    assert (second.path, heard.words) == ("/private/ws?listenKey=K2", ["connected"])
    second.say(account_update())
    eventually(lambda: heard.pushes[-1].channel == "account")


def test_an_expired_key_leaves_the_socket_open_and_dumb_so_it_is_given_up(
    exchange: Any, stream: Any, heard: Any
) -> None:
    connect(stream, heard)
    exchange.life(PRIVATE).say({"e": "listenKeyExpired", "E": "1790000000000", "listenKey": "K1"})
    eventually(lambda: heard.said("reconnected"))
    assert heard.words == ["connected", "lost: private: the listen key has expired", "reconnected"]
    assert exchange.life(PRIVATE, 2).path.endswith("=K2")


# -- forms of address ------------------------------------------------------------------------------------------------


def test_where_one_address_is_turned_away_the_other_is_tried(exchange: Any, stream: Any, heard: Any) -> None:
    exchange.turns_away[PRIVATE] = HTTPStatus.NOT_FOUND
    connect(stream, heard)
    assert exchange.life(OLD_FORM).path.startswith("/ws/K")
    assert exchange.knocks[0].startswith(PRIVATE)
    assert heard.said("lost: private: no connection: HTTP 404")


def test_a_loss_of_another_kind_stays_with_the_address(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    exchange.life(PRIVATE).close(1011)
    exchange.life(PRIVATE, 2)
    eventually(lambda: heard.said("reconnected"))
    assert heard.words[1] == "lost: private: closed by the exchange, code 1011"


def test_no_event_after_our_own_order_means_a_dumb_socket(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(silent_after=0.05, watch=0.01)
    connect(stream, heard)
    rest.wrote = datetime.now(UTC)
    eventually(lambda: heard.said("lost: private: connected, but no event 0.05 s after our own order"))
    eventually(lambda: heard.said("reconnected"))
    assert exchange.life(OLD_FORM).path.startswith("/ws/K")  # the other form, for this one may be the dumb one
    exchange.life(OLD_FORM).say(account_update())
    eventually(lambda: heard.pushes[-1].channel == "account")
    rest.wrote = datetime.now(UTC)
    exchange.life(PRIVATE, 2)  # and back where the other keeps silent


def test_a_new_socket_answers_for_nothing_that_was_before_it(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(silent_after=0.03, watch=0.002)
    connect(stream, heard)
    rest.wrote = datetime.now(UTC)
    eventually(lambda: heard.said("reconnected"))
    looks = rest.looks
    eventually(lambda: rest.looks > looks + 50)
    assert len(heard.words) == 3


def test_an_event_after_our_own_order_is_all_that_is_asked_for(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream(silent_after=0.03, watch=0.002)
    connect(stream, heard)
    rest.wrote = datetime.now(UTC)
    exchange.life(PRIVATE).say(account_update())
    eventually(lambda: heard.pushes[-1].channel == "account")
    looks = rest.looks
    eventually(lambda: rest.looks > looks + 50)
    assert heard.words == ["connected"]


def test_a_form_of_address_that_works_is_kept(exchange: Any, make_stream: Any, heard: Any) -> None:
    exchange.turns_away[PRIVATE] = HTTPStatus.NOT_FOUND
    connect(make_stream({"handover": 0.05}), heard)
    exchange.life(OLD_FORM, 3)
    assert sum(path.startswith(PRIVATE) for path in exchange.knocks) == 1


# -- prices ----------------------------------------------------------------------------------------------------------


def book(name: str, bid: str, ask: str, at: int = LIFE_BEGAN) -> dict[str, object]:
    data = {"e": "bookTicker", "u": 1, "s": name, "b": bid, "B": "1", "a": ask, "A": "1", "T": at, "E": at}
    return {"stream": f"{name.lower()}@bookTicker", "data": data}


def mark(name: str, price: str, at: int = LIFE_BEGAN) -> dict[str, object]:
    data = {"e": "markPriceUpdate", "E": at, "s": name, "p": price, "i": price, "P": price, "r": "0.0001", "T": at}
    return {"stream": f"{name.lower()}@markPrice@1s", "data": data}


def trade(name: str, price: str, at: int = LIFE_BEGAN) -> dict[str, object]:
    data = {"e": "aggTrade", "E": at, "s": name, "a": 1, "p": price, "q": "1", "f": 1, "l": 1, "T": at, "m": True}
    return {"stream": f"{name.lower()}@aggTrade", "data": data}


def test_prices_come_over_two_lines_of_their_own(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC, ETH}))
    connect(stream, heard)
    public, market = exchange.subscribed("/public/stream", 2), exchange.subscribed("/market/stream", 6)
    assert public.heard == [{"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker", "ethusdt@bookTicker"], "id": 1}]
    assert market.subscribed[:3] == ["btcusdt@markPrice@1s", "btcusdt@aggTrade", "btcusdt@miniTicker"]


def test_no_prices_watched_means_no_lines_for_them(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    assert [life.path for life in exchange.lives] == ["/private/ws?listenKey=K1"]
    assert stream.connected


def test_watching_changes_what_is_subscribed_on_the_open_line(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    life = exchange.subscribed("/public/stream", 1)
    stream.watch(frozenset({BTC, ETH}))
    exchange.subscribed("/public/stream", 2)
    stream.watch(frozenset({ETH}))
    eventually(lambda: len(life.heard) == 3)
    assert [(said["method"], said["params"]) for said in life.heard] == [
        ("SUBSCRIBE", ["btcusdt@bookTicker"]),
        ("SUBSCRIBE", ["ethusdt@bookTicker"]),
        ("UNSUBSCRIBE", ["btcusdt@bookTicker"]),
    ]


def test_a_price_is_told_once_all_its_parts_are_known(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    public, market = exchange.subscribed("/public/stream", 1), exchange.subscribed("/market/stream", 3)
    public.say(book("BTCUSDT", "99999.90", "100000.10"))
    market.say(trade("BTCUSDT", "100000.00"))
    market.say(mark("BTCUSDT", "100007.50"))
    ticker = eventually(lambda: [push.ticker for push in heard.pushes if push.ticker])[-1]
    assert [str(price) for price in (ticker.last, ticker.bid, ticker.ask, ticker.mark)] == [
        "100000.00", "99999.90", "100000.10", "100007.50",
    ]  # fmt: skip


def test_many_prices_ring_rarely_and_the_last_of_them_always(exchange: Any, make_stream: Any, heard: Any) -> None:
    stream = make_stream(prices=0.05)
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    public, market = exchange.subscribed("/public/stream", 1), exchange.subscribed("/market/stream", 3)
    market.say(trade("BTCUSDT", "100000.00"))
    market.say(mark("BTCUSDT", "100000.00"))
    for number in range(500):
        public.say(book("BTCUSDT", str(100_000 + number), "110000", LIFE_BEGAN + number))
    eventually(lambda: any(push.ticker and push.ticker.bid == 100_499 for push in heard.pushes))
    assert sum(push.ticker is not None for push in heard.pushes) < 100


def test_a_line_of_prices_that_was_lost_takes_its_prices_with_it(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    public, market = exchange.subscribed("/public/stream", 1), exchange.subscribed("/market/stream", 3)
    public.say(book("BTCUSDT", "99999.90", "100000.10"))
    market.say(trade("BTCUSDT", "100000.00"))
    market.say(mark("BTCUSDT", "100007.50"))
    eventually(lambda: [push for push in heard.pushes if push.ticker])
    public.close()
    exchange.subscribed("/public/stream", 1, number=2)
    eventually(lambda: heard.said("reconnected"))
    told = len([push for push in heard.pushes if push.ticker])
    market.say(mark("BTCUSDT", "100008.50", LIFE_BEGAN + 1))
    exchange.life("/public/stream", 2).say(book("BTCUSDT", "100001.90", "100002.10", LIFE_BEGAN + 2))
    eventually(lambda: [push for push in heard.pushes if push.ticker][told:])
    assert [push.ticker.bid for push in heard.pushes if push.ticker and push.ticker.mark > 100_008] != []
    assert all(str(p.ticker.bid) == "100001.90" for p in heard.pushes if p.ticker and p.ticker.mark > 100_008)


@pytest.mark.parametrize("refusal", [
    {"error": {"code": 2, "msg": "Invalid request: unknown method"}},
    {"code": 2, "msg": "Invalid request: unknown method"},
])  # fmt: skip
def test_a_refused_subscription_means_that_the_line_is_of_no_use(
    exchange: Any, stream: Any, heard: Any, refusal: Any
) -> None:
    exchange.refuses = refusal
    stream.watch(frozenset({BTC}))
    stream.start(heard)
    eventually(lambda: heard.said("lost: public: refused, code 2: Invalid request: unknown method"))
    assert not stream.connected


# -- keep-alive, loss and return -------------------------------------------------------------------------------------


def test_a_frame_of_the_protocol_is_the_sign_of_life_and_is_heard(exchange: Any, make_stream: Any, heard: Any) -> None:
    stream = make_stream({"silence": 0.02, "pong": 5})
    connect(stream, heard)
    for _ in range(3):
        last = stream.last_heard
        eventually(lambda: stream.last_heard > last)  # noqa: B023 - looked at within the turn
    assert heard.words == ["connected"]
    assert exchange.life(PRIVATE).heard == []


def test_no_sign_of_life_is_a_loss(make_stream: Any, heard: Any, rest: Any) -> None:
    with Deaf() as deaf:
        stream = BinanceStream(rest, deaf.url, pace=deaf.pace)
        stream.start(heard)
        eventually(lambda: heard.said("lost: private: silent, and no answer to a ping"))
        stream.stop()


class Deaf:
    """Shakes hands, and then neither hears nor says anything."""

    def __init__(self) -> None:
        from core.exchange.connection import Pace

        self.pace = Pace(silence=0.02, pong=0.05, close=0.05)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._shake_hands, daemon=True)

    def _shake_hands(self) -> None:
        from websockets.server import ServerProtocol

        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            protocol = ServerProtocol()
            protocol.receive_data(connection.recv(65536))
            (request,) = protocol.events_received()
            protocol.send_response(protocol.accept(request))
            connection.sendall(b"".join(protocol.data_to_send()))

    def __enter__(self) -> "Deaf":
        self._thread.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            connection.close()
        self._thread.join(2)


def test_an_old_connection_is_handed_over_before_it_is_cut(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    rest.new_key_each_time = False  # as Binance does while a key lives
    stream = make_stream({"handover": 0.1})
    connect(stream, heard)
    first, second = exchange.life(PRIVATE), exchange.life(PRIVATE, 2)
    eventually(lambda: first.ended)
    assert (second.path, heard.words) == (first.path, ["connected"])
    assert stream.connected


def test_a_successor_that_does_not_come_up_leaves_the_old_connection(
    exchange: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream({"handover": 0.05, "handover_retry": 0.05})
    connect(stream, heard)
    exchange.turns_away[PRIVATE] = HTTPStatus.SERVICE_UNAVAILABLE
    eventually(lambda: len(exchange.knocks) >= 3)
    assert heard.words == ["connected"]
    assert not exchange.life(PRIVATE).ended
    exchange.life(PRIVATE).say(account_update())
    eventually(lambda: heard.pushes[-1].channel == "account")
    exchange.turns_away.clear()
    exchange.life(PRIVATE, 2)
    eventually(lambda: exchange.life(PRIVATE).ended)
    assert heard.words == ["connected"]


def test_a_connection_that_ends_while_it_is_being_handed_over_is_a_loss(
    exchange: Any, rest: Any, make_stream: Any, heard: Any
) -> None:
    stream = make_stream({"handover": 0.05, "handover_retry": 3600.0})
    connect(stream, heard)
    exchange.turns_away[PRIVATE] = HTTPStatus.SERVICE_UNAVAILABLE
    eventually(lambda: len(exchange.knocks) >= 2)
    exchange.turns_away.clear()
    exchange.life(PRIVATE).close()
    eventually(lambda: heard.said("reconnected"))


def test_prices_that_were_watched_are_subscribed_again_after_a_loss(exchange: Any, stream: Any, heard: Any) -> None:
    stream.watch(frozenset({BTC}))
    connect(stream, heard)
    stream.watch(frozenset({BTC, ETH}))
    exchange.subscribed("/public/stream", 2).close()
    assert exchange.subscribed("/public/stream", 2, number=2).subscribed == [
        "btcusdt@bookTicker", "ethusdt@bookTicker",
    ]  # fmt: skip
    eventually(lambda: heard.said("reconnected"))


def test_a_message_that_makes_no_sense_is_a_loss_and_not_the_end(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    exchange.life(PRIVATE).say("<html>")
    eventually(lambda: heard.said("reconnected"))
    assert heard.said("lost: private: a message that is no JSON object")


@pytest.mark.parametrize("odd", [{"result": None, "id": 7}, {"stream": "K1", "data": {}}, {}])
def test_what_is_no_event_is_not_taken_for_one(exchange: Any, stream: Any, heard: Any, odd: Any) -> None:
    connect(stream, heard)
    exchange.life(PRIVATE).say(odd)
    exchange.life(PRIVATE).say(account_update())
    eventually(lambda: heard.pushes[-1].channel == "account")
    assert heard.words == ["connected"]


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
        exchange.life(PRIVATE).say(account_update())
    eventually(lambda: [push.channel for push in told].count("account") == 2)
    assert "a listener failed on a push of account" in caplog.text
    assert stream.connected


def test_stop_then_start_is_a_new_life(exchange: Any, stream: Any, heard: Any) -> None:
    connect(stream, heard)
    stream.stop()
    assert not stream.connected
    assert not any(thread.name == "binance-stream" and thread.is_alive() for thread in threading.enumerate())
    connect(stream, again := Heard())
    assert again.words == ["connected"]


def test_no_key_reaches_the_log_or_the_words(
    exchange: Any, stream: Any, heard: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    exchange.turns_away[PRIVATE] = HTTPStatus.NOT_FOUND
    connect(stream, heard)
    exchange.life(OLD_FORM).close()
    eventually(lambda: heard.said("reconnected"))
    ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server"))
    assert "listenKey" not in ours + json.dumps(heard.words)
    assert not any(f"K{number}" in ours + json.dumps(heard.words) for number in range(1, 9))
