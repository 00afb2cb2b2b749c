"""Files of a bundle sorted for a reader: documents first, then figures, then data for machines. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SHELVES: tuple[tuple[str, Promise, tuple[str, ...]], ...] = (
    ("zh", _("Report in Chinese"), ("zh/",)),
    ("en", _("Report in English"), ("en/",)),
    ("data", _("Data for programs"), ("csv/", "sdmx/", "content.json")),
    ("figures", _("Figures"), ("figures/",)),
)
KINDS = {
    "pdf": _("Printed edition (PDF)"),
    "html": _("Page that needs no other file (HTML)"),
    "docx": _("Word document"),
    "xlsx": _("Excel workbook"),
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as the list shows it."""

    path: str
    label: str | Promise
    size: int
    sha256: str

    @property
    def kilobytes(self) -> int:
        """Size in KB, at least 1."""
        return max(1, round(self.size / 1024))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files that belong together."""

    code: str
    label: Promise
    files: tuple[File, ...]


def shelves(files: Iterable[Mapping[str, Any]]) -> list[Shelf]:
    """The files of a manifest, shelf by shelf; a shelf without files is left out."""
    rows = list(files)
    order = ("pdf", "html", "docx", "xlsx")
    found = []
    for code, label, prefixes in _SHELVES:
        mine = [_file(row) for row in rows if row["path"].startswith(prefixes)]
        if code in ("zh", "en"):
            mine.sort(key=lambda file: order.index(file.path.rpartition(".")[2]))
        if mine:
            found.append(Shelf(code, label, tuple(mine)))
    return found


def _file(row: Mapping[str, Any]) -> File:
    path = str(row["path"])
    ending = path.rpartition(".")[2]
    named = path.startswith(("zh/", "en/"))
    label = KINDS.get(ending, path) if named else path.rpartition("/")[2]
    return File(path, label, int(row["bytes"]), str(row["sha256"]))
