"""Parses a workbook in a child process: checks the package, then yields the cells of its sheets.

A workbook is an untrusted ZIP file. Its size, parts and unpacked size are checked before it is opened; macros,
links to other files and document types in its XML are refused.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

from survey.submissions.workbook.layout import ABOUT, FIRST_ROW, FORM
from survey.untrusted.protocol import FileRefusedError
from survey.untrusted.spreadsheet import document_of

LARGEST_UNPACKED = 60 * 1024 * 1024
MOST_PARTS = 400
MOST_ROWS = 2000
MOST_COLUMNS = 80
FORM_COLUMNS = 6
_FORBIDDEN = re.compile(r"vbaProject|\.bin$|externalLinks/|embeddings/|activeX|macrosheets/", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def workbook_cells(content: bytes, tables: Sequence[str]) -> Iterator[Any]:
    """The metadata by name, the rows of the form, then for each of ``tables`` its name and rows.

    Raises FileRefusedError when it is not a workbook of this site.
    """
    check_package(content)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    except MemoryError:
        raise
    except Exception as error:  # openpyxl raises errors of many types for damaged parts
        raise FileRefusedError("not_opened") from error
    if ABOUT not in book.sheetnames or FORM not in book.sheetnames:
        raise FileRefusedError("foreign")
    yield {str(row[0]): str(row[1]) for row in book[ABOUT].iter_rows(max_row=20, max_col=2, values_only=True)}
    lines = book[FORM].iter_rows(min_row=FIRST_ROW, max_row=MOST_ROWS, max_col=FORM_COLUMNS, values_only=True)
    yield [row for row in map(_trimmed, lines) if row]
    for name in book.sheetnames:
        if name in tables:
            lines = book[name].iter_rows(min_row=1, max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
            yield [name, [row for index, row in enumerate(map(_trimmed, lines)) if row or not index]]


def check_package(content: bytes) -> None:
    """Check the parts of a package. Raises FileRefusedError."""
    try:
        package = zipfile.ZipFile(BytesIO(content))
        parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileRefusedError("not_xlsx") from error
    names = [part.filename for part in parts]
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise FileRefusedError("not_xlsx")
    if any(_FORBIDDEN.search(name) for name in names):
        raise FileRefusedError("macros")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise FileRefusedError("unpacks")
    unpacked = 0
    for part in parts:
        with package.open(part) as stream:
            head = stream.read(4096)
            if _DOCTYPE.search(head):
                raise FileRefusedError("macros")
            unpacked += len(head)
            while chunk := stream.read(1 << 20):  # the sizes in the directory may be wrong
                unpacked += len(chunk)
                if unpacked > LARGEST_UNPACKED:
                    raise FileRefusedError("unpacks")


def _trimmed(cells: Sequence[Any]) -> list[Any]:
    """The cells of a row as JSON, without the blank ones at its end."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return [document_of(value) for value in cells[:end]]
