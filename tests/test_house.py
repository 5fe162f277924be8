"""How the house stays easy to find one's way in: no circles, small rooms, short files, one name for one thing."""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.test_rooms import ROOT, imports, name, nodes, product

PACKAGES = ("core", "db", "pages", "tests", "benchmarks", "scripts")
MOST_FILES = 20  #: Python files in one folder
MIGRATIONS = ROOT / "db/migrations/versions"  #: grows by nature


def module(path: Path) -> str:
    """Return the name under which a file is imported."""
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def graph() -> dict[str, set[str]]:
    """Return which module of ours imports which, whatever the form of the import and wherever it stands."""
    known = {module(path): path for path in product()}
    found: dict[str, set[str]] = {}
    for one, path in known.items():
        asked = {part for full in imports(path) for part in (full, full.rpartition(".")[0])}
        found[one] = {other for other in asked if other in known and other != one}
    return found


def circles() -> Iterator[list[str]]:
    """Each group of modules that import one another in a circle."""
    edges = graph()

    def reached(begin: str) -> set[str]:
        seen: set[str] = set()
        todo = [begin]
        while todo:
            for other in edges[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        return seen

    inside = {one: reached(one) for one in edges}
    told: set[str] = set()
    for one in sorted(edges):
        if one in inside[one] and one not in told:
            circle = sorted(other for other in inside[one] if one in inside[other])
            told |= set(circle)
            yield circle


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert list(circles()) == []


def test_presenters_know_no_streamlit() -> None:
    for path in product():
        if path.is_relative_to(ROOT / "core/ui/presenters"):
            assert "streamlit" not in {one.split(".")[0] for one in imports(path)}, f"{name(path)} imports streamlit"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_holds_few_files(package: str) -> None:
    counted = Counter(path.parent for path in (ROOT / package).rglob("*.py") if path.parent != MIGRATIONS)
    full = {name(folder): number for folder, number in counted.items() if number > MOST_FILES}
    assert full == {}, f"more than {MOST_FILES} Python files"


def test_nine_files_of_ten_are_under_three_hundred_lines() -> None:
    lengths = [len(path.read_text().splitlines()) for path in product()]
    assert statistics.quantiles(lengths, n=10)[-1] < 300


def test_a_class_has_a_name_of_its_own() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in product():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(name(path))
    assert {one: where for one, where in homes.items() if len(where) > 1} == {}


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_what_a_document_names_exists(document: Path) -> None:
    """Files, folders and links; and in the chapter of tables the tables."""
    text = document.read_text()
    for path in re.findall(r"`((?:core|db|pages|tests|docs|scripts|deploy|locale|benchmarks)/[\w./-]*\w/?)`", text):
        assert (ROOT / path).exists(), f"{document.name} names {path}"
    for link in re.findall(r"\]\(([\w./-]+)(?:#[\w-]*)?\)", text):
        assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_every_table_that_the_architecture_names_exists() -> None:
    from db import models  # noqa: F401  (registers the tables)
    from db.base import Base

    chapter = (ROOT / "docs/architecture.md").read_text().split("## What is kept")[1].split("\n## ")[0]
    named = {one for row in re.findall(r"^\| ([^|]+) \|", chapter, re.M) for one in re.findall(r"`(\w+)`", row)}
    assert named - set(Base.metadata.tables) == set()
    missing = set(Base.metadata.tables) - named
    assert missing == set(), f"tables that the architecture does not tell of: {sorted(missing)}"
