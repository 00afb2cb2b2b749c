"""Checks across respondents, X07 to X11 of the questionnaires: sets of sheets, compared in the database.

They read filed sheets and change nothing: a finding shows reviewers where two respondents contradict each other
or are copies.
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.collection.models import CollectionRound
from survey.review.ledger.models import MacroFinding, MacroMember
from survey.submissions.models import Submission

RULES = ("X07", "X08", "X09", "X10", "X11")
COMPARED_STATES = ["submitted", "national_review", "accepted"]
FEWEST = 5  # equal positive numbers from which two sheets count as copies
MOST_MEMBERS = 50
# Relative differences up to which the rule holds: MD01 against MG08, K07 against MR02.
TOLERANCE = {"X08": 0.5, "X09": 0.3}
# More than the department counts is a contradiction. Less is not: the department counts everything, K07 is on four
# of the forms about computing (02, 06, 07 and 08 of 02 and 04 to 13), some categories are sampled, and during the
# round sheets are missing. A shortfall is therefore a finding only in outlying regions: below three robust
# deviations from the median of at least this many regions.
REGIONS_TO_COMPARE = 8
DEVIATIONS = 3.0
_MAD = 0.6745  # median absolute deviation of a normal variable in standard deviations


@dataclass(frozen=True, slots=True)
class DetectedFinding:
    """A finding before it is stored."""

    rule: str
    key: str
    sheets: list[int]
    region: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


_GROUPS = """
    SELECT parent, array_agg(id ORDER BY id) FROM (
        SELECT sheet.id, unit.category, sheet.answers #>> '{B18,value}' AS perimeter,
               CASE WHEN unit.category = 'CAT07' THEN unit.uscc
                    ELSE upper(btrim(sheet.answers #>> '{B14,value}')) END AS parent
        FROM survey_submission sheet JOIN survey_reportingunit unit ON unit.id = sheet.unit_id
        WHERE sheet.round_id = %(round)s AND sheet.state = ANY(%(states)s)
    ) candidates WHERE parent <> '' GROUP BY parent
    HAVING count(*) > 1 AND bool_or(category = 'CAT07' AND perimeter IS DISTINCT FROM '1')
    ORDER BY parent
"""
# One side reported by units of a province, the other by its data department.
_OPERATED = """
    SELECT split_part(region.path, '/', 2) AS province, unit.category = 'CAT02' AS office,
           sum(CASE WHEN unit.category = 'CAT02' THEN (sheet.answers #>> '{MG08,value}')::numeric
                    ELSE (sheet.answers #>> '{MD01,value}')::numeric END)::float8,
           array_agg(sheet.id ORDER BY sheet.id)
    FROM survey_submission sheet JOIN survey_reportingunit unit ON unit.id = sheet.unit_id
    JOIN survey_region region ON region.code = unit.region_id
    WHERE sheet.round_id = %(round)s AND sheet.state = ANY(%(states)s) AND unit.category IN ('CAT02', 'CAT10')
    GROUP BY 1, 2
"""
_COMPUTING = """
    SELECT location.key AS province, false AS office, sum((location.value #>> '{capacity,value}')::numeric)::float8,
           array_agg(sheet.id ORDER BY sheet.id)
    FROM survey_submission sheet CROSS JOIN LATERAL jsonb_each(sheet.answers #> '{K07,rows}') location
    WHERE sheet.round_id = %(round)s AND sheet.state = ANY(%(states)s)
      AND jsonb_typeof(sheet.answers #> '{K07,rows}') = 'object'
    GROUP BY 1
    UNION ALL
    SELECT split_part(region.path, '/', 2), true, sum((sheet.answers #>> '{MR02,value}')::numeric)::float8,
           array_agg(sheet.id ORDER BY sheet.id)
    FROM survey_submission sheet JOIN survey_reportingunit unit ON unit.id = sheet.unit_id
    JOIN survey_region region ON region.code = unit.region_id
    WHERE sheet.round_id = %(round)s AND sheet.state = ANY(%(states)s) AND sheet.answers ? 'MR02'
    GROUP BY 1
"""
# The numbers of a sheet outside section B as one text; how many there are, and how many of them are not zero.
_NUMBERS = """
    WITH numbers AS (
        SELECT sheet.id, count(*) AS size, count(*) FILTER (WHERE answer.number <> 0) AS positive,
               md5(string_agg(answer.key || '=' || trim_scale(answer.number), ';' ORDER BY answer.key)) AS print
        FROM survey_submission sheet
        CROSS JOIN LATERAL (
            SELECT entry.key, (entry.value ->> 'value')::numeric AS number
            FROM jsonb_each(sheet.answers) entry
            WHERE entry.key !~ '^B' AND entry.value ->> 'value' ~ '^-?[0-9]+([.][0-9]+)?$'
              AND entry.value ? 'value' AND entry.key = ANY(%(items)s)
        ) answer
        WHERE sheet.round_id = %(round)s AND sheet.state = ANY(%(states)s)
        GROUP BY sheet.id
    )
    SELECT 'X11', print, array_agg(id ORDER BY id), max(positive)::float8 FROM numbers
    WHERE positive >= %(fewest)s GROUP BY print HAVING count(*) > 1
    UNION ALL
    SELECT 'X10', id::text, ARRAY[id], size::float8 FROM numbers WHERE positive = 0
    ORDER BY 1, 2
"""


def detect(round_: CollectionRound, items: list[str]) -> Iterator[DetectedFinding]:
    """Yields every finding in the filed sheets of a round; ``items`` are the amounts that X10 and X11 compare."""
    values: dict[str, Any] = {"round": round_.pk, "states": COMPARED_STATES, "fewest": FEWEST, "items": items}
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, values)
        for parent, sheets in cursor.fetchall():
            yield DetectedFinding("X07", parent, sheets)
        for rule, statement in (("X08", _OPERATED), ("X09", _COMPUTING)):
            cursor.execute(statement, values)
            yield from _discrepancies(rule, cursor.fetchall())
        cursor.execute(_NUMBERS, values)
        for rule, key, sheets, size in cursor.fetchall():
            yield DetectedFinding(rule, key, sheets, numbers={"items": size})


def _discrepancies(rule: str, rows: list[tuple[Any, ...]]) -> Iterator[DetectedFinding]:
    """Yields provinces where the sum over units and the department's figure differ too much."""
    units = {province: (total, sheets) for province, office, total, sheets in rows if not office and total}
    pairs = [
        (province, units[province][0], total, [*sheets, *units[province][1]])
        for province, office, total, sheets in rows
        if office and total and province in units
    ]
    least = _lowest_usual_ratio([reported / counted for _province, reported, counted, _sheets in pairs])
    for province, reported, counted, sheets in pairs:
        gap = abs(reported - counted) / counted
        if gap > TOLERANCE[rule] and (reported > counted or reported / counted < least):
            numbers = {"units": reported, "office": counted, "gap": gap}
            yield DetectedFinding(rule, province, sheets, province, numbers)


def _lowest_usual_ratio(ratios: list[float]) -> float:
    """The ratio of reported to counted below which a region is an outlier; 0 with too few regions."""
    if len(ratios) < REGIONS_TO_COMPARE:
        return 0.0
    logs = [math.log(ratio) for ratio in ratios]
    middle = statistics.median(logs)
    spread = statistics.median(abs(value - middle) for value in logs) / _MAD
    return math.exp(middle - DEVIATIONS * spread)


@transaction.atomic
def sweep(round_: CollectionRound, items: list[str]) -> int:
    """Replace the findings of a round; returns their number."""
    MacroFinding.objects.filter(round=round_).delete()
    count = 0
    for finding in detect(round_, items):
        row = MacroFinding.objects.create(
            round=round_,
            rule=finding.rule,
            key=finding.key,
            region=finding.region,
            numbers=finding.numbers,
            size=len(set(finding.sheets)),
        )
        MacroMember.objects.bulk_create(
            MacroMember(finding=row, submission_id=pk) for pk in sorted(set(finding.sheets))
        )
        count += 1
    return count


def is_stale(round_: CollectionRound) -> bool:
    """Whether a sheet of the round has changed since the findings were stored."""
    changed = Submission.objects.filter(round=round_).aggregate(last=Max("updated_at"))["last"]
    last_look = round_.macro_looks.aggregate(last=Max("at"))["last"]
    return changed is not None and (last_look is None or last_look < changed)


def sweep_open_rounds(items: list[str]) -> int:
    """``sweep`` for every open round in which something has changed."""
    count = 0
    for round_ in CollectionRound.objects.filter(state=CollectionRound.State.OPEN):
        if is_stale(round_):
            at = clock.present()
            count += sweep(round_, items)
            round_.macro_looks.create(at=at)
    return count


@dataclass(frozen=True, slots=True)
class VisibleFinding:
    """A finding with its members in the user's scope, and the number of members outside."""

    finding: MacroFinding
    members: list[MacroMember]

    @property
    def outside(self) -> int:
        """Number of sheets outside the user's scope."""
        return self.finding.size - len(self.members)


def findings_of(user: User, round_: CollectionRound, rule: str = "") -> list[VisibleFinding]:
    """Findings with a sheet in scope; provincial sums are visible only with all of their sheets in scope."""
    members: QuerySet[MacroMember] = (
        MacroMember.objects.visible_to(user, Permission.VIEW_SHEETS)
        .filter(finding__round=round_)
        .select_related("finding", "submission__unit__region")
        .defer("submission__answers", "submission__item_revisions")
        .order_by("finding__rule", "finding", "pk")
    )
    if rule in RULES:
        members = members.filter(finding__rule=rule)
    grouped: dict[int, VisibleFinding] = {}
    for member in members:
        grouped.setdefault(member.finding_id, VisibleFinding(member.finding, [])).members.append(member)
    return [visible for visible in grouped.values() if not visible.finding.region or not visible.outside]
