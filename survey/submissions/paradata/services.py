"""Records the paradata of a sheet: which rules fired, and how long each section took."""

from datetime import datetime
from typing import Any

from django.db import connection

from survey.questionnaires.edits import REQUIRED
from survey.submissions.cells import item_of
from survey.submissions.models import SectionTime, Submission, SubmissionEvent
from survey.submissions.paradata.timing import seconds_by_section
from survey.submissions.refused import REFUSED
from survey.submissions.selectors import Sheet

# A single statement, because every autosave runs it: clears traces without a finding, opens the others once.
_TRACE = """
WITH cleared AS (
    UPDATE survey_findingtrace SET cleared_at = %(at)s
    WHERE submission_id = %(sheet)s AND cleared_at IS NULL AND edit <> ALL(%(edits)s)
)
INSERT INTO survey_findingtrace AS stored
    (submission_id, round_id, category, edit, severity, first_shown, times)
SELECT %(sheet)s, %(round)s, %(category)s, fired.edit, fired.severity, %(at)s, 1
FROM unnest(%(edits)s::text[], %(severities)s::text[]) AS fired (edit, severity)
ON CONFLICT (submission_id, edit) DO UPDATE
    SET cleared_at = NULL, times = least(stored.times + 1, 32767), severity = excluded.severity
    WHERE stored.cleared_at IS NOT NULL
"""


def trace_findings(row: Submission, after: Sheet, at: datetime) -> None:
    """Record which rules fire on a locked sheet after a change, in a single statement.

    Blank required cells are not traced: every new sheet has a hundred of them.
    """
    severities = {
        finding.edit: finding.severity
        for finding in after.findings
        if not finding.edit.startswith((REQUIRED, REFUSED))
    }
    parameters: dict[str, Any] = {
        "at": at,
        "sheet": row.pk,
        "round": row.round_id,
        "category": row.assignment.version.category,
        "edits": list(severities),
        "severities": list(severities.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRACE, parameters)


def time_sections(row: Submission, sheet: Sheet) -> None:
    """Compute the section times of a sheet at each filing.

    Only changes made on a page count: a workbook or an API client stores everything at once.
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
