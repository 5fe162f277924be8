"""Encrypts keys of accounts and other secrets before they are stored, and decrypts them. Shows and logs none.

A sealed text carries its own salt: whoever has the secret can open it, on any machine. An older secret still
opens what it has sealed, and `renewed` seals it anew under the present one. While the secret in the data folder is
changed, the earlier one lies beside it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from core.exchange.port import Credentials

SECRET_FILE, PREVIOUS_FILE = "secret", "secret.previous"
VERSION = b"1"
SALT_BYTES = 16
WORK, BLOCK = 2**15, 8  #: of scrypt: 32 MiB and a tenth of a second for each guess at the secret


class Vault:
    """Encrypts with the present secret; decrypts with the present or an earlier one."""

    def __init__(self, secret: str, earlier: Sequence[str] = (), home: Path | None = None) -> None:
        self._secrets = (secret, *(one for one in earlier if one != secret))
        self._salt = os.urandom(SALT_BYTES)
        self._home = home  #: where the secret lies; None: it comes from the environment

    def __repr__(self) -> str:
        return "Vault(...)"

    @classmethod
    def open(cls, home: Path, secret: str | None, previous: str | None = None) -> Vault:
        """Return a vault with the secret from the environment; without one, with a secret made once in `home`, mode
        0600.

        What the secrets in `home` have sealed can be opened in both cases. Raises Misconfigured where a file
        cannot be read or made.
        """
        file = home / SECRET_FILE
        kept, before = _read(file), _read(home / PREVIOUS_FILE)
        if secret is None and kept is None:
            kept = _make(file)
        present = secret or kept
        if not present:
            raise Misconfigured(Reason("secret.empty", file=str(file)))
        return cls(present, [one for one in (previous, kept, before) if one], None if secret else home)

    def change(self) -> None:
        """Make a new secret in the data folder; the earlier one stays beside it until `forget_previous`.

        Raises Misconfigured where the secret comes from the environment, or a file cannot be written.
        """
        if self._home is None:
            raise Misconfigured(Reason("secret.from_environment"))
        file, previous = self._home / SECRET_FILE, self._home / PREVIOUS_FILE
        if previous.exists():
            raise Misconfigured(Reason("secret.change_not_ended", file=str(previous)))
        new = secrets.token_urlsafe(32)
        try:
            os.replace(_draft(previous, self._secrets[0]), previous)
            os.replace(_draft(file, new), file)
        except OSError as error:
            raise Misconfigured(Reason("secret.not_changed", file=str(file), why=str(error.strerror))) from error
        self._secrets = (new, *self._secrets)
        self._salt = os.urandom(SALT_BYTES)

    def forget_previous(self) -> None:
        """Delete the earlier secret: nothing is encrypted with it any more."""
        if self._home is not None:
            (self._home / PREVIOUS_FILE).unlink(missing_ok=True)

    def encrypt(self, credentials: Credentials) -> bytes:
        """Encrypt these keys."""
        return self.seal(json.dumps(asdict(credentials)))

    def decrypt(self, sealed: bytes) -> Credentials:
        """Decrypt these keys. Raises Misconfigured where none of our secrets fits."""
        return Credentials(**json.loads(self.unseal(sealed)))

    def seal(self, text: str) -> bytes:
        """Encrypt any other secret: the address of an alert channel, a bot's token."""
        self._learned()  # what another process has ended opens nothing after the next start
        return self._sealed(self._salt, self._fernet(self._salt).encrypt(text.encode()))

    def unseal(self, sealed: bytes) -> str:
        """Decrypt a text. Raises Misconfigured where none of our secrets fits."""
        salt, token = _parts(sealed)
        try:
            return self._fernet(salt).decrypt(token).decode()
        except InvalidToken:
            if self._learned():
                return self.unseal(sealed)
            raise Misconfigured(Reason("secret.another")) from None

    def renewed(self, sealed: bytes) -> bytes | None:
        """Return the text encrypted under the present secret; None where it is already. Raises as `unseal` does."""
        self._learned()
        salt, token = _parts(sealed)
        try:
            _key(self._secrets[0], salt).decrypt(token)
        except InvalidToken:
            return self.seal(self.unseal(sealed))
        return None

    def signing_key(self, purpose: str) -> bytes:
        """Return a key that only the holder of the present secret can make, a different one for each purpose."""
        self._learned()
        return hmac.digest(self._secrets[0].encode(), f"perpdeck {purpose}".encode(), "sha256")

    def _learned(self) -> bool:
        """Read the secret again where another process has changed it in the data folder; True where it has."""
        kept = _read(self._home / SECRET_FILE) if self._home is not None else None
        if not kept or kept in self._secrets:
            return False
        self._secrets = (kept, *self._secrets)
        return True

    def _fernet(self, salt: bytes) -> MultiFernet:
        return MultiFernet([_key(secret, salt) for secret in self._secrets])

    @staticmethod
    def _sealed(salt: bytes, token: bytes) -> bytes:
        return b".".join((VERSION, base64.urlsafe_b64encode(salt), token))


@lru_cache(maxsize=64)
def _key(secret: str, salt: bytes) -> Fernet:
    """Return the key derived from a secret; slow on purpose, and so cached."""
    derived = hashlib.scrypt(secret.encode(), salt=salt, n=WORK, r=BLOCK, p=1, maxmem=2 * 128 * WORK * BLOCK, dklen=32)
    return Fernet(base64.urlsafe_b64encode(derived))


def _parts(sealed: bytes) -> tuple[bytes, bytes]:
    version, _, rest = sealed.partition(b".")
    salt, _, token = rest.partition(b".")
    try:
        if version != VERSION or not token:
            raise ValueError("no seal of ours")
        return base64.urlsafe_b64decode(salt), token
    except ValueError:
        raise Misconfigured(Reason("secret.damaged")) from None


def _read(file: Path) -> str | None:
    try:
        return file.read_text().strip() if file.exists() else None
    except OSError as error:
        raise Misconfigured(Reason("secret.not_used", file=str(file), why=str(error.strerror))) from error


def _make(file: Path) -> str:
    """Write a new secret to a file and return it; where another process was first, its secret."""
    secret = secrets.token_urlsafe(32)
    try:
        draft = _draft(file, secret)
        try:
            os.link(draft, file)
        except FileExistsError:
            return file.read_text().strip()
        finally:
            draft.unlink()
    except OSError as error:
        raise Misconfigured(Reason("secret.not_used", file=str(file), why=str(error.strerror))) from error
    return secret


def _draft(file: Path, secret: str) -> Path:
    """Write the secret to a file beside its place, on the disk, readable by us alone from its first moment."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secret)
        out.flush()
        os.fsync(out.fileno())
    return draft
