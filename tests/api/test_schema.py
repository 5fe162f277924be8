"""Everything that the OpenAPI document allows, and much that it does not: each answer is one that it names."""

from __future__ import annotations

from collections import Counter

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from core.domain.token import Scope
from tests.api.conftest import MOUNT, Desk

EXAMPLES = 6  #: for each operation
TRUE_OF_ALL = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
def test_every_answer_is_one_that_the_document_names(desk: Desk, mode: GenerationMode) -> None:
    document = desk.client(None).get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    token, answers = desk.token(Scope.ADMIN).secret, Counter[int]()
    asked, left_out = 0, 0
    with requests.Session() as session:
        session.trust_env = False
        session.headers["authorization"] = f"Bearer {token}"

        def ask(case: Case) -> None:
            desk.passed += 1000  # no limit is in the way
            if mode is GenerationMode.POSITIVE:  # else nobody would get further than the account's name
                for place in (case.query, case.body):
                    if isinstance(place, dict) and "account" in place:
                        place["account"] = desk.stack.name
            answer = case.call(base_url=f"{desk.url}{MOUNT}", session=session)
            answers[answer.status_code] += 1
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            case.validate_response(answer, checks=TRUE_OF_ALL)

        bounded = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        for found in schema.get_all_operations():
            operation = found.ok()
            try:
                bounded(given(operation.as_strategy(generation_mode=mode))(ask))()
                asked += 1
            except Unsatisfiable:  # nothing of it could be wrong
                left_out += 1
    assert asked > 20
    assert left_out <= 1
    assert answers[422] > 50 if mode is GenerationMode.NEGATIVE else answers[200] > 50, answers


def test_what_needs_a_token_says_so_in_the_document(desk: Desk) -> None:
    document = desk.client(None).get("/openapi.json").json()
    open_to_all = [
        path for path, verbs in document["paths"].items() for verb in verbs.values() if not verb.get("security")
    ]
    assert open_to_all == []
    assert document["servers"] == [{"url": MOUNT}]
