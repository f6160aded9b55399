"""docs/api/index.html: the two documents as one readable page.

Self-contained: no external request, no framework; one inline style, one inline script (the search box) without which
everything can be read. Knows OpenAPI and AsyncAPI as this package writes them. Headings are Indonesian with English
beside them; the contract itself is English.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

from mpp_apidocs.rules import VISIBLE

Json = dict[str, Any]
_RULES = (
    ("minLength", "min. {} characters"),
    ("maxLength", "max. {} characters"),
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("minItems", "min. {} items"),
    ("maxItems", "max. {} items"),
)
EMPTY = '""'
_WIDEST = (-(2**31), 2**31 - 1, 2**32 - 1)  # a type's own bounds say nothing


def page(openapi: Json, asyncapi: Json) -> str:
    """The whole HTML document."""
    template = files("mpp_apidocs").joinpath("page.html").read_text(encoding="utf-8")
    parts = {
        "VERSION": escape(openapi["info"]["version"]),
        "NAVIGATION": _navigation(openapi, asyncapi),
        "CALLS": "\n".join(_service(openapi, tag) for tag in openapi["tags"]),
        "ABOUT_CALLS": prose(openapi["info"]["description"]),
        "PROBLEMS": _problems(openapi),
        "ABOUT_EVENTS": prose(asyncapi["info"]["description"]),
        "WAYS": _ways(asyncapi),
        "EVENTS": "\n".join(_event(asyncapi, name) for name in _event_names(asyncapi)),
        "SCHEMAS": _schemas(openapi, "schema") + _schemas(asyncapi, "event-schema"),
    }
    return re.sub(r"<!--([A-Z_]+)-->", lambda m: parts[m[1]], template)


def prose(text: str) -> str:
    """Paragraphs, `- ` lists and `code`: as much Markdown as the descriptions use."""
    out = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        plain = [line for line in lines if not line.startswith("- ")]
        items = [line[2:] for line in lines if line.startswith("- ")]
        if plain and any(plain):
            out.append(f"<p>{inline(' '.join(plain))}</p>")
        if items:
            out.append("<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>")
    return "".join(out)


def inline(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*([a-z]+)\*", r"<em>\1</em>", marked)


def _anchor(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def _operations(openapi: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, verbs in openapi["paths"].items():
        for verb, operation in verbs.items():
            if tag in operation["tags"]:
                yield verb, path, operation


def _event_names(asyncapi: Json) -> list[str]:
    return [name for name, message in asyncapi["components"]["messages"].items() if "x-mpp-routing-key" in message]


def _navigation(openapi: Json, asyncapi: Json) -> str:
    out = []
    for tag in openapi["tags"]:
        links = "".join(
            f'<li><a href="#{o["operationId"]}">{escape(o["operationId"].split("_")[1])}</a></li>'
            for _, _, o in _operations(openapi, tag["name"])
        )
        out.append(f"<details><summary>{escape(tag['name'])}</summary><ul>{links}</ul></details>")
    links = "".join(
        f'<li><a href="#{_anchor(name)}">{escape(name.rsplit(".", 1)[1])}</a></li>' for name in _event_names(asyncapi)
    )
    out.append(f'<details><summary><span lang="id">Peristiwa</span> / Events</summary><ul>{links}</ul></details>')
    return "".join(out)


def _service(openapi: Json, tag: Json) -> str:
    operations = "\n".join(_operation(verb, path, one) for verb, path, one in _operations(openapi, tag["name"]))
    return (
        f'<section class="service" aria-labelledby="{tag["name"]}"><h3 id="{tag["name"]}">{escape(tag["name"])}</h3>'
        f"{prose(tag['description'])}{operations}</section>"
    )


def _operation(verb: str, path: str, operation: Json) -> str:
    roles = operation["x-mpp-roles"] or {"siapa saja / anyone": ""}
    chips = "".join(f'<span class="chip">{escape(role)}</span>' for role in roles)
    shown_path = re.sub(r"(\{[a-z_]+\})", r"<b>\1</b>", escape(path))
    return (
        f'<details class="card" id="{operation["operationId"]}"><summary>'
        f'<span class="verb {verb}">{verb.upper()}</span> <code class="path">{shown_path}</code>'
        f'<span class="summary">{inline(operation["summary"])}</span></summary>'
        f'<div class="inside"><p class="chips">{chips}</p>{prose(operation["description"])}'
        f"{_parameters(operation)}{_body(operation)}{_answers(operation)}{_tries(verb, path, operation)}"
        f'<p class="quiet">gRPC: <code>{escape(operation["x-mpp-grpc"])}</code></p></div></details>'
    )


def _parameters(operation: Json) -> str:
    rows = "".join(
        f"<tr><th scope=row><code>{escape(p['name'])}</code>{_due(p['required'])}</th><td>{p['in']}</td>"
        f"<td>{type_of(p['schema'], 'schema')}</td><td>{inline(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", ())
    )
    if not rows:
        return ""
    return _table("Parameter", ("Nama / Name", "Di / In", "Jenis / Type", "Arti / Meaning"), rows)


def _due(required: bool) -> str:
    return ' <span class="due" title="wajib / required">*</span>' if required else ""


def _table(caption: str, heads: tuple[str, ...], rows: str) -> str:
    head = "".join(f"<th scope=col>{escape(h)}</th>" for h in heads)
    title = f"<caption>{caption}</caption>" if caption else ""
    return f'<div class="wide"><table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _body(operation: Json) -> str:
    if "requestBody" not in operation:
        return ""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return f"<p><strong><span lang=id>Isi</span> / Body:</strong> {type_of(schema, 'schema')}</p>"


def _answers(operation: Json) -> str:
    content = operation["responses"]["200"].get("content", {})
    kind, media = next(iter(content.items()))
    schema = media["schema"].get("contentSchema", media["schema"])
    stream = " (Server-Sent Events)" if kind == "text/event-stream" else ""
    others = ", ".join(f'<a href="#problem-{s}">{s}</a>' for s in operation["responses"] if s != "200")
    return (
        f"<p><strong><span lang=id>Jawaban</span> / Answer:</strong> 200 {type_of(schema, 'schema')}{stream}. "
        f"<span lang=id>Kesalahan</span> / problems: {others}</p>"
    )


def _tries(verb: str, path: str, operation: Json) -> str:
    """The examples as command lines with their answers."""
    out = []
    bodies = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
    for status, response in operation["responses"].items():
        for content in response.get("content", {}).values():
            for key, example in content.get("examples", {}).items():
                command = curl(verb, path, operation, bodies.get(key, {}).get("value"))
                out.append(_try(example, "" if status == "200" else f" → {status}", command))
    return "".join(out)


def _try(example: Json, outcome: str, command: str) -> str:
    reply = example["value"]
    shown = reply if isinstance(reply, str) else json.dumps(reply, indent=2, ensure_ascii=False)
    return (
        f"<figure><figcaption>{inline(example['summary'])}{outcome}</figcaption>"
        f"<pre tabindex=0><code>{escape(command)}</code></pre>"
        f"<pre tabindex=0><code>{escape(shown)}</code></pre></figure>"
    )


def curl(verb: str, path: str, operation: Json, body: Any) -> str:
    """The example as a command line; `$GATEWAY` and `$TOKEN` are the reader's."""
    query = []
    for parameter in operation.get("parameters", ()):
        value = parameter.get("example")
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(value or parameter["name"].upper()))
        elif value is not None:
            query.append(" \\\n  --data-urlencode " + shlex.quote(f"{parameter['name']}={value}"))
    command = f'curl{" -G" if query else ""}{" -N" if ":watch" in path else ""} "$GATEWAY{path}"'
    if verb not in ("get", "post"):
        command += f" -X {verb.upper()}"
    if operation["security"]:
        command += ' \\\n  -H "authorization: Bearer $TOKEN"'
    if body is not None:
        text = shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))
        command += f" \\\n  -H 'content-type: application/json' -d {text}"
    return command + "".join(query)


