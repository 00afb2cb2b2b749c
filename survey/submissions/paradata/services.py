"""Keeps how a sheet came about: which rules spoke, and how long each section took."""

from datetime import datetime
from typing import Any

from django.db import connection

from survey.questionnaires.edits import REQUIRED
from survey.submissions.cells import item_of
from survey.submissions.models import SectionTime, Submission, SubmissionEvent
from survey.submissions.paradata.timing import seconds_by_section
from survey.submissions.selectors import Sheet

# One statement, because every autosave runs it: what is silent now is closed, what speaks is opened once.
_TRACE = """
WITH silent AS (
    UPDATE survey_findingtrace SET cleared_at = %(at)s
    WHERE submission_id = %(sheet)s AND cleared_at IS NULL AND edit <> ALL(%(edits)s)
)
INSERT INTO survey_findingtrace AS kept
    (submission_id, round_id, category, edit, severity, first_shown, times)
SELECT %(sheet)s, %(round)s, %(category)s, spoken.edit, spoken.severity, %(at)s, 1
FROM unnest(%(edits)s::text[], %(severities)s::text[]) AS spoken (edit, severity)
ON CONFLICT (submission_id, edit) DO UPDATE
    SET cleared_at = NULL, times = least(kept.times + 1, 32767), severity = excluded.severity
    WHERE kept.cleared_at IS NOT NULL
"""


def trace_findings(row: Submission, after: Sheet, at: datetime) -> None:
    """Note which rules speak on a locked sheet after a change: one statement.

    A required cell that is blank is no finding of a rule: every new sheet would have a hundred.
    """
    severities = {one.edit: one.severity for one in after.findings if not one.edit.startswith(REQUIRED)}
    given: dict[str, Any] = {
        "at": at,
        "sheet": row.pk,
        "round": row.round_id,
        "category": row.assignment.version.category,
        "edits": list(severities),
        "severities": list(severities.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRACE, given)


def time_sections(row: Submission, sheet: Sheet) -> None:
    """Work out the times of a sheet that is being filed, anew at every filing.

    Only what was typed on a page has a time: a workbook or a machine stores everything at once.
    """
    events = SubmissionEvent.objects.filter(submission=row, kind=SubmissionEvent.Kind.VALUE, channel="page")
    sections = {code: section.code for section in sheet.definition.sections for code in section.items}
    stored = ((at, item_of(key)) for at, key in events.order_by("id").values_list("at", "item"))
    spent = seconds_by_section(stored, sections)
    if not spent:
        return
    SectionTime.objects.bulk_create(
        [
            SectionTime(
                submission=row,
                round_id=row.round_id,
                category=row.assignment.version.category,
                section=section,
                seconds=seconds,
            )
            for section, seconds in spent.items()
        ],
        update_conflicts=True,
        unique_fields=["submission", "section"],
        update_fields=["seconds"],
    )
