"""Which facts become which alerts, in English and in Turkish; and which message is next, by its rules alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.alerts.messages import TITLES, alerts_of
from core.alerts.queue import next_message
from core.alerts.summary import due
from core.domain.account import Level
from core.domain.alert import USUAL, Alert, AlertChannel, AlertKind, AlertSettings, QuietHours, Sent, Waiting
from core.domain.asked import asked_by
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.money import Contracts, Price
from core.domain.order import OrderStatus, Purpose
from core.domain.reason import Reason, as_reason, text
from core.i18n.translate import Speech
from db.records import Alarm, CycleRecord, Event, EventKind
from db.repositories.alerting.alerts import NewFacts
from tests.db.values import order

UNHEALTHY = Reason("precondition.unhealthy")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def filled(purpose: Purpose, cycle: int = 1, number: int = 1) -> NewFacts:
    name = f"op00a7k2{cycle:02}{purpose}{number:02}"
    made = order(
        client_order_id=name,
        part="00a7k2",
        cycle=cycle,
        purpose=purpose,
        filled=Contracts(Decimal("0.50")),
        average_price=Price(Decimal("100000.123456789012")),
        status=OrderStatus.WORKING,
        updated_at=NOON,
    )
    return NewFacts(filled=[("paper-okx", made)])


def ended(reason: ExitReason, number: int = 1) -> NewFacts:
    cycle = CycleRecord(
        account="paper-okx",
        symbol="BTC-USDT-PERP",
        side=Side.LONG,
        part="00a7k2",
        number=number,
        started=NOON,
        ended=NOON,
        contracts=Contracts(Decimal("0.99")),
        average_entry=Price(Decimal(100000)),
        average_exit=Price(Decimal(105000)),
        realised_pnl=Decimal("49.5"),
        fees=Decimal("-1.01"),
        funding=Decimal("0.2"),
        reason=reason,
        words=UNHEALTHY,
    )
    return NewFacts(cycles=[cycle])


def happened(
    rule: str, because: Reason | str, action: Reason | str | None = None, outcome: str | None = "done", **more: str
) -> NewFacts:
    event = Event(NOON, "paper-okx", "00a7k2", rule, as_reason(because), action and as_reason(action), outcome, **more)  # type: ignore[arg-type]
    return NewFacts(events=[(7, event)], refused={"op00a7k201E01": ("51008", "Insufficient balance")})


def alarmed(subject: str, cleared: datetime | None = None) -> NewFacts:
    return NewFacts(alarms=[(3, Alarm("paper-okx", subject, UNHEALTHY, NOON), cleared)])


@pytest.mark.parametrize(
    ("facts", "told", "turkish"),
    [
        (
            filled(Purpose.ENTRY),
            ["opened", "fill"],
            "BTC-USDT-PERP long, parça 00a7k2: 100000.1235 fiyattan 0.5 kontrat girildi",
        ),
        (filled(Purpose.ENTRY, 3), ["reopened", "fill"], "3. döngü"),
        (filled(Purpose.RECOVERY), ["recovery", "fill"], "kurtarma 100000.1235 fiyattan 0.5 kontrat ekledi"),
        (filled(Purpose.PROTECT), ["fill"], "koruma, 0.99 kontratın 0.5 kadarı"),
        (ended(ExitReason.TAKE_PROFIT), ["take_profit"], "TP, 0.99 kontrat, giriş 100000, çıkış 105000, PnL +49.50"),
        (ended(ExitReason.STOP_LOSS), ["stop_loss"], "net +48.69 USDT"),
        (ended(ExitReason.CLOSED_BY_HAND), ["closed"], "elle kapatma"),
        (ended(ExitReason.LIQUIDATED), ["closed"], "likidasyon"),
        (ended(ExitReason.NOT_ENTERED), ["refusal"], "giriş yapılmadı: borsa sağlıklı değil"),
        (ended(ExitReason.NOT_ENTERED, 2), ["reopen_failed"], "yeniden açılmadı: borsa sağlıklı değil"),
        (
            happened("switch", asked_by("operator"), Reason("asked.start_bot")),
            ["bot"],
            "bot başlatıldı; yapan: operator",
        ),
        (
            happened("switch", asked_by("guard", "loss"), Reason("asked.level", level=Level.FLATTEN)),
            ["level"],
            "seviye artık hepsini kapat",
        ),
        (
            happened("enter", "why not", Reason("action.place_order", client_order_id="op00a7k201E01"), "refused"),
            ["refusal"],
            "borsa giriş emrini (op00a7k201E01) reddetti: Insufficient balance (51008)",
        ),
        (happened("protect", "why", "amend order x", "refused"), ["refusal"], "borsa reddetti: amend order x"),
        (
            happened("record", UNHEALTHY, "balance", "refused", kind=EventKind.RISK_FAILURE),
            ["refusal"],
            "limitler izin vermiyor: borsa sağlıklı değil",
        ),
        (
            happened("reopen", Reason("reopen.refused", why=text("x")), None, None),
            ["reopen_failed"],
            "00a7k2",
        ),
        (
            happened(
                "totals",
                Reason("totals.closed_by_others", quantity=5, price=90000, reason=ExitReason.LIQUIDATED),
                Reason("action.book_exit", quantity=5, price=90000, reason=ExitReason.LIQUIDATED),
            ),
            ["liquidation"],
            "parça 00a7k2: 5 kontrat 90000 fiyattan bizim olmayan bir emirle kapatıldı (likidasyon)",
        ),
        (alarmed("stuck/x"), ["alarm"], "borsa sağlıklı değil"),
        (alarmed("stuck/x", NOON), ["alarm", "cleared"], "borsa sağlıklı değil"),
        (alarmed("sentinel-drift/x"), ["sentinel"], "borsa sağlıklı değil"),
        (happened("enter", "waits for a price", None, None), [], ""),
        (
            happened("setting", asked_by("operator"), Reason("asked.setting", key="recovery_enabled", value=True)),
            [],
            "",
        ),
    ],
)
def test_facts_and_their_alerts(facts: NewFacts, told: list[str], turkish: str) -> None:
    made = list(alerts_of(facts))
    assert [alert.kind for alert in made] == told
    assert [alert.key for alert in made] == [alert.key for alert in alerts_of(facts)]
    if made:
        assert turkish in Speech("tr").told(made[0].words)


def test_a_forced_close_and_a_missing_stop_are_severe() -> None:
    (alarm,) = alerts_of(alarmed("sentinel-bare/x"))
    assert alarm.severe
    assert {kind for kind in AlertKind if kind.severe} == {AlertKind.BARE, AlertKind.LIQUIDATION, AlertKind.LEASE}


def test_the_same_refusal_is_one_alert_in_half_an_hour_whatever_its_amounts() -> None:
    def refused(words: Reason, at: datetime) -> str:
        event = Event(at, "paper-okx", "00a7k2", "record", words, text("balance"), "refused", EventKind.RISK_FAILURE)
        (alert,) = alerts_of(NewFacts(events=[(1, event)]))
        return alert.key

    def poor(needed: str, free: str) -> Reason:
        return Reason("risk.balance", field=text("position"), needed=Decimal(needed), free=Decimal(free))

    first = refused(poor("100.5", "90"), NOON)
    assert refused(poor("101.25", "89.5"), NOON + timedelta(minutes=29)) == first
    assert refused(poor("101.25", "89.5"), NOON + timedelta(minutes=30)) != first
    assert refused(Reason("risk.open_parts", field=text("position"), parts=3), NOON) != first


@pytest.mark.parametrize(
    ("story", "one", "other", "same"),
    [
        ("another order of the same part", ("E01", "51008", "no 5"), ("E02", "51008", "no 5"), True),
        ("the exchange's code counts, not its numbers", ("E01", "51008", "no 5"), ("E01", "51008", "no 6"), True),
        ("another code", ("E01", "51008", "no 5"), ("E01", "51020", "no 5"), False),
        ("without a code its words count, and not their numbers", ("E01", "", "no 5"), ("E01", "", "no 6"), True),
        ("other words", ("E01", "", "no 5"), ("E01", "", "too late"), False),
        ("another purpose", ("E01", "51008", "no 5"), ("R01", "51008", "no 5"), False),
    ],
)
def test_what_the_exchange_refuses_again(
    story: str, one: tuple[str, str, str], other: tuple[str, str, str], same: bool
) -> None:
    def subject(order: str, code: str, words: str) -> str:
        name = f"op00a7k201{order}"
        action = Reason("action.place_order", client_order_id=name, quantity=Decimal("0.99"))
        event = Event(NOON, "paper-okx", "00a7k2", "enter", text("why not"), action, "refused")
        (alert,) = alerts_of(NewFacts(events=[(7, event)], refused={name: (code, words)}))
        return alert.subject

    assert (subject(*one) == subject(*other)) is same, story


def test_a_forced_close_is_known_by_its_code() -> None:
    for reason, kinds in ((ExitReason.LIQUIDATED, ["liquidation"]), (ExitReason.CLOSED_BY_HAND, [])):
        action = Reason("action.book_exit", quantity=Decimal(5), price=Decimal(90000), reason=reason)
        facts = happened("totals", Reason("totals.others_closed", by="a liquidation of others"), action)
        assert [alert.kind for alert in alerts_of(facts)] == kinds


def test_every_kind_has_its_title_in_both_languages() -> None:
    assert set(TITLES) == set(AlertKind)
    same = {"Bot", "Alarm"}
    assert [
        title for title in TITLES.values() if Speech("tr").told(title) == str(title) and str(title) not in same
    ] == []
    assert AlertKind.FILL not in USUAL


@pytest.mark.parametrize(
    ("story", "now", "found"),
    [
        ("not yet", "20:59", None),
        ("just now, three hours ahead of UTC", "21:00", "2026-11-21 21:00"),
        ("after midnight it is still told", "01:30", "2026-11-20 21:00"),
        ("six hours later it is old news", "03:00", None),
    ],
)
def test_a_summary_is_due_at_its_time_and_for_some_hours(story: str, now: str, found: str | None) -> None:
    zone = ZoneInfo("Europe/Istanbul")
    at = datetime.fromisoformat(f"2026-11-21T{now}").replace(tzinfo=zone).astimezone(UTC)
    moment = due(AlertSettings(summary_at=time(21)), at, zone)
    assert (None if moment is None else f"{moment:%Y-%m-%d %H:%M}") == found, story


def test_settings_are_kept_as_they_are() -> None:
    wanted = AlertSettings(5, 60, time(7, 30), 3, True, (42, -1001))
    assert AlertSettings.of(wanted.kept()) == wanted
    assert AlertSettings.of({}) == AlertSettings()


# --- which message is next


def waiting(*kinds: AlertKind, at: datetime = NOON) -> list[Waiting]:
    return [
        Waiting(number, Alert(f"k{number}", kind, "a", f"s{number}", text(f"w{number}"), at, kind.severe))
        for number, kind in enumerate(kinds, 1)
    ]


PHONE = AlertChannel("c", "phone", "JSON", "9f2c", per_minute=3)
LEVEL, BARE = AlertKind.LEVEL, AlertKind.BARE


def sent(*seconds_ago: int, subject: str = "x") -> list[Sent]:
    return [Sent(NOON - timedelta(seconds=ago), frozenset({subject})) for ago in seconds_ago]


@pytest.mark.parametrize(
    ("story", "channel", "found", "before", "numbers"),
    [
        ("nothing waits", PHONE, [], [], None),
        ("one after the other", PHONE, waiting(LEVEL, LEVEL), [], (1,)),
        ("severe first", PHONE, waiting(LEVEL, BARE), [], (2,)),
        ("the last of the minute takes everything", PHONE, waiting(LEVEL, BARE, LEVEL), sent(5, 9), (2, 1, 3)),
        ("the minute is full", PHONE, waiting(LEVEL, BARE), sent(5, 9, 59), None),
        ("a minute is a minute", PHONE, waiting(LEVEL), sent(60, 61, 62), (1,)),
        ("quiet", replace(PHONE, quiet=QuietHours(time(11), time(13))), waiting(LEVEL), [], None),
        ("quiet, and severe", replace(PHONE, quiet=QuietHours(time(11), time(13))), waiting(LEVEL, BARE), [], (2,)),
        ("over midnight", replace(PHONE, quiet=QuietHours(time(22), time(12))), waiting(LEVEL), [], (1,)),
        ("over midnight, quiet", replace(PHONE, quiet=QuietHours(time(22), time(12, 1))), waiting(LEVEL), [], None),
        (
            "what was held comes in one",
            replace(PHONE, quiet=QuietHours(time(2), time(4))),
            waiting(LEVEL, LEVEL, at=NOON - timedelta(hours=9)),
            [],
            (1, 2),
        ),
        ("spoken of twice", PHONE, waiting(LEVEL), sent(100, 200, subject="s1"), None),
        ("twice, long ago", PHONE, waiting(LEVEL), sent(1801, 200, subject="s1"), (1,)),
        ("severe is told however often", PHONE, waiting(BARE), sent(100, 200, 300, subject="s1"), (1,)),
    ],
)
def test_next_message(
    story: str, channel: AlertChannel, found: list[Waiting], before: list[Sent], numbers: tuple[int, ...] | None
) -> None:
    message = next_message(channel, found, before, NOON, UTC_ZONE)
    assert (message.alerts if message else None) == numbers, story
