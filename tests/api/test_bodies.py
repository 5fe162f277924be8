"""Bodies that are malformed, huge, late, replayed or forged: a clear error, and nothing is placed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.api.limits import LONGEST_BODY
from core.domain.token import Scope
from tests.api.conftest import Desk, key

JSON = {"content-type": "application/json"}


def problem(answer: httpx.Response, status: int = 422) -> dict[str, Any]:
    """The first field that a problem names."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()["problems"]
    return dict(found[0]) if found else {}


MALFORMED = {
    "nothing": b"",
    "cut": b"{",
    "null": b"null",
    "a list": b"[]",
    "no UTF-8": b"\xff\xfe",
    "text": b'"text"',
    "deep": b"[" * 50_000,
    "NaN": b'{"position_value": NaN}',
    "a long number": b'{"position_value": ' + b"9" * 10_000 + b"}",
    "half a letter": b'{"account": "\\ud800", "\\ud800": "\\u0000"}',
}
OUTSIDE: list[tuple[str, Any, str]] = [
    ("position_value", -5, "greater than 0"),
    ("position_value", "1e3", "13 digits"),
    ("position_value", True, "a number"),
    ("position_value", "\N{ARABIC-INDIC DIGIT THREE}", "13 digits"),
    ("position_value", 10**13, "10"),
    ("leverage", None, "a number"),
    ("side", "up", "long"),
    ("symbol", "BTC", "USDT-PERP"),
    ("take_profit", {"pnl_usdt": 1, "price": 2}, "exactly one"),
    ("entry.price", {"kind": "limit"}, "missing"),
    ("entry.price", {"price": 1}, "not known"),
    ("entry", {"kind": "vwap"}, "twap"),
    ("entry.slices", {"kind": "twap", "duration_seconds": 60, "slices": 1000}, "500 at most"),
    ("entry.duration_seconds", {"kind": "twap", "duration_seconds": 1, "slices": 10}, "10 or more"),
    ("entry.visible", {"kind": "iceberg", "visible": 1.5}, "1 at most"),
    ("strategy", "a\u0000b", "pattern"),
    ("when_refused", "pray", "retry"),
    ("surprise", 1, "not known"),
]


