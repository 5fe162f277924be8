"""What the environment says, read once at the start. What a trader may change lives in the database instead.

A wrong value is an error that names the variable, the value and what is allowed; secrets are never shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_dir

from core.auth import problem_of
from core.domain.errors import Misconfigured

HOME_OF_ROOT = Path("/var/lib/perpdeck")  #: root's own home is closed to the database's user, and stays so
SHORTEST_SECRET = 16
DEMO_KEYS = ("OKX_DEMO_API_KEY", "OKX_DEMO_API_SECRET", "OKX_DEMO_PASSPHRASE")
DATABASES = ("postgresql://", "postgres://", "postgresql+psycopg2://")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and how they are reached."""

    home: Path  #: our data folder
    port: int  #: of the dashboard, on 127.0.0.1
    database_url: str | None = field(repr=False, default=None)  #: None: a PostgreSQL of our own in `home`
    session_secret: str | None = field(repr=False, default=None)  #: None: made once and kept in `home`
    previous_secret: str | None = field(repr=False, default=None)  #: what secrets were encrypted with before
    demo_keys: tuple[str, str, str] | None = field(repr=False, default=None)  #: key, secret, passphrase at OKX demo
    backup_url: str | None = field(repr=False, default=None)  #: of a second copy of the book; None: there is none
    password: str | None = field(repr=False, default=None)  #: of the dashboard; None: the one set in Settings, if any

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read PERPDECK_HOME, PERPDECK_PORT, DATABASE_URL, BACKUP_DATABASE_URL, SESSION_SECRET,
        SESSION_SECRET_PREVIOUS, PERPDECK_PASSWORD, and OKX_DEMO_API_KEY with OKX_DEMO_API_SECRET and
        OKX_DEMO_PASSPHRASE.

        Raises Misconfigured for the first value that is not allowed; one of BACKUP_DATABASE_URL is only shown, since
        nothing may wait for a backup. An empty variable counts as not set.
        """
        source = os.environ if environment is None else environment
        given = {name: text for name, text in source.items() if text}
        return cls(
            home=_home(given.get("PERPDECK_HOME")),
            port=_port(given.get("PERPDECK_PORT", "8501")),
            database_url=_database(given.get("DATABASE_URL")),
            session_secret=_secret("SESSION_SECRET", given.get("SESSION_SECRET")),
            previous_secret=_secret("SESSION_SECRET_PREVIOUS", given.get("SESSION_SECRET_PREVIOUS")),
            demo_keys=_demo_keys(given),
            backup_url=given.get("BACKUP_DATABASE_URL"),
            password=_password(given.get("PERPDECK_PASSWORD")),
        )

    def make_home(self) -> Path:
        """The data folder, made where it is missing. Raises Misconfigured where it cannot be."""
        mode = 0o755 if _is_root() else 0o700  # root's database runs under a user of its own, which must pass
        try:
            self.home.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"PERPDECK_HOME {self.home} cannot be made: {error.strerror}") from error
        if not os.access(self.home, os.W_OK | os.X_OK):
            raise Misconfigured(f"PERPDECK_HOME {self.home} cannot be written to: choose a folder of this user")
        return self.home


def _home(text: str | None) -> Path:
    if text is None:
        return HOME_OF_ROOT if _is_root() else Path(user_data_dir("perpdeck"))
    home = Path(text).expanduser().absolute()
    if home.exists() and not home.is_dir():
        raise Misconfigured(f"PERPDECK_HOME {home} is a file: it must be a folder")
    return home


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Misconfigured(f"PERPDECK_PORT {text!r} is not a port: 1 to 65535")
    return int(text)


def _database(text: str | None) -> str | None:
    if text is not None and not text.startswith(DATABASES):
        kind = text.split(":", 1)[0][:20] if ":" in text else "text without a scheme"
        raise Misconfigured(f"DATABASE_URL begins with {kind!r}: it must begin with postgresql://")
    return text


def _secret(name: str, text: str | None) -> str | None:
    if text is not None and len(text) < SHORTEST_SECRET:
        raise Misconfigured(f"{name} has {len(text)} characters: {SHORTEST_SECRET} or more are needed")
    return text


def _password(text: str | None) -> str | None:
    if text is not None and (problem := problem_of(text)):
        raise Misconfigured(f"PERPDECK_PASSWORD: {problem}")
    return text


def _demo_keys(given: Mapping[str, str]) -> tuple[str, str, str] | None:
    missing = [name for name in DEMO_KEYS if name not in given]
    if len(missing) == len(DEMO_KEYS):
        return None
    if missing:
        raise Misconfigured(f"{', '.join(missing)} missing: {', '.join(DEMO_KEYS)} are given together or not at all")
    key, secret, passphrase = (given[name] for name in DEMO_KEYS)
    for name in DEMO_KEYS:
        if not (given[name].isascii() and given[name].isprintable()):
            raise Misconfigured(f"{name} holds a sign that no key has: letters, digits and ASCII signs are allowed")
    return key, secret, passphrase


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
