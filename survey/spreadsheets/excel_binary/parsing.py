"""Reads .xls workbooks and the .et files of WPS Office, which have the same binary format (BIFF)."""

import codecs
import io
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any

import xlrd
from xlrd.compdoc import CompDoc, CompDocError
from xlrd.formatting import std_format_strings

from survey.spreadsheets.builtin_formats import BUILTIN, GENERAL
from survey.spreadsheets.cells import Book, BookLimits, Cell, Row, Worksheet, text_cell
from survey.spreadsheets.number_formats import shown, shown_text
from survey.untrusted.protocol import FileRefusedError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGED = (
    xlrd.XLRDError,
    CompDocError,
    struct.error,
    AssertionError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    OSError,
)

for _encoding in ("utf-16-le", "latin-1", "ascii", "cp1252", "cp936", "cp950"):
    codecs.lookup(_encoding)  # a child opens no file, so it cannot load a codec


def read_book(content: bytes, limits: BookLimits) -> Book:
    """The sheets of a workbook. Raises FileRefusedError, also while rows are iterated."""
    log = io.StringIO()
    try:
        names = {entry.name for entry in CompDoc(content, logfile=log).dirlist}
    except _DAMAGED as error:
        raise FileRefusedError("damaged") from error
    if {"EncryptedPackage", "EncryptionInfo"} & names:
        raise FileRefusedError("encrypted")
    if not {"Workbook", "Book", "WORKBOOK", "BOOK"} & names:
        raise FileRefusedError("not_a_table")
    if "_VBA_PROJECT_CUR" in names:
        raise FileRefusedError("macros")
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, on_demand=True, ragged_rows=True, logfile=log
        )
    except xlrd.XLRDError as error:
        raise FileRefusedError("encrypted" if "encrypted" in str(error) else "damaged") from error
    except _DAMAGED as error:
        raise FileRefusedError("damaged") from error
    if {xlrd.book.SUPBOOK_EXTERNAL, xlrd.book.SUPBOOK_DDEOLE} & {*book._supbook_types}:
        raise FileRefusedError("external_links")
    sheets = [
        Worksheet(name, book._sheet_visibility[at] == 0, partial(_rows, book, at, limits))
        for at, name in enumerate(book.sheet_names())
    ]
    return Book("xls", "", sheets)


def _rows(book: Any, at: int, limits: BookLimits) -> Iterator[Row]:
    try:
        sheet = book.sheet_by_index(at)
    except _DAMAGED as error:
        raise FileRefusedError("damaged") from error
    for number in range(sheet.nrows):
        cells = [_cell(book, cell, limits) for cell in sheet.row(number)[: limits.columns + 1]]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield number + 1, cells


def _cell(book: Any, cell: Any, limits: BookLimits) -> Cell | None:
    kind, value = cell.ctype, cell.value
    if kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        return shown(float(value), _format(book, cell), since_1904=book.datemode == 1)
    if kind == xlrd.XL_CELL_TEXT and not value:
        # Only a formula makes an empty text: its result, or that it has none. A blank must not be taken from it.
        return Cell("uncalculated", "=")
    if kind == xlrd.XL_CELL_TEXT:
        return text_cell(shown_text(str(value)[: limits.text + 1], _format(book, cell)))
    if kind == xlrd.XL_CELL_BOOLEAN:
        return Cell("boolean", "TRUE" if value else "FALSE")
    if kind == xlrd.XL_CELL_ERROR:
        return Cell("error", xlrd.error_text_from_code.get(value, "#N/A"))
    return None


def _format(book: Any, cell: Any) -> str:
    """The number format of a cell; the numbers below 59 are built in unless the file defines them."""
    key = book.xf_list[cell.xf_index].format_key if cell.xf_index is not None else 0
    entry = book.format_map.get(key)
    # xlrd fills in the built-in formats of an English edition, and General for those that it does not know.
    if key in BUILTIN and (entry is None or entry.format_str in {std_format_strings.get(key), GENERAL}):
        return BUILTIN[key]
    return str(entry.format_str) if entry is not None else GENERAL
