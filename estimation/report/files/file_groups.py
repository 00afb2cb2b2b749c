"""Files of a bundle sorted for a reader: documents first, then figures, then data for machines. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_GROUPS: tuple[tuple[str, Promise, tuple[str, ...]], ...] = (
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
class FileGroup:
    """Files that belong together."""

    code: str
    label: Promise
    files: tuple[File, ...]


def file_groups(files: Iterable[Mapping[str, Any]]) -> list[FileGroup]:
    """The files of a manifest, group by group; a group without files is left out."""
    rows = list(files)
    order = ("pdf", "html", "docx", "xlsx")
    groups = []
    for code, label, prefixes in _GROUPS:
        listed = [_file(row) for row in rows if row["path"].startswith(prefixes)]
        if code in ("zh", "en"):
            listed.sort(key=lambda file: order.index(file.path.rpartition(".")[2]))
        if listed:
            groups.append(FileGroup(code, label, tuple(listed)))
    return groups


def _file(row: Mapping[str, Any]) -> File:
    path = str(row["path"])
    ending = path.rpartition(".")[2]
    named = path.startswith(("zh/", "en/"))
    label = KINDS.get(ending, path) if named else path.rpartition("/")[2]
    return File(path, label, int(row["bytes"]), str(row["sha256"]))
