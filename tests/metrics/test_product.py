"""The running product, started as `make run` starts it and behind a password, scraped by the real Prometheus."""

from __future__ import annotations

from pathlib import Path

import httpx

from core.clock import RealClock
from core.domain.token import Scope
from core.services.access.tokens import NewToken, Tokens
from core.vault import Vault
from db.embedded import EmbeddedPostgres
from db.store import Store
from tests.browser.product import Product, folder, in_time
from tests.eventually import eventually
from tests.metrics.promethean import Prometheus

ACCOUNTS = {"paper-okx", "paper-binance"}
STRANGER = {"x-forwarded-for": "203.0.113.7"}


class Guarded(Product):
    """With a password that nobody here knows."""

    def _environment(self, port: int) -> dict[str, str]:
        return super()._environment(port) | {"PERPDECK_PASSWORD": "a password for pages"}


def token_of(product: Product) -> NewToken:
    """What Settings would make: a token in the product's own database, under the product's own secret."""
    database = EmbeddedPostgres(product.home / "postgres")
    store = Store.open(database.start())
    try:
        vault = Vault.open(product.home, None)
        tokens = Tokens(store.api_tokens, store.events, RealClock(), lambda: vault.signing_key("signals"))
        return tokens.create("prometheus", Scope.READ, 1, "operator")
    finally:
        store.close()
        database.stop()


def test_prometheus_scrapes_the_dashboard_on_its_own_port(prometheus_programs: Path) -> None:
    with folder() as place, Guarded(place / "home") as product, Prometheus(prometheus_programs, product.url) as server:
        in_time(lambda: server.number('up{job="perpdeck"}') == 1, "the dashboard is up", 60)
        eventually(
            lambda: {one["metric"]["account"] for one in server.query("perpdeck_lease_held == 1")} == ACCOUNTS,
            60,
            "both accounts are led",
            every=0.2,
        )
        eventually(lambda: server.number("min(perpdeck_stream_connected)") == 1, 60, "the streams are up", every=0.2)
        in_time(lambda: (server.number("rate(perpdeck_loop_seconds_count[1m]) > 0") or 0) > 0, "passes are seen", 60)
        assert (server.number("max(perpdeck_picture_age_seconds)") or 99) < 10
        assert server.number("max(perpdeck_bot_running)") == 0
        assert server.number('process_resident_memory_bytes{job="perpdeck"}') is not None
        assert "BotSilent" in server.rules()
        _door(product)
        product.kill9()
        in_time(lambda: server.number('up{job="perpdeck"}') == 0, "its end is seen", 60)


def _door(product: Product) -> None:
    """A visitor gets to the log-in, a stranger is asked for a token, and a proxy's word counts as a stranger's."""
    with httpx.Client(base_url=product.url, trust_env=False, verify=False, timeout=30) as visitor:
        assert visitor.get("/").headers["location"] == "/login"
        mine = visitor.get("/metrics")
        assert mine.status_code == 200
        assert mine.headers["x-content-type-options"] == "nosniff"
        assert visitor.get("/metricsx").status_code == 401
        assert visitor.get("/metrics", headers=STRANGER).status_code == 401
        made = token_of(product)
        let_in = visitor.get("/metrics", headers={**STRANGER, "authorization": f"Bearer {made.secret}"})
        assert let_in.status_code == 200
    assert made.secret not in product.log()
