"""The catalogues of sentences: `extract` brings them up to date with the code, `check` says what is wrong with them,
`compile` makes the files that the product reads.

Sentences are the literal arguments of `_`, `N_` and `counted` anywhere in the product, and the catalogue of reasons in
`core/domain/sentences/`. Another language begins with an empty file `locale/<language>/LC_MESSAGES/perpdeck.po`.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from core.i18n.catalogue import DOMAIN, FOLDER, compile_catalogue, compiled, source  # noqa: E402

MARKS = {"_": 1, "N_": 1, "counted": 2}  #: function: how many of its first arguments are sentences
REASONS = ROOT / "core/domain/sentences"
KEPT_MARKS = ("**", ":small[", ":gray[", "`", "\n\n")  #: Markdown that a translation must keep
LEFT_OUT = (
    b'"POT-Creation',
    b'"PO-Revision',
    b'"Last-Translator',
    b'"Language-Team',
    b'"Report-Msgid',
    b'"Generated-By',
)
Id = str | tuple[str, str]


def languages() -> list[str]:
    """Return every language that has a catalogue."""
    return sorted(path.parts[-3] for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def found() -> dict[Id, set[str]]:
    """Return every sentence of the product (or both forms of one that counts) with the files and codes that say it."""
    said: dict[Id, set[str]] = {}
    for path in [
        ROOT / "app.py",
        *(one for room in ("pages", "core", "db") for one in sorted((ROOT / room).rglob("*.py"))),
    ]:
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text())
        rows = _reasons(tree) if path.parent == REASONS else _marked(tree)
        for sentence, code in rows:
            said.setdefault(sentence, set()).add(f"{name} {code}".strip())
    return said


def _marked(tree: ast.Module) -> Iterator[tuple[Id, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            texts = [_texts(argument) for argument in node.args[: MARKS[node.func.id]]]
            if node.func.id == "counted":
                yield (texts[0][0], texts[1][0]), ""
            else:
                yield from ((text, "") for text in texts[0])


def _texts(argument: ast.expr) -> list[str]:
    """The literal sentences of an argument: one, or those of `a if b else c`."""
    nodes = ast.walk(argument) if isinstance(argument, ast.IfExp) else [argument]
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _reasons(tree: ast.Module) -> Iterator[tuple[Id, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    yield str(value.value), str(key.value)


def extract(language: str) -> None:
    """Bring a catalogue up to date: new sentences without a translation, old ones gone, translations kept."""
    known = _read(language)
    fresh = _empty(language)
    for sentence, places in sorted(found().items(), key=lambda one: one[0] if isinstance(one[0], str) else one[0][0]):
        old = known.get(sentence)
        translation = old.string if old is not None else ("" if isinstance(sentence, str) else ("", ""))
        fresh.add(sentence, translation, auto_comments=sorted(places))
    _write(language, fresh)


def check(language: str) -> list[str]:
    """Return what is wrong with a catalogue, a line each; an empty list where all is well."""
    catalogue, said = _read(language), found()
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        name = message.id if isinstance(message.id, str) else message.id[0]
        if message.id not in said:
            wrong.append(f"no longer said: {name!r}")
        elif message.fuzzy:
            wrong.append(f"marked as doubtful: {name!r}")
        else:
            wrong += _of_message(message)
    there = {message.id for message in catalogue}
    wrong += [f"missing: {one!r} ({', '.join(sorted(places))})" for one, places in said.items() if one not in there]
    return [f"{language}: {line}" for line in wrong]


def _of_message(message: Message) -> Iterator[str]:
    ids = (message.id,) if isinstance(message.id, str) else message.id
    strings = (message.string,) if isinstance(message.string, str) else message.string or ("",) * len(ids)
    for english, translated in zip(ids, strings, strict=True):
        if not translated.strip() and english.strip():
            yield f"not translated: {english!r}"
        elif _places(english) != _places(translated):
            yield f"other places: {english!r} and {translated!r}"
        for mark in KEPT_MARKS:
            if translated.strip() and english.count(mark) != translated.count(mark):
                yield f"another number of {mark!r}: {english!r} and {translated!r}"


def _places(sentence: str) -> list[str]:
    """The named places of a sentence, each with its format."""
    return sorted({f"{name}:{spec}" for _text, name, spec, _kind in Formatter().parse(sentence) if name is not None})


def _empty(language: str) -> Catalog:
    header = f"# Perpdeck in {language}. Sentences come from the code; `make messages` brings this file up to date."
    return Catalog(locale=language, domain=DOMAIN, project="perpdeck", header_comment=header, fuzzy=False)


def _read(language: str) -> Catalog:
    with source(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def _write(language: str, catalogue: Catalog) -> None:
    """Write a catalogue without dates and addresses that nobody keeps: it changes where a sentence does."""
    written = BytesIO()
    write_po(written, catalogue, width=120)
    lines = written.getvalue().splitlines(keepends=True)
    source(language).write_bytes(b"".join(line for line in lines if not line.startswith(LEFT_OUT)))


def main() -> int:
    """Run one of the three commands for every language; 1 where a check finds something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["extract", "check", "compile"])
    command = parser.parse_args().command
    wrong: list[str] = []
    for language in languages():
        if command == "extract":
            extract(language)
        elif command == "compile":
            compiled(language).write_bytes(compile_catalogue(language))
        else:
            wrong += check(language)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
