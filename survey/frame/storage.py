"""Writes the changes of an import in bulk: new rows by COPY, changed rows by one UPDATE."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from survey import clock
from survey.classification import NATION, NATIONAL_CATEGORIES
from survey.frame.checking import CountRow, UnitRow
from survey.frame.comparing import RECORDED, Plan
from survey.frame.models import FrameCount, FrameImport, ReportingUnit, UnitChange

_LOCK = 0x6672616D65  # "frame": one import is applied at a time
_COLUMNS = (
    "uscc",
    "name",
    "category",
    "region_id",
    "division_code",
    "industry",
    "section",
    "size_class",
    "institution_type",
    "employees",
    "turnover",
    "assets",
    "founded_on",
    "is_head_platform",
    "is_pilot_space",
)
Kind = UnitChange.Kind


def lock_frame() -> None:
    """Lock out other imports until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows of values into a table."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(",").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def load_units(plan: Plan, source: FrameImport) -> None:
    """Write new, changed, returned and missing units, with their rows of ``UnitChange``."""
    copy_rows(
        "survey_reportingunit", (*_COLUMNS, "review_region_id", "random_number", "is_synthetic"), _new(plan)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE frame_stage ON COMMIT DROP AS SELECT * FROM survey_reportingunit WITH NO DATA"
        )
        touched = [row for row, _fields in plan.changed]
        changed = {row.uscc for row in touched}
        touched += [row for row in plan.respelled if row.uscc not in changed]
        copy_rows(
            "frame_stage", (*_COLUMNS, "review_region_id"), ((*row, _review_region(row)) for row in touched)
        )
        names = ", ".join(f"{name} = s.{name}" for name in (*_COLUMNS[1:], "review_region_id"))
        cursor.execute(
            f"UPDATE survey_reportingunit u SET {names} FROM frame_stage s WHERE s.uscc = u.uscc"  # noqa: S608 columns of the model
        )
        cursor.execute("DROP TABLE frame_stage")
    returned = [row.uscc for row in plan.back]
    ReportingUnit.objects.filter(uscc__in=returned).update(left_on=None)
    ReportingUnit.objects.filter(uscc__in=plan.missing).update(left_on=timezone.localdate())
    keys = dict(ReportingUnit.objects.filter(uscc__in=_touched(plan)).values_list("uscc", "pk"))
    now = clock.present()
    copy_rows(
        "survey_unitchange",
        ("unit_id", "source_id", "kind", "old", "new", "at"),
        (
            (keys[code], source.pk, kind.value, old[:120], new[:120], now)
            for code, kind, old, new in _changes(plan)
        ),
    )


def _review_region(row: UnitRow) -> str:
    """The region whose desk reviews the unit."""
    return NATION if row.category in NATIONAL_CATEGORIES else row.region


def _new(plan: Plan) -> Iterator[tuple[Any, ...]]:
    """New units, each with an unpredictable permanent random number."""
    for row in plan.new:
        number = secrets.randbits(53) / 2.0**53
        yield (*row, _review_region(row), number, settings.SYNTHETIC_BANNER)


def _touched(plan: Plan) -> list[str]:
    return [
        row.uscc for row in (*plan.new, *plan.back, *(row for row, _fields in plan.changed))
    ] + plan.missing


def _changes(plan: Plan) -> Iterator[tuple[str, Kind, str, str]]:
    """Changes to record, as (credit code, kind, old, new)."""
    for row in plan.new:
        yield row.uscc, Kind.BIRTH, "", row.region
    for row in plan.back:
        yield row.uscc, Kind.RETURN, "", row.region
    for code in plan.missing:
        yield code, Kind.DEATH, "", ""
    for row, fields in plan.changed:
        recorded: set[str] = set()
        for name, old, new in fields:
            kind = RECORDED.get(name)
            if kind is not None and kind not in recorded:
                recorded.add(kind)
                yield row.uscc, Kind(kind), str(old), str(new)


def load_counts(plan: Plan, source: FrameImport) -> None:
    """Write the counts of the file."""
    cells: list[CountRow] = [*plan.new, *(row for row, _fields in plan.changed)]
    FrameCount.objects.bulk_create(
        [FrameCount(**row._asdict(), is_synthetic=settings.SYNTHETIC_BANNER) for row in cells],
        update_conflicts=True,
        unique_fields=["category", "region", "section", "size_class"],
        update_fields=["units", "is_synthetic"],
        batch_size=2_000,
    )
    for category, region, section, size in plan.missing:
        FrameCount.objects.filter(category=category, region=region, section=section, size_class=size).delete()
