"""Checks of an archive (XLSX) before it is opened, in a child process. Pure."""

import io
import zipfile

from survey.untrusted.protocol import MEBIBYTE, FileRefusedError


def check_archive(content: bytes, *, most_parts: int, largest_unpacked: int) -> list[str]:
    """The names of the parts. Raises FileRefusedError: damaged, too_many_parts, unpacks_too_large.

    The sizes of the directory are bounds: the reader of a part stops at the size that is declared for it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise FileRefusedError("damaged") from None
    if len(parts) > most_parts:
        raise FileRefusedError("too_many_parts", limit=most_parts)
    if sum(part.file_size for part in parts) > largest_unpacked:
        raise FileRefusedError("unpacks_too_large", limit=largest_unpacked // MEBIBYTE)
    return [part.filename for part in parts]
