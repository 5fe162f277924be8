"""A third exchange joins by one row, and everything that asks for exchanges knows it from then on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from core.clock import RealClock
from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured
from core.domain.instrument import TriggerBy
from core.domain.intent import Target
from core.exchange.port import Credentials, ExchangePort
from core.services.accounts.accounts import AccountForm, Accounts
from core.services.accounts.keys import Keys
from core.services.trading.choices import leverage_problem, trigger_problem
from core.ui.presenters.positions import account_label, brand
from core.vault import Vault
from core.venues import profile_of, profiles, register, venue, withdraw
from db.store import Store
from tests.postgres import database_url, postgres, store  # noqa: F401 - fixtures
from tests.third_exchange.adapter import TOY, Session, venue_of
from tests.third_exchange.market import ToyExchange

CREDENTIALS = Credentials("a-key-of-the-toy", "its-secret", "")


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(ToyExchange(Decimal(10_000), Decimal(100_000)))
    register(venue_of(session))
    yield session
    withdraw(TOY)


def test_it_stands_beside_the_others_and_is_made_by_its_own_row(session: Session) -> None:
    assert [*profiles()] == [Exchange.OKX, Exchange.BINANCE, TOY]
    row = venue(TOY)
    rest_url, stream_url = row.addresses(Environment.DEMO, "global")
    client = row.client(Environment.DEMO, rest_url, CREDENTIALS, RealClock())
    stream = row.stream(client, stream_url, CREDENTIALS, RealClock())
    heard: list[str] = []
    stream.start(lambda push: heard.append(push.words))
    assert (client.positions(), heard, stream.connected) == ([], ["connected"], True)


def test_what_is_not_registered_is_not_offered() -> None:
    with pytest.raises(Misconfigured, match="exchange toy is not offered: one of okx, binance"):
        venue(TOY)
    assert brand(TOY) == "toy"


def test_an_exchange_registers_once(session: Session) -> None:
    with pytest.raises(Misconfigured, match="toy is offered already"):
        register(venue_of(session))


def test_rules_of_orders_come_from_its_profile(session: Session) -> None:
    assert profile_of("toy").triggers == (TriggerBy.LAST, TriggerBy.MARK)
    by_index = Target(percent=Decimal(-5), trigger_by=TriggerBy.INDEX)
    assert "last or mark is allowed" in str(trigger_problem("toy", by_index))
    assert not trigger_problem("toy", replace(by_index, trigger_by=TriggerBy.MARK))
    assert "a multiple of 1 is allowed" in str(leverage_problem("toy", Decimal("2.5")))


def test_an_account_of_it_is_added_stored_and_shown(session: Session, store: Store, tmp_path: Path) -> None:  # noqa: F811
    vault = Vault.open(tmp_path, None)

    def where(exchange: Exchange, environment: Environment, region: str) -> tuple[str, str]:
        return venue(exchange).addresses(environment, region)

    def connect(exchange: Exchange, environment: Environment, credentials: Credentials, region: str) -> ExchangePort:
        return venue(exchange).client(environment, where(exchange, environment, region)[0], credentials, RealClock())

    def reach(account: Account, credentials: Credentials) -> ExchangePort:
        return connect(account.exchange, account.environment, credentials, "global")

    accounts = Accounts(
        store, vault, connect, where, Keys(store.accounts, store.sealed_texts, vault), reach, RealClock()
    )
    form = AccountForm("My toy", TOY, Environment.DEMO, CREDENTIALS.api_key, CREDENTIALS.api_secret, "")
    assert accounts.check(form).ok
    account = accounts.add(form, "token", "operator")
    assert (account.id, store.accounts.get(account.id)) == ("demo-toy", account)
    assert accounts.test(account.id).can_trade
    assert [one.exchange for one in accounts.list()] == [TOY]
    assert account_label(replace(account, name="Mine")) == "Mine · Toy"


def test_an_id_is_one_object_and_text_everywhere() -> None:
    assert Exchange("toy") is TOY
    assert f"{TOY}" == "toy"
    ids = TypeAdapter(dict[str, Exchange])
    assert ids.validate_json(ids.dump_json({"exchange": TOY}))["exchange"] is TOY
