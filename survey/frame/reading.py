"""Reads uploaded files as rows of text: a child process parses them, this one checks the form of what it sent."""

from collections.abc import Iterator
from typing import Any

from survey.exceptions import FileRefused
from survey.frame.parsing import LARGEST_FILE, MOST_COLUMNS, Table, Value, table_parts
from survey.spreadsheets.cells import of_document
from survey.untrusted.messages import DAMAGED
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, Limits
from survey.untrusted.reading import read

# A file of 300,000 units takes about 20 s; the rows are checked while they are read.
LIMITS = Limits(processor_seconds=180, seconds=1800, memory=1024 * MEBIBYTE, output=1024 * MEBIBYTE)


def open_table(content: bytes, kind: str = "units") -> Table:
    """Open a file. Raises FileRefusedError, FileRefused, Overloaded, also while the rows are iterated."""
    if len(content) > LARGEST_FILE:
        raise FileRefusedError("too_large", limit=LARGEST_FILE // MEBIBYTE)
    parts = read(table_parts, content, LIMITS, kind=kind)
    match next(parts, None):
        case [str(form), str(encoding), [*header], str(sheet), int(line)] if _are_texts(header):
            return Table(form, encoding, header, _rows(parts), sheet, line)
    raise FileRefused(DAMAGED())


def _rows(parts: Iterator[Any]) -> Iterator[tuple[int, list[Value]]]:
    for batch in parts:
        if not isinstance(batch, list):
            raise FileRefused(DAMAGED())
        for row in batch:
            match row:
                case [int(line), [*cells]] if len(cells) <= MOST_COLUMNS + 1:
                    yield line, [_value(cell) for cell in cells]
                case _:
                    raise FileRefused(DAMAGED())


def _value(document: Any) -> Value:
    if isinstance(document, str):
        return document
    try:
        return of_document(document) or ""
    except ValueError:
        raise FileRefused(DAMAGED()) from None


def _are_texts(cells: list[Any]) -> bool:
    return len(cells) <= MOST_COLUMNS + 1 and all(isinstance(cell, str) for cell in cells)
