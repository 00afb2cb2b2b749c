"""Reads .ods spreadsheets (OpenDocument). The file holds what each cell shows; numbers are read from that text."""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from xml.etree.ElementTree import Element

from survey.spreadsheets.archives.parsing import read_xml, refusing_damage
from survey.spreadsheets.cells import Book, BookLimits, Cell, Row, Worksheet, text_cell
from survey.spreadsheets.numbers import plain, significant
from survey.untrusted.protocol import FileRefusedError

CONTENT, MANIFEST = "content.xml", "META-INF/manifest.xml"
_KINDS = ("mimetype", CONTENT)
_DIGITS = re.compile(r"\d(?:[\d.,' \u00a0\u202f\u2019]*\d)?")
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
# A module of a library of macros; the lists of libraries are there without any macro, too.
_MODULE = re.compile(r"Basic/[^/]+/(?!script-l[bc]\.xml)[^/]+|Scripts/.*[^/]")


def is_open_document(package: zipfile.ZipFile) -> bool:
    """Whether a package is of the kind of .ods, .odt and .odp."""
    return set(_KINDS) <= set(package.namelist())


def read_book(package: zipfile.ZipFile, limits: BookLimits) -> Book:
    """The sheets of a spreadsheet. Raises FileRefusedError, also while rows are iterated."""
    with refusing_damage():
        _refuse_contents(package)
        names = []
        depth = 0
        for event, element in read_xml(package, CONTENT, ("start", "end")):
            name = _name(element)
            if name == "table":
                if event == "start" and not depth:
                    names.append(_attribute(element, "name"))
                depth += 1 if event == "start" else -1
            elif name == "table-source":
                raise FileRefusedError("external_links")
            if event == "end" and name in {"table", "table-row"}:
                element.clear()
    sheets = [Worksheet(name, True, partial(_rows, package, at, limits)) for at, name in enumerate(names)]
    return Book("ods", "", sheets)


def _refuse_contents(package: zipfile.ZipFile) -> None:
    with package.open("mimetype") as stream:
        kind = stream.read(200).decode("ascii", "replace")
    if not kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        raise FileRefusedError("not_a_table")
    if any(_MODULE.match(name) for name in package.namelist()):
        raise FileRefusedError("macros")
    manifest = read_xml(package, MANIFEST) if MANIFEST in package.namelist() else ()
    if any(_name(element) == "encryption-data" for _event, element in manifest):
        raise FileRefusedError("encrypted")


def _rows(package: zipfile.ZipFile, at: int, limits: BookLimits) -> Iterator[Row]:
    """The rows of one table that have cells; a row that is declared many times is read as often."""
    table, depth, number = -1, 0, 0
    with refusing_damage():
        for event, element in read_xml(package, CONTENT, ("start", "end")):
            name = _name(element)
            if name == "table":
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    table, number = table + 1, 0
                if event == "end":
                    element.clear()
                    if depth == 0 and table == at:
                        return
            elif name == "table-row" and event == "end" and depth == 1:
                times = int(_attribute(element, "number-rows-repeated") or 1)
                cells = _cells(element, limits) if table == at else []
                element.clear()
                for place in range(times if cells else 0):
                    yield number + place + 1, cells
                number += times


def _cells(row: Element, limits: BookLimits) -> list[Cell | None]:
    cells: list[Cell | None] = []
    column, most = 0, limits.columns + 1
    for element in row:
        if _name(element) not in {"table-cell", "covered-table-cell"}:
            continue
        times = int(_attribute(element, "number-columns-repeated") or 1)
        cell = _cell(element, limits) if column < most else None
        if cell is not None:
            cells += [None] * (column - len(cells))
            cells += [cell] * min(times, most - column)
        column += times
    return cells


def _cell(element: Element, limits: BookLimits) -> Cell | None:
    text = "\n".join(_paragraph(part) for part in element if _name(part) == "p")[: limits.text + 1]
    kinds = [value for key, value in element.attrib.items() if key.endswith("}value-type")]
    formula = _attribute(element, "formula")
    if "error" in kinds or (formula and re.fullmatch(r"#\S+[!?]|#N/A|Err:\d+", text)):
        return Cell("error", text or "#N/A")
    kind, value = (kinds or [""])[0], _attribute(element, "value")
    if kind in {"float", "percentage", "currency"}:
        return _number(value, text, is_percent=kind == "percentage")
    if kind == "date":
        day = dt.datetime.fromisoformat(_attribute(element, "date-value").removesuffix("Z")).date()
        return Cell("date", day.isoformat())
    if kind == "time" and (match := _DURATION.match(_attribute(element, "time-value"))):
        return Cell("time", f"{match[1]}:{match[2]}" + (f":{match[3]}" if match[3] != "00" else ""))
    if kind == "boolean":
        return Cell("boolean", "TRUE" if _attribute(element, "boolean-value") == "true" else "FALSE")
    if formula and not kind:
        return Cell("uncalculated", formula.partition(":")[2][:80])
    return text_cell(text or _attribute(element, "string-value")[: limits.text + 1])


def _number(value: str, text: str, *, is_percent: bool) -> Cell:
    """A number as ``text`` shows it; its separators are those of the language in which the file was saved."""
    number = significant(float(value))
    match = _DIGITS.search(text)
    if match is None or "E" in text.upper().partition(match[0])[2][:1]:
        return Cell("number", plain(number.scaleb(2)) + "%" if is_percent else plain(number))
    prefix, suffix = (
        re.sub(r"[-−()（）\s]", "", text[: match.start()]),
        re.sub(r"[()（）]", "", text[match.end() :]),
    )
    prefix, suffix = prefix.strip(), suffix.rstrip()
    sign = "-" if number < 0 else ""
    for shift in (2,) if is_percent else (0, -3, -6, -9):
        exact = abs(number).scaleb(shift)
        for point in ".,":
            if (digits := _digits(match[0], point, exact)) is not None:
                hidden = f"{sign}{prefix}{plain(exact)}{suffix}" if Decimal(digits) != exact else ""
                return Cell("number", f"{sign if digits.strip('0.') else ''}{prefix}{digits}{suffix}", hidden)
    return Cell("number", plain(number.scaleb(2)) + "%" if is_percent else plain(number))


def _digits(text: str, point: str, exact: Decimal) -> str | None:
    """The digits of ``text`` if they are those of ``exact``, rounded, with this decimal point."""
    whole, _point, fraction = text.partition(point)
    fraction = fraction.strip()
    whole = re.sub(r"\D", "", whole)
    try:
        if fraction and not fraction.isdigit():
            return None
        rounded = exact.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
        if Decimal(f"{whole}.{fraction or 0}") != rounded:
            return None
    except InvalidOperation:
        return None
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _paragraph(element: Element) -> str:
    """The text of a paragraph; blanks, tabs and breaks are elements of their own."""
    parts = [element.text or ""]
    for child in element:
        name = _name(child)
        if name == "s":
            parts.append(" " * min(int(_attribute(child, "c") or 1), 100))
        elif name in {"tab", "line-break"}:
            parts.append("\t" if name == "tab" else "\n")
        elif name != "annotation":
            parts.append(_paragraph(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _attribute(element: Element, name: str) -> str:
    """An attribute of any namespace; of equal names the first."""
    return next((value for key, value in element.attrib.items() if key.endswith(f"}}{name}")), "")
