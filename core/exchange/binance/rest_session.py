"""A signed HTTP session with Binance: python-binance's calls over a transport of our own.

Every call ends in an `Answer`; silence is an answer too. Nothing here retries. Secrets stay in the session and
never reach a message: errors of the HTTP library, which carry signed addresses, are not passed on.
"""

from __future__ import annotations

import json
import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from binance.client import Client
from urllib3.exceptions import MaxRetryError, NewConnectionError

from core.exchange.binance.codes import BUSY, FORBIDDEN, TOO_FAST, TOO_MANY_ORDERS, WINDOW
from core.exchange.binance.limits import FIRST_STOP, ORDER_LIMITS, PLACES, SHORT_STOP, Budget, weight_of
from core.exchange.fields import EPOCH, MILLISECOND, milliseconds
from core.exchange.loopback import is_loopback
from core.exchange.port import Credentials
from core.exchange.rest import BUDGET, GOOD, NO_ANSWER, NOT_SENT, RestAnswer, terms_of_call
from core.exchange.throttle import Throttle

TIMEOUT = (2.0, 4.0)  #: seconds to connect, and between two pieces of an answer
USED = "X-MBX-USED-WEIGHT-1M"
HTTP_TIMED_OUT, HTTP_TOO_MANY, HTTP_BANNED = 408, 429, 418
UNKNOWN_503, FAILED_503 = "unknown error", "service unavailable"  #: how the words of a 503 without a code begin
BAN = re.compile(r"banned until (\d{13})")
IN_PLACE = frozenset({"200", "0"})  #: codes that come with success

for _name in ("urllib3", "binance"):
    logging.getLogger(_name).setLevel(logging.INFO)  # their debug lines show signed addresses


