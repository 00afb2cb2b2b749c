"""Cells of a spreadsheet as a person sees them in the spreadsheet program. Pure.

A cell is None when it is blank. In JSON, which the child that parses a file sends, a cell is null, a text, or a list
of kind, text and, where its format hides digits, the stored number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from survey.untrusted.protocol import MEBIBYTE

type Kind = Literal["text", "number", "date", "time", "boolean", "error", "uncalculated"]
KINDS = frozenset(get_args(Kind.__value__))


class Cell(NamedTuple):
    """Kind and text of a cell; ``stored`` is the number with all its digits when the cell shows fewer.

    number : in decimal notation with a point, without grouping, with the unit that its format shows (``35%``,
    ``3.3 PB``); date : ``2012-05-01``; time : ``13:30``; error : ``#DIV/0!``; uncalculated : a formula without result
    """

    kind: Kind
    text: str
    stored: str = ""


type Row = tuple[int, list[Cell | None]]


@dataclass(frozen=True, slots=True)
class BookLimits:
    """What a file may unpack to, how many parts a package may have, and which cells are read."""

    unpacked: int = 60 * MEBIBYTE
    parts: int = 2000
    columns: int = 80  # one cell more is read, so that a caller sees that there are more
    text: int = 4000  # characters of a cell; one more is read


@dataclass(frozen=True, slots=True)
class Worksheet:
    """Name and rows of a sheet; ``rows`` yields the rows that have cells, with their numbers."""

    name: str
    is_visible: bool
    rows: Callable[[], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of a file. ``format`` is xlsx, xls, ods or csv; ``encoding`` that of a text file."""

    format: str
    encoding: str
    sheets: list[Worksheet]


def text_cell(text: str) -> Cell | None:
    """A cell with text; None for blanks only."""
    return Cell("text", text) if text.strip() else None


def to_document(cell: Cell | None) -> Any:
    """A cell as JSON."""
    if cell is None:
        return None
    if cell.kind == "text":
        return cell.text
    return [cell.kind, cell.text, cell.stored] if cell.stored else [cell.kind, cell.text]


def of_document(document: Any) -> Cell | None:
    """The cell of JSON. Raises ValueError for anything that ``to_document`` does not make."""
    match document:
        case None:
            return None
        case str(text):
            return Cell("text", text)
        case [str(kind), str(text), *rest] if kind in KINDS and all(isinstance(part, str) for part in rest):
            return Cell(kind, text, *rest[:1])  # type: ignore[arg-type]  # one of KINDS
    raise ValueError("no cell of a spreadsheet")


def letters(column: int) -> str:
    """The letters of a column: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def address(row: int, column: int) -> str:
    """``E26`` of row 26 and column 4."""
    return f"{letters(column)}{row}"