def _problems(openapi: Json) -> str:
    out = []
    for name, problem in openapi["components"]["responses"].items():
        status = next(
            s
            for verbs in openapi["paths"].values()
            for operation in verbs.values()
            for s, r in operation["responses"].items()
            if r.get("$ref", "").endswith(f"/{name}")
        )
        sample = json.dumps(problem["content"]["application/json"]["example"], indent=2, ensure_ascii=False)
        out.append(
            f'<div class="card open" id="problem-{status}"><h3><span class="verb problem">{status}</span> {name}</h3>'
            f"{prose(problem['description'])}<details><summary><span lang=id>Contoh</span> / Sample</summary>"
            f"<pre tabindex=0><code>{escape(sample)}</code></pre></details></div>"
        )
    return "".join(out)


def _ways(asyncapi: Json) -> str:
    keys = {m["x-mpp-routing-key"] for m in asyncapi["components"]["messages"].values() if "x-mpp-routing-key" in m}
    rows = "".join(
        f"<tr><th scope=row>{escape(c['title'])}</th><td><code>{escape(c['address'] or 'https://…')}</code></td>"
        f"<td>{prose(c['description'])}</td></tr>"
        for key, c in asyncapi["channels"].items()
        if key not in keys
    )
    return _table("", ("Jalan / Way", "Alamat / Address", "Arti / Meaning"), rows)


