"""Reads .xlsx workbooks of both conformance classes (ISO/IEC 29500 transitional and strict).

Names of elements are compared without their namespace, in which the two classes differ. What a workbook holds is
judged by its relationships and content types: macros and links to other files are refused, parts that are not needed
(printer settings, properties, pictures, embedded files) are never opened.
"""

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from xml.etree.ElementTree import Element

from survey.spreadsheets.archives.parsing import read_xml, refusing_damage
from survey.spreadsheets.builtin_formats import BUILTIN, GENERAL
from survey.spreadsheets.cells import Book, BookLimits, Cell, Row, Worksheet, text_cell
from survey.spreadsheets.number_formats import shown, shown_text
from survey.untrusted.protocol import FileRefusedError

TYPES, ROOT = "[Content_Types].xml", "_rels/.rels"
# Ends of content types and of types of relationships -> code of the refusal.
_REFUSED = {
    "vnd.ms-office.vbaproject": "macros",
    "/vbaproject": "macros",
    "macrosheet+xml": "macros",
    "macrosheet": "macros",
    "externallink+xml": "external_links",
    "/externallink": "external_links",
    "sheet.binary.macroenabled.main": "binary_workbook",
}
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(slots=True)
class _Workbook:
    """What the cells of all sheets refer to."""

    package: zipfile.ZipFile
    limits: BookLimits
    texts: list[str]
    formats: list[str]  # by the number of the style
    since_1904: bool = False
    recalculates: bool = False  # formulas are calculated when the workbook is opened


def is_office_open(package: zipfile.ZipFile) -> bool:
    """Whether a package is of the kind of .xlsx, .docx and .pptx."""
    return TYPES in package.namelist()


def read_book(package: zipfile.ZipFile, limits: BookLimits) -> Book:
    """The sheets of a workbook. Raises FileRefusedError, also while rows are iterated."""
    with refusing_damage():
        _refuse_contents(package)
        main = next((target for kind, target in _relations(package, "") if kind == "officeDocument"), "")
        elements = [(_name(element), element) for _event, element in read_xml(package, main)]
        if not elements or elements[-1][0] != "workbook":
            raise FileRefusedError("not_a_table")
        targets = {key: target for _kind, target, key in _keyed_relations(package, main)}
        kinds = dict(_relations(package, main))
        texts = list(_shared_texts(package, kinds.get("sharedStrings", ""), limits))
        book = _Workbook(package, limits, texts, _formats(package, kinds.get("styles", "")))
        sheets = []
        for name, element in elements:
            if name == "workbookPr":
                book.since_1904 = _is_true(element.get("date1904"))
            elif name == "calcPr":
                book.recalculates = _is_true(element.get("fullCalcOnLoad"))
            elif name == "sheet":
                path = targets[_local(element, "id")]
                is_visible = element.get("state", "visible") == "visible"
                sheets.append(Worksheet(element.get("name", ""), is_visible, partial(_rows, book, path)))
    return Book("xlsx", "", sheets)


# ---- the package -----------------------------------------------------------------------------------------


def _refuse_contents(package: zipfile.ZipFile) -> None:
    """Refuse a package that holds, by its content types or relationships, what is never opened here."""
    names = [name for name in package.namelist() if name.endswith(".rels")]
    for name in (TYPES, *names):
        for _event, element in read_xml(package, name):
            kind = (element.get("ContentType") or element.get("Type") or "").lower()
            for end, code in _REFUSED.items():
                if kind.endswith(end):
                    raise FileRefusedError(code)


def _keyed_relations(package: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """Last name of the type, target and id of the relationships of a part; of the package for an empty name."""
    folder, name = posixpath.split(part)
    path = f"{folder}/_rels/{name}.rels" if part else ROOT
    if path.lstrip("/") not in package.namelist():
        return
    for _event, element in read_xml(package, path.lstrip("/")):
        target = element.get("Target", "")
        if target and element.get("TargetMode") != "External":
            full = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            yield element.get("Type", "").rpartition("/")[2], full, element.get("Id", "")


def _relations(package: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str]]:
    return ((kind, target) for kind, target, _key in _keyed_relations(package, part))


def _shared_texts(package: zipfile.ZipFile, path: str, limits: BookLimits) -> Iterator[str]:
    if not path:
        return
    events = read_xml(package, path, ("start", "end"))
    _event, root = next(events)
    for event, element in events:
        if event == "end" and _name(element) == "si":
            yield _text(element, limits)
            root.clear()


