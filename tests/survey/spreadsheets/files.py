"""Makes small spreadsheets of every format, with what spreadsheet programs write into them."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import xlwt

ODS = "application/vnd.oasis.opendocument.spreadsheet"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/": "http://purl.oclc.org/ooxml/officeDocument/",
}
type Edit = Callable[[bytes], bytes]


def xlsx(*cells: tuple[Any, str | None], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with one column of (value, number format), and further sheets of rows."""
    book = openpyxl.Workbook()
    for number, (value, form) in enumerate(cells, 1):
        cell = book.active.cell(number, 1)
        cell.value = value
        if form:
            cell.number_format = form
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def edited(content: bytes, edits: Mapping[str, Edit], **added: bytes) -> bytes:
    """A package with some parts changed and some added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as given,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in given.namelist():
            out.writestr(name, edits.get(name, bytes)(given.read(name)))
        for name, part in added.items():
            out.writestr(name, part)
    return buffer.getvalue()


def replacing(old: str, new: str) -> Edit:
    """An edit that replaces a text, which must be there."""

    def edit(part: bytes) -> bytes:
        assert old.encode() in part
        return part.replace(old.encode(), new.encode())

    return edit


def strict(content: bytes) -> bytes:
    """The workbook in the strict conformance class, as Excel saves it."""

    def edit(part: bytes) -> bytes:
        for old, new in _STRICT.items():
            part = part.replace(old.encode(), new.encode())
        return part

    with zipfile.ZipFile(io.BytesIO(content)) as given:
        return edited(content, dict.fromkeys(given.namelist(), edit))


def related(content: bytes, kind: str, target: str, content_type: str) -> bytes:
    """A workbook with a further part that its relationships and content types name."""
    relation = f'<Relationship Id="rIdX" Type="{kind}" Target="{target}"/></Relationships>'
    override = f'<Override PartName="/xl/{target}" ContentType="{content_type}"/></Types>'
    edits = {
        "xl/_rels/workbook.xml.rels": replacing("</Relationships>", relation),
        "[Content_Types].xml": replacing("</Types>", override),
    }
    return edited(content, edits, **{f"xl/{target}": b"\x01\x02"})


def xls(
    *cells: tuple[Any, str | None], formats: Mapping[str, int] | None = None, since_1904: bool = False
) -> bytes:
    """A workbook of the binary format; ``formats`` are names of built-in formats with their numbers."""
    book = xlwt.Workbook()
    book.dates_1904 = since_1904
    styles = book._Workbook__styles._num_formats
    styles |= formats or {}
    page = book.add_sheet("名录")
    for number, (value, form) in enumerate(cells):
        page.write(number, 0, value, xlwt.easyxf(num_format_str=form) if form else xlwt.Style.default_style)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def xls_of(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook of the binary format with these sheets of rows."""
    book, buffer = xlwt.Workbook(), io.BytesIO()
    for name, rows in sheets.items():
        page = book.add_sheet(name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                page.write(number, column, value)
    book.save(buffer)
    return buffer.getvalue()


def ods(*rows: str, **parts: bytes) -> bytes:
    """An OpenDocument spreadsheet of rows of XML; ``parts`` are further files."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{_OFFICE}" '
        f'xmlns:table="{_TABLE}" xmlns:text="{_TEXT}" xmlns:calcext="urn:org:documentfoundation:names:calc:1">'
        f'<office:body><office:spreadsheet><table:table table:name="名录">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("mimetype", ODS)
        out.writestr("content.xml", content)
        for name, part in parts.items():
            out.writestr(name, part)
    return buffer.getvalue()


def ods_cell(text: str, kind: str = "string", **attributes: Any) -> str:
    """A row with one cell that shows ``text``."""
    written = "".join(
        f' {name.replace("__", ":").replace("_", "-")}="{value}"' for name, value in attributes.items()
    )
    value_type = f' office:value-type="{kind}"' if kind else ""
    return f"<table:table-row><table:table-cell{value_type}{written}><text:p>{text}</text:p></table:table-cell></table:table-row>"
