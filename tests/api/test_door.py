"""Who comes in: tokens with their scopes, their end, their limit; and what is open without one."""

from __future__ import annotations

from datetime import UTC, timedelta

import httpx
import pytest
from starlette.testclient import TestClient

from core.api import app as app_module
from core.api.limits import STRANGER_RATE, Rate
from core.domain.errors import Misconfigured
from core.domain.token import Scope
from tests.api.conftest import Desk, key

READS = ("/accounts", "/parts", "/level", "/bot", "/trading/positions", "/trading/orders", "/trading/statistics")


def refused(answer: httpx.Response, status: int) -> str:
    """The words of a problem with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    return str(told["detail"])


def test_without_a_token_nothing_is_seen_and_nothing_traded_also_not_on_this_machine(desk: Desk) -> None:
    nobody, account = desk.client(None), {"account": desk.stack.name}
    for path in READS:
        assert "a token is needed" in refused(nobody.get(path, params=account), 401)
        desk.passed += 60
    assert "a token is needed" in refused(nobody.post("/parts", json=desk.wish(), headers=key("a")), 401)
    assert "needs a proof" in refused(nobody.post("/signals", json=desk.signal()), 401)
    assert desk.untouched()


def test_the_reference_is_open_on_the_loopback_and_nowhere_else(desk: Desk) -> None:
    nobody = desk.client(None)
    page = nobody.get("/docs")
    assert (page.status_code, "http://" not in page.text.replace(desk.url, "")) == (200, True)
    assert "https://" not in page.text
    assert "<script" not in page.text
    assert nobody.get("/openapi.json").json()["openapi"].startswith("3.")
    far = TestClient(desk.api, client=("203.0.113.7", 40000))
    assert far.get("/docs").status_code == 401
    assert far.get("/openapi.json").status_code == 401
    token = desk.token(Scope.READ).secret
    assert far.get("/docs", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_a_scope_opens_what_it_says_and_no_more(desk: Desk) -> None:
    reader, trader, account = desk.client(Scope.READ), desk.client(Scope.TRADE), {"account": desk.stack.name}
    for path in READS:
        assert reader.get(path, params=account).status_code == 200
    for path, body in (
        ("/parts", desk.wish()),
        ("/trading/orders", desk.wish()),
        ("/trading/positions/sync", account),
        ("/signals", desk.signal()),
    ):
        assert "scope trade" in refused(reader.post(path, json=body, headers=key("a")), 403), path
    assert "scope trade" in refused(reader.delete("/trading/orders/op00000001E01", params=account), 403)
    for path, body in (("/bot/stop", account), ("/bot/start", account), ("/level", {**account, "level": "flatten"})):
        assert "scope admin" in refused(trader.post(path, json=body, headers=key("a")), 403), path
    assert desk.untouched()
    assert desk.store.bots.get(desk.stack.name).running


def test_a_token_ends_at_its_time_and_at_its_revocation(desk: Desk) -> None:
    account = {"account": desk.stack.name}
    short, long = desk.token(Scope.TRADE, days=1), desk.token(Scope.TRADE)
    first, second = desk.client(text=short.secret), desk.client(text=long.secret)
    assert first.get("/bot", params=account).status_code == 200
    desk.stack.clock.advance(timedelta(days=1).total_seconds())
    assert "expired at" in refused(first.get("/bot", params=account), 401)
    assert "expired at" in refused(
        desk.client(None).post("/signals", json=desk.signal(secret=short.signal_secret)), 401
    )
    assert second.get("/bot", params=account).status_code == 200
    desk.services.tokens.revoke(long.token.id, "operator")
    assert "was revoked at" in refused(second.get("/bot", params=account), 401)
    signal = desk.client(None).post("/signals", json=desk.signal(secret=long.signal_secret))
    assert "was revoked at" in refused(signal, 401)
    assert desk.store.parts.intents(desk.stack.name) == []


def test_a_token_that_is_none_is_not_taken(desk: Desk) -> None:
    nobody, tail = desk.client(None), "A" * 43
    for text in ("x", f"pdk_00000000_{tail}", f"pds_00000000_{tail}", "pdk_" + "é" * 20):
        answer = nobody.get("/accounts", headers={"authorization": f"Bearer {text}".encode()})
        assert answer.status_code == 401, text
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_signal_secret_opens_only_the_door_for_signals(desk: Desk) -> None:
    made = desk.token(Scope.ADMIN)
    assert desk.client(text=made.signal_secret).get("/accounts").status_code == 401


def test_secrets_are_shown_once_and_kept_nowhere(desk: Desk) -> None:
    made = desk.token(Scope.TRADE, name="shown once")
    kept = repr(desk.store.api_tokens.all()) + repr(desk.store.api_tokens.get(made.token.id)) + repr(made)
    kept += repr(desk.store.events.find(limit=50)) + repr(desk.services.tokens)
    assert made.secret not in kept
    assert made.signal_secret not in kept
    assert "API token" in str(desk.store.events.find(limit=1)[0].action)


def test_the_last_use_is_noted_to_the_minute(desk: Desk) -> None:
    made = desk.token(Scope.READ)
    client, account = desk.client(text=made.secret), {"account": desk.stack.name}
    assert desk.services.tokens.list()[0].used_at is None
    client.get("/bot", params=account)
    first = desk.stack.clock.now()
    desk.stack.clock.advance(30)
    client.get("/bot", params=account)
    assert desk.services.tokens.list()[0].used_at == first.astimezone(UTC)
    desk.stack.clock.advance(31)
    client.get("/bot", params=account)
    assert desk.services.tokens.list()[0].used_at == desk.stack.clock.now()


def test_a_token_that_cannot_be_made_says_why(desk: Desk) -> None:
    desk.token(Scope.READ, name="mine")
    for name, days, said in (
        ("", None, "1 to 40"),
        ("a\nb", None, "not allowed"),
        ("mine", None, "is taken"),
        ("b", 0, "1 to"),
    ):
        with pytest.raises(Misconfigured, match=said):
            desk.services.tokens.create(name, Scope.READ, days, "operator")


def test_each_token_has_a_rate_of_its_own(desk: Desk) -> None:
    app = app_module.build("test", lambda: desk.services, lambda: desk.passed, Rate(3, 1.0))
    texts = [desk.token(Scope.READ).secret for _ in range(2)]
    caller = TestClient(app, client=("127.0.0.1", 40000))

    def ask(text: str) -> int:
        return caller.get("/accounts", headers={"authorization": f"Bearer {text}"}).status_code

    assert [ask(texts[0]) for _ in range(4)] == [200, 200, 200, 429]
    assert ask(texts[1]) == 200
    told = caller.get("/accounts", headers={"authorization": f"Bearer {texts[0]}"})
    assert told.headers["retry-after"] == "1"
    desk.passed += 1
    assert [ask(texts[0]) for _ in range(2)] == [200, 429]


def test_who_guesses_is_made_to_wait_and_keeps_out_nobody_who_came_in_before(desk: Desk) -> None:
    nobody, known, new = desk.client(None), desk.client(Scope.READ), desk.client(Scope.READ)
    assert known.get("/accounts").status_code == 200
    guess = {"authorization": "Bearer pdk_00000000_" + "A" * 43}
    codes = [nobody.get("/accounts", headers=guess).status_code for _ in range(STRANGER_RATE.burst + 1)]
    assert codes == [401] * STRANGER_RATE.burst + [429]
    assert nobody.get("/accounts").status_code == 429
    assert new.get("/accounts").status_code == 429, "nothing is looked up for such an address"
    assert known.get("/accounts").status_code == 200, "one sender's neighbours behind the same proxy do no harm"
    desk.passed += 1 / STRANGER_RATE.per_second
    assert new.get("/accounts").status_code == 200


def test_a_machine_with_many_addresses_is_one_that_guesses(desk: Desk) -> None:
    def guess(last: int) -> int:
        return TestClient(desk.api, client=(f"2001:db8::{last:x}", 40000)).get("/accounts").status_code

    codes = [guess(last) for last in range(1, STRANGER_RATE.burst + 2)]
    assert codes == [401] * STRANGER_RATE.burst + [429]
    assert TestClient(desk.api, client=("2001:db8:0:1::1", 40000)).get("/accounts").status_code == 401


def test_wrong_secrets_keep_no_signal_out_that_comes_from_the_same_address(desk: Desk) -> None:
    """All of TradingView's users send from the same few addresses."""
    made, anybody = desk.token(Scope.TRADE), desk.client(None)
    wrong = desk.signal(secret="pds_00000000_" + "A" * 43)
    codes = [anybody.post("/signals", json=wrong).status_code for _ in range(STRANGER_RATE.burst + 1)]
    assert codes == [401] * STRANGER_RATE.burst + [429]
    assert anybody.post("/signals", json=desk.signal(secret=made.signal_secret)).status_code == 201


def test_a_token_that_has_ended_waits_like_any_other_guess(desk: Desk) -> None:
    made = desk.token(Scope.READ)
    client = desk.client(text=made.secret)
    assert client.get("/accounts").status_code == 200
    desk.services.tokens.revoke(made.token.id, "operator")
    codes = [client.get("/accounts").status_code for _ in range(STRANGER_RATE.burst + 1)]
    assert codes == [401] * STRANGER_RATE.burst + [429]
