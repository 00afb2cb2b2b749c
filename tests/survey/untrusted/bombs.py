"""Small files that take much to read."""

import io
import struct
import zipfile
from collections.abc import Sequence

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import xlwt

from tests.survey.spreadsheets.files import ods, xls

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'

STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
RELATION = (
    b'<Relationship Id="rIdS" Target="sharedStrings.xml" Type='
    b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>'
)


def workbook(sheet: bytes = b"", strings: bytes = b"") -> bytes:
    """A workbook whose sheet or shared strings are replaced."""
    book, plain, packed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.active.title = "form"
    book.active.append(["code", "year", "value", "source"])
    book.create_sheet("about").append(["layout", "ndrs-workbook-1"])
    book.save(plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in given.namelist():
            content = given.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = sheet or content
            elif name == "[Content_Types].xml":
                content = content.replace(b"</Types>", STRINGS + b"</Types>")
            elif name == "xl/_rels/workbook.xml.rels" and b"sharedStrings" not in content:
                content = content.replace(b"</Relationships>", RELATION + b"</Relationships>")
            if name != "xl/sharedStrings.xml":
                changed.writestr(name, content)
        changed.writestr("xl/sharedStrings.xml", strings or HEAD + b"<sst " + MAIN + b"/>")
    return packed.getvalue()


def many_strings() -> bytes:
    """58 MB of shared strings in 90 kB."""
    return workbook(strings=HEAD + b"<sst " + MAIN + b">" + b"<si><t>a</t></si>" * 3_400_000 + b"</sst>")


def many_cells() -> bytes:
    """58 MB of cells in one row."""
    cells = b'<c r="A1"><v>1</v></c>' * 2_600_000
    return workbook(
        sheet=HEAD
        + b"<worksheet "
        + MAIN
        + b'><sheetData><row r="1">'
        + cells
        + b"</row></sheetData></worksheet>"
    )


def distant_row() -> bytes:
    """One cell in the last row that a workbook can have; its dimension declares all cells."""
    return workbook(
        sheet=HEAD
        + b"<worksheet "
        + MAIN
        + b'><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )


def entities() -> bytes:
    """A document type with nested entities behind a comment that is longer than what is looked at."""
    nested = b"".join(b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 12) for level in range(1, 9))
    kind = b"<!--" + b"x" * 5000 + b'--><!DOCTYPE worksheet [<!ENTITY e0 "0123456789">' + nested + b"]>"
    cell = b'<c r="A1" t="inlineStr"><is><t>&e8;</t></is></c>'
    return workbook(
        sheet=HEAD
        + kind
        + b"<worksheet "
        + MAIN
        + b'><sheetData><row r="1">'
        + cell
        + b"</row></sheetData></worksheet>"
    )


def repeated_rows() -> bytes:
    """An OpenDocument spreadsheet that declares one long text for a million rows of a thousand columns."""
    cell = f'<table:table-cell table:number-columns-repeated="1000"><text:p>{"x" * 5000}</text:p></table:table-cell>'
    return ods(f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>')


def many_paragraphs() -> bytes:
    """An OpenDocument spreadsheet with 40 MB of paragraphs in one cell."""
    return ods(
        f"<table:table-row><table:table-cell>{'<text:p>a</text:p>' * 2_500_000}</table:table-cell></table:table-row>"
    )


def chained_sectors() -> bytes:
    """A binary workbook whose first sector says that it follows itself."""
    content = bytearray(xls(("x" * 5000, None)))
    (table,) = struct.unpack_from("<I", content, 76)
    struct.pack_into("<I", content, 512 + table * 512, 0)
    return bytes(content)


def many_references() -> bytes:
    """A binary workbook with one long text to which 40,000 cells refer."""
    book, buffer = xlwt.Workbook(), io.BytesIO()
    page = book.add_sheet("form")
    for row in range(500):
        for column in range(80):
            page.write(row, column, "x" * 5000)
    book.save(buffer)
    return buffer.getvalue()


def repeated_value(names: Sequence[str] = ("uscc",)) -> bytes:
    """A Parquet file with one long text that the 200,000 rows of its columns refer to."""
    buffer = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table(dict.fromkeys(names, column)), buffer, compression="zstd", store_schema=False)
    return buffer.getvalue()


def many_members() -> bytes:
    """A ZIP file whose directory has 65,000 entries without content, each with a long name."""
    name = b"word/document.xml" + b"x" * 90
    entry = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, *(0,) * 4, 0, 0, 0, len(name), *(0,) * 6
    )
    directory = (entry + name) * 65_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_000, 65_000, len(directory), 0, 0)
    return directory + end


def many_parts() -> bytes:
    """A workbook with more parts than any that people have."""
    return _archive({"xl/workbook.xml": b"<workbook/>", **{f"xl/media/{n}.png": b"" for n in range(400)}})


def zeros() -> bytes:
    """A workbook with one part of 401 MiB."""
    return _archive({"xl/workbook.xml": bytes(401 << 20)})


def _archive(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def declared_picture() -> bytes:
    """The head of a PNG that declares 60,000 by 60,000 pixels."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLLBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 6, 0, 0, 0)
