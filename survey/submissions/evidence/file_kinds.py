"""Detects the kind of a file from its content, not from its name.

The content of pictures and PDF is never decoded; an archive is opened, and another encoding than UTF-8 found, in a child
process.
"""

from __future__ import annotations

import re

from survey.submissions.evidence.parsing import office_kind, text_parts
from survey.untrusted.reading import read, read_value

# Kind -> (media type, extension). No kind that a browser would execute.
KINDS: dict[str, tuple[str, str]] = {
    "pdf": ("application/pdf", ".pdf"),
    "png": ("image/png", ".png"),
    "jpeg": ("image/jpeg", ".jpg"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "ofd": ("application/ofd", ".ofd"),
    "heic": ("image/heic", ".heic"),
    "text": ("text/plain; charset=utf-8", ".txt"),
}
_MAGIC = {b"%PDF-": "pdf", b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def kind_of(data: bytes) -> str | None:
    """The kind of a file, or None for anything that is not on the list (programs, archives, HTML, macros).

    Raises FileRefused for an archive that takes too much to open, Overloaded.
    """
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "heic"
    if data.startswith(b"PK"):
        kind = read_value(office_kind, data)
        return kind if isinstance(kind, str) and kind in KINDS else None
    return "text" if _is_text(text_of(data)) else None


def text_of(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16, GB 18030 or Big5; empty for what is no text. Raises FileRefused, Overloaded."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "".join(map(str, read(text_parts, data)))


def _is_text(text: str) -> bool:
    return bool(text.strip()) and not _CONTROL.search(text) and not text.lstrip().startswith(("<", "#!"))
