"""Sealed keys open with their secret and with nothing else, and nobody ever reads one."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest

from core.domain.errors import Misconfigured
from core.exchange.port import Credentials
from core.vault import Vault

KEYS = Credentials("key-of-the-trader-a1b2", "s3cret-of-the-trader", "päss phrase")
SECRET, OTHER = "a secret of the house", "another secret of the house"


def test_what_was_sealed_opens_again_in_another_vault_with_the_same_secret() -> None:
    sealed = Vault(SECRET).encrypt(KEYS)
    assert Vault(SECRET).decrypt(sealed) == KEYS
    assert Vault(SECRET).renewed(sealed) is None


def test_nothing_can_be_read_from_the_outside(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    vault = Vault(SECRET)
    sealed = vault.encrypt(KEYS)
    with pytest.raises(Misconfigured) as wrong:
        Vault(OTHER).decrypt(sealed)
    shown = f"{vault!r} {vars(wrong.value)} {wrong.value!r} {caplog.text} {sealed!r} {KEYS!r}"
    for hidden in (SECRET, OTHER, KEYS.api_key, KEYS.api_secret, KEYS.passphrase):
        assert hidden not in shown
    assert wrong.value.__cause__ is None


def test_two_seals_of_the_same_keys_differ() -> None:
    vault = Vault(SECRET)
    assert vault.encrypt(KEYS) != vault.encrypt(KEYS)
    assert vault.encrypt(KEYS).split(b".")[1] != Vault(SECRET).encrypt(KEYS).split(b".")[1]


def test_a_wrong_secret_is_said_in_a_sentence() -> None:
    with pytest.raises(Misconfigured, match="sealed with another SESSION_SECRET: set that one again"):
        Vault(OTHER).decrypt(Vault(SECRET).encrypt(KEYS))


@pytest.mark.parametrize("damage", [b"", b"1", b"1.abc", b"1.abc.def", b"2.YWJj.token", b"nonsense"])
def test_damaged_keys_are_said_in_a_sentence(damage: bytes) -> None:
    with pytest.raises(Misconfigured, match="damaged"):
        Vault(SECRET).decrypt(damage)


def test_a_changed_byte_does_not_open() -> None:
    sealed = bytearray(Vault(SECRET).encrypt(KEYS))
    sealed[-10] ^= 1
    with pytest.raises(Misconfigured):
        Vault(SECRET).decrypt(bytes(sealed))


def test_an_earlier_secret_opens_and_is_replaced() -> None:
    sealed = Vault(OTHER).encrypt(KEYS)
    rotating = Vault(SECRET, [OTHER])
    assert rotating.decrypt(sealed) == KEYS
    renewed = rotating.renewed(sealed)
    assert renewed is not None
    assert Vault(SECRET).decrypt(renewed) == KEYS
    with pytest.raises(Misconfigured):
        Vault(OTHER).decrypt(renewed)


def test_without_a_variable_a_secret_is_made_once_for_us_alone(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path, None).encrypt(KEYS)
    file = tmp_path / "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) >= 32
    assert Vault.open(tmp_path, None).decrypt(sealed) == KEYS
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_given_later_still_opens_what_the_made_one_sealed(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path, None).encrypt(KEYS)
    vault = Vault.open(tmp_path, SECRET)
    assert vault.decrypt(sealed) == KEYS
    renewed = vault.renewed(sealed)
    assert renewed is not None
    assert Vault(SECRET).decrypt(renewed) == KEYS


def test_a_given_secret_makes_no_file(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path, SECRET, OTHER).encrypt(KEYS)
    assert list(tmp_path.iterdir()) == []
    assert Vault(SECRET).decrypt(sealed) == KEYS
    assert Vault.open(tmp_path, SECRET, OTHER).decrypt(Vault(OTHER).encrypt(KEYS)) == KEYS


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    found: list[Vault] = []
    ready = Barrier(4)

    def start() -> None:
        ready.wait(5)
        found.append(Vault.open(tmp_path, None))

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    sealed = found[0].encrypt(KEYS)
    assert [vault.decrypt(sealed) for vault in found] == [KEYS] * 4


def test_what_another_process_seals_after_a_change_of_the_secret_opens_after_the_next_start(tmp_path: Path) -> None:
    mine, others = Vault.open(tmp_path, None), Vault.open(tmp_path, None)
    before = others.seal("sealed before")
    mine.change()
    mine.forget_previous()
    assert Vault.open(tmp_path, None).unseal(others.seal("a bot's token")) == "a bot's token"
    renewed = others.renewed(before)
    assert renewed is not None
    assert Vault.open(tmp_path, None).unseal(renewed) == "sealed before"
    assert others.signing_key("signals") == mine.signing_key("signals")


@pytest.mark.parametrize("broken", ["empty", "folder"])
def test_a_secret_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "secret"
    if broken == "empty":
        file.touch()
    else:
        file.mkdir()
    with pytest.raises(Misconfigured, match="the secret in"):
        Vault.open(tmp_path, None)
