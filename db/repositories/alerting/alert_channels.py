"""Alert channels and their deliveries: each taken by one process at a time, written down when it is sent.

A message is taken in one transaction, sent outside of any, and settled in another. A process that dies in between has
perhaps sent it; it is taken again when its time is over. That is the one way in which a message is heard twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.domain.alert import (
    Alert,
    AlertChannel,
    AlertKind,
    DeliveredAlert,
    DeliveryState,
    Message,
    QuietHours,
    Sent,
    Waiting,
)
from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from db.mapping.reasons import reason_columns, reason_of, reason_or_none
from db.models import AlertChannelRow, AlertDeliveryRow, AlertRow, SealedTextRow
from db.repository import Repository

alerts, deliveries, channels = AlertRow.table(), AlertDeliveryRow.table(), AlertChannelRow.table()
texts = SealedTextRow.table()

WAITING_AT_MOST = 500
REMEMBERED = timedelta(minutes=30)  #: what was sent so lately is told to whoever chooses the next message
_UNDER_WAY = deliveries.c.state.in_((DeliveryState.WAITING, DeliveryState.SENDING))

Choose = Callable[[AlertChannel, Sequence[Waiting], Sequence[Sent]], Message | None]


class AlertChannelRepository(Repository):
    """Stores alert channels, their encrypted addresses, and deliveries."""

    # -- channels --------------------------------------------------------------------------------------------

    def all(self) -> list[AlertChannel]:
        """Return all channels, in the order in which they were added."""
        with self.one_statement() as connection:
            rows = connection.execute(select(channels).order_by(channels.c.created_at, channels.c.id))
            return [_channel(row) for row in rows]

    def save(self, channel: AlertChannel, sealed: bytes | None, now: datetime) -> None:
        """Store a channel, new or changed; with `sealed` None its address stays. Raises Misconfigured for a taken name.

        What waits for a channel that is switched off is let go: it would be old news when it is switched on.
        """
        values = {
            "name": channel.name,
            "service": channel.service,
            "hint": channel.hint,
            "on": channel.on,
            "kinds": sorted(channel.kinds),
            "quiet_from": channel.quiet.start.isoformat("minutes") if channel.quiet else None,
            "quiet_until": channel.quiet.end.isoformat("minutes") if channel.quiet else None,
            "per_minute": channel.per_minute,
        }
        other = select(channels.c.id).where(channels.c.name == channel.name, channels.c.id != channel.id)
        with self.transaction() as connection:
            if connection.scalar(other) is not None:
                raise Misconfigured(Reason("alert.name_taken", value=channel.name, field=Reason("field.name")))
            kept = insert(channels).values(id=channel.id, created_at=now, **values)
            connection.execute(kept.on_conflict_do_update(index_elements=["id"], set_=values))
            if sealed is not None:
                connection.execute(_seal(address_name(channel.id), sealed, channel.hint))
            if not channel.on:
                mine = and_(deliveries.c.channel == channel.id, _UNDER_WAY)
                connection.execute(delete(deliveries).where(mine))

    def remove(self, channel: str) -> None:
        """Delete a channel, its address, and its deliveries that are not sent yet."""
        with self.transaction() as connection:
            connection.execute(delete(texts).where(texts.c.name == address_name(channel)))
            connection.execute(delete(channels).where(channels.c.id == channel))

    # -- sealed texts ----------------------------------------------------------------------------------------

    # -- deliveries ------------------------------------------------------------------------------------------

    def channels_with_news(self, now: datetime) -> list[str]:
        """Return the channels for which a delivery is due."""
        due = select(deliveries.c.channel).where(_UNDER_WAY, deliveries.c.due_at <= now).distinct()
        with self.one_statement() as connection:
            return list(connection.scalars(due.order_by(deliveries.c.channel)))

    def take_message(self, channel: str, choose: Choose, now: datetime, until: datetime) -> Message | None:
        """Claim the channel's next message until then; None: there is none, or another process sends one.

        `choose` sees what is due, oldest first, and what was sent lately; where much waits, what is severe before all.
        """
        locked = select(channels).where(channels.c.id == channel, channels.c.on).with_for_update(skip_locked=True)
        mine = deliveries.c.channel == channel
        with self.transaction() as connection:
            row = connection.execute(locked).one_or_none()
            if row is None:
                return None
            sending = and_(mine, deliveries.c.state == DeliveryState.SENDING, deliveries.c.due_at > now)
            if connection.scalar(select(func.count()).select_from(deliveries).where(sending)):
                return None
            due = (
                select(alerts, deliveries.c.attempts)
                .join(deliveries, deliveries.c.alert == alerts.c.id)
                .where(mine, _UNDER_WAY, deliveries.c.due_at <= now)
                .order_by(alerts.c.severe.desc(), alerts.c.id)
                .limit(WAITING_AT_MOST)
            )
            rows = sorted(connection.execute(due), key=lambda one: one.id)
            waiting = [Waiting(one.id, _alert(one), one.attempts) for one in rows]
            lately = and_(mine, deliveries.c.state == DeliveryState.SENT, deliveries.c.sent_at > now - REMEMBERED)
            sent = (
                select(deliveries.c.message, deliveries.c.sent_at, func.array_agg(alerts.c.subject).label("subjects"))
                .join(alerts, deliveries.c.alert == alerts.c.id)
                .where(lately)
                .group_by(deliveries.c.message, deliveries.c.sent_at)
                .order_by(deliveries.c.sent_at)
            )
            heard = [Sent(one.sent_at, frozenset(one.subjects)) for one in connection.execute(sent)]
            message = choose(_channel(row), waiting, heard)
            if message is not None:
                connection.execute(
                    update(deliveries)
                    .where(mine, deliveries.c.alert.in_(message.alerts))
                    .values(
                        state=DeliveryState.SENDING,
                        due_at=until,
                        attempts=deliveries.c.attempts + 1,
                        message=message.alerts[0],
                    )
                )
        return message

    def message_sent(self, channel: str, message: Message, now: datetime) -> None:
        """Mark a message as delivered."""
        self._settle(
            channel,
            message,
            {"state": DeliveryState.SENT, "sent_at": now},
            {"sent_at": now, **reason_columns("failure", None)},
        )

    def message_failed(
        self, channel: str, message: Message, why: Reason, now: datetime, again: datetime | None
    ) -> None:
        """Mark a message as not delivered: tried again at `again`, or given up where that is None."""
        tried: dict[str, Any] = {"state": DeliveryState.GIVEN_UP}
        if again is not None:
            tried = {"state": DeliveryState.WAITING, "due_at": again}
        self._settle(channel, message, tried, {"failed_at": now, **reason_columns("failure", why)})

    def note_channel(self, channel: str, now: datetime, failure: Reason | None) -> None:
        """Store the result of a message that is no alert (a test)."""
        values = {"failed_at" if failure else "sent_at": now, **reason_columns("failure", failure)}
        with self.one_statement() as connection:
            connection.execute(update(channels).where(channels.c.id == channel).values(values))

    def _settle(self, channel: str, message: Message, tried: dict[str, Any], noted: dict[str, Any]) -> None:
        ours = and_(deliveries.c.channel == channel, deliveries.c.alert.in_(message.alerts))
        with self.transaction() as connection:
            connection.execute(update(deliveries).where(ours).values(tried))
            connection.execute(update(channels).where(channels.c.id == channel).values(noted))

    # -- the list --------------------------------------------------------------------------------------------

    def recent_alerts(self, limit: int) -> list[DeliveredAlert]:
        """Return the newest alerts and what became of them, newest first."""
        with self.one_statement() as connection:
            rows = connection.execute(select(alerts).order_by(alerts.c.id.desc()).limit(limit)).all()
            numbers = [row.id for row in rows]
            states: dict[int, dict[str, DeliveryState]] = defaultdict(dict)
            for one in connection.execute(select(deliveries).where(deliveries.c.alert.in_(numbers))):
                states[one.alert][one.channel] = DeliveryState(one.state)
        return [DeliveredAlert(_alert(row), states[row.id]) for row in rows]


class SealedTextRepository(Repository):
    """Stores encrypted texts: addresses of channels, tokens."""

    def seal(self, name: str, ciphertext: bytes, hint: str) -> None:
        """Store an encrypted text under this name, in place of an earlier one."""
        with self.one_statement() as connection:
            connection.execute(_seal(name, ciphertext, hint))

    def get(self, name: str) -> tuple[bytes, str] | None:
        """Return an encrypted text and its last four letters; None where there is none."""
        with self.one_statement() as connection:
            row = connection.execute(select(texts).where(texts.c.name == name)).one_or_none()
        return None if row is None else (bytes(row.ciphertext), row.hint)

    def all(self) -> dict[str, bytes]:
        """Return all encrypted texts, by name."""
        with self.one_statement() as connection:
            rows = connection.execute(select(texts).order_by(texts.c.name))
            return {row.name: bytes(row.ciphertext) for row in rows}

    def forget(self, name: str) -> None:
        with self.one_statement() as connection:
            connection.execute(delete(texts).where(texts.c.name == name))


def address_name(channel: str) -> str:
    """Return the name under which a channel's address is stored."""
    return f"channel/{channel}"


def _seal(name: str, ciphertext: bytes, hint: str) -> Any:
    values = {"ciphertext": ciphertext, "hint": hint}
    return insert(texts).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)


def _channel(row: Any) -> AlertChannel:
    quiet = None
    if row.quiet_from is not None:
        quiet = QuietHours(time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_until))
    known = {str(kind) for kind in AlertKind}
    return AlertChannel(
        id=row.id,
        name=row.name,
        service=row.service,
        hint=row.hint,
        on=row.on,
        kinds=frozenset(AlertKind(kind) for kind in row.kinds if kind in known),
        quiet=quiet,
        per_minute=row.per_minute,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
        failure=reason_or_none(row, "failure"),
    )


def _alert(row: Any) -> Alert:
    words = reason_of(row, "words")
    return Alert(row.key, AlertKind(row.kind), row.account, row.subject, words, row.at, row.severe, row.part)
