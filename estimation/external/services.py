"""Writes of external series: one person enters a version, another approves it; files are imported after a dry run."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from estimation.external.catalogue import all_series
from estimation.external.models import ExternalFile, ExternalSeries
from estimation.external.parsing import series_lines
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import FileRefused, PolicyDenied
from survey.notation.dates import parse_day
from survey.notation.numbers import parse_decimal
from survey.untrusted.messages import DAMAGED
from survey.untrusted.protocol import FileRefusedError
from survey.untrusted.reading import read_value
from survey.untrusted.spreadsheet import value_of

COLUMNS = ("code", "year", "value", "source", "source_date")
MAX_ROWS, MAX_BYTES = 2000, 2_000_000
MAX_LINES = 20_000  # with blank lines and the header
LARGEST = Decimal(10) ** 24  # limit of the database column


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: the value to enter, or its error. ``current`` : the newest value in the system."""

    line: int
    code: str
    year: int
    value: Decimal
    source: str
    source_date: dt.date | None
    current: Decimal | None = None
    fault: str = ""

    @property
    def changes(self) -> bool:
        """Whether entering the line adds a version."""
        return not self.fault and self.current != self.value


@transaction.atomic
def enter_value(
    *, code: str, year: int, value: Decimal, source: str, source_date: dt.date | None, by: User
) -> ExternalSeries:
    """A new version of a value, waiting for approval. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    series_by_code = {entry["code"]: entry for entry in all_series()}
    if code not in series_by_code:
        raise PolicyDenied(_("There is no external series %(code)s.") % {"code": code})
    if not source.strip():
        raise PolicyDenied(_("An external value needs its source."))
    if fault := impossible(series_by_code[code], value):
        raise PolicyDenied(fault)
    earlier = ExternalSeries.objects.select_for_update().filter(code=code, year=year)
    last = max((row.version for row in earlier), default=0)
    series = series_by_code[code]
    row = ExternalSeries.objects.create(
        code=code,
        year=year,
        version=last + 1,
        value=value,
        unit=series["unit"],
        label_zh=series["label"]["zh"],
        label_en=series["label"]["en"],
        source=source.strip(),
        source_date=source_date,
        entered_by=by,
    )
    audit.record(
        by=by,
        action="enter_external",
        subject=row,
        code=code,
        year=year,
        version=row.version,
        value=str(value),
    )
    return row


def impossible(series: dict[str, Any], value: Decimal) -> str:
    """Why a series cannot have this value, or "". Only growth and differences may be negative."""
    if value < 0 and not series.get("signed", False):
        return _("%(code)s cannot be negative.") % {"code": series["code"]}
    if abs(value) >= LARGEST:
        return _("This value is too large.")
    return ""


@transaction.atomic
def approve_value(row: ExternalSeries, *, by: User) -> ExternalSeries:
    """Approve a version that another person entered; later runs use it."""
    if not (may(by, Permission.RUN_ESTIMATION) or may(by, Permission.PUBLISH)):
        raise PermissionDenied
    locked = ExternalSeries.objects.select_for_update().get(pk=row.pk)
    if locked.approved_at is not None:
        raise PolicyDenied(_("This version is approved already."))
    if locked.entered_by_id == by.pk:
        raise PolicyDenied(_("You entered this value; somebody else approves it."))
    locked.approved_by, locked.approved_at = by, clock.present()
    locked.save(update_fields=["approved_by", "approved_at"])
    audit.record(
        by=by,
        action="approve_external",
        subject=locked,
        code=locked.code,
        year=locked.year,
        version=locked.version,
    )
    return locked


def read_file(name: str, content: bytes) -> list[Row]:
    """The lines of a CSV or Excel file with the effect of each. Raises PolicyDenied, FileRefused for any other content."""
    if len(content) > MAX_BYTES:
        raise PolicyDenied(_("The file is larger than 2 MB."))
    lines = iter(_lines(name, content))
    header = [str(name or "").strip().lower() for name in next(lines, ())]
    if not {"code", "year", "value", "source"} <= set(header):
        raise PolicyDenied(_("The first line names the columns: %(names)s.") % {"names": ", ".join(COLUMNS)})
    series_by_code = {entry["code"]: entry for entry in all_series()}
    newest = ExternalSeries.objects.values("code", "year").annotate(last=Max("version"))
    versions = {(row["code"], row["year"], row["last"]) for row in newest}
    current = {
        (row.code, row.year): row.value
        for row in ExternalSeries.objects.all()
        if (row.code, row.year, row.version) in versions
    }
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        cells = dict(zip(header, line, strict=False))
        if not any(str(value or "").strip() for value in cells.values()):
            continue
        if len(rows) == MAX_ROWS:
            raise PolicyDenied(_("The file has more than %(count)s lines.") % {"count": MAX_ROWS})
        rows.append(_row(number, cells, series_by_code, current))
    return rows


def _lines(name: str, content: bytes) -> list[list[Any]]:
    """The lines of a file. Raises PolicyDenied, FileRefused, Overloaded."""
    workbook = name.lower().endswith(".xlsx")
    try:
        lines = read_value(series_lines, content, workbook=workbook, lines=MAX_LINES)
        return [[value_of(cell) for cell in line] for line in lines]
    except FileRefusedError as error:
        raise PolicyDenied(_refusal(error)) from error
    except (TypeError, ValueError) as error:  # not what the parser yields
        raise FileRefused(DAMAGED()) from error


def _refusal(error: FileRefusedError) -> str:
    """Why the parser has not opened the file."""
    if error.code == "too_many_parts":
        return _("The file consists of more than %(limit)s parts and is not opened.") % error.parameters
    if error.code == "unpacks_too_large":
        return _("The file would unpack to more than %(limit)s MB and is not opened.") % error.parameters
    return _("This is not an Excel file.")


def _row(
    number: int,
    cells: dict[str, Any],
    series_by_code: dict[str, Any],
    current: dict[tuple[str, int], Decimal],
) -> Row:
    code, source = (str(cells.get(name) or "").strip() for name in ("code", "source"))
    fault, year, value, date = "", 0, Decimal(0), None
    try:
        year = int(str(cells.get("year") or "").strip())
        written = cells.get("value")
        value = parse_decimal("" if written is None else str(written))
        date = _date(cells.get("source_date"))
    except ValueError:
        fault = _("Year, value or date cannot be read.")
    if code not in series_by_code:
        fault = _("There is no external series %(code)s.") % {"code": code}
    elif not fault and not source:
        fault = _("An external value needs its source.")
    elif not fault and not (1990 <= year <= 2100 and value.is_finite()):
        fault = _("Year, value or date cannot be read.")
    elif not fault:
        fault = impossible(series_by_code[code], value)
    return Row(number, code, year, value, source, date, current.get((code, year)), fault)


def _date(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = str(value or "").strip()
    return parse_day(text) if text else None


def keep_file(*, name: str, content: bytes, by: User) -> ExternalFile:
    """Store a readable file for its check and for entering. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    read_file(name, content)
    digest = hashlib.sha256(content).hexdigest()
    return ExternalFile.objects.create(name=name[:200], content=content, sha256=digest, uploaded_by=by)


