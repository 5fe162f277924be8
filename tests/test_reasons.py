"""Every reason that the code makes stands in the catalogue with just the values that its sentence names.

Read from the source: no code of the catalogue is unused, and none is made up while the product runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

from core.domain.reason import code_of, places
from core.domain.sentences import SENTENCES

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "core/domain/sentences"
MAKER = ROOT / "core/domain/reason.py"  #: puts codes together: of enumerations, and those that come from the database
SOURCES = [
    path
    for room in ("core", "db", "pages")
    for path in sorted((ROOT / room).rglob("*.py"))
    if CATALOGUE not in path.parents and path != MAKER
]
OF_THE_MAKER = ("text", "word.", "span.")  #: made by `core/domain/reason.py` itself
#: codes that are put together of a family and a name, and the only files that do so
FAMILIES = {
    "core/alerts/messages.py": ("alert.", "level_button."),
    "core/domain/settings/field.py": ("setting.", "setting_problem."),
    "core/domain/settings/unit.py": ("unit.",),
    "core/services/accounts/paper_market.py": ("deed.", "fault.", "paper."),
    "core/services/settings/alerts.py": ("field.bare_seconds", "field.ping_minutes", "field.unresolved_seconds"),
    "core/telegram/commands.py": ("telegram.help_", "bot_state."),
    "db/mapping/changes.py": ("change.",),
}
OF_THE_DATABASE = ("record.",)  #: made by its triggers
OF_A_PROBLEM = frozenset({"field", "value", "allowed"})  #: what a program is told of a problem, named in it or not


@dataclass(frozen=True)
class Made:
    """One call of `Reason`: its place in the source, its code (None: not a literal), its values (None: not named)."""

    where: str
    code: str | None
    values: frozenset[str] | None
    put_together: bool  #: its code is a string with places


def made(path: Path) -> Iterator[Made]:
    """Yield every call of `Reason` in a file; a choice between two literals counts as both."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "Reason":
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        names = [keyword.arg for keyword in node.keywords]
        values = None if None in names else frozenset(name for name in names if name is not None)
        codes = list(_literals(node.args[0])) if len(node.args) == 1 else []
        put_together = any(isinstance(part, ast.JoinedStr) for argument in node.args for part in ast.walk(argument))
        for code in codes or [None]:
            yield Made(where, code, values, put_together)


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


EVERY = [one for path in SOURCES for one in made(path)]


def literals() -> frozenset[str]:
    """Return every string of the sources: a code may stand in a table."""
    nodes = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text())))
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def words_of_enumerations() -> frozenset[str]:
    """Return the codes of all words of the domain's enumerations."""
    modules = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "core/domain").rglob("*.py"))
    found = (kind for module in modules for kind in vars(import_module(module)).values() if isinstance(kind, type))
    return frozenset(code_of(word) for kind in found if issubclass(kind, StrEnum) for word in kind)


@pytest.mark.parametrize("one", [one for one in EVERY if one.code is not None], ids=lambda one: f"{one.where}")
def test_a_reason_has_the_values_that_its_sentence_names(one: Made) -> None:
    assert one.code in SENTENCES, f"{one.where}: {one.code} is not in the catalogue"
    named = places(SENTENCES[one.code]).keys()
    if one.values is not None:
        assert not named - one.values, f"{one.where}: {one.code} lacks a value"
        assert not one.values - named - OF_A_PROBLEM, f"{one.where}: {one.code} does not name a value"


def test_codes_are_put_together_only_where_a_family_is_known() -> None:
    found = {one.where.partition(":")[0] for one in EVERY if one.put_together}
    assert found <= FAMILIES.keys()


def test_no_code_of_the_catalogue_is_unused() -> None:
    used, words = literals(), words_of_enumerations()
    kinds = {word.partition(".")[0] for word in words}
    elsewhere = (*OF_THE_MAKER, *OF_THE_DATABASE, *chain.from_iterable(FAMILIES.values()))
    unused = [code for code in SENTENCES if code not in used | words and not code.startswith(elsewhere)]
    assert not unused
    made_up = [code for code in SENTENCES if code.partition(".")[0] in kinds and code not in words | used]
    assert not made_up, "words of no enumeration"


def test_every_word_of_a_translated_enumeration_has_its_sentence() -> None:
    words = words_of_enumerations()
    begun = {code.partition(".")[0] for code in SENTENCES if code in words}
    assert not [word for word in sorted(words) if word.partition(".")[0] in begun and word not in SENTENCES]
