"""Keys against the real client and a real simulator: what works is stored encrypted, anything else leaves nothing."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from operator import attrgetter

import pytest

from core.clock import RealClock, SteppedClock
from core.domain.account import Account, Environment, Exchange, PositionKey
from core.domain.errors import Misconfigured, Unavailable
from core.exchange.okx.addresses import addresses
from core.exchange.okx.client import OKXClient
from core.exchange.port import Credentials
from core.services.accounts.accounts import AccountForm, Accounts
from core.services.accounts.keys import Keys
from core.services.reporting.audit import Audit, AuditKind
from core.vault import Vault
from tests.builders import intent
from tests.services.conftest import PAPER

RISK = "I ACCEPT THE RISK"


@pytest.fixture
def accounts(sim, store, vault):
    def where(exchange, environment, region):
        return addresses(environment, region)

    def connect(exchange, environment, credentials, region):
        where(exchange, environment, region)
        return OKXClient(credentials, rest_url=sim.base_url, demo=environment is Environment.DEMO, sleep=lambda _: None)

    def reach(account, credentials):
        return connect(account.exchange, account.environment, credentials, "global")

    return Accounts(store, vault, connect, where, Keys(store.accounts, store.sealed_texts, vault), reach, RealClock())


@pytest.fixture
def form(sim):
    """A form as typed: `form(key="okx_withdraw", environment=Environment.LIVE)`."""

    def typed(key: str = "okx", **changes: object) -> AccountForm:
        keys = sim.ready[key]
        facts: dict[str, object] = {
            "name": "Mine",
            "exchange": Exchange.OKX,
            "environment": Environment.DEMO,
            "api_key": keys["api_key"],
            "api_secret": keys["secret"],
            "passphrase": keys["passphrase"],
        }
        return AccountForm(**{**facts, **changes})

    return typed


# --- check


def test_good_keys_tell_what_they_may_do_and_store_nothing(accounts, form, store):
    found = accounts.check(form())
    assert found.ok
    assert (found.permissions, found.hedge_mode, found.can_withdraw) == ("read_only,trade", True, False)
    assert found.equity == 10000
    assert str(found.words).startswith("The key works on OKX demo: it may read and trade. Equity 10,000.00 USDT.")
    assert store.accounts.all() == [PAPER]


@pytest.mark.parametrize(
    ("story", "changes", "words"),
    [
        ("another key", {"api_key": "nobodys-key-1234"}, "the API key ...1234 is not known to OKX demo"),
        ("wrong passphrase", {"passphrase": "Wrong-Phrase-1"}, "the passphrase does not belong to this API key"),
        ("wrong secret", {"api_secret": "0123456789ABCDEF"}, "the API secret does not belong to this API key"),
        ("an empty field", {"api_secret": ""}, "API secret is empty"),
        ("a sign that no key has", {"passphrase": "fıstık"}, "passphrase holds a sign that no key has"),
        ("a line break", {"api_key": "abc\ndef"}, "API key holds a sign that no key has"),
        ("no name", {"name": " "}, "name is empty"),
        ("paper", {"environment": Environment.PAPER}, "demo or live is allowed"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_without_a_secret(accounts, form, store, caplog, story, changes, words):
    caplog.set_level(logging.DEBUG)
    asked = form(**changes)
    for deed in (accounts.check, lambda it: accounts.add(it, "click-1", by="operator")):
        with pytest.raises(Misconfigured, match=words) as caught:
            deed(asked)
        told = f"{caught.value!r} {caught.value.__cause__!r} {asked!r} {caplog.text}"
        for secret in (asked.api_secret, asked.passphrase):
            assert not secret or secret not in told, story
    assert store.accounts.all() == [PAPER], story


def test_several_problems_are_told_at_once(accounts, form):
    with pytest.raises(Misconfigured) as caught:
        accounts.check(form(name="", api_secret="", passphrase=""))
    assert len(caught.value.problems) == 3


def test_a_key_that_may_only_read_is_not_enough(accounts, form, store):
    found = accounts.check(form("okx_read_only"))
    assert not found.ok
    assert "may only read" in str(found.words)
    with pytest.raises(Misconfigured, match="may only read"):
        accounts.add(form("okx_read_only"), "click-1", by="operator")
    assert store.accounts.all() == [PAPER]


@pytest.mark.parametrize("typed", ["", "i accept the risk", "I ACCEPT"])
def test_a_key_that_may_withdraw_is_refused_unless_the_risk_is_accepted(accounts, form, store, typed):
    risky = form("okx_withdraw", confirm_withdraw=typed)
    found = accounts.check(risky)
    assert (found.ok, found.can_withdraw) == (False, True)
    assert RISK in str(found.words)
    with pytest.raises(Misconfigured, match="may withdraw money"):
        accounts.add(risky, "click-1", by="operator")
    assert store.accounts.all() == [PAPER]


def test_a_key_that_may_withdraw_is_taken_with_the_typed_words(accounts, form):
    risky = form("okx_withdraw", confirm_withdraw=RISK)
    assert accounts.check(risky).ok
    assert accounts.add(risky, "click-1", by="operator").permissions == "read_only,trade,withdraw"


@pytest.mark.parametrize("typed", ["", "live", "LIVE "])
def test_real_money_needs_the_typed_word(accounts, form, store, typed):
    real = form(environment=Environment.LIVE, confirm_live=typed)
    found = accounts.check(real)
    assert not found.ok
    assert "Type LIVE in capitals" in str(found.words)
    with pytest.raises(Misconfigured, match="Type LIVE in capitals"):
        accounts.add(real, "click-1", by="operator")
    assert store.accounts.all() == [PAPER]


def test_one_way_mode_is_reported(accounts, form, sim, okx):
    okx.post("account/set-position-mode", {"posMode": "net_mode"})
    found = accounts.check(form())
    assert (found.ok, found.hedge_mode) == (True, False)
    assert "switch the account to long/short mode" in str(found.words)


def test_a_silent_exchange_is_unavailable_and_not_a_wrong_key(store, vault, form, closed_port):
    def connect(exchange, environment, credentials, region):
        return OKXClient(credentials, rest_url=f"http://127.0.0.1:{closed_port}", sleep=lambda _: None)

    keys = Keys(store.accounts, store.sealed_texts, vault)
    deaf = Accounts(store, vault, connect, lambda *_: ("", ""), keys, lambda *_: connect(*_, ""), RealClock())
    with pytest.raises(Unavailable, match="OKX demo could not be asked about the keys"):
        deaf.check(form())


# --- add and remove


def test_an_account_is_added_with_its_keys_encrypted(accounts, form, store, vault, heard):
    asked = form()
    added = accounts.add(asked, "click-1", by="operator")
    assert added == Account(
        "demo-okx",
        "Mine",
        Exchange.OKX,
        Environment.DEMO,
        *addresses(Environment.DEMO, "global"),
        asked.api_key[-4:],
        "read_only,trade",
    )
    assert accounts.list() == [PAPER, added]
    ciphertext = store.accounts.ciphertext("demo-okx")
    assert asked.api_secret.encode() not in ciphertext
    assert vault.decrypt(ciphertext) == asked.credentials
    assert heard({"accounts": "demo-okx"})


def test_a_double_click_is_one_account(accounts, form):
    assert accounts.add(form(), "click-1", by="operator") == accounts.add(form(), "click-1", by="operator")
    assert len(accounts.list()) == 2


def test_a_key_serves_one_account_only(accounts, form):
    accounts.add(form(), "click-1", by="operator")
    with pytest.raises(Misconfigured, match="is used by account Mine already"):
        accounts.add(form(name="Mine again"), "click-2", by="operator")


def test_a_name_serves_one_account_only(accounts, form):
    accounts.add(form(), "click-1", by="operator")
    with pytest.raises(Misconfigured, match="name 'Mine' is taken"):
        accounts.add(form("okx_withdraw", confirm_withdraw=RISK), "click-2", by="operator")


def test_a_second_account_gets_an_id_of_its_own(accounts, form):
    first = accounts.add(form(), "click-1", by="operator")
    second = accounts.add(form("okx_withdraw", name="Other", confirm_withdraw=RISK), "click-2", by="operator")
    live = accounts.add(form(name="Real", environment=Environment.LIVE, confirm_live="LIVE"), "click-3", by="operator")
    assert [first.id, second.id, live.id] == ["demo-okx", "demo-okx-2", "live-okx"]


def test_an_account_of_another_region_keeps_its_addresses(accounts, form):
    added = accounts.add(form(region="eea"), "click-1", by="operator")
    assert (added.rest_url, added.stream_url) == ("https://eea.okx.com", "wss://wseeapap.okx.com:8443")
    with pytest.raises(Misconfigured, match="region 'moon' is not known: one of global, eea, us"):
        accounts.add(form("okx_withdraw", name="Far", region="moon", confirm_withdraw=RISK), "click-2", by="operator")


def test_an_account_is_removed_with_its_keys(accounts, form, store, heard):
    added = accounts.add(form(), "click-1", by="operator")
    accounts.remove(added.id, by="operator")
    assert accounts.list() == [PAPER]
    assert store.accounts.ciphertext(added.id) is None
    assert heard({"accounts": added.id})
    trail = Audit(store.events).acts(PAPER.id, frozenset({AuditKind.ACCOUNTS}))
    assert [act.who for act in trail] == ["operator", "operator"]
    assert str(trail[0].what) == "remove account Mine"
    assert str(trail[1].what) == f"add account Mine, key ending in {added.api_key_hint}"
    assert all(form().api_secret not in str(act.what) for act in trail)


def test_the_paper_account_stays(accounts):
    with pytest.raises(Misconfigured, match="the paper accounts stay"):
        accounts.remove(PAPER.id, by="operator")


def test_an_account_at_work_is_not_removed(accounts, form, store):
    added = accounts.add(form(), "click-1", by="operator")
    store.bots.set_running(added.id, True, by="operator", why="", manually=False)
    with pytest.raises(Misconfigured, match="the bot of account Mine runs: stop it"):
        accounts.remove(added.id, by="operator")
    store.bots.set_running(added.id, False, by="operator", why="", manually=True)
    wish = intent("")
    store.parts.open(wish.but(key=PositionKey(added.id, wish.key.symbol, wish.key.side)), "click-2")
    with pytest.raises(Misconfigured, match="still guards"):
        accounts.remove(added.id, by="operator")
    assert added in accounts.list()


def test_an_account_that_is_not_known_is_named(accounts):
    with pytest.raises(Misconfigured, match="'nobody' is not known"):
        accounts.remove("nobody", by="operator")


# --- test, source, secret


def test_the_keys_in_use_are_tested_at_any_time(accounts, form, sim):
    accounts.clock = SteppedClock(datetime.fromisoformat(sim.clock()))
    added = accounts.add(form(), "click-1", by="operator")
    found = accounts.test(added.id)
    assert (found.can_trade, found.can_withdraw, found.hedge_mode, found.addresses) == (True, False, True, "")
    assert found.equity == 10000
    assert abs(found.clock_offset.total_seconds()) < 2
    assert accounts.source(added.id) == "database"
    assert accounts.source(PAPER.id) == "paper"
    with pytest.raises(Misconfigured, match="has no keys"):
        accounts.test(PAPER.id)


def test_keys_in_the_environment_come_first_and_are_named_as_such(accounts, form, sim, store):
    added = accounts.add(form(api_key=sim.ready["okx"]["api_key"]), "click-1", by="operator")
    accounts.keys.demo = Credentials("nobodys-key-1234", "a-secret-of-nobody", "phrase")
    assert accounts.source(added.id) == "environment"
    assert accounts.list()[1].api_key_hint == "1234"
    with pytest.raises(Misconfigured, match=r"the API key \.\.\.1234 is not known to OKX demo"):
        accounts.test(added.id)
    with pytest.raises(Misconfigured, match="come from the environment"):
        accounts.remove(added.id, by="operator")
    other = Account("demo-okx-2", "Other", Exchange.OKX, Environment.DEMO, "", "")
    mine = Credentials("nobodys-key-1234", "x", "y")
    store.accounts.save(other, accounts.vault.encrypt(mine))
    assert (accounts.source(other.id), accounts.source(added.id)) == ("environment", "database"), "guarded once"


def test_a_new_secret_opens_everything_and_the_old_one_nothing(accounts, form, tmp_path):
    added = accounts.add(form(), "click-1", by="operator")
    before, sealed = (tmp_path / "secret").read_text(), accounts.store.accounts.ciphertext(added.id)
    assert accounts.change_secret(by="operator") == 1
    assert (tmp_path / "secret").read_text() != before
    assert not (tmp_path / "secret.previous").exists()
    assert accounts.store.accounts.ciphertext(added.id) != sealed
    assert Vault.open(tmp_path, None).decrypt(accounts.store.accounts.ciphertext(added.id)) == form().credentials
    with pytest.raises(Misconfigured):
        Vault(before).decrypt(accounts.store.accounts.ciphertext(added.id))
    assert accounts.test(added.id).can_trade


class PowerCut(Exception):
    """The machine goes away here."""


@pytest.mark.parametrize(
    ("owner", "step"), [("vault", "change"), ("_accounts", "reseal"), ("vault", "forget_previous")], ids=str
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_nothing_is_lost_wherever_it_is_cut_off(accounts, form, tmp_path, monkeypatch, owner, step, after):
    added = accounts.add(form(), "click-1", by="operator")
    place = attrgetter(owner)(accounts.keys)
    real = getattr(place, step)

    def cut(*given):
        if after:
            real(*given)
        if step == "change" or (tmp_path / "secret.previous").exists():
            raise PowerCut
        return None if after else real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(place, step, cut)
        with suppress(PowerCut):
            accounts.change_secret(by="operator")
    started_again = Vault.open(tmp_path, None)
    keys = Keys(accounts.store.accounts, accounts.store.sealed_texts, started_again)
    keys.renew()
    assert keys.of(accounts.store.accounts.get(added.id)) == form().credentials
    assert not (tmp_path / "secret.previous").exists()
    assert (
        Vault((tmp_path / "secret").read_text()).decrypt(accounts.store.accounts.ciphertext(added.id))
        == form().credentials
    )


def test_another_process_learns_the_new_secret(accounts, form, tmp_path):
    elsewhere = Vault.open(tmp_path, None)
    added = accounts.add(form(), "click-1", by="operator")
    accounts.change_secret(by="operator")
    assert elsewhere.decrypt(accounts.store.accounts.ciphertext(added.id)) == form().credentials


def test_keys_that_cannot_be_opened_stop_the_change_before_it_begins(accounts, form, tmp_path):
    added = accounts.add(form(), "click-1", by="operator")
    before = (tmp_path / "secret").read_text()
    accounts.store.accounts.save(added, Vault("a secret that is gone").encrypt(form().credentials))
    with pytest.raises(Misconfigured, match="sealed with another SESSION_SECRET"):
        accounts.change_secret(by="operator")
    assert (tmp_path / "secret").read_text() == before


def test_a_secret_from_the_environment_is_changed_there(accounts, tmp_path):
    accounts.keys.vault = Vault.open(tmp_path, "a secret of the environment")
    with pytest.raises(Misconfigured, match="SESSION_SECRET_PREVIOUS"):
        accounts.change_secret(by="operator")