def test_a_body_that_is_none_is_refused(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    for name, body in MALFORMED.items():
        for path in ("/parts", "/signals"):
            answer = trader.post(path, content=body, headers=JSON | key("a"))
            assert answer.status_code == 422, (name, path, answer.text)
            assert answer.json()["detail"], name
    assert desk.untouched()


def test_a_field_out_of_its_range_is_named_with_its_value_and_what_is_allowed(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    for field, value, said in OUTSIDE:
        body = desk.wish(**{field.partition(".")[0]: value})
        found = problem(trader.post("/parts", json=body, headers=key("a")))
        assert found["field"].startswith(field), found
        assert said in found["words"] + found["allowed"], found
    assert desk.untouched()


def test_what_the_services_refuse_names_field_value_and_range_too(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    answer = trader.post("/parts", json=desk.wish(leverage=500, position_value=1), headers=key("a"))
    found = {one["field"]: one for one in answer.json()["problems"]}
    assert answer.status_code == 422
    assert found["leverage"]["value"] == "500"
    assert found["leverage"]["allowed"].startswith("1 to ")
    assert "is allowed" in found["position_value"]["allowed"]
    unknown = problem(trader.post("/parts", json=desk.wish(account="nobody"), headers=key("b")), 404)
    assert (unknown["field"], unknown["value"]) == ("account", "nobody")
    assert desk.stack.name in unknown["allowed"]
    assert desk.untouched()


def test_a_preview_tells_whatever_would_be_refused(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    for field, value in (("recovery", {"trigger_pnl": 5}), ("leverage", 500), ("reopen", {"loss_budget": "0.001"})):
        body = desk.wish(**{field: value})
        seen, refused = trader.post("/parts/preview", json=body), trader.post("/parts", json=body, headers=key(field))
        assert refused.status_code == 422
        said = refused.json()["detail"]
        assert (seen.json().get("detail") or "; ".join(seen.json()["problems"])) == said
    assert desk.untouched()
    assert trader.post("/parts", json=desk.wish(), headers=key("first")).status_code == 201
    twin = trader.post("/parts", json=desk.wish(), headers=key("second")).json()["detail"]
    seen = trader.post("/parts/preview", json=desk.wish()).json()
    assert (seen["problems"], seen["notes"][-1:]) == ([], [twin])


@pytest.mark.parametrize("path", ["trades", "performance"])
def test_times_are_taken_from_every_zone_and_from_no_other_calendar(desk: Desk, path: str) -> None:
    reader = desk.client(Scope.READ)
    for since, status in (
        ("2026-01-31T12:00:00+18:58", 200),
        ("8590-11-05T12:22:25-23:59", 200),
        ("0001-01-01T00:00:00+10:00", 422),
        ("2026-01-31T12:00:00", 422),
        ("yesterday", 422),
    ):
        answer = reader.get(f"/trading/{path}", params={"account": desk.stack.name, "since": since})
        assert answer.status_code == status, since
        assert status == 200 or problem(answer)["field"] == "since"


def test_a_post_without_a_key_is_refused(desk: Desk) -> None:
    assert problem(desk.client(Scope.TRADE).post("/parts", json=desk.wish()))["field"] == "Idempotency-Key"
    assert desk.untouched()


def test_a_huge_body_goes_no_further(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    huge = json.dumps(desk.wish(strategy="x" * LONGEST_BODY)).encode()

    def pieces() -> Iterator[bytes]:
        yield from (huge[at : at + 8192] for at in range(0, len(huge), 8192))

    for content in (huge, pieces()):
        try:
            answer = trader.post("/parts", content=content, headers=JSON | key("a"))
        except httpx.TransportError:  # the server has hung up on the rest of it
            continue
        assert problem(answer, 413)["allowed"] == f"{LONGEST_BODY} bytes at most"
    assert desk.untouched()


def test_a_late_signal_and_one_from_the_future_do_nothing(desk: Desk) -> None:
    trader, sent = desk.client(Scope.TRADE), desk.signal("late")
    desk.stack.clock.advance(61)
    desk.stack.simulator.clock(61)
    desk.stack.hear()
    assert problem(trader.post("/signals", json=sent))["field"] == "time"
    assert "is allowed; nothing was done" in trader.post("/signals", json=sent).json()["detail"]
    now = desk.stack.clock.now()
    early = desk.signal("early", time=now.replace(year=now.year + 1).isoformat())
    assert problem(trader.post("/signals", json=early))["field"] == "time"
    zoneless = problem(trader.post("/signals", json=desk.signal("zone", time="2026-01-01T00:00:00")))
    assert "no zone" in zoneless["words"]
    assert desk.untouched()
    assert trader.post("/signals", json=sent | {"max_age_seconds": 120}).status_code == 201


def test_a_late_copy_of_a_signal_gets_the_answer_of_the_first(desk: Desk) -> None:
    trader, sent = desk.client(Scope.TRADE), desk.signal()
    first = trader.post("/signals", json=sent)
    desk.stack.clock.advance(3600)
    again = trader.post("/signals", content=json.dumps(sent, indent=4), headers={"content-type": "text/plain"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(desk.store.parts.intents(desk.stack.name)) == 1


@pytest.mark.parametrize("path", ["/parts", "/signals"])
def test_the_same_key_for_something_else_is_refused(desk: Desk, path: str) -> None:
    trader = desk.client(Scope.TRADE)
    body = desk.signal() if path == "/signals" else desk.wish()
    assert trader.post(path, json=body, headers=key("a")).status_code == 201
    other = trader.post(path, json=body | {"position_value": 2000}, headers=key("a"))
    assert problem(other, 409)["field"] == "Idempotency-Key"
    assert len(desk.store.parts.intents(desk.stack.name)) == 1
    another_program = desk.client(Scope.TRADE)
    second = another_program.post(path, json=body | {"again": True}, headers=key("a"))
    assert second.status_code == 201
    assert len(desk.store.parts.intents(desk.stack.name)) == 2


def test_a_refusal_is_the_answer_of_its_key_too(desk: Desk) -> None:
    trader = desk.client(Scope.TRADE)
    twice = [trader.post("/parts", json=desk.wish(leverage=500), headers=key("a")) for _ in range(2)]
    assert [one.status_code for one in twice] == [422, 422]
    assert twice[0].json() == twice[1].json()


# --- proofs of a signal


def signed(secret: str, ident: str, at: int, body: bytes) -> str:
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},k={ident},v1={made}"


def test_a_signature_proves_who_sends_it_and_holds_for_its_body_only(desk: Desk) -> None:
    made, nobody = desk.token(Scope.TRADE), desk.client(None)
    body, at = json.dumps(desk.signal()).encode(), int(desk.stack.clock.now().timestamp())
    header = signed(made.signal_secret, made.token.id, at, body)
    forged = body.replace(b"1000", b"9000")
    for content, proof in (
        (forged, header),
        (body, header.replace("v1=", "v1=0")),
        (body, signed(made.signal_secret, made.token.id, at - 301, body)),
        (body, signed("pds_guess", made.token.id, at, body)),
        (body, "nonsense"),
        (body, f"t={at},k={made.token.id}"),
    ):
        answer = nobody.post("/signals", content=content, headers={"x-perpdeck-signature": proof})
        assert answer.status_code == 401, proof
    assert desk.untouched()
    assert nobody.post("/signals", content=body, headers={"x-perpdeck-signature": header}).status_code == 201


def test_a_wrong_secret_is_neither_taken_nor_repeated(desk: Desk) -> None:
    wrong = "pds_00000000_" + "A" * 43
    answer = desk.client(None).post("/signals", json=desk.signal(secret=wrong))
    assert answer.status_code == 401
    assert wrong not in answer.text
    made = desk.token(Scope.TRADE)
    invalid = desk.client(None).post("/signals", json=desk.signal(secret=made.signal_secret, side="up", id=5))
    assert invalid.status_code == 422
    assert made.signal_secret not in invalid.text
    assert desk.untouched()
