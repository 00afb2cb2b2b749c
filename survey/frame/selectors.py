"""Queries of the frame: units, counts, imports, and the input of sample designs."""

import hashlib
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from survey.access.models import User
from survey.classification import SIZE_OF
from survey.frame.checking import UnitRow
from survey.frame.models import FrameCount, FrameImport, ReportingUnit, UnitChange

IN_FRAME = Q(left_on=None)
# The input of a sample design, one row per unit. Rows of the same content give the same bytes.
_CONTENT = """
    SELECT u.uscc, u.category, u.region_id, u.section, u.size_class, u.is_head_platform,
           coalesce(u.employees, 0), coalesce(u.turnover, 0)::float8, u.random_number, u.id
    FROM survey_reportingunit u WHERE u.left_on IS NULL ORDER BY u.uscc
"""


def existing_units() -> dict[str, tuple[UnitRow, bool]]:
    """All units by credit code in the columns of an import, and whether each is in the frame now. National."""
    fields = [{"region": "region_id"}.get(name, name) for name in UnitRow._fields]
    rows = ReportingUnit.objects.values_list(*fields, "left_on").iterator(chunk_size=20_000)
    return {row[0]: (UnitRow._make(row[:-1]), row[-1] is None) for row in rows}


def existing_counts() -> dict[tuple[str, ...], int]:
    """Counts of the business register by category, region, section and legal size class. National."""
    rows = FrameCount.objects.values_list("category", "region", "section", "size_class", "units")
    return {tuple(row[:4]): row[4] for row in rows}


def frame_rows() -> list[tuple[Any, ...]]:
    """The units of the frame in the order of their credit codes. National.

    uscc, category, region, section, size class, leading platform, employees, turnover, random number, key.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CONTENT)
        return list(cursor.fetchall())


def count_rows() -> list[tuple[str, str, str, str, int]]:
    """Counts with estimation sizes (small and micro are one): category, region, section, size, units. National."""
    cells: dict[tuple[str, str, str, str], int] = {}
    for (category, region, section, size), units in existing_counts().items():
        key = (category, region, section, SIZE_OF.get(size, ""))
        cells[key] = cells.get(key, 0) + units
    return [(*key, units) for key, units in sorted(cells.items())]


def frame_hash(rows: list[tuple[Any, ...]], counts: list[tuple[str, str, str, str, int]]) -> str:
    """SHA-256 over the input of a draw, without the primary keys."""
    result = hashlib.sha256()
    for row in rows:
        result.update(repr(row[:-1]).encode())
    result.update(repr(counts).encode())
    return result.hexdigest()


def frame_summary(user: User, permission: Any) -> dict[str, Any]:
    """Units in the frame by category, and the register's counts by section and size."""
    units = ReportingUnit.objects.visible_to(user, permission).filter(IN_FRAME)
    categories = list(units.values("category").annotate(units=Count("pk")).order_by("category"))
    counted = FrameCount.objects.values("section", "size_class").annotate(units=Sum("units"))
    sections: dict[str, dict[str, int]] = {}
    others = 0
    for row in counted.order_by("section"):
        if not row["section"]:
            others += row["units"]
            continue
        line = sections.setdefault(row["section"], dict.fromkeys((*SIZE_OF, "total"), 0))
        line[row["size_class"]] += row["units"]
        line["total"] += row["units"]
    total = dict.fromkeys((*SIZE_OF, "total"), 0)
    for line in sections.values():
        for name, number in line.items():
            total[name] += number
    return {
        "categories": categories,
        "units": sum(row["units"] for row in categories),
        "sections": sections,
        "total": total,
        "others": others,
    }


def imports() -> "QuerySet[FrameImport]":
    """All imports, newest first, without content, findings and changes."""
    return FrameImport.objects.select_related("uploaded_by", "applied_by").defer(
        "content", "findings", "changes"
    )


def recent_changes(user: User, permission: Any) -> "QuerySet[UnitChange]":
    """Changes of units, newest first."""
    return (
        UnitChange.objects.visible_to(user, permission)
        .select_related("unit", "source")
        .defer("source__content", "source__findings", "source__changes")
        .order_by("-pk")
    )


def visible_units(user: User, permission: Any) -> "QuerySet[ReportingUnit]":
    """Units that this person may see."""
    return ReportingUnit.objects.visible_to(user, permission)
