"""Detects the kind of an Office document from the names in its package, in a child process."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

_OFFICE = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
_ACTIVE = ("vbaproject", "activex", "embeddings/", "macrosheets/")


def office_kind(content: bytes) -> Iterator[str]:
    """The kind, or "" for another archive or a document with macros."""
    try:
        names = zipfile.ZipFile(BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        names = []
    if any(part in name.casefold() for name in names for part in _ACTIVE):
        yield ""
    else:
        yield next((kind for name, kind in _OFFICE.items() if name in names), "")
