"""Both languages are complete, say the same, and can be switched with one click."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.domain.account import Level
from core.domain.errors import Misconfigured
from core.domain.intent import ExitReason
from core.domain.reason import Reason, Value, places, put
from core.domain.sentences import SENTENCES
from core.i18n import translate
from core.i18n.translate import Speech, _, counted, told
from core.services.settings.language import Display
from core.ui import session
from core.ui.components.settings import language
from scripts import messages
from tests.pages.conftest import words
from tests.pages.samples.services import AWAY, Board, StandIn, World, empty, full
from tests.pages.samples.snapshot import sample_snapshot

ROOT = Path(__file__).parents[2]
SPOKEN = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "core/ui").rglob("*.py"))]
TITLES = {
    "new_trade.py": "Yeni İşlem",
    "active_positions.py": "Aktif Pozisyonlar",
    "orders.py": "Emirler",
    "history.py": "Geçmiş",
    "safety.py": "Güvenlik",
    "settings.py": "Ayarlar",
    "paper_market.py": "Kağıt piyasa",
}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translate.use("en")


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call through the one door for sentences."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "counted"):
            yield node


# --- the catalogue


@pytest.mark.parametrize("language", messages.languages())
def test_a_catalogue_is_complete_and_says_nothing_else(language: str) -> None:
    """Nothing missing, doubtful or left over; the same places and marks as in English."""
    assert messages.check(language) == []


def test_a_page_never_translates_what_it_has_just_put_together():
    """`_(f"...")` could never be found in a catalogue."""
    for path in SPOKEN:
        for call in calls(path):
            assert not any(isinstance(argument, ast.JoinedStr) for argument in call.args), f"{path.name}:{call.lineno}"


# --- sentences of the bot

#: what fits a place with one of our own formats; a number fits every other
SAMPLES: dict[str, Value] = {
    "clock": timedelta(seconds=252),
    "span": timedelta(seconds=252),
    "begin": Reason("word.none"),
    "sentences": (Reason("word.none"), Reason("word.yes")),
    "or": (Reason("word.none"), Reason("word.yes")),
}


@pytest.mark.parametrize(
    ("said", "turkish"),
    [
        (
            Reason("recovery.waits_for_trigger", step=1, pnl=Decimal("1.61"), trigger=Decimal(-50)),
            "kurtarma adımı 1 bekliyor: PnL +1.61 USDT, tetik -50.00 USDT",
        ),
        (
            Reason("reopen.waits", why=Reason("precondition.level", level=Level.REDUCE_ONLY)),
            "yeniden açılma zamanı geldi, bekliyor: seviye: yalnızca azalt",
        ),
        (
            Reason(
                "reopen.counts_down",
                left=timedelta(seconds=252),
                after=Reason("reopen.after", reason=ExitReason.TAKE_PROFIT),
            ),
            "4:12 sonra yeniden açılır (TP sonrası)",
        ),
        (Reason("protection.stop_refused", words="Insufficient margin"), "Insufficient margin"),
    ],
    ids=lambda one: one.code if isinstance(one, Reason) else "",
)
def test_a_reason_is_told_in_turkish_with_its_numbers(said: Reason, turkish: str) -> None:
    assert turkish in Speech("tr").told(said)


@pytest.mark.parametrize("language", messages.languages())
@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_reason_is_said_in_every_language(code: str, language: str) -> None:
    """Filled with values of its places, it says them and nothing of the English that a translator has changed."""
    english = SENTENCES[code]
    translated = Speech(language).sentence(english)
    values = {name: SAMPLES.get(spec.split(":")[0], Decimal("1234.5")) for name, spec in places(english).items()}
    said = Speech(language).told(Reason(code, **values))
    assert translated
    assert said == put(Reason(code, **values), Speech(language))
    assert "{" not in said
    if translated != english:
        assert said != str(Reason(code, **values))


def test_english_is_what_is_written():
    assert _("Start bot") == "Start bot"
    assert told("no fresh price") == "no fresh price"
    assert counted("{n} contract", "{n} contracts", 2) == "2 contracts"


# --- the pages


def turkish(standin: StandIn) -> StandIn:
    standin.world.settings["language"] = "tr"
    return standin


def away() -> StandIn:
    standin = full()
    standin.world.failure = AWAY
    return standin


def stopped() -> StandIn:
    return StandIn(World(snapshot=sample_snapshot(), state="stopped", history=True))


@pytest.mark.parametrize("page", TITLES)
@pytest.mark.parametrize("situation", [empty, full, stopped], ids=lambda one: one.__name__)
def test_every_page_opens_in_turkish(open_page, page, situation):
    tab = open_page(turkish(situation()), page)
    assert not tab.exception
    assert tab.title[0].value == TITLES[page]


@pytest.mark.parametrize("page", TITLES)
def test_a_page_without_its_database_stays_in_the_language_it_was_in(open_page, page):
    tab = open_page(turkish(away()), page)
    assert not tab.exception
    assert "pozisyonlarınızı korumaya devam ediyor" in tab.error[0].value


def test_the_turkish_start_button_is_the_one_traders_know(open_page):
    tab = open_page(turkish(empty()))
    assert tab.button(key="bot_start").label == "▶️ Botu Başlat"


def test_one_click_switches_the_language_of_the_server(open_page):
    standin = full()
    tab = open_page(standin)
    assert tab.title[0].value == "Active Positions"
    tab.segmented_control(key="language").set_value("tr").run()
    assert not tab.exception
    assert tab.title[0].value == "Aktif Pozisyonlar"
    assert "Korumasız" in words(tab)
    assert ("set", "language", "tr", "operator") in standin.world.calls
    assert open_page(standin).title[0].value == "Aktif Pozisyonlar"
    tab.segmented_control(key="language").set_value("en").run()
    assert tab.title[0].value == "Active Positions"


# --- how it is kept


def test_a_language_or_zone_that_is_not_known_is_refused_and_a_stored_one_falls_back():
    world = World()
    kept = Display(Board(world).settings)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="'de' is not offered"):
        kept.set_language("de", by="operator")
    with pytest.raises(Misconfigured, match="Europe/Istanbul"):
        kept.set_time_zone("Mars/Olympus", by="operator")
    world.settings |= {"language": "de", "time_zone": "Mars/Olympus"}
    assert (kept.shown().language, kept.shown().time_zone) == ("en", None)


def test_every_zone_on_offer_exists():
    assert "Europe/Istanbul" in language.time_zones()
    assert all(ZoneInfo(name) for name in language.time_zones())


def test_times_follow_the_chosen_zone(open_page, monkeypatch):
    standin = full()
    standin.world.settings["time_zone"] = "Asia/Tokyo"
    tab = open_page(standin, "settings.py")
    assert tab.session_state["zone"] == "Asia/Tokyo"
    monkeypatch.setattr(session.st, "session_state", {"zone": "Asia/Tokyo"})
    assert session.zone() == ZoneInfo("Asia/Tokyo")
