"""Long code lists as text with one code per line, fields separated by tabs. Pure.

entries   code, name, english, pinyin, parent    (trailing blank fields may be left out)
retired   code, name, last edition, codes that stand for it now, separated by semicolons

A version stores the same text, a tenth of what the entries would take one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from survey.exceptions import DefinitionError
from survey.questionnaires.definition import CodeEntry, Retired, Text

ENTRY_FIELDS = ("code", "name", "english", "pinyin", "parent")
RETIRED_FIELDS = ("code", "name", "last", "now")


def entries_from(text: str, where: str) -> tuple[CodeEntry, ...]:
    """The entries of a table. Raises DefinitionError for a line without code or name."""
    return tuple(
        CodeEntry(code, Text(name, english), parent=parent or None, pinyin=pinyin)
        for code, name, english, pinyin, parent in _lines(text, ENTRY_FIELDS, where)
    )


def completed(
    entries: Sequence[CodeEntry], headings: Sequence[CodeEntry] = (), *, romanise: bool = False
) -> tuple[CodeEntry, ...]:
    """The entries with what a table leaves out: the code above each and, with `romanise`, the Latin spelling."""
    known = {entry.code for entry in (*headings, *entries)}
    return tuple(
        replace(
            entry,
            parent=entry.parent or _parent(entry.code, known),
            label=Text(entry.label.zh, entry.label.en or (romanised(entry.pinyin) if romanise else "")),
        )
        for entry in entries
    )


def entries_text(
    entries: Sequence[CodeEntry], headings: Sequence[CodeEntry] = (), *, romanise: bool = False
) -> str:
    """The table of entries without what `completed` adds."""
    known = {entry.code for entry in (*headings, *entries)}
    lines = []
    for entry in entries:
        english = entry.label.en if not romanise or entry.label.en != romanised(entry.pinyin) else ""
        parent = entry.parent if entry.parent != _parent(entry.code, known) else ""
        lines.append((entry.code, entry.label.zh, english, entry.pinyin, parent or ""))
    return _text(ENTRY_FIELDS, lines)


def retired_from(text: str, where: str) -> tuple[Retired, ...]:
    """The codes of earlier editions. Raises DefinitionError."""
    return tuple(
        Retired(code, name, last, tuple(part for part in now.split(";") if part))
        for code, name, last, now in _lines(text, RETIRED_FIELDS, where)
    )


def retired_text(retired: Iterable[Retired]) -> str:
    """The table of the codes of earlier editions."""
    return _text(RETIRED_FIELDS, ((old.code, old.name, old.last, ";".join(old.now)) for old in retired))


def romanised(pinyin: str) -> str:
    """The Latin spelling of a name from its pinyin: "xi-an shi" -> "Xi'an Shi", as GB/T 2260 writes it."""
    return " ".join(_word(word.split("-")) for word in pinyin.split())


def _word(syllables: Sequence[str]) -> str:
    # A syllable that begins with a vowel is set off, so that Xi'an is not read as xian.
    return "".join(
        f"'{syllable}" if position and syllable[:1] in "aoe" else syllable
        for position, syllable in enumerate(syllables)
    ).capitalize()


def _parent(code: str, known: set[str]) -> str | None:
    """The code above: the longest that this one begins with, or two or four digits of it and zeros."""
    for end in range(len(code) - 1, 0, -1):
        shorter = code[:end] if code[:end] in known else code[:end].ljust(len(code), "0")
        if shorter in known and shorter != code and (len(shorter) == end or end % 2 == 0):
            return shorter
    return None


def _lines(text: str, fields: tuple[str, ...], where: str) -> Iterator[list[str]]:
    lines = text.splitlines()
    if not lines or lines[0].split("\t")[:2] != list(fields[:2]):
        raise DefinitionError(
            "malformed", where, f"the table does not begin with the fields {', '.join(fields)}"
        )
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        cells += [""] * (len(fields) - len(cells))
        if len(cells) != len(fields) or not cells[0] or not cells[1]:
            raise DefinitionError(
                "malformed", where, f"line {number} of the table is not {', '.join(fields)}"
            )
        yield cells


def _text(fields: tuple[str, ...], lines: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(line).rstrip("\t") + "\n" for line in (fields, *lines))
