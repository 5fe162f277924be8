"""The stand-in answers what the real services answer: same methods, same parameters, same values."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_type_hints

import pytest

from core.wiring import Services
from tests.pages.samples.services import full


def methods(kind: type) -> dict[str, list[str]]:
    """The public methods of a class with the names of their parameters."""
    public = inspect.getmembers(kind, inspect.isfunction)
    return {name: list(inspect.signature(method).parameters) for name, method in public if not name.startswith("_")}


@pytest.mark.parametrize("service", [field.name for field in fields(Services)])
def test_the_stand_in_asks_and_answers_like_the_real_service(service):
    real, standing_in = get_type_hints(Services)[service], getattr(full(), service)
    if inspect.isclass(real):
        assert methods(type(standing_in)) == methods(real)
    else:
        assert standing_in, "a plain value, as the real one is"
