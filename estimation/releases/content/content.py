"""The frozen content of a release: every cell that may be shown, once, after disclosure control. Pure.

Pages, charts, files, the document and the interface read nothing else. The JSON form is canonical (sorted
keys, no spaces), so that the same content always has the same SHA-256.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class CellStatus(StrEnum):
    """What a cell shows: a number, or the reason why not."""

    SHOWN = "shown"  # a number
    NIL = "nil"  # the number is exactly zero: 0
    WITHHELD = "withheld"  # disclosure control: ×
    ABSENT = "absent"  # no number, with the reason: —


@dataclass(frozen=True, slots=True)
class Text:
    """A wording in both languages."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The wording in a language; Chinese unless English is asked."""
        return self.en if language.startswith("en") else self.zh


@dataclass(frozen=True, slots=True)
class FrozenCell:
    """One published number.

    key : ``SUP-01.2025`` (indicator and year), ``SUP-01.2025.growth``, ``T2.C.flow`` (table, row, column)
    printed : rounded half up, as pages show it; value, se, lower, upper : in the printed unit and with no more
    digits than are printed (freezing.py), None where withheld or absent; unit : printed unit; estimator :
    statistic it came from, or ``external``, ``derived``; lineage : stored estimates and external rows it was made
    of, as ``P01/total/nation/all/2025``
    """

    key: str
    label: Text
    unit: Text
    printed: str
    status: CellStatus = CellStatus.SHOWN
    value: float | None = None
    decimals: int = 2
    se: float | None = None
    cv: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    grade: str = ""
    reason: str = ""
    note: Text | None = None
    estimator: str = ""
    lineage: tuple[str, ...] = ()
    words: Text | None = None  # printed by running text instead: an enumeration, "近80", "超11"

    @property
    def is_external(self) -> bool:
        """Derived from external values only (``GDP/2025``): without sampling error."""
        return bool(self.lineage) and all(line.count("/") == 1 for line in self.lineage)


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A row of a table: cells by their keys, in the order of the columns."""

    code: str
    label: Text
    keys: tuple[str, ...]
    level: int = 0  # indentation
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class FrozenTable:
    """A table of the report. ``code`` is T1 .. T4 or C1.supply for the indicators of chapter 1."""

    code: str
    title: Text
    stub: Text
    columns: tuple[Text, ...]
    rows: tuple[FrozenRow, ...]
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a figure. ``x`` is a label, ``series`` a name in both languages."""

    series: Text
    x: str
    key: str


@dataclass(frozen=True, slots=True)
class FrozenFigure:
    """Data of a figure; its drawing uses these points only."""

    code: str  # FIG1 .. FIG3, then storage, sections, regions, flows, quality ...
    title: Text
    unit: Text
    points: tuple[Point, ...]
    alternative: Text
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A passage of the document with its fields already filled in. ``place`` orders the passages."""

    code: str
    place: str  # foreword, chapter1, chapter2.1.1 ..., chapter3, appendix.methods, annex.quality
    heading: Text
    body: Text
    keys: tuple[str, ...] = ()  # the cells whose numbers it contains


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a release."""

    year: int
    title: Text
    is_synthetic: bool
    run: str  # input hash of the estimation run
    code_version: str
    cells: Mapping[str, FrozenCell]
    tables: tuple[FrozenTable, ...] = ()
    figures: tuple[FrozenFigure, ...] = ()
    blocks: tuple[Block, ...] = ()
    identities: tuple[Mapping[str, Any], ...] = ()  # checks of the arithmetic: code, holds, difference, words
    footnotes: tuple[Text, ...] = field(default=())
    # Regions by sections: for the explorer and files, not in the document.
    crossings: tuple[FrozenTable, ...] = ()

    @property
    def every_table(self) -> tuple[FrozenTable, ...]:
        """The tables of the document, then the crossings."""
        return (*self.tables, *self.crossings)

    def to_json(self) -> str:
        """Canonical form. Fields that an earlier program did not have are omitted when empty, so that hashes do not change."""
        document = asdict(self)
        if not self.crossings:
            del document["crossings"]
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def to_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        document: dict[str, Any] = json.loads(self.to_json())
        return document

    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The content of a parsed canonical form. Raises KeyError or TypeError for anything else."""
        return cls(
            **{
                **document,
                "title": Text(**document["title"]),
                "cells": {key: _cell(cell) for key, cell in document["cells"].items()},
                "tables": tuple(_table(table) for table in document["tables"]),
                "figures": tuple(_figure(figure) for figure in document["figures"]),
                "blocks": tuple(_block(block) for block in document["blocks"]),
                "identities": tuple(document["identities"]),
                "footnotes": tuple(Text(**note) for note in document["footnotes"]),
                "crossings": tuple(_table(table) for table in document.get("crossings", ())),
            }
        )


def _cell(document: Mapping[str, Any]) -> FrozenCell:
    note, words = document["note"], document.get("words")
    return FrozenCell(
        **{
            **document,
            "label": Text(**document["label"]),
            "unit": Text(**document["unit"]),
            "status": CellStatus(document["status"]),
            "note": Text(**note) if note else None,
            "words": Text(**words) if words else None,
            "lineage": tuple(document["lineage"]),
        }
    )


def _texts(documents: list[Mapping[str, str]]) -> tuple[Text, ...]:
    return tuple(Text(**text) for text in documents)


def _table(document: Mapping[str, Any]) -> FrozenTable:
    rows = tuple(
        FrozenRow(**{**row, "label": Text(**row["label"]), "keys": tuple(row["keys"])})
        for row in document["rows"]
    )
    texts = {"title": Text(**document["title"]), "stub": Text(**document["stub"])}
    columns, notes = _texts(document["columns"]), _texts(document["notes"])
    return FrozenTable(**{**document, **texts, "columns": columns, "rows": rows, "notes": notes})


def _figure(document: Mapping[str, Any]) -> FrozenFigure:
    texts = {name: Text(**document[name]) for name in ("title", "unit", "alternative")}
    points = tuple(Point(Text(**point["series"]), point["x"], point["key"]) for point in document["points"])
    return FrozenFigure(**{**document, **texts, "points": points, "notes": _texts(document["notes"])})


def _block(document: Mapping[str, Any]) -> Block:
    texts = {name: Text(**document[name]) for name in ("heading", "body")}
    return Block(**{**document, **texts, "keys": tuple(document["keys"])})
