"""Alert settings: channels with their choices, a test of each, the dead man's switch, Telegram commands.

Addresses and tokens are sealed when they come in; what is shown of them is the service and the last four letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from secrets import token_hex

from core.alerts import ping, transport
from core.alerts.messages import TITLES
from core.alerts.transport import Undelivered
from core.clock import Clock
from core.domain.alert import AlertChannel, AlertKind, AlertSettings, DeliveredAlert, DeliveryState, QuietHours
from core.domain.asked import asked_by
from core.domain.errors import Misconfigured
from core.domain.reason import Reason, as_reason
from core.vault import Vault
from db.records import Event
from db.repositories.alerting.alert_channels import address_name
from db.store import Store

__all__ = [
    "TITLES",
    "AlertChannel",
    "AlertKind",
    "AlertSettings",
    "Alerting",
    "DeliveredAlert",
    "DeliveryState",
    "Outside",
    "QuietHours",
]

TELEGRAM, TELEGRAM_NOTE = "telegram", "telegram_note"  #: names of the sealed token, and of how it fares
LONGEST_NAME = 40
MOST_PER_MINUTE = 60
RANGES = {"bare_seconds": (1, 3600, "s"), "unresolved_seconds": (5, 3600, "s"), "ping_minutes": (1, 1440, "min")}
_TOKEN = re.compile(r"[0-9]{5,12}:[0-9A-Za-z_-]{30,60}")
TEST_TITLE, TEST_WORDS = "Perpdeck: a test", "This channel works."


@dataclass(frozen=True, slots=True)
class Outside:
    """A service outside that was set up: the dead man's switch, or the Telegram bot."""

    hint: str = ""  #: the last four letters of its address or token; empty: there is none
    at: datetime | None = None  #: when it fared as `trouble` says
    trouble: str = ""  #: empty: well
    strangers: tuple[str, ...] = ()

    @property
    def there(self) -> bool:
        return bool(self.hint)