def _event(asyncapi: Json, name: str) -> str:
    message = asyncapi["components"]["messages"][name]
    schema = asyncapi["components"]["schemas"][name]
    sample = "".join(
        "<figure><figcaption><span lang=id>Contoh</span> / Sample</figcaption>"
        f"<pre tabindex=0><code>{escape(json.dumps(e['payload'], indent=2, ensure_ascii=False))}</code></pre></figure>"
        for e in message.get("examples", ())
    )
    return (
        f'<details class="card" id="{_anchor(name)}"><summary>'
        f'<span class="verb event">{message["x-mpp-entitlement"]}</span>'
        f' <code class="path">{escape(message["x-mpp-routing-key"])}</code>'
        f'<span class="summary">{inline(message["summary"])}</span></summary><div class="inside">'
        f"<p><code>ce-type</code>: <code>{escape(name)}</code></p>{_properties(schema, 'event-schema')}{sample}"
        "</div></details>"
    )


def _schemas(document: Json, prefix: str) -> str:
    out = []
    for name, schema in document["components"]["schemas"].items():
        if "enum" in schema:
            inside = prose(schema.get("description", "")) + _values(schema)
        else:
            inside = prose(schema.get("description", "")) + _properties(schema, prefix)
        kind = "" if prefix == "schema" else ' <span class="quiet">(event)</span>'
        out.append(
            f'<details class="card schema" id="{prefix}-{_anchor(name)}"><summary><code>{escape(name)}</code>{kind}'
            f'</summary><div class="inside">{inside}</div></details>'
        )
    return "".join(out)


def _values(schema: Json) -> str:
    return "<p>" + ", ".join(f"<code>{escape(v)}</code>" for v in schema["enum"]) + "</p>"


def _properties(schema: Json, prefix: str) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><th scope=row><code>{escape(name)}</code>{_due(name in required)}</th><td>{type_of(one, prefix)}</td>"
        f"<td>{_rules(one)}{_personal(one)}{inline(one.get('description', ''))}</td></tr>"
        for name, one in schema.get("properties", {}).items()
    )
    if not rows:
        return ""
    return _table("", ("Bidang / Field", "Jenis / Type", "Arti / Meaning"), rows)


def _personal(schema: Json) -> str:
    return '<span class="chip personal">data pribadi / personal</span> ' if schema.get("x-mpp-personal") else ""


def type_of(schema: Json, prefix: str) -> str:
    """A schema in a word or two, with a link where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        short = ".".join(name.split(".")[3:]) or name
        return f'<a href="#{prefix}-{_anchor(name)}">{escape(short)}</a>'
    if schema.get("type") == "array":
        return f"<span lang=id>daftar</span> / list: {type_of(schema['items'], prefix)}"
    if "additionalProperties" in schema:
        return f"map: {type_of(schema['additionalProperties'], prefix)}"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(v) or EMPTY)}</code>" for v in schema["enum"])
    kind = schema.get("type", "any")
    name = " / ".join(kind) if isinstance(kind, list) else str(kind)
    extra = schema.get("format") or schema.get("const")
    return escape(name) + (f" <span class=quiet>{escape(str(extra))}</span>" if extra else "")


def _rules(schema: Json) -> str:
    """What the field's value must keep to, in signs."""
    found = [text.format(schema[key]) for key, text in _RULES if key in schema and schema[key] not in (*_WIDEST, 0)]
    if schema.get("uniqueItems"):
        found.append("unique")
    if "pattern" in schema and "format" not in schema and schema["pattern"] != VISIBLE:
        found.append(f"<code class=pattern>{escape(schema['pattern'])}</code>")
    return f"<span class=rules>{' · '.join(found)}</span> " if found else ""
