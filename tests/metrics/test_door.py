"""Who may read `/metrics`: this machine for itself, and whoever brings a token that may read."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from core.api.limits import STRANGER_RATE
from core.domain.errors import Unavailable
from core.domain.token import Scope
from tests.metrics.conftest import VERSION, Station

ELSEWHERE = {"x_forwarded_for": "203.0.113.7"}


def test_this_machine_needs_no_token(station: Station) -> None:
    answer = station.get()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    assert station.value("perpdeck_info", version=VERSION) == 1


@pytest.mark.parametrize(
    "headers",
    [
        ELSEWHERE,
        {"forwarded": "for=203.0.113.7"},
        {"x_real_ip": "203.0.113.7"},
        {"via": "1.1 proxy"},
        {"host": "perpdeck.example.com"},
        {"host": "127.0.0.1.example.com:8501"},
        {"host": "[::1"},
        {"host": ""},
    ],
)
def test_who_comes_through_a_proxy_or_under_another_name_is_asked_for_a_token(
    station: Station, headers: dict[str, str]
) -> None:
    answer = station.get(**headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["detail"].startswith("a token is needed")
    assert "perpdeck_equity" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:8501", "[::1]"])
def test_this_machine_has_several_names(station: Station, host: str) -> None:
    assert station.get(host=host).status_code == 200


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_opens_the_door_from_elsewhere(station: Station, scope: Scope) -> None:
    made = station.tokens.create("prometheus", scope, 1, "operator")
    answer = station.get(authorization=f"Bearer {made.secret}", **ELSEWHERE)
    assert answer.status_code == 200
    assert made.secret not in answer.text
    assert station.get(authorization=f"Bearer {made.signal_secret}", **ELSEWHERE).status_code == 401


def test_a_token_that_has_ended_or_is_revoked_opens_nothing(station: Station) -> None:
    ends = station.tokens.create("short", Scope.READ, 1, "operator")
    revoked = station.tokens.create("gone", Scope.READ, None, "operator")
    station.tokens.revoke(revoked.token.id, "operator")
    assert station.get(authorization=f"Bearer {revoked.secret}", **ELSEWHERE).status_code == 401
    station.stack.clock.advance(timedelta(days=2).total_seconds())
    assert station.get(authorization=f"Bearer {ends.secret}", **ELSEWHERE).status_code == 401


def test_guessing_is_slowed_and_keeps_nobody_else_out(station: Station) -> None:
    for _ in range(STRANGER_RATE.burst):
        assert station.get(authorization="Bearer pdk_wrong", **ELSEWHERE).status_code == 401
    slowed = station.get(authorization="Bearer pdk_wrong", **ELSEWHERE)
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) > 0
    assert station.get().status_code == 200


def test_other_methods_are_not_there(station: Station) -> None:
    assert httpx.post(f"{station.url}/metrics", trust_env=False, verify=False).status_code == 405


def test_a_database_that_does_not_answer_gives_no_numbers(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> None:
        raise Unavailable("the database does not answer: connection refused")

    monkeypatch.setattr(station.store.metrics, "standings", silent)
    answer = station.get()
    assert answer.status_code == 503
    assert "perpdeck_" not in answer.text
    assert answer.json()["detail"] == "the database does not answer: connection refused"
    monkeypatch.undo()
    assert station.get().status_code == 200
