"""Sends one message to one address through apprise, within a time limit; errors never contain the address.

apprise knows Telegram, Discord, e-mail and some hundred more by their addresses. It logs what it sends where: none
of that leaves this file.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import apprise

from core.domain.errors import Misconfigured, PerpdeckError

SECONDS = 10.0
SHORTEST_SECRET = 3  #: pieces of an address shorter than this give nothing away
HINT = 4

_silent = logging.getLogger("apprise")
_silent.propagate = False  # it names addresses
_silent.setLevel(logging.WARNING)
_silent.addHandler(logging.NullHandler())
logging.getLogger("urllib3").setLevel(logging.INFO)  # beneath, it names their paths


class Undelivered(PerpdeckError):
    """Raised where a message was not accepted; the words say why and hold no piece of the address."""


@dataclass(frozen=True, slots=True)
class Service:
    """The service of an address, as it may be shown."""

    name: str  #: "Telegram"
    hint: str  #: its last four letters


def service_of(address: str) -> Service:
    """Return the service that an address belongs to. Raises Misconfigured where apprise cannot send to it."""
    plugin = _plugin(address)
    letters = re.sub(r"[^0-9A-Za-z]", "", address.partition("?")[0])
    return Service(str(plugin.service_name), letters[-HINT:])


def send(address: str, title: str, body: str, *, severe: bool = False, seconds: float = SECONDS) -> None:
    """Send a message. Raises Undelivered where it was not accepted or no answer came in time, Misconfigured for the
    address.
    """
    channel = apprise.Apprise(asset=_asset())
    channel.add(_plugin(address))
    kind = apprise.NotifyType.FAILURE if severe else apprise.NotifyType.INFO
    try:
        result = channel.notify(
            body=body,
            title=title,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
            timeout=seconds,
            log_level=logging.WARNING,
        )
    except Exception as error:  # noqa: BLE001  of one service among a hundred; its own words may name the address
        raise Undelivered(f"the service's own part has failed ({type(error).__name__})") from None
    if not result:
        told = " ".join(dict.fromkeys(str(entry.message).strip() for entry in result.logs() if entry.message))
        raise Undelivered(without(address, told) or f"no answer within {seconds:g} s")


def without(address: str, words: str) -> str:
    """Return the words with every piece of the address struck out."""
    pieces = {address, unquote(address)}
    for text in tuple(pieces):
        pieces |= set(re.split(r"[/?&=@:;,#+]+", text.partition("://")[2]))
    for piece in sorted((one for one in pieces if len(one) >= SHORTEST_SECRET), key=len, reverse=True):
        words = words.replace(piece, "…")
    return words


def _plugin(address: str) -> Any:
    plugin = apprise.Apprise.instantiate(address, asset=_asset(), suppress_exceptions=True)
    if plugin is None or isinstance(plugin, bool):
        raise Misconfigured(
            "address: it is none that can be sent to; for example tgram://<bot token>/<chat id>, "
            "discord://<webhook id>/<webhook token>, mailto://<user>:<password>@<host>, json://<host>:<port>/<path>"
        )
    if "overflow=" not in address:  # else a message longer than the service takes would be refused each time
        plugin.overflow_mode = apprise.OverflowMode.SPLIT
    return plugin


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="Perpdeck", app_desc="Perpdeck alerts", app_url="", async_mode=False, secure_logging=True
    )