def _text(element: Element, limits: BookLimits) -> str:
    """The text of a rich text, without its phonetic guide."""
    parts = []
    for child in element:
        name = _name(child)
        if name == "t":
            parts.append(child.text or "")
        elif name == "r":
            parts += [part.text or "" for part in child if _name(part) == "t"]
    return _unescaped("".join(parts))[: limits.text + 1]


def _unescaped(text: str) -> str:
    """``_x000D_`` stands for a character that XML cannot hold."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _formats(package: zipfile.ZipFile, path: str) -> list[str]:
    """Number formats by the number of a style."""
    if not path:
        return []
    own: dict[int, str] = {}
    numbers: list[int] = []
    for _event, element in read_xml(package, path):
        name = _name(element)
        if name == "numFmt" and "numFmtId" in element.attrib:
            own[int(element.attrib["numFmtId"])] = element.get("formatCode", GENERAL)
        elif name == "cellXfs":
            numbers = [int(style.get("numFmtId", "0")) for style in element]
    return [own.get(number) or BUILTIN.get(number, GENERAL) for number in numbers]


# ---- a sheet -----------------------------------------------------------------------------------------------


def _rows(book: _Workbook, path: str) -> Iterator[Row]:
    """The rows that have cells, with their numbers."""
    number, most = 0, book.limits.columns + 1
    with refusing_damage():
        for _event, element in read_xml(book.package, path):
            if element.tag[-4:] != "}row":
                continue
            number = int(element.get("r") or number + 1)
            cells = _cells(book, element, most)
            element.clear()
            if cells:
                yield number, cells


def _cells(book: _Workbook, row: Element, most: int) -> list[Cell | None]:
    """The cells of a row, without the blank ones at its end."""
    cells: list[Cell | None] = []
    for element in row:
        reference = element.get("r")
        column = _column(reference.rstrip("0123456789")) if reference else len(cells)
        if column >= most or column < len(cells):
            continue
        cell = _cell(book, element)
        if cell is not None:
            cells += [None] * (column - len(cells))
            cells.append(cell)
    return cells


@lru_cache(maxsize=1000)
def _column(letters: str) -> int:
    """0 of A, 26 of AA."""
    if not (letters.isascii() and letters.isupper() and len(letters) <= 3):
        raise ValueError("no reference of a cell")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _cell(book: _Workbook, element: Element) -> Cell | None:
    value, formula, rich = None, None, None
    for child in element:
        end = child.tag[-2:]
        if end == "}v":
            value = child.text
        elif end == "}f":
            formula = child
        elif end == "is":
            rich = child
    kind = element.get("t", "n")
    if rich is not None:
        return text_cell(_in_format(book, element, _text(rich, book.limits)))
    if formula is not None and kind != "str" and (not value or (book.recalculates and _is_zero(value))):
        return Cell("uncalculated", f"={formula.text or ''}"[:80])
    if value is None:
        return None
    if kind == "s":
        return text_cell(_in_format(book, element, book.texts[int(value)]))
    if kind == "str":
        return text_cell(_in_format(book, element, _unescaped(value)[: book.limits.text + 1]))
    if kind == "b":
        return Cell("boolean", "TRUE" if _is_true(value) else "FALSE")
    if kind == "e":
        return Cell("error", value[:40])
    if kind == "d":
        return Cell("date", dt.datetime.fromisoformat(value.removesuffix("Z")).date().isoformat())
    return shown(float(value), _format(book, element), since_1904=book.since_1904) if value.strip() else None


def _format(book: _Workbook, element: Element) -> str:
    style = int(element.get("s", "0"))
    return book.formats[style] if style < len(book.formats) else GENERAL


def _in_format(book: _Workbook, element: Element, text: str) -> str:
    return shown_text(text, _format(book, element))


def _is_zero(value: str) -> bool:
    """Programs that do not calculate write 0 for the result of a formula."""
    return value.strip() == "0"


def _is_true(value: str | None) -> bool:
    return value in {"1", "true"}


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _local(element: Element, name: str) -> str:
    """An attribute of a namespace that differs between the conformance classes."""
    return next((value for key, value in element.attrib.items() if key.endswith(f"}}{name}")), "")
