"""Mutations of valid requests: query, path, headers, form fields, files and JSON bodies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from tests.fuzz.values import json_value, text

BOUNDARY = "fuzz-boundary"
# Parameters of the pages and endpoints; a page ignores those of others.
PARAMETERS = (
    "a",
    "add_row",
    "b",
    "begins",
    "category",
    "check",
    "code",
    "collapsed",
    "contact",
    "download",
    "filled",
    "from",
    "grade",
    "group",
    "actor",
    "action",
    "kind",
    "item",
    "language",
    "measure",
    "method",
    "next",
    "order",
    "page",
    "page_size",
    "q",
    "query",
    "reason",
    "region",
    "revision",
    "role",
    "round",
    "rule",
    "run",
    "search",
    "section",
    "show",
    "size_class",
    "sort",
    "state",
    "statistic",
    "status",
    "uscc",
    "until",
    "variable",
    "verdict",
    "version",
    "year",
    "disposition",
    "format",
    "a-method",
    "a-n",
    "a-minimum",
    "a-power",
    "a-item",
    "response",
    "b-method",
    "b-n",
    "start",
    "unit",
    "flag",
    "waiting",
    "due",
    "text",
)
HEADERS = (
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Cookie",
    "HX-Current-URL",
    "HX-Request",
    "HX-Target",
    "HX-Trigger",
    "HX-Prompt",
    "HX-Boosted",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Origin",
    "Range",
    "Referer",
    "User-Agent",
    "X-CSRFToken",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Request-ID",
    "Host",
)
CONTENT_TYPES = (
    "",
    "text/plain",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; boundary=b; charset=base64",
    f"multipart/form-data; boundary={BOUNDARY}; charset=unicode_escape",
    "text/plain; charset=base64",
    "application/json; charset=utf-16",
    "a/b; charset=\x00",
    "application/json; charset=idna",
    ";;;=",
    "application/xml",
)
NO_JSON = (
    b"",
    b"{",
    b"\xff",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b"1" * 5_000,
    b"NaN",
    b'"\\ud800"',
    b"{}{}",
)
METHODS = ("get", "post", "head", "put", "patch", "delete", "options", "trace", "propfind")


@dataclass
class Request:
    """A request as it is sent."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Its beginning, for a list of violations."""
        address = f"{self.method.upper()} {self.path[:100]}?{self.query[:150]}"
        return f"{address} {self.content_type} {self.headers} {self.changes} {self.body[:200]!r}"[:700]


def _percent(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def _encoded(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def fields_of(body: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields of a form body, one pair a value."""
    return [
        (name, value)
        for name, values in body.items()
        for value in (values if isinstance(values, list | tuple) else [values])
    ]


def mutate_fields(random: Random, fields: list[tuple[str, Any]], changes: list[str]) -> list[tuple[str, Any]]:
    """Replaces, removes, repeats and adds fields."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        action = random.choice(
            ("replace", "replace", "replace", "replace", "remove", "repeat", "add", "rename")
        )
        at = random.randrange(len(fields)) if fields else -1
        changes.append(f"{action} {fields[at][0][:40]!r}" if fields else "add")
        if not fields or action == "add":
            fields = [*fields, (random.choice((*PARAMETERS, text(random)[:300])), text(random))]
        elif action == "remove":
            fields = fields[:at] + fields[at + 1 :]
        elif action == "repeat":
            fields = [*fields, (fields[at][0], text(random))]
        elif action == "rename":
            fields = [*fields[:at], (fields[at][0] + text(random)[:100], fields[at][1]), *fields[at + 1 :]]
        else:
            fields = [*fields[:at], (fields[at][0], text(random)), *fields[at + 1 :]]
    return fields


def urlencoded(fields: list[tuple[str, Any]]) -> bytes:
    """The body of a form without files."""
    return "&".join(f"{_percent(name)}={_percent(str(value))}" for name, value in fields).encode()


def multipart(random: Random | None, fields: list[tuple[str, Any]]) -> bytes:
    """The body of a form with files; names of files are mutated, too."""
    parts = []
    for name, value in fields:
        head = b'Content-Disposition: form-data; name="' + _encoded(name).replace(b'"', b"%22") + b'"'
        content = _encoded(value)
        if hasattr(value, "read"):
            value.seek(0)
            content = value.read()
            shown = value.name if random is None or random.random() < 0.5 else text(random)[:500]
            if random is not None and random.random() < 0.5:
                content = random.choice(
                    (b"", b"\x00", content[: len(content) // 2], content + b"\xff\xfe", b"PK\x03\x04")
                )
            head += b'; filename="' + _encoded(shown).replace(b'"', b"%22").replace(b"\r", b"").replace(
                b"\n", b""
            )
            head += b'"\r\nContent-Type: text/csv'
        parts.append(b"--" + BOUNDARY.encode() + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


def mutate_json(random: Random, body: Any, changes: list[str]) -> bytes:
    """A JSON body with some values replaced, or something that is no JSON."""
    if random.random() < 0.1:
        changes.append("no JSON")
        return random.choice(
            (
                b"",
                b"{",
                b"\xff",
                b"null",
                b"[" * 100_000,
                b'{"a":' * 5_000,
                b"1" * 5_000,
                b"NaN",
                b'"\\ud800"',
                b"{}{}",
            )
        )
    value = json.loads(json.dumps(body))
    for _ in range(random.choice((1, 1, 2))):
        value = _replaced(random, value, changes)
    return json.dumps(value).encode()


def _replaced(random: Random, value: Any, changes: list[str]) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        changes.append(f"json {key[:40]!r}")
        kind = random.random()
        if kind < 0.1:
            return {name: entry for name, entry in value.items() if name != key}
        if kind < 0.2:
            return value | {text(random)[:100]: value[key]}
        return value | {key: _replaced(random, value[key], changes)}
    if isinstance(value, list) and value and random.random() < 0.7:
        at = random.randrange(len(value))
        return [*value[:at], _replaced(random, value[at], changes), *value[at + 1 :]]
    return json_value(random)


def mutate_path(random: Random, path: str) -> str:
    """One segment of the path replaced."""
    parts = path.split("/")
    at = random.randrange(len(parts))
    parts[at] = _percent(text(random)[:2000])
    return "/".join(parts) or "/"


def mutate_headers(random: Random, headers: dict[str, str]) -> dict[str, str]:
    """One or two headers with values that a server can be sent: Latin-1 without line breaks."""
    changed = dict(headers)
    for name in random.sample(HEADERS, random.choice((1, 2))):
        value = text(random)[:5000].encode("utf-8", "surrogatepass").decode("latin-1")
        if name == "Cookie":
            value = f"messages={value}; django_language={value}; csrftoken={value}"
        changed[name] = "".join(character for character in value if character not in "\r\n")
    return changed
