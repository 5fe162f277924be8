"""Display settings: language, time zone, decimal sign. One choice for this server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from db.repositories.bots import SettingRepository

LANGUAGES = {"en": "English", "tr": "Türkçe"}  #: each in its own words
LANGUAGE, TIME_ZONE, LOCAL_NUMBERS = "language", "time_zone", "local_numbers"


@dataclass(frozen=True, slots=True)
class Shown:
    """The display settings as they are; no time zone means that of the browser."""

    language: str = "en"
    time_zone: str | None = None
    local_numbers: bool = False  #: the language's own decimal sign; else a point, as the exchanges write


@cache
def time_zones() -> tuple[str, ...]:
    """Return every zone that may be chosen: UTC, then those named by continent and city."""
    return "UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


class Display:
    """Reads and stores the display settings."""

    def __init__(self, settings: SettingRepository) -> None:
        self._settings = settings

    def shown(self) -> Shown:
        """Return the settings now; what is stored and no longer known counts as not chosen."""
        kept = self._settings.all()
        language, zone = kept.get(LANGUAGE), kept.get(TIME_ZONE)
        return Shown(
            language if language in LANGUAGES else "en",
            zone if zone in time_zones() else None,
            kept.get(LOCAL_NUMBERS) is True,
        )

    def set_language(self, language: str, by: str) -> None:
        """Set the language. Raises Misconfigured for a language there is no catalogue of."""
        if language not in LANGUAGES:
            allowed = Reason("allowed.one_of", all=tuple(LANGUAGES))
            raise Misconfigured(
                Reason("range.not_offered", field=Reason("field.language"), value=language, allowed=allowed)
            )
        self._settings.set(LANGUAGE, language, by)

    def set_time_zone(self, name: str | None, by: str) -> None:
        """Set the time zone; None: the browser's. Raises Misconfigured for a zone that is not known."""
        if name is not None and name not in time_zones():
            raise Misconfigured(Reason("display.zone_unknown", field=Reason("field.time_zone"), value=name))
        self._settings.set(TIME_ZONE, name, by)

    def set_local_numbers(self, on: bool, by: str) -> None:
        """Set how numbers are written: True: with the language's own decimal sign. False: with a point, as exchanges
        do.
        """
        self._settings.set(LOCAL_NUMBERS, on, by)
