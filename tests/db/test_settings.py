"""The environment is read once; what is wrong in it is named with its value and what is allowed."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import settings
from core.clock import RealClock, SteppedClock
from core.domain.errors import Misconfigured
from core.settings import Settings, revealed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    """The settings of an environment that holds these variables."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def test_an_empty_environment_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, PERPDECK_HOME="", DATABASE_URL="")
    assert (found.port, found.database_url, found.session_secret) == (8501, None, None)
    assert found.home.is_absolute()
    if os.geteuid() == 0:
        assert found.home == Path("/var/lib/perpdeck")


def test_every_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "PERPDECK_HOME": str(tmp_path / "data"),
        "PERPDECK_PORT": "9000",
        "DATABASE_URL": "postgresql://trader:hidden@db/perpdeck",
        "BACKUP_DATABASE_URL": "mysql://trader:hidden@elsewhere/copy",
        "SESSION_SECRET": "long enough a secret",
        "SESSION_SECRET_PREVIOUS": "an earlier long secret",
        "PERPDECK_PASSWORD": "a password not shown",
    }
    found = read(monkeypatch, **given)
    assert (found.home, found.port) == (tmp_path / "data", 9000)
    assert revealed(found.database_url) == given["DATABASE_URL"]
    assert revealed(found.backup_url) == given["BACKUP_DATABASE_URL"]
    assert revealed(found.session_secret) == "long enough a secret"
    assert revealed(found.previous_secret) == "an earlier long secret"
    assert revealed(found.password) == "a password not shown"
    for hidden in ("hidden", "long enough", "earlier", "not shown"):
        assert hidden not in f"{found!r} {found} {found.model_dump_json()}"


def test_keys_for_demo_are_given_together_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().demo_keys is None
    given = {"OKX_DEMO_API_KEY": "hidden-k", "OKX_DEMO_API_SECRET": "hidden-secret", "OKX_DEMO_PASSPHRASE": "hidden"}
    found = read(monkeypatch, **given)
    assert found.demo_keys == ("hidden-k", "hidden-secret", "hidden")
    assert "hidden" not in repr(found)


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Misconfigured) as wrong:
        read(monkeypatch, PERPDECK_PORT="0", SESSION_SECRET="hidden", PERPDECK_PASSWORD="hidden")
    assert [problem.code for problem in wrong.value.problems] == [
        "environment.no_port", "environment.short_secret", "environment.password",
    ]  # fmt: skip
    assert "hidden" not in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PERPDECK_PORT", "0", "PERPDECK_PORT '0' is not a port: 1 to 65535"),
        ("PERPDECK_PORT", "65536", "PERPDECK_PORT '65536' is not a port: 1 to 65535"),
        ("PERPDECK_PORT", "8_501", "PERPDECK_PORT '8_501' is not a port: 1 to 65535"),
        ("PERPDECK_PORT", "http", "PERPDECK_PORT 'http' is not a port: 1 to 65535"),
        ("DATABASE_URL", "mysql://a:hidden@b/c", "DATABASE_URL begins with 'mysql': it must begin with postgresql://"),
        ("DATABASE_URL", "hidden", "DATABASE_URL begins with 'text without a scheme'"),
        ("SESSION_SECRET", "hidden", "SESSION_SECRET has 6 characters: 16 or more are needed"),
        ("OKX_DEMO_API_KEY", "hidden", "OKX_DEMO_API_SECRET, OKX_DEMO_PASSPHRASE missing"),
        ("OKX_DEMO_PASSPHRASE", "hidden ğ", "OKX_DEMO_PASSPHRASE holds a sign that no key has"),
        ("PERPDECK_PASSWORD", "hidden", "PERPDECK_PASSWORD: password has 6 characters: 8 or more are needed"),
        ("PERPDECK_HOME", __file__, "is a file: it must be a folder"),
    ],
)
def test_a_wrong_value_is_named_and_no_secret_with_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    with pytest.raises(Misconfigured) as wrong:
        read(monkeypatch, **{name: value})
    assert words in str(wrong.value)
    assert "hidden" not in str(wrong.value)


def test_the_home_is_made_for_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_is_root", lambda: False)
    made = Settings(home=tmp_path / "a" / "b").make_home()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    monkeypatch.setattr(settings, "_is_root", lambda: True)
    made = Settings(home=tmp_path / "c").make_home()
    assert stat.S_IMODE(made.stat().st_mode) == 0o755


def test_a_home_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be made"):
        Settings(home=tmp_path / "file" / "home").make_home()


def test_a_stepped_clock_goes_on_only_when_told() -> None:
    clock = SteppedClock(NOON)
    assert (clock.now(), clock.monotonic()) == (NOON, 0.0)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(seconds=2.5), 2.5)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        SteppedClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_real_clock_is_aware() -> None:
    clock = RealClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
