"""Settings from environment variables, read once at the start. What a trader may change is in the database instead.

A wrong value is an error that names the variable, the value and what is allowed; secrets are never shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from platformdirs import user_data_dir
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.auth import problem_of
from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from core.domain.settings.refusal import reasons_of, refusal

HOME_OF_ROOT = Path("/var/lib/perpdeck")  #: root's own home is closed to the database's user, and stays so
SHORTEST_SECRET = 16
DEMO_KEYS = ("OKX_DEMO_API_KEY", "OKX_DEMO_API_SECRET", "OKX_DEMO_PASSPHRASE")
DATABASES = ("postgresql://", "postgres://", "postgresql+psycopg2://")


def _usual_home() -> Path:
    return HOME_OF_ROOT if _is_root() else Path(user_data_dir("perpdeck"))


class Settings(BaseSettings):
    """The process's settings: paths, addresses, secrets. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        case_sensitive=True, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True,
        populate_by_name=True,
    )  # fmt: skip

    #: our data folder
    home: Path = Field(default_factory=_usual_home, validation_alias="PERPDECK_HOME")
    #: of the dashboard, on 127.0.0.1
    port: int = Field(default=8501, validation_alias="PERPDECK_PORT")
    #: None: a PostgreSQL of our own in `home`
    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    #: None: made once and kept in `home`
    session_secret: SecretStr | None = Field(default=None, validation_alias="SESSION_SECRET")
    #: what secrets were encrypted with before
    previous_secret: SecretStr | None = Field(default=None, validation_alias="SESSION_SECRET_PREVIOUS")
    okx_demo_api_key: SecretStr | None = Field(default=None, validation_alias="OKX_DEMO_API_KEY")
    okx_demo_api_secret: SecretStr | None = Field(default=None, validation_alias="OKX_DEMO_API_SECRET")
    okx_demo_passphrase: SecretStr | None = Field(default=None, validation_alias="OKX_DEMO_PASSPHRASE")
    #: of a second copy of the book; None: there is none. A wrong one is only shown: nothing may wait for a backup
    backup_url: SecretStr | None = Field(default=None, validation_alias="BACKUP_DATABASE_URL")
    #: of the dashboard; None: the one set in Settings, if any
    password: SecretStr | None = Field(default=None, validation_alias="PERPDECK_PASSWORD")

    @classmethod
    def from_environment(cls) -> Settings:
        """Read every variable. Raises Misconfigured with each value that is not allowed."""
        try:
            return cls()
        except ValidationError as wrong:
            raise Misconfigured(*reasons_of(wrong)) from None

    @property
    def demo_keys(self) -> tuple[str, str, str] | None:
        """Return key, secret and passphrase at OKX demo; None where they are not set."""
        key, secret, passphrase = self.okx_demo_api_key, self.okx_demo_api_secret, self.okx_demo_passphrase
        if key is None or secret is None or passphrase is None:
            return None
        return key.get_secret_value(), secret.get_secret_value(), passphrase.get_secret_value()

    def make_home(self) -> Path:
        """Return the data folder, made where it is missing. Raises Misconfigured where it cannot be."""
        mode = 0o755 if _is_root() else 0o700  # root's database runs under a user of its own, which must pass
        home = str(self.home)
        try:
            self.home.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            words = error.strerror or str(error)
            raise Misconfigured(Reason("environment.home_cannot_be_made", home=home, words=words)) from error
        if not os.access(self.home, os.W_OK | os.X_OK):
            raise Misconfigured(Reason("environment.home_is_closed", home=home))
        return self.home

    @field_validator("home")
    @classmethod
    def _folder(cls, home: Path) -> Path:
        home = home.expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise refusal(Reason("environment.home_is_a_file", home=str(home)))
        return home

    @field_validator("port", mode="before")
    @classmethod
    def _port(cls, value: object) -> int:
        text = str(value)
        if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535):
            raise refusal(Reason("environment.no_port", value=text[:20]))
        return int(text)

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or (text := url.get_secret_value()).startswith(DATABASES):
            return url
        if ":" not in text:
            raise refusal(Reason("environment.no_scheme"))
        raise refusal(Reason("environment.no_postgres", scheme=text.split(":", 1)[0][:20]))

    @field_validator("session_secret", "previous_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is not None and len(secret) < SHORTEST_SECRET:
            name = _variable(info)
            raise refusal(Reason("environment.short_secret", name=name, length=len(secret), least=SHORTEST_SECRET))
        return secret

    @field_validator("password")
    @classmethod
    def _strong_enough(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and (problem := problem_of(password.get_secret_value())):
            raise refusal(Reason("environment.password", problem=problem))
        return password

    @field_validator("okx_demo_api_key", "okx_demo_api_secret", "okx_demo_passphrase")
    @classmethod
    def _of_a_key(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = "" if given is None else given.get_secret_value()
        if not (text.isascii() and (text.isprintable())):
            raise refusal(Reason("environment.no_key", name=_variable(info)))
        return given

    @model_validator(mode="after")
    def _together(self) -> Self:
        given = (self.okx_demo_api_key, self.okx_demo_api_secret, self.okx_demo_passphrase)
        missing = tuple(name for name, one in zip(DEMO_KEYS, given, strict=True) if one is None)
        if 0 < len(missing) < len(DEMO_KEYS):
            raise refusal(Reason("environment.demo_keys_missing", missing=missing, names=DEMO_KEYS))
        return self


def revealed(secret: SecretStr | None) -> str | None:
    """Return the text of a secret, for whoever has to use it."""
    return None if secret is None else secret.get_secret_value()


def _variable(info: ValidationInfo) -> str:
    """Return the environment variable that a field is read from."""
    assert info.field_name is not None, "a validator of fields"
    return str(Settings.model_fields[info.field_name].validation_alias)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
