"""Detects the kind of a file from its content, not from its name. Pure."""

from __future__ import annotations

import zipfile
from io import BytesIO

# Kind -> (media type, extension). No kind that a browser would execute.
KINDS: dict[str, tuple[str, str]] = {
    "pdf": ("application/pdf", ".pdf"),
    "png": ("image/png", ".png"),
    "jpeg": ("image/jpeg", ".jpg"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "text": ("text/plain; charset=utf-8", ".txt"),
}
_MAGIC = {b"%PDF-": "pdf", b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_OFFICE = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
_ACTIVE = ("vbaproject", "activex", "embeddings/", "macrosheets/")


def kind_of(data: bytes) -> str | None:
    """The kind of a file, or None for anything that is not on the list (programs, archives, HTML, macros)."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data.startswith(b"PK"):
        return _office(data)
    return "text" if _is_text(data) else None


def _office(data: bytes) -> str | None:
    try:
        names = zipfile.ZipFile(BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    if any(part in name.casefold() for name in names for part in _ACTIVE):
        return None
    return next((kind for name, kind in _OFFICE.items() if name in names), None)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    printable = all(character in "\t\r\n" or ord(character) >= 32 for character in text)
    return bool(text.strip()) and printable and not text.lstrip().startswith(("<", "#!"))