class BinanceSession(Client):
    """Makes all of python-binance's calls. Thread-safe: each request has a connection to itself. `repr` shows no
    secret.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        rest_url: str,
        proxy: str | None,
        budget: Budget,
        orders: Throttle,
        exchange_now: Callable[[], datetime],
    ) -> None:
        self._far = not is_loopback(rest_url)
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        super().__init__(credentials.api_key, credentials.api_secret, ping=False)
        self.FUTURES_URL = f"{rest_url.rstrip('/')}/fapi"
        self._budget, self._orders, self._exchange_now = budget, orders, exchange_now
        self._no_orders_until: datetime | None = None
        self._idle: deque[requests.Session] = deque([self.session])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({urlsplit(self.FUTURES_URL).netloc})"

    def _init_session(self) -> requests.Session:
        made = requests.Session()
        made.headers.update(self._get_headers())
        made.trust_env = self._far
        made.proxies.update(self._proxies)
        return made

    def close(self) -> None:
        """Close the connections that are not in use; the others close with their last answer."""
        while self._idle:
            self._idle.pop().close()

    # -- calls that python-binance unpacks or lacks

    def make_listen_key(self) -> RestAnswer:
        return self._way("post", "listenKey")

    def renew_listen_key(self, key: str) -> RestAnswer:
        return self._way("put", "listenKey", listenKey=key)

    def _way(self, method: str, path: str, **parameters: str) -> RestAnswer:
        answer: Any = self._request_futures_api(method, path, False, data=parameters)
        assert isinstance(answer, RestAnswer)
        return answer

    # -- the one way out

    def _request(self, method: str, uri: str, signed: bool, force_params: bool = False, **kwargs: Any) -> RestAnswer:
        """Send a request of python-binance: signed, once, with its answer parsed."""
        terms = terms_of_call()
        endpoint = f"{method.upper()} {uri.removeprefix(self.FUTURES_URL).split('/', 2)[2]}"
        parameters: dict[str, Any] = dict(kwargs.get("data") or {})
        if endpoint in PLACES and not self._may_order(terms.protects):
            return RestAnswer(BUDGET, "too many orders at the moment")
        weight = weight_of(endpoint, parameters)
        if seconds := self._budget.take(weight, terms.priority, self._exchange_now):
            return RestAnswer(BUDGET, f"too many requests at the moment; the next in {seconds:.0f} s")
        told: int | None = None
        try:
            asked = self._signed(parameters, terms.until) if signed else urlencode(self._order_params(parameters))
            if asked is None:
                return RestAnswer(NOT_SENT, "its deadline has passed")
            response = self._sent(method, uri, asked)
            told = _count(response.headers.get(USED))
        except requests.RequestException as trouble:
            code = NOT_SENT if never_sent(trouble) else NO_ANSWER
            return RestAnswer(
                code, f"no {'connection to' if code == NOT_SENT else 'answer from'} Binance ({_kind(trouble)})"
            )
        finally:
            self._budget.answered(weight, told, self._exchange_now())
        answer = understood(response.status_code, response.content)
        self._obey(response, answer)
        return answer

    def _may_order(self, protects: bool) -> bool:
        if self._no_orders_until is not None and self._exchange_now() < self._no_orders_until:
            return False
        return all(self._orders.take(window, protection=protects) for window in ORDER_LIMITS)

    def _signed(self, parameters: dict[str, Any], until: datetime | None) -> str | None:
        """Return the signed text to send; its time window ends where the deadline does.

        None where that is over already.
        """
        now = self._exchange_now()
        window = WINDOW if until is None else min(WINDOW, until - now)
        if window < MILLISECOND:
            return None
        stamp = {"timestamp": milliseconds(now), "recvWindow": window // MILLISECOND}
        asked = urlencode(self._order_params(parameters | stamp))
        return f"{asked}&signature={self._hmac_signature(asked)}"

    def _sent(self, method: str, uri: str, asked: str) -> requests.Response:
        """Send the request: reads carry their parameters in the address, all others in a form."""
        reads = method == "get"
        headers = {} if reads else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._init_session()
        try:
            return session.request(
                method,
                uri,
                params=asked if reads else None,
                data=None if reads else asked,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        finally:
            self._idle.append(session)

    def _obey(self, response: requests.Response, answer: RestAnswer) -> None:
        """Stop sending where Binance says so: everything, or new orders alone where only those were too many."""
        if answer.code == FORBIDDEN:
            self._budget.stop(self._exchange_now() + SHORT_STOP)
        if answer.code == TOO_MANY_ORDERS:
            self._no_orders_until = self._exchange_now() + SHORT_STOP
        if answer.code not in TOO_FAST or answer.code == TOO_MANY_ORDERS:
            return
        banned = BAN.search(answer.words)
        seconds = _count(response.headers.get("Retry-After"))
        if banned is not None:
            until = EPOCH + int(banned.group(1)) * MILLISECOND
        elif seconds is not None:
            until = self._exchange_now() + timedelta(seconds=seconds)
        else:
            until = self._exchange_now() + FIRST_STOP
        self._budget.stop(until)


def understood(status: int, content: bytes) -> RestAnswer:
    """Return what an answer says. A server error without a code, and success without sense, leave the outcome
    unknown.
    """
    try:
        body = json.loads(content, parse_float=Decimal)
    except ValueError:
        return _without_code(status, "something else than JSON")
    told: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code, words = str(told.get("code", "")), str(told.get("msg") or "")
    if 200 <= status < 300:
        if code.startswith("-"):
            return RestAnswer(code, words)
        return RestAnswer(GOOD, words, body)
    lowered = words.lower()
    if lowered.startswith(UNKNOWN_503) or status == HTTP_TIMED_OUT:
        return RestAnswer(NO_ANSWER, words or f"HTTP {status}", by_server=True)
    if status == 503 and lowered.startswith(FAILED_503):
        return RestAnswer(BUSY, words, by_server=True)
    if status in (HTTP_TOO_MANY, HTTP_BANNED) and code not in TOO_FAST:
        return RestAnswer("-1003", words or f"too many requests (HTTP {status})")
    if not code.startswith("-"):
        return _without_code(status, words or "JSON without a code")
    return RestAnswer(code, words, by_server=status >= 500)


def _without_code(status: int, words: str) -> RestAnswer:
    if status in (HTTP_TOO_MANY, HTTP_BANNED):
        return RestAnswer("-1003", f"too many requests (HTTP {status})")
    if 400 <= status < 500 and status != HTTP_TIMED_OUT:
        return RestAnswer(str(status), f"Binance answered with HTTP {status}: {words}")
    return RestAnswer(NO_ANSWER, f"Binance answered with {words} (HTTP {status})", by_server=True)


def never_sent(trouble: requests.RequestException) -> bool:
    """Return whether the request cannot have reached Binance: the connection was never made."""
    if isinstance(trouble, requests.ConnectTimeout):
        return True
    cause = trouble.args[0] if trouble.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _kind(trouble: requests.RequestException) -> str:
    return type(trouble).__name__


def _count(header: str | None) -> int | None:
    return int(header) if header is not None and header.isdigit() else None
