"""Addresses and tokens under a changed secret: each is sealed anew together with the keys, and none is ever lost."""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from core.clock import RealClock
from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured
from core.exchange.port import Credentials
from core.services.accounts.keys import Keys
from core.services.settings.alerts import Alerting
from core.vault import Vault
from db.repositories.alerting.alert_channels import address_name
from db.store import Store
from tests.alerts.telegram_server import TOKEN

ADDRESS = "json://127.0.0.1:9/kept-to-myself-9f2c"
KEYS = Credentials("key-of-the-trader-a1b2", "s3cret", "phrase")


@pytest.fixture
def alerting(store: Store, vault: Vault) -> Alerting:
    return Alerting(store, RealClock(), vault, lambda: str)


def test_sealed_and_opened_and_never_shown(alerting: Alerting, store: Store, vault: Vault) -> None:
    channel = alerting.add("one", ADDRESS, "operator")
    found = store.sealed_texts.get(address_name(channel.id))
    assert found is not None
    assert vault.unseal(found[0]) == ADDRESS
    assert (found[1], channel.hint, channel.service) == ("9f2c", "9f2c", "JSON")
    everything = (
        f"{found[0]!r} {channel!r} {store.events.find(limit=50)!r} {store.settings.all()!r} {alerting.channels()!r}"
    )
    assert "kept-to-myself" not in everything


def test_texts_go_with_the_keys_to_a_new_secret(alerting: Alerting, store: Store, vault: Vault, tmp_path: Path) -> None:
    channel = alerting.add("one", ADDRESS, "operator")
    alerting.set_telegram(TOKEN, "operator")
    before = (tmp_path / "secret").read_text()
    done = Keys(store.accounts, store.sealed_texts, vault).change_secret("operator")
    assert sorted(done) == [address_name(channel.id), "telegram"]
    assert (tmp_path / "secret").read_text() != before
    assert not (tmp_path / "secret.previous").exists()
    present = Vault((tmp_path / "secret").read_text())
    assert {name: present.unseal(sealed) for name, sealed in store.sealed_texts.all().items()} == {
        address_name(channel.id): ADDRESS,
        "telegram": TOKEN,
    }
    assert alerting.telegram().hint == "1234"
    for sealed in store.sealed_texts.all().values():
        with pytest.raises(Misconfigured):
            Vault(before).unseal(sealed)


class PowerCut(Exception):
    """The machine goes away here."""


@pytest.mark.parametrize(
    ("owner", "step"), [("vault", "change"), ("_accounts", "reseal"), ("vault", "forget_previous")]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_nothing_is_lost_wherever_it_is_cut_off(
    alerting: Alerting,
    store: Store,
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: str,
    step: str,
    after: bool,
) -> None:
    account = Account("demo-okx", "OKX demo", Exchange.OKX, Environment.DEMO, "", "", "a1b2")
    store.accounts.save(account, vault.encrypt(KEYS))
    channel = alerting.add("one", ADDRESS, "operator")
    keys = Keys(store.accounts, store.sealed_texts, vault)
    place = attrgetter(owner)(keys)
    real = getattr(place, step)

    def cut(*given: Any) -> Any:
        if after:
            real(*given)
        if step == "change" or (tmp_path / "secret.previous").exists():
            raise PowerCut
        return None if after else real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(place, step, cut)
        with suppress(PowerCut):
            keys.change_secret("operator")
    started_again = Vault.open(tmp_path, None)
    Keys(store.accounts, store.sealed_texts, started_again).renew()
    assert not (tmp_path / "secret.previous").exists()
    present = Vault((tmp_path / "secret").read_text())
    found = store.sealed_texts.get(address_name(channel.id))
    assert found is not None
    assert present.unseal(found[0]) == ADDRESS
    sealed = store.accounts.ciphertext(account.id)
    assert sealed is not None
    assert present.decrypt(sealed) == KEYS


def test_a_text_that_cannot_be_opened_stops_the_change_and_keeps_the_earlier_secret(
    store: Store, vault: Vault, tmp_path: Path
) -> None:
    store.sealed_texts.seal("telegram", Vault("a secret that is gone").seal(TOKEN), "1234")
    before = (tmp_path / "secret").read_text()
    with pytest.raises(Misconfigured, match="sealed with another SESSION_SECRET"):
        Keys(store.accounts, store.sealed_texts, vault).change_secret("operator")
    assert (tmp_path / "secret").read_text() == before


def test_a_secret_changed_between_sealing_and_keeping(
    alerting: Alerting, store: Store, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.sealed_texts.seal

    def late(name: str, sealed: bytes, hint: str) -> None:
        monkeypatch.undo()
        Keys(store.accounts, store.sealed_texts, vault).change_secret("operator")
        real(name, sealed, hint)

    monkeypatch.setattr(store.sealed_texts, "seal", late)
    alerting.set_telegram(TOKEN, "operator")
    found = store.sealed_texts.get("telegram")
    assert found is not None
    assert Vault((tmp_path / "secret").read_text()).unseal(found[0]) == TOKEN


def test_what_is_not_allowed(alerting: Alerting, store: Store) -> None:
    with pytest.raises(Misconfigured, match="does not look like one"):
        alerting.set_telegram("123:short", "operator")
    with pytest.raises(Misconfigured, match="must begin with https://"):
        alerting.set_ping("file:///etc/passwd", "operator")
    with pytest.raises(Misconfigured, match="'nobody' is not known"):
        alerting.test("nobody")
    assert store.sealed_texts.all() == {}
    assert alerting.ping().there is False
