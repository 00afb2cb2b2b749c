"""Addresses of single cells inside an answers document. Pure.

A cell is addressed by its key: the item code, or ``ITEM/row/column`` inside a table. Revisions, events
and conflicts all use keys, so that two people may fill two cells of one table at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from survey.questionnaires.definition import Column, Item, Questionnaire, Text

type Cell = dict[str, Any]
type Answers = dict[str, Any]


def join(item: str, row: str | None = None, column: str | None = None) -> str:
    """The key of an item, or of one cell of a table."""
    return item if row is None or column is None else f"{item}/{row}/{column}"


def split(key: str) -> tuple[str, str | None, str | None]:
    """(item, row, column); row and column are None for a key of a whole item."""
    parts = key.split("/")
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    return parts[0], None, None


def item_of(key: str) -> str:
    """The item code of a key."""
    return key.split("/", 1)[0]


def field_of(definition: Questionnaire, key: str) -> Item | Column | None:
    """The item or table column that ``key`` addresses; None when there is none."""
    code, row, column = split(key)
    item = definition.items.get(code)
    if item is None or key.count("/") not in (0, 2):
        return None
    if row is None or column is None:
        return item
    grid = item.rows
    if grid is None or (grid.kind == "fixed" and row not in grid.ids):
        return None
    return item.column(column)


def label_of(definition: Questionnaire, key: str) -> Text:
    """The name of a cell for people: the item, inside a table with its row and column."""
    code, row, column_code = split(key)
    item = definition.items[code]
    column = item.column(column_code) if column_code else None
    if row is None or column is None:
        return item.label
    labels = {entry.id: entry.label for entry in item.rows.entries} if item.rows else {}
    parts = [item.label, *([labels[row]] if row in labels else []), column.label]
    return Text(" · ".join(part.zh for part in parts), " · ".join(part.en for part in parts))


def get(answers: Mapping[str, Any], key: str) -> Cell | None:
    """The cell at ``key``; None for a blank."""
    code, row, column = split(key)
    cell: Cell | None = answers.get(code)
    if row is None or column is None or cell is None:
        return cell
    inner: Cell | None = cell.get("rows", {}).get(row, {}).get(column)
    return inner


def put(answers: Answers, key: str, cell: Cell | None) -> None:
    """Set or clear one cell of ``answers``; rows and tables that become empty disappear.

    Cells and tables of the document are replaced, never modified in place, so that a shallow copy of the
    document stays unchanged.
    """
    code, row, column = split(key)
    if row is None or column is None:
        if cell is None:
            answers.pop(code, None)
        else:
            answers[code] = cell
        return
    table = answers.get(code) or {}
    rows = dict(table.get("rows", {}))
    values = {name: inner for name, inner in rows.pop(row, {}).items() if name != column}
    if cell is not None:
        values[column] = cell
    if values:
        rows[row] = values
    if rows:
        answers[code] = {"rows": rows}
    elif "missing" not in table:
        answers.pop(code, None)


def patched(answers: Mapping[str, Any], changes: Mapping[str, Cell | None]) -> Answers:
    """A copy of the document with some cells replaced."""
    result: Answers = dict(answers)
    for key, cell in changes.items():
        put(result, key, cell)
    return result


def flatten(code: str, cell: Cell | None) -> dict[str, Cell]:
    """A table cell as one entry per filled cell; any other cell as one entry."""
    if not cell:
        return {}
    if "rows" not in cell:
        return {code: cell}
    return {
        join(code, row, column): inner
        for row, values in cell["rows"].items()
        for column, inner in values.items()
    }


def keys_of(answers: Mapping[str, Any]) -> Iterable[str]:
    """Keys of every filled cell."""
    for code, cell in answers.items():
        yield from flatten(code, cell)


def element_id(key: str) -> str:
    """The key as part of an HTML id."""
    return key.replace("/", "--")
