"""Parsers of attached files, in a child process: the kind of an Office document, photographs as JPEG, texts."""

import base64
import zipfile
from collections.abc import Iterator
from io import BytesIO

import pillow_heif
from PIL import Image

from survey.spreadsheets.delimited.parsing import decoded
from survey.untrusted.protocol import FileRefusedError

# OFD is the format of fixed documents of Chinese offices (GB/T 33190).
_OFFICE = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx", "OFD.xml": "ofd"}
PART = 500_000  # characters of a text that are sent at a time
LARGEST_SIDE = 3000  # pixels of a converted photograph
pillow_heif.options.DECODE_THREADS = 1  # a child may start no thread
Image.preinit()  # a child opens no file, so it cannot load the writer of JPEG
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


def jpeg_of(content: bytes) -> Iterator[str]:
    """A HEIC photograph as JPEG in Base64, without what the camera has noted beside it (place, time, owner)."""
    picture = pillow_heif.open_heif(content, convert_hdr_to_8bit=True).to_pillow().convert("RGB")
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=85)
    yield base64.b64encode(stream.getvalue()).decode()


def text_parts(content: bytes) -> Iterator[str]:
    """The text of a file in any encoding of Chinese offices, in parts; nothing for what is no text."""
    try:
        text, _encoding = decoded(content)
    except FileRefusedError:
        return
    yield from (text[start : start + PART] for start in range(0, len(text), PART))
