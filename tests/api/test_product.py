"""The API of the running product, behind its password: started as `make run` starts it, spoken to over its one port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.clock import RealClock
from core.domain.token import Scope
from core.services.access.tokens import NewToken, Tokens
from core.vault import Vault
from db.embedded import EmbeddedPostgres
from db.store import Store
from tests.api.conftest import MOUNT, key
from tests.browser.product import Product, folder, in_time
from tests.simulator_process import SimulatorControl

ACCOUNT = "paper-okx"
SWAP = "BTC-USDT-SWAP"
PATIENCE = 60.0  #: seconds; a busy machine may take its time


class Guarded(Product):
    """With a password that nobody here knows."""

    def _environment(self, port: int) -> dict[str, str]:
        return super()._environment(port) | {"PERPDECK_PASSWORD": "a password for pages"}


@dataclass
class House:
    product: Guarded
    exchange: SimulatorControl
    made: NewToken

    def client(self, text: str = "") -> httpx.Client:
        headers = {"authorization": f"Bearer {text}"} if text else {}
        return httpx.Client(
            base_url=f"{self.product.url}{MOUNT}", headers=headers, trust_env=False, verify=False, timeout=30
        )

    def get(self, path: str, **params: Any) -> Any:
        with self.client(self.made.secret) as program:
            answer = program.get(path, params={"account": ACCOUNT, **params})
            assert answer.status_code == 200, answer.text
            return answer.json()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with folder() as place, Guarded(place / "home") as product:
        control = product.simulator()
        control.market("hold")
        control.price(SWAP, "100000")
        yield House(product, control, token_of(product))
        control.disconnect()


def token_of(product: Product) -> NewToken:
    """What Settings would make: a token in the product's own database, under the product's own secret."""
    database = EmbeddedPostgres(product.home / "postgres")
    store = Store.open(database.start())
    try:
        vault = Vault.open(product.home, None)
        return Tokens(store.api_tokens, store.events, RealClock(), lambda: vault.signing_key("signals")).create(
            "TradingView", Scope.ADMIN, 1, "operator"
        )
    finally:
        store.close()
        database.stop()


def test_the_api_has_a_door_of_its_own_beside_the_password_of_the_pages(house: House) -> None:
    with httpx.Client(base_url=house.product.url, trust_env=False, verify=False, timeout=30) as visitor:
        assert visitor.get("/").headers["location"] == "/login"
        assert visitor.get("/api/v1x").status_code == 401
        assert visitor.get("/healthz").json() == {"status": "ok"}
        assert visitor.get("/readyz").json()["status"] == "ready"
        page = visitor.get("/api/v1/docs")
        assert page.status_code == 200
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "<script" not in page.text
        document = visitor.get("/api/v1/openapi.json").json()
        assert document["servers"] == [{"url": MOUNT}]
        assert "/signals" in document["paths"]
        for answer in (visitor.get("/api/v1/parts"), visitor.post("/api/v1/parts", json={}), visitor.get("/api/v1/x")):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
    with house.client(house.made.secret) as program:
        assert program.get("/nothing").status_code == 404
        assert program.put("/bot").status_code == 405


def test_an_alert_is_traded_to_its_end_and_outlives_a_crash(house: House) -> None:
    with house.client(house.made.secret) as program:
        in_time(
            lambda: program.post("/bot/start", json={"account": ACCOUNT}, headers=key("start")).status_code == 200,
            "the bot starts",
            PATIENCE,
        )
    in_time(lambda: house.get("/bot")["state"] == "running", "the bot runs", PATIENCE)
    signal = {
        "secret": house.made.signal_secret,
        "id": "alert-1",
        "time": datetime.now(UTC).isoformat(),
        "max_age_seconds": 600,
        "action": "open",
        "account": ACCOUNT,
        "symbol": "BTCUSDT.P",
        "side": "long",
        "strategy": "breakout",
        "position_value": 1000,
        "leverage": 10,
        "take_profit": {"pnl_usdt": 50},
        "stop_loss": {"pnl_usdt": -100},
    }
    with house.client() as stranger:
        first = stranger.post("/signals", json=signal)
    assert first.status_code == 201, first.text
    part = first.json()["parts"][0]
    in_time(lambda: _row(house, part).get("protected"), "the part is protected", PATIENCE)
    in_time(lambda: _resting(house) == [_row(house, part)["size"]], "one pair for all of it rests", PATIENCE)

    house.product.kill9()
    house.product.start()
    with house.client() as stranger:
        again = stranger.post("/signals", json=signal)
    assert (again.status_code, again.text) == (201, first.text)
    with house.client(house.made.secret) as program:
        in_time(
            lambda: program.post("/bot/start", json={"account": ACCOUNT}, headers=key("again")).status_code == 200,
            "the bot starts again",
            PATIENCE,
        )
    house.exchange.price(SWAP, "106000")
    in_time(lambda: house.get("/trading/performance")["whole"]["cycles"] == 1, "the cycle has ended", PATIENCE)
    told = house.get("/trading/performance", strategy="breakout")
    bills = [row for row in house.exchange.state()["ledger"] if row["instId"]]
    assert Decimal(told["whole"]["net"]) == sum((Decimal(row["balChg"]) for row in bills), Decimal(0))
    assert told["groups"]["reason"]["take_profit"]["won"] == 1
    assert house.made.secret not in house.product.log()
    assert house.made.signal_secret not in house.product.log()


def _resting(house: House) -> list[str]:
    """Sizes of what rests at the exchange; for a moment its safety net does beside the part's own pair."""
    return [row["sz"] for row in house.exchange.state()["algos"] if row["state"] == "live"]


def _row(house: House, part: str) -> dict[str, Any]:
    rows = house.get("/parts")["items"]
    return next((row for row in rows if row["part"] == part), {})
