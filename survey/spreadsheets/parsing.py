"""Opens a spreadsheet of any format by its first bytes, never by its name. For a child process."""

from survey.spreadsheets.archives.parsing import open_package
from survey.spreadsheets.cells import Book, BookLimits
from survey.spreadsheets.delimited import parsing as delimited
from survey.spreadsheets.excel_binary import parsing as excel_binary
from survey.spreadsheets.office_open import parsing as office_open
from survey.spreadsheets.open_document import parsing as open_document
from survey.untrusted.protocol import FileRefusedError


def open_book(content: bytes, limits: BookLimits | None = None) -> Book:
    """The sheets of .xlsx, .xls, .et, .ods or a text file. Raises FileRefusedError, also while rows are iterated."""
    limits = limits or BookLimits()
    if not content.strip():
        raise FileRefusedError("empty")
    if content.startswith(excel_binary.SIGNATURE):
        return excel_binary.read_book(content, limits)
    if not content.startswith(b"PK"):
        return delimited.read_book(content, limits)
    package = open_package(content, limits)
    for is_known, read in (
        (office_open.is_office_open, office_open.read_book),
        (open_document.is_open_document, open_document.read_book),
    ):
        if is_known(package):
            return read(package, limits)
    raise FileRefusedError("not_a_table")
