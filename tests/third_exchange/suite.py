"""Takes the tests of one file of the contract suite over into a file of this folder."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def adopt(module: ModuleType, into: dict[str, Any]) -> None:
    """Copy everything that a file of the contract suite defines; fixtures here stand in for those of its folder."""
    into.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
