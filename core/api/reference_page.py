"""Renders the API reference as one plain page from the OpenAPI document, without a script or anything from
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; }
summary { padding: .5rem .8rem; cursor: pointer; display: flex; gap: .8rem; flex-wrap: wrap; align-items: baseline; }
details > div { padding: 0 .8rem .8rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .7rem; overflow-x: auto;
  border-radius: 6px; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem .3rem 0;
  vertical-align: top; border-bottom: 1px solid var(--line); }
.verb { font: 600 13px ui-monospace, monospace; min-width: 4rem; } .soft { opacity: .7; }
"""


def page(document: Json, address: str) -> str:
    """Return the whole page. `address` is where the API is reached, for the examples."""
    groups: dict[str, list[str]] = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            rows = _operation(document, address, path, verb, operation)
            groups.setdefault(operation["tags"][0], []).append("".join(rows))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in groups.items())
    about = document["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(about["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(about['title'])}</h1><p class=soft>{escape(about['version'])} · "
        f'<a href="{escape(address)}/openapi.json">openapi.json</a></p>'
        f"{''.join(f'<p>{escape(text)}</p>' for text in about['description'].split(chr(10) * 2))}{body}</body></html>"
    )


def _operation(document: Json, address: str, path: str, verb: str, operation: Json) -> Iterator[str]:
    said = escape(operation.get("description", "").strip())
    yield f"<details><summary><span class=verb>{verb.upper()}</span><code>{escape(path)}</code>"
    yield f"<span class=soft>{said.split('. ')[0].rstrip('.')}</span></summary><div><p>{said}</p>"
    asked = [*operation.get("parameters", ())]
    if asked:
        yield "<table><tr><th>Name</th><th>In</th><th>Value</th></tr>"
        for one in asked:
            name = escape(one["name"]) + ("" if one.get("required") else " <span class=soft>optional</span>")
            words = escape(one.get("description", ""))
            yield f"<tr><td><code>{name}</code></td><td>{one['in']}</td><td>{_kind(document, one['schema'])} {words}"
            yield "</td></tr>"
        yield "</table>"
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        yield f"<p><b>Body</b></p>{_fields(document, content['schema'])}"
    for status, answer in operation["responses"].items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if schema and status.startswith("2"):
            yield f"<p><b>Answer {escape(status)}</b></p>{_fields(document, schema)}"
    yield f"<pre>{escape(_example(address, path, verb, operation, bool(content)))}</pre></div></details>"


def _fields(document: Json, schema: Json) -> str:
    """Return the fields of an object as rows of a table."""
    found = _followed(document, schema)
    if "items" in found:
        return f"<p>A list of:</p>{_fields(document, found['items'])}"
    if "properties" not in found:
        return f"<p>{_kind(document, found)}</p>"
    needed = found.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{'' if name in needed else ' <span class=soft>optional</span>'}</td>"
        f"<td>{_kind(document, one)} {escape(one.get('description', ''))}</td></tr>"
        for name, one in found["properties"].items()
    )
    words = escape(found.get("description", ""))
    return f"<p>{words}</p><table>{rows}</table>"


def _kind(document: Json, schema: Json) -> str:
    """Return a value's type in a few words."""
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(document, one) for one in schema[several]))
    if "$ref" in schema:
        found = _followed(document, schema)
        if "properties" in found:
            inside = ", ".join(found["properties"])
            return f"<i>{escape(schema['$ref'].rpartition('/')[2])}</i> {{{escape(inside)}}}"
        return _kind(document, found)
    if "enum" in schema:
        return "<code>" + escape(" | ".join(str(one) for one in schema["enum"])) + "</code>"
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "items" in schema:
        return f"list of {_kind(document, schema['items'])}"
    limits = [f"{sign} {schema[name]:,g}" for name, sign in _LIMITS.items() if name in schema]
    kind = schema.get("format") or schema.get("type", "anything")
    limits += [f"such as {one}" for one in schema.get("examples", ())[:1]]
    return escape(" ".join([str(kind), *limits]))


_LIMITS = {"minimum": "\N{GREATER-THAN OR EQUAL TO}", "exclusiveMinimum": ">", "maximum": "\N{LESS-THAN OR EQUAL TO}"}


def _followed(document: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return _followed(document, found)


def _example(address: str, path: str, verb: str, operation: Json, has_body: bool) -> str:
    needs = [one for one in operation.get("parameters", ()) if one.get("required")]
    query = "&".join(f"{one['name']}=..." for one in needs if one["in"] == "query")
    lines = [f"curl -X {verb.upper()} '{address}{path}{'?' + query if query else ''}'"]
    lines.append("-H 'Authorization: Bearer TOKEN'")
    lines += [f"-H '{one['name']}: {json.dumps('a-key-of-your-own')[1:-1]}'" for one in needs if one["in"] == "header"]
    if has_body:
        lines += ["-H 'Content-Type: application/json'", "-d '{...}'"]
    return " \\\n  ".join(lines)
