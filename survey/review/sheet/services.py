"""Explanations without a verdict: accepting their sheet accepts them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from survey import audit
from survey.access.models import User
from survey.submissions.models import Explanation, Submission
from survey.submissions.selectors import Sheet

# An explanation is valid for the latest filing; explanations of values that have changed since are not.
_UNJUDGED = """
    SELECT reason.id, reason.submission_id, reason.edit FROM survey_explanation reason
    JOIN LATERAL (
        SELECT filing.explanations FROM survey_filing filing
        WHERE filing.submission_id = reason.submission_id ORDER BY filing.number DESC LIMIT 1
    ) last ON last.explanations @> jsonb_build_array(
        jsonb_build_object('edit', reason.edit, 'fingerprint', reason.fingerprint))
    WHERE reason.submission_id = ANY(%(ids)s) AND reason.verdict = ''
"""
_ACCEPT = f"""
    UPDATE survey_explanation SET verdict = 'accepted', verdict_by_id = %(by)s, verdict_at = %(at)s
    FROM ({_UNJUDGED}) unjudged WHERE unjudged.id = survey_explanation.id
    RETURNING survey_explanation.submission_id, survey_explanation.edit
"""  # noqa: S608 a statement of this file
_WITHDRAW = """
    UPDATE survey_explanation SET verdict = '', verdict_by_id = NULL, verdict_at = NULL
    FROM unnest(%(ids)s::bigint[], %(decided)s::timestamptz[]) AS acceptance(sheet, decided_at)
    WHERE survey_explanation.submission_id = acceptance.sheet AND verdict_at = acceptance.decided_at
    RETURNING survey_explanation.submission_id, survey_explanation.edit
"""
_EVENTS = """
    INSERT INTO survey_submissionevent
        (submission_id, at, actor_id, kind, action, item, old, new, revision, reason, channel)
    SELECT sheet.id, %(at)s, %(by)s, 'explanation', 'verdict', judged.edit, NULL, %(new)s::jsonb, sheet.revision, '',
           %(channel)s
    FROM unnest(%(sheets)s::bigint[], %(edits)s::text[]) AS judged(sheet, edit)
    JOIN survey_submission sheet ON sheet.id = judged.sheet ORDER BY sheet.id, judged.edit
"""
_AUDITED = """
    SELECT sheet.id::text AS subject_id, region.path AS region_path,
           jsonb_build_object('unit', unit.uscc, 'year', round.year, 'item', judged.edit,
                              'channel', %(channel)s::text) AS details
    FROM unnest(%(sheets)s::bigint[], %(edits)s::text[]) AS judged(sheet, edit)
    JOIN survey_submission sheet ON sheet.id = judged.sheet
    JOIN survey_reportingunit unit ON unit.id = sheet.unit_id
    JOIN survey_region region ON region.code = unit.review_region_id
    JOIN survey_collectionround round ON round.id = sheet.round_id ORDER BY sheet.id, judged.edit
"""


def unjudged(sheet: Sheet) -> list[Explanation]:
    """Explanations of a sheet that are valid and have no verdict."""
    explanations = (sheet.explanation_of(finding) for finding in sheet.soft)
    return [
        explanation for explanation in explanations if explanation is not None and not explanation.verdict
    ]


def count_unjudged(ids: Sequence[int]) -> int:
    """The number of explanations that an acceptance of these sheets would accept."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_UNJUDGED}) unjudged", {"ids": list(ids)})  # noqa: S608 see above
        return int(cursor.fetchone()[0])


def accept_reasons(ids: Sequence[int], *, by: User, at: datetime, channel: str) -> int:
    """Accept every explanation without a verdict on sheets that are being accepted; returns their number."""
    return _judge(_ACCEPT, {"ids": list(ids)}, '{"before": "", "verdict": "accepted"}', by, at, channel)


def withdraw_reasons(decided: Mapping[int, datetime], *, by: User, at: datetime, channel: str) -> int:
    """Withdraw the verdicts that were stored with the acceptance of sheets; returns how many.

    ``decided`` maps each sheet to the time of the acceptance, which its verdicts have as well.
    """
    values = {"ids": list(decided), "decided": list(decided.values())}
    return _judge(_WITHDRAW, values, '{"before": "accepted", "verdict": ""}', by, at, channel)


def _judge(statement: str, values: dict[str, Any], new: str, by: User, at: datetime, channel: str) -> int:
    """Run one of the updates and store an event and an audit row for each explanation."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "by": by.pk, "at": at})
        rows = cursor.fetchall()
        if rows:
            traced: dict[str, Any] = {
                "sheets": [sheet for sheet, _edit in rows],
                "edits": [edit for _sheet, edit in rows],
                "at": at,
                "by": by.pk,
                "channel": channel,
                "new": new,
            }
            cursor.execute(_EVENTS, traced)
            audit.record_each(
                by=by, action="review_verdict", subject=Submission, at=at, rows=_AUDITED, params=traced
            )
    return len(rows)
