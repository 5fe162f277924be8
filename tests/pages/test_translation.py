"""Both languages are complete, say the same, and can be switched with one click."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.domain.errors import Misconfigured
from core.i18n import translate
from core.i18n.tr_patterns import WORDS, in_turkish
from core.i18n.translate import _, counted, told
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


@pytest.mark.parametrize(
    ("english", "turkish"),
    [
        ("recovery step 1 waits: PnL +1.61 USDT, trigger -50", "kurtarma adımı 1 bekliyor: PnL +1.61 USDT, tetik -50"),
        (
            "in place: TP 105300.7, SL 90149.1 for 0.99 contracts",
            "yerinde: 0.99 kontrat için TP 105300.7, SL 90149.1",
        ),
        (
            "recovery step 2: PnL -53 USDT is under -50 USDT: adds 0.1 contracts",
            "kurtarma adımı 2: PnL -53 USDT, -50 USDT altında: 0.1 kontrat ekleniyor",
        ),
        (
            "due to open again and waits: the level is reduce only",
            "yeniden açılma zamanı geldi, bekliyor: seviye: yalnızca azalt",
        ),
        ("Not started since the bot came up; press Start.", "Bot açıldığından beri başlatılmadı; Başlat'a basın."),
        ("Watches 3 parts. The exchange: ok.", "3 parçayı izliyor. Borsa: iyi."),
        ("opens again in 4:12 (after take profit)", "4:12 sonra yeniden açılır (TP sonrası)"),
    ],
)
def test_a_sentence_of_the_bot_keeps_its_numbers(english, turkish):
    assert in_turkish(english) == turkish


def test_what_is_not_known_in_full_stays_english():
    assert in_turkish("recovery step 2 waits: the moon is in the way").startswith("recovery step 2 waits")
    for words_of_the_bot in ("the moon is in the way", "Watches 3 parts. The moon is up.", ""):
        assert in_turkish(words_of_the_bot) == words_of_the_bot


def test_english_is_what_is_written():
    assert _("Start bot") == "Start bot"
    assert told("no fresh price") == "no fresh price"
    assert counted("{n} contract", "{n} contracts", 2) == "2 contracts"


def test_turkish_words_for_the_inner_places_are_whole():
    assert all(turkish.strip() for turkish in WORDS.values())


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
    kept = Display(Board(world))  # type: ignore[arg-type]
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
