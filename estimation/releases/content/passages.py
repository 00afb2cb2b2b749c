"""Passages of the document: text in two languages whose numbers are fields. Pure.

``{{ SUP-01 }}``            the cell of the reference year; ``{{ SUP-01.2025 }}`` names it in full
``{{ SUP-01.previous }}``   the year before; ``{{ SUP-01.growth }}`` the growth; ``{{ T2.C.flow_eb }}`` a table's cell
``{{ SUP-01.growth|change }}``  "增长27.28%" or "下降3.10%": the word follows the sign; ``|points`` for points
``{{ TXT-017|about }}``     "超11": the rounded number with a qualifier that holds
``{{ year }} {{ previous }} {{ next }}``  the years
``{{ 'GB/T 4754-2017' }}``  fixed text that holds digits, marked as such
``[^industry]``             calls a footnote (notes.py)
``[[ ... [[ ... ]] ... ]]`` passages that are omitted when one of their numbers cannot be shown

There are no other tags or expressions. The result is plain text with paragraphs between empty
lines; templates escape it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from estimation.releases.content.content import Block, CellStatus, FrozenCell, Text
from estimation.releases.content.reading import entry_errors, read_yaml
from survey.exceptions import DefinitionError

_FIELD = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_PASSAGE = re.compile(r"\[\[((?:(?!\[\[|\]\]).)*)\]\]", re.DOTALL)  # the innermost ones
_LITERAL = re.compile(r"'([^'{}]*)'")
CALL = re.compile(r"\[\^([A-Za-z0-9][A-Za-z0-9-]*)\]")  # of a footnote
_NAME = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9_.\-]*)(?:\s*\|\s*(?P<form>[a-z]+))?")
FORMS = ("change", "points", "about")
WITHHELD, ABSENT = "×", "—"


class UnknownField(DefinitionError):
    """An unknown field; ``name`` is its text."""

    def __init__(self, name: str) -> None:
        super().__init__("unknown_field", name, "no number has this name")
        self.name = name


@dataclass(frozen=True, slots=True)
class Passage:
    """An editable passage."""

    code: str
    place: str
    heading: Text
    body: Text
    number: int = 0  # of its version; 0 is the text that comes with the program


@dataclass(frozen=True, slots=True)
class Filled:
    """Text with its numbers, its cells, and those of them that cannot be shown."""

    text: str
    keys: tuple[str, ...]
    unshown: tuple[str, ...]


def default_passages() -> tuple[Passage, ...]:
    """The passages that come with the program, in the order of the document. Raises DefinitionError."""
    entries: list[dict[str, Any]] = []
    for name in ("foreword", "chapters", "analysis", "appendix", "footnotes"):
        with entry_errors(None, f"blocks_{name}.yaml"):
            entries += read_yaml(f"blocks_{name}.yaml")["blocks"]
    return tuple(map(_passage, entries))


def _passage(entry: dict[str, Any]) -> Passage:
    with entry_errors(entry, "a passage without a code"):
        return Passage(entry["code"], entry["place"], Text(**entry["heading"]), Text(**entry["body"]))


def fill_block(passage: Passage, cells: Mapping[str, FrozenCell], year: int) -> Block:
    """A passage with its numbers in both languages. Raises UnknownField."""
    keys: list[str] = []

    def filled(text: Text) -> Text:
        both = [fill(getattr(text, language), language, cells, year) for language in ("zh", "en")]
        keys.extend(key for part in both for key in part.keys)
        return Text(both[0].text, both[1].text)

    heading, body = filled(passage.heading), filled(passage.body)
    return Block(passage.code, passage.place, heading, body, tuple(dict.fromkeys(keys)))


def fill(text: str, language: str, cells: Mapping[str, FrozenCell], year: int) -> Filled:
    """Insert the numbers. Raises UnknownField with the unknown name."""
    keys: list[str] = []
    unshown: list[str] = []

    def field(match: re.Match[str]) -> str:
        literal = _LITERAL.fullmatch(match[1])
        if literal:
            return literal[1]
        years = {"year": year, "previous": year - 1, "next": year + 1}
        if match[1] in years:
            return str(years[match[1]])
        cell, form = _cell(match[1], cells, year)
        keys.append(cell.key)
        if not _shown(cell):
            unshown.append(cell.key)
        return _printed(cell, form, language)

    def passage(match: re.Match[str]) -> str:
        inner = list(_FIELD.finditer(match[1]))
        named = [_cell(reference[1], cells, year)[0] for reference in inner if _is_cell(reference[1])]
        return match[1] if all(_shown(cell) for cell in named) else ""

    result, count = text.replace("\r\n", "\n"), 1
    while count:
        result, count = _PASSAGE.subn(passage, result)
    return Filled(_tidy(_FIELD.sub(field, result)), tuple(keys), tuple(unshown))


def _tidy(text: str) -> str:
    """Remove the whitespace around omitted passages."""
    paragraphs = (re.sub(r"[ \t]+", " ", paragraph).strip() for paragraph in re.split(r"\n\s*\n", text))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _is_cell(name: str) -> bool:
    return not _LITERAL.fullmatch(name) and name not in ("year", "previous", "next")


def _cell(name: str, cells: Mapping[str, FrozenCell], year: int) -> tuple[FrozenCell, str]:
    match = _NAME.fullmatch(name)
    if match is None or (match["form"] and match["form"] not in FORMS):
        raise UnknownField(name)
    key = match["key"]
    base, _dot, last = key.rpartition(".")
    tried = [key, f"{key}.{year}", f"{key}.{year - 1}", f"{key}.{year + 1}"]
    if last == "previous":
        tried = [f"{base}.{year - 1}"]
    elif last == "growth":
        tried = [key, f"{base}.{year}.growth"]
    for candidate in tried:
        if candidate in cells:
            return cells[candidate], match["form"] or ""
    raise UnknownField(key)


def _shown(cell: FrozenCell) -> bool:
    return cell.status in (CellStatus.SHOWN, CellStatus.NIL)


def _printed(cell: FrozenCell, form: str, language: str) -> str:
    if cell.status is CellStatus.WITHHELD:
        return WITHHELD
    if cell.status is CellStatus.ABSENT:
        return ABSENT
    if form in ("change", "points") and cell.value is not None:
        return _change(cell, form, language)
    if cell.words is not None and (form == "about" or cell.estimator == "ranking"):
        return cell.words.get(language)
    return cell.printed


def _change(cell: FrozenCell, form: str, language: str) -> str:
    size = cell.printed.lstrip("-")
    rises, still = (cell.value or 0.0) > 0, float(size.replace(",", "")) == 0
    if language.startswith("en"):
        tail = " percentage points" if form == "points" else " %"
        return "unchanged" if still else f"{'up' if rises else 'down'} {size}{tail}"
    if form == "points":
        return "持平" if still else f"{'提升' if rises else '下降'}{size}个百分点"
    return "持平" if still else f"{'增长' if rises else '下降'}{size}%"


def typed_digits(text: str) -> Iterator[str]:
    """Runs of digits that were typed instead of a field or fixed text."""
    for match in re.finditer(r"\S{0,6}\d[\d.,%]*\S{0,4}", CALL.sub(" ", _FIELD.sub(" ", text))):
        yield match[0]


def faults(passage: Passage, cells: Mapping[str, FrozenCell], year: int) -> list[tuple[str, str]]:
    """Faults of a passage: (kind, detail), kinds ``unknown``, ``digits``, ``empty``, ``unshown``."""
    problems: list[tuple[str, str]] = []
    for name, text in (("heading", passage.heading), ("body", passage.body)):
        for language in ("zh", "en"):
            content = getattr(text, language)
            if not content.strip():
                problems.append(("empty", f"{name} · {language}"))
            problems += [("digits", f"{language}: {typed}") for typed in typed_digits(content)]
            try:
                filled = fill(content, language, cells, year)
            except UnknownField as unknown:
                problems.append(("unknown", unknown.name))
                continue
            problems += [("unshown", key) for key in filled.unshown]
    return list(dict.fromkeys(problems))


FATAL = frozenset({"unknown", "digits", "empty"})