def rows_of(file: ExternalFile) -> list[Row]:
    """The lines of a stored file with the current effect of each."""
    return read_file(file.name, bytes(file.content))


@transaction.atomic
def enter_file(file: ExternalFile, *, sha256: str, by: User) -> list[ExternalSeries]:
    """Enter exactly the displayed file, once. Raises PermissionDenied, PolicyDenied (faults, other file, entered)."""
    locked = ExternalFile.objects.select_for_update().get(pk=file.pk)
    if locked.entered_at is not None:
        raise PolicyDenied(_("This file is entered already."))
    if locked.sha256 != sha256 or hashlib.sha256(bytes(locked.content)).hexdigest() != sha256:
        raise PolicyDenied(_("This is not the file that was checked."))
    rows = import_rows(rows_of(locked), by=by)
    locked.entered_at = clock.present()
    locked.save(update_fields=["entered_at"])
    return rows


@transaction.atomic
def import_rows(rows: Sequence[Row], *, by: User) -> list[ExternalSeries]:
    """Enter every line that adds a version, all or none. Raises PermissionDenied, PolicyDenied (a faulty line)."""
    if not may(by, Permission.RUN_ESTIMATION):
        raise PermissionDenied
    if any(row.fault for row in rows):
        raise PolicyDenied(_("Lines with faults must be corrected first; nothing was imported."))
    return [
        enter_value(
            code=row.code,
            year=row.year,
            value=row.value,
            source=row.source,
            source_date=row.source_date,
            by=by,
        )
        for row in rows
        if row.changes
    ]
