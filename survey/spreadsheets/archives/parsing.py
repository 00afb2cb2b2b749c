"""Opens ZIP packages of untrusted spreadsheets: parts and unpacked size are checked first."""

import codecs
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Literal, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from survey.spreadsheets.cells import BookLimits
from survey.untrusted.parsing import check_archive
from survey.untrusted.protocol import FileRefusedError

type Event = Literal["start", "end"]
DAMAGED = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, expat.ExpatError, EOFError, OSError)

codecs.lookup("cp437")  # of the names of parts: a child opens no file, so it cannot load a codec


@contextmanager
def refusing_damage() -> Iterator[None]:
    """Turn the errors of damaged packages and of their XML into FileRefusedError."""
    try:
        yield
    except (*DAMAGED, LookupError, ValueError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise FileRefusedError("damaged") from error


def open_package(content: bytes, limits: BookLimits) -> zipfile.ZipFile:
    """A package whose parts unpack to no more than the limits. Raises FileRefusedError."""
    check_archive(content, most_parts=limits.parts, largest_unpacked=limits.unpacked)
    return zipfile.ZipFile(io.BytesIO(content))


def read_xml(
    package: zipfile.ZipFile, name: str, events: Sequence[Event] = ("end",)
) -> Iterator[tuple[str, ElementTree.Element]]:
    """Events and elements of a part. Raises FileRefusedError when it has a document type.

    A stream never yields more than the size that the directory declares, which ``open_package`` has checked.
    """
    if name not in package.namelist():
        raise FileRefusedError("damaged")
    with package.open(name) as stream:
        _refuse_document_type(stream)
    with package.open(name) as stream:
        yield from ElementTree.iterparse(stream, events)  # noqa: S314 no document type, hence no entities


def _refuse_document_type(stream: IO[bytes]) -> None:
    """A document type may define entities that expand; it can stand only before the first element."""
    parser, is_over = expat.ParserCreate(), False

    def refuse(*_declared: object) -> NoReturn:
        raise FileRefusedError("document_type")

    def begin(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal is_over
        is_over = True

    parser.StartDoctypeDeclHandler, parser.StartElementHandler = refuse, begin
    while not is_over and (chunk := stream.read(4096)):
        parser.Parse(chunk)
