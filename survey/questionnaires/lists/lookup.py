"""Finds entries of a code list by code, name, part of a name, pinyin and its initials. Pure.

`resolve` says which one entry a text means, for the parser of answers and for files; `search` ranks the entries
that may be meant, for people who choose. A list is indexed once per process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from survey.questionnaires.definition import CodeEntry, Codelist
from survey.questionnaires.lists.pinyin import stem_of

MOST_CANDIDATES = 6
_WORDS = re.compile(r"[a-z0-9]+")
_PUNCTUATION = re.compile(r"[\s()\[\]{},.;:、，。；：·・'\"’‘“”/\-—–]+")
# How well a word fits an entry; smaller is better.
_CODE, _NAME, _NAME_START, _NAME_PART, _READING, _INITIALS, _READING_PART, _INITIALS_PART, _ABOVE = range(9)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The code that a text means, or why there is none: "ambiguous", "unknown", "retired", "differs".

    `candidates` are the codes that may have been meant.
    """

    code: str = ""
    reason: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Indexed:
    """An entry with what a word is compared with; in `english`, `reading` and `above` words begin after a blank."""

    entry: CodeEntry
    name: str
    english: str
    reading: str  # from every syllable to the end: " gulouqu louqu qu"
    initials: str
    above: str

    def rank(self, word: str) -> int | None:
        """How well a folded word fits; None if it does not."""
        if not word.isascii():
            if word in self.name:
                return (
                    _NAME if word == self.name else _NAME_START if self.name.startswith(word) else _NAME_PART
                )
            return _ABOVE if word in self.above else None
        if self.entry.code.startswith(word):
            return _CODE
        if (rank := self._latin(f" {word}")) is not None:
            return rank
        if self.initials.startswith(word):
            return _INITIALS
        if len(word) > 1 and word in self.initials:
            return _INITIALS_PART
        return _ABOVE if f" {word}" in self.above else None

    def _latin(self, start: str) -> int | None:
        if f"{self.english} ".startswith(f"{start} "):
            return _NAME
        if start in self.english:
            return _NAME_START if self.english.startswith(start) else _NAME_PART
        if start in self.reading:
            return _READING if self.reading.startswith(start) else _READING_PART
        return None


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """A name without blanks, punctuation and differences of width and case, for comparing."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text).casefold())


class Lookup:
    """The index of one code list."""

    def __init__(self, codelist: Codelist) -> None:
        self.codelist = codelist
        self._indexed = [self._index(entry) for entry in codelist.entries]
        self._names: dict[str, list[CodeEntry]] = {}
        self._stems: dict[str, list[CodeEntry]] = {}
        for entry in codelist.entries:
            for name in {folded(entry.label.zh), folded(entry.label.en)} - {""}:
                self._names.setdefault(name, []).append(entry)
            if codelist.path and (stem := folded(stem_of(entry.label.zh))):
                self._stems.setdefault(stem, []).append(entry)

    def _index(self, entry: CodeEntry) -> _Indexed:
        reading, initials = _readings(entry)
        names = [f" {folded(above.label.zh)}{_english(above)}" for above in self.codelist.above(entry)]
        if self.codelist.path:
            names += [" " + " ".join(_readings(above)) for above in self.codelist.above(entry)]
        return _Indexed(entry, folded(entry.label.zh), _english(entry), reading, initials, "".join(names))

    # ---- which entry a text means -------------------------------------------------------------------------

    def resolve(self, text: str) -> Resolution:
        """The entry whose code or name, or code and name, is `text`."""
        text = " ".join(unicodedata.normalize("NFKC", text).split())
        if self.codelist.accepts(text):
            return Resolution(text)
        code, _blank, rest = text.partition(" ")
        if rest and self.codelist.accepts(code):
            names = "".join(folded(self.codelist.label(code, language)) for language in ("zh", "en"))
            above = self._above_of(code)
            same = folded(rest) in names + above
            return Resolution(code) if same else Resolution(reason="differs", candidates=(code,))
        old = self.codelist.retired_code(code)
        if old is not None:
            return Resolution(reason="retired", candidates=old.now)
        named = self._named(folded(text))
        if len(named) == 1:
            return Resolution(named[0].code)
        if named:
            return Resolution(reason="ambiguous", candidates=tuple(entry.code for entry in named))
        return Resolution(reason="unknown", candidates=self._near(text))

    def _above_of(self, code: str) -> str:
        entry = self.codelist.get(code)
        return self._index(entry).above if entry else ""

    def _named(self, name: str) -> list[CodeEntry]:
        """The entries of that name: in full, without its kind (南京), or after names above it (南京市鼓楼区)."""
        if not name:
            return []
        return self._names.get(name) or self._stems.get(name) or self._below(name)

    def _below(self, name: str) -> list[CodeEntry]:
        if not self.codelist.path:
            return []
        for end in range(1, len(name)):
            head, tail = name[:end], name[end:]
            fitting = [
                entry
                for entry in dict.fromkeys((*self._names.get(tail, ()), *self._stems.get(tail, ())))
                if _consumed(head, self.codelist.above(entry))
            ]
            if fitting:
                return fitting
        return [
            entry for entry in self.codelist.entries if folded(self.codelist.name_of(entry, "en")) == name
        ]

    def _near(self, text: str) -> tuple[str, ...]:
        """Entries to name when nothing fits: those found by the text, or by the beginning of the code."""
        matches = self.search(text, MOST_CANDIDATES)
        while not matches and text.isascii() and text.isalnum() and len(text) > 2:
            text = text[:-1]
            matches = self.search(text, MOST_CANDIDATES)
        return tuple(entry.code for entry in matches)

    # ---- what may be meant ----------------------------------------------------------------------------------

    def search(self, text: str, limit: int = 20) -> list[CodeEntry]:
        """The entries that fit every word of `text`, the best first."""
        words = [word for word in map(folded, text.split()) if word]
        if not words:
            return []
        ranked: list[tuple[int, int, int, CodeEntry]] = []
        for position, indexed in enumerate(self._indexed):
            total = 0
            for word in words:
                rank = indexed.rank(word)
                if rank is None:
                    break
                total += rank
            else:
                ranked.append((total, len(self.codelist.above(indexed.entry)), position, indexed.entry))
        matches = [entry for *_rank, entry in sorted(ranked, key=lambda row: row[:3])[:limit]]
        return matches or self._named(folded(text))[:limit]

    def describe(self, codes: Iterable[str], language: str) -> str:
        """Codes with their names, for a sentence."""
        named = [f"{code} {self.codelist.label(code, language)}" for code in codes]
        shown = named[:MOST_CANDIDATES] + (["…"] if len(named) > MOST_CANDIDATES else [])
        return ("; " if language.startswith("en") else "；").join(shown)


def _english(entry: CodeEntry) -> str:
    return "".join(f" {word}" for word in _WORDS.findall(entry.label.en.casefold().replace("'", "")))


def _readings(entry: CodeEntry) -> tuple[str, str]:
    """The pinyin from every syllable to the end, and its initials."""
    syllables = _WORDS.findall(entry.pinyin)
    ends = ("".join(syllables[start:]) for start in range(len(syllables)))
    return "".join(f" {end}" for end in ends), "".join(syllable[0] for syllable in syllables)


def _consumed(head: str, above: Sequence[CodeEntry]) -> bool:
    """Whether `head` is a row of names of the entries above, the highest first, some left out."""
    if not head:
        return True
    for position, entry in enumerate(above):
        for name in (folded(entry.label.zh), folded(stem_of(entry.label.zh))):
            if name and head.startswith(name) and _consumed(head[len(name) :], above[position + 1 :]):
                return True
    return False


@lru_cache(maxsize=128)
def lookup_in(codelist: Codelist) -> Lookup:
    """The index of a code list."""
    return Lookup(codelist)