class Alerting:
    """Reads and stores alert settings and sends tests. Raises Unavailable where the database does not answer."""

    def __init__(
        self, store: Store, clock: Clock, vault: Vault, language: Callable[[], Callable[[Reason | str], str]]
    ) -> None:
        self._store, self._clock, self._vault, self._language = store, clock, vault, language

    # -- channels --------------------------------------------------------------------------------------------

    def channels(self) -> list[AlertChannel]:
        """Return all channels, in the order in which they were added."""
        return self._store.alert_channels.all()

    def add(self, name: str, address: str, by: str) -> AlertChannel:
        """Add a channel with the usual choices. Raises Misconfigured with everything that is not allowed."""
        name, address = name.strip(), address.strip()
        problems = list(_name_problems(name))
        service = None
        try:
            service = transport.service_of(address)
        except Misconfigured as trouble:
            problems.append(trouble.reason)
        if problems or service is None:
            raise Misconfigured(*problems)
        channel = AlertChannel(token_hex(4), name, service.name, service.hint)
        sealed = self._vault.seal(address)
        self._store.alert_channels.save(channel, sealed, self._clock.now())
        self._under_the_present_secret(address_name(channel.id), sealed, channel.hint)
        self._note(by, Reason("act.channel_added", name=name, service=service.name))
        return channel

    def change(self, channel: AlertChannel, by: str) -> None:
        """Store the channel's name, switch, kinds, quiet hours and rate. Raises Misconfigured with every problem."""
        name = channel.name.strip()
        problems = list(_name_problems(name))
        if not 1 <= channel.per_minute <= MOST_PER_MINUTE:
            allowed = Reason("allowed.between", low=1, high=MOST_PER_MINUTE)
            problems.append(
                Reason("range.outside", field=Reason("field.per_minute"), value=channel.per_minute, allowed=allowed)
            )
        if channel.quiet is not None and channel.quiet.start == channel.quiet.end:
            problems.append(Reason("alert.quiet_hours", field=Reason("field.quiet_hours")))
        if problems:
            raise Misconfigured(*problems)
        kept = self._known(channel.id)
        changed = replace(channel, name=name, service=kept.service, hint=kept.hint)
        self._store.alert_channels.save(changed, None, self._clock.now())
        self._note(by, Reason("act.channel_changed", name=name))

    def remove(self, channel: str, by: str) -> None:
        """Delete a channel and its address. Raises Misconfigured for one that is not known."""
        known = self._known(channel)
        self._store.alert_channels.remove(channel)
        self._note(by, Reason("act.channel_removed", name=known.name))

    def test(self, channel: str) -> str:
        """Send a test message now; returns why it was not accepted, or an empty string. Takes up to ten seconds."""
        known, sealed = self._known(channel), self._store.sealed_texts.get(address_name(channel))
        trouble = "" if sealed is not None else "its address is gone: enter it anew"
        if sealed is not None:
            say = self._language()
            try:
                transport.send(self._vault.unseal(sealed[0]), say(TEST_TITLE), say(TEST_WORDS))
            except Undelivered as failure:
                trouble = str(failure)
        self._store.alert_channels.note_channel(known.id, self._clock.now(), as_reason(trouble) if trouble else None)
        return trouble

    def told(self, limit: int = 50) -> list[DeliveredAlert]:
        """Return the newest alerts, and what became of them on each channel."""
        return self._store.alert_channels.recent_alerts(limit)

    def _known(self, channel: str) -> AlertChannel:
        found = next((one for one in self.channels() if one.id == channel), None)
        if found is None:
            raise Misconfigured(Reason("account.unknown", field=Reason("field.channel"), value=channel))
        return found

    # -- what holds for all ----------------------------------------------------------------------------------

    def settings(self) -> AlertSettings:
        """Return times, the daily summary, and who may give commands."""
        return AlertSettings.of(self._store.settings.all())

    def set_settings(self, wanted: AlertSettings, by: str) -> None:
        """Store these settings, all or none. Raises Misconfigured with every problem."""
        problems = [
            _outside(name, getattr(wanted, name), low, high, unit)
            for name, (low, high, unit) in RANGES.items()
            if not low <= getattr(wanted, name) <= high
        ]
        if wanted.telegram_on and not wanted.telegram_ids:
            problems.append(Reason("alert.nobody", field=Reason("field.commands")))
        if problems:
            raise Misconfigured(*problems)
        before, now = self.settings().kept(), wanted.kept()
        changed = {key: value for key, value in now.items() if value != before[key]}
        if changed:
            self._store.settings.set_all(changed, by)

    # -- the dead man's switch -------------------------------------------------------------------------------

    def ping(self) -> Outside:
        return self._outside(ping.PING, ping.NOTE)

    def set_ping(self, address: str, by: str) -> None:
        """Set the address that is requested while all is well; empty: none any more. Raises Misconfigured."""
        address = address.strip()
        if address and not ping.usable(address):
            raise Misconfigured(Reason("alert.no_address", field=Reason("field.address")))
        self._seal(ping.PING, address, Reason("act.dead_mans_switch"), by)

    def test_ping(self) -> str:
        """Send one request there now, whatever the state of the bot; returns why it was not accepted, or an empty
        string.
        """
        sealed = self._store.sealed_texts.get(ping.PING)
        if sealed is None:
            return "no address is set"
        return ping.request(self._vault.unseal(sealed[0]))

    # -- commands from a phone -------------------------------------------------------------------------------

    def telegram(self) -> Outside:
        found, sealed = self._outside(TELEGRAM, TELEGRAM_NOTE), self._store.sealed_texts.get(TELEGRAM)
        if sealed is None:
            return found
        try:
            digest = sha256(self._vault.unseal(sealed[0]).encode()).hexdigest()
        except Misconfigured as trouble:
            return replace(found, trouble=str(trouble))
        return replace(found, strangers=tuple(self._store.telegram.strangers(digest)))

    def set_telegram(self, token: str, by: str) -> None:
        """Set the token of the Telegram bot that takes commands; empty: none. Raises Misconfigured."""
        token = token.strip()
        if token and not _TOKEN.fullmatch(token):
            raise Misconfigured(Reason("alert.no_bot_token", field=Reason("field.bot_token")))
        self._seal(TELEGRAM, token, Reason("act.telegram_bot"), by)

    def _outside(self, name: str, note: str) -> Outside:
        sealed, kept = self._store.sealed_texts.get(name), self._store.secrets.get(note)
        if sealed is None:
            return Outside()
        if kept is None:
            return Outside(sealed[1])
        return Outside(sealed[1], datetime.fromisoformat(kept["at"]), str(kept["trouble"]))

    def _seal(self, name: str, text: str, what: Reason, by: str) -> None:
        if text:
            letters = re.sub(r"[^0-9A-Za-z]", "", text)
            sealed, hint = self._vault.seal(text), letters[-transport.HINT :]
            self._store.sealed_texts.seal(name, sealed, hint)
            self._under_the_present_secret(name, sealed, hint)
        else:
            self._store.sealed_texts.forget(name)
        self._note(by, Reason("act.set" if text else "act.removed", what=what))

    def _under_the_present_secret(self, name: str, sealed: bytes, hint: str) -> None:
        """Encrypt again where the secret was changed between encrypting and storing: the old one is forgotten then."""
        anew = self._vault.renewed(sealed)
        if anew is not None:
            self._store.sealed_texts.seal(name, anew, hint)

    def _note(self, by: str, action: Reason) -> None:
        event = Event(self._clock.now(), "", None, "setting", asked_by(by), action, "done")
        self._store.events.add("", [event])


def _name_problems(name: str) -> Iterator[Reason]:
    if not 1 <= len(name) <= LONGEST_NAME:
        yield Reason("token.name_length", field=Reason("field.name"), n=len(name), most=LONGEST_NAME)


def _outside(name: str, value: int, low: int, high: int, unit: str) -> Reason:
    allowed = Reason("allowed.between_unit", low=low, high=high, unit=Reason(f"unit.{unit}"))
    field = Reason(f"field.{name}")
    return Reason("range.outside_unit", field=field, value=value, unit=Reason(f"unit.{unit}"), allowed=allowed)
