"""Printed tables: spanning heads, units in heads or labels, notes with letters. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from estimation.releases.content.content import CellStatus, Content, FrozenCell, FrozenFigure, FrozenTable
from estimation.report.wording import SYMBOLS, word


@dataclass(frozen=True, slots=True)
class GridCell:
    """``text`` is what is printed; ``key`` names the frozen cell, "" where the entry is text."""

    text: str
    key: str = ""
    status: str = "shown"
    mark: str = ""  # letter of a note
    is_word: bool = False


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row with its label; ``level`` is the indentation."""

    label: str
    cells: tuple[GridCell, ...]
    level: int = 0
    is_total: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in one language. ``spans`` are heads over several columns: (words, columns), "" for none."""

    code: str
    title: str
    stub: str
    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]
    spans: tuple[tuple[str, int], ...] = ()
    unit: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_long(self) -> bool:
        """Few columns and many rows: print may set it in two halves side by side."""
        short = all(_width(row.label) <= 24 for row in self.rows)
        return len(self.heads) <= 2 and len(self.rows) >= 24 and short

    @property
    def has_spans(self) -> bool:
        """Whether some heads span several columns."""
        return any(words for words, _ in self.spans)


def _width(text: str) -> int:
    """Columns that a text takes in a fixed pitch: a Chinese character takes two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def printed(cell: FrozenCell | None) -> str:
    """What a cell shows: its number with thousands separated, × withheld, — nothing."""
    if cell is None or cell.status is CellStatus.ABSENT:
        return SYMBOLS["absent"]
    if cell.status is CellStatus.WITHHELD:
        return SYMBOLS["withheld"]
    return grouped(cell.printed)


def grouped(text: str) -> str:
    """Thousands separated in the integer part of a printed number; anything else as it is."""
    match = re.fullmatch(r"([^\d]*)(\d{4,})(\.\d+)?([^\d]*)", text)
    if match is None:
        return text
    return f"{match[1]}{int(match[2]):,}{match[3] or ''}{match[4]}"


def grid_of(content: Content, table: FrozenTable, language: str) -> Grid:
    """A table of the report.

    A unit that a whole column shares is written in its head, one that a row shares in its label. Words before
    `` · `` in neighbouring heads become a head that spans them.
    """
    cells = [[content.cells.get(key) for key in row.keys] for row in table.rows]
    heads, by_column = _heads(table, cells, language)
    notes: list[str] = []
    rows = []
    for row, line in zip(table.rows, cells, strict=True):
        label = row.label.get(language)
        if not by_column:
            label = _with_unit(label, _common_unit(line, language))
        rows.append(
            GridRow(
                label,
                tuple(_cell(cell, key, notes, language) for cell, key in zip(line, row.keys, strict=True)),
                row.level,
                row.is_total,
                row.code,
            )
        )
    spans, short = _spans(heads)
    lettered = [f"{_letter(number)} {text}" for number, text in enumerate(notes)]
    return Grid(
        table.code,
        table.title.get(language),
        table.stub.get(language),
        short,
        tuple(rows),
        spans,
        notes=(*(note.get(language) for note in table.notes), *lettered),
    )


def footnoted(content: Content, figure: FrozenFigure, language: str) -> Grid:
    """The data of a figure as a table: its series as columns where several share their positions."""
    series = list(dict.fromkeys(point.series.get(language) for point in figure.points))
    positions = list(dict.fromkeys(point.x for point in figure.points))
    keys = {(point.series.get(language), point.x): point.key for point in figure.points}
    names = names_of(content, language)
    rows = []
    for x in positions:
        cells = [content.cells.get(keys.get((name, x), "")) for name in series]
        texts = tuple(
            GridCell(printed(cell), keys.get((name, x), ""), str(cell.status) if cell else "absent")
            for name, cell in zip(series, cells, strict=True)
        )
        rows.append(
            GridRow(position_label(names, x, next(filter(None, cells), None), language), texts, code=x)
        )
    return Grid(
        figure.code,
        figure.title.get(language),
        word("item", language),
        tuple(series),
        tuple(rows),
        unit=figure.unit.get(language),
        notes=tuple(note.get(language) for note in figure.notes),
    )


def names_of(content: Content, language: str) -> dict[str, str]:
    """Code to name of everything that labels a row of a table: indicators, sections, regions, categories."""
    return {row.code: row.label.get(language) for table in content.tables for row in table.rows}


def position_label(names: dict[str, str], x: str, cell: FrozenCell | None, language: str) -> str:
    """The name of a position of a figure: of a row, of its cell, or the position itself when it is a date."""
    if x in names:
        return names[x]
    if re.match(r"\d{4}(-\d{2})?$", x) or cell is None or re.search(r"[\u4e00-\u9fff]|\d{4}", x):
        return x
    return cell.label.get(language)


def _heads(
    table: FrozenTable, cells: list[list[FrozenCell | None]], language: str
) -> tuple[tuple[str, ...], bool]:
    """Heads with their units, and whether units stand in the heads."""
    units = [
        _common_unit([line[index] for line in cells if index < len(line)], language)
        for index in range(len(table.columns))
    ]
    heads = [column.get(language) for column in table.columns]
    if not all(units):
        return tuple(heads), False
    return tuple(_with_unit(head, unit or "") for head, unit in zip(heads, units, strict=True)), True


def _common_unit(cells: Iterable[FrozenCell | None], language: str) -> str:
    """The one unit of all numbers, "" when they differ. Growth in a row of levels does not count."""
    units = {
        cell.unit.get(language)
        for cell in cells
        if cell is not None and cell.status is not CellStatus.ABSENT and not cell.key.endswith(".growth")
    }
    return units.pop() if len(units) == 1 else ""


def _with_unit(label: str, unit: str) -> str:
    bare = label.replace("（", "(").replace("）", ")")
    return label if not unit or f"({unit})" in bare or bare.endswith(")") else f"{label} ({unit})"


def _spans(heads: tuple[str, ...]) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    parts = [head.split(" · ", 1) if " · " in head else ["", head] for head in heads]
    if not any(group for group, _ in parts):
        return (), heads
    spans: list[tuple[str, int]] = []
    for group, _ in parts:
        if spans and group and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1] + 1)
        else:
            spans.append((group, 1))
    return tuple(spans), tuple(short for _, short in parts)


def _cell(cell: FrozenCell | None, key: str, notes: list[str], language: str) -> GridCell:
    letter = ""
    if cell is not None and cell.note is not None:
        text = cell.note.get(language)
        if text not in notes:
            notes.append(text)
        letter = _letter(notes.index(text))
    return GridCell(printed(cell), key, str(cell.status) if cell else "absent", letter)


def _letter(number: int) -> str:
    return chr(ord("a") + number % 26)
