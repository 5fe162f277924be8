"""A signed HTTP session with OKX: python-okx's calls over a transport of our own.

Every call ends in an `Answer`; silence is an answer too. Nothing here retries. Secrets stay in the session and
never reach a message: errors of the HTTP library, which carry the signed headers, are not passed on.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import httpx
import orjson
from loguru import logger
from okx import consts, utils
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Status import StatusAPI
from okx.Trade import TradeAPI

from core.exchange.fields import Row
from core.exchange.loopback import is_loopback
from core.exchange.okx.codes import REQUESTS_TOO_FAST
from core.exchange.okx.fields import milliseconds
from core.exchange.port import Credentials
from core.exchange.rest import BUDGET, NO_ANSWER, NOT_SENT, RestAnswer, terms_of_call
from core.exchange.throttle import Throttle

ROOT = "/api/v5/"
TIMEOUT = httpx.Timeout(connect=2.0, read=4.0, write=2.0, pool=2.0)  #: seconds
UNSIGNED = (f"{ROOT}public/", f"{ROOT}market/", f"{ROOT}system/")
DROPS_LATE = (consts.PLACR_ORDER, consts.AMEND_ORDER)  #: what OKX drops after `expTime`
HTTP_TOO_MANY = 429
CERTAINLY_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

logger.disable("okx")  # its debug lines show key, signature and passphrase
logging.getLogger("httpx").setLevel(logging.WARNING)  # one line per request would bury ours


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates, loaded once: that takes a client longer than everything else about it."""
    return httpx.create_ssl_context()


class _Transport(httpx.Client):
    """The HTTP client for python-okx: HTTP/1.1, because one session serves several threads."""

    def __init__(self, base_url: str, http2: bool, proxy: str | None) -> None:
        far = not is_loopback(base_url)
        super().__init__(base_url=base_url, proxy=proxy, timeout=TIMEOUT, trust_env=far, verify=_certificates())


class OKXSession(AccountAPI, TradeAPI, PublicAPI, MarketAPI, StatusAPI, _Transport):
    """All of python-okx's calls in one object, thread-safe, with one pool of connections. `repr` shows no secret."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        flag: str,
        rest_url: str,
        proxy: str | None,
        throttle: Throttle,
        exchange_now: Callable[[], datetime],
    ) -> None:
        AccountAPI.__init__(
            self,
            credentials.api_key,
            credentials.api_secret,
            credentials.passphrase,
            flag=flag,
            domain=rest_url,
            debug=False,
            proxy=proxy,
        )
        self._throttle, self._exchange_now = throttle, exchange_now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.domain})"

    # -- calls that python-okx lacks, or lacks parameters of

    def fills_history(self, **parameters: str) -> RestAnswer:
        return self._request(consts.GET, consts.ORDERS_FILLS_HISTORY, parameters)

    def bills(self, *, archive: bool, **parameters: str) -> RestAnswer:
        return self._request(consts.GET, consts.BILLS_ARCHIVE if archive else consts.BILLS_DETAIL, parameters)

    # -- the one way out

    def _request(self, method: str, request_path: str, params: Any) -> RestAnswer:
        """Send a request of python-okx: signed, once, with its answer parsed. Empty parameters are not sent."""
        terms, endpoint = terms_of_call(), request_path.removeprefix(ROOT)
        if not self._throttle.take(f"{method} {endpoint}", protection=terms.protects):
            return RestAnswer(BUDGET, f"too many requests to {endpoint} at the moment")
        asked = sent_parameters(params)
        path = request_path + utils.parse_params_to_str(asked) if method == consts.GET else request_path
        body = json.dumps(asked) if method == consts.POST else ""
        headers = self._signed_headers(method, path, body)
        if terms.until is not None and request_path in DROPS_LATE:
            headers["expTime"] = milliseconds(terms.until)
        try:
            response = self.request(method, path, content=body.encode() or None, headers=headers)
        except CERTAINLY_NOT_SENT as trouble:
            return RestAnswer(NOT_SENT, f"no connection to OKX ({type(trouble).__name__})")
        except httpx.HTTPError as trouble:
            return RestAnswer(NO_ANSWER, f"no answer from OKX ({type(trouble).__name__})")
        return understood(response)

    def _signed_headers(self, method: str, path: str, body: str) -> dict[str, str]:
        if path.startswith(UNSIGNED):
            return dict(utils.get_header_no_sign(self.flag, False))
        stamp = self._exchange_now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        signature = utils.sign(utils.pre_hash(stamp, method, path, body, False), self.API_SECRET_KEY)
        return dict(utils.get_header(self.API_KEY, signature.decode(), stamp, self.PASSPHRASE, self.flag, False))


def sent_parameters(params: Any) -> Any:
    """Return the parameters without the empty ones; python-okx hands on everything it knows, most of it as ""."""
    if isinstance(params, list):
        return [sent_parameters(one) for one in params]
    return {name: value for name, value in params.items() if value is not None and value != "" and value != []}


def understood(response: httpx.Response) -> RestAnswer:
    """Return what an answer says, and the outcome of its one row where rows have outcomes of their own (`sCode`)."""
    if response.status_code == HTTP_TOO_MANY and b"{" not in response.content[:1]:
        return RestAnswer(REQUESTS_TOO_FAST, "too many requests (HTTP 429)")
    try:
        body = orjson.loads(response.content)
        code, words, rows = str(body["code"]), str(body.get("msg") or ""), body.get("data") or []
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return RestAnswer(NO_ANSWER, f"OKX answered with something else than JSON (HTTP {response.status_code})")
    row: Row = rows[0] if rows and isinstance(rows[0], dict) else {}
    if row.get("sCode") not in (None, "", "0"):
        return RestAnswer(str(row["sCode"]), str(row.get("sMsg") or words), rows)
    return RestAnswer(code, words, rows)
