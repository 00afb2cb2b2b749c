"""Sheets of acceptances that were undone as a whole say so themselves: their events name the same moment."""

from django.db import migrations

FORWARD = """
UPDATE survey_bulkmember member
SET undone_at = act.undone_at, undone_by_id = act.undone_by_id, undo_reason = act.undo_reason
FROM survey_bulkacceptance act
WHERE act.id = member.act_id AND act.undone_at IS NOT NULL AND member.undone_at IS NULL
  AND EXISTS (SELECT 1 FROM survey_submissionevent event WHERE event.submission_id = member.submission_id
              AND event.action = 'undo_accept' AND event.at = act.undone_at)
"""


class Migration(migrations.Migration):
    dependencies = [("survey", "0033_bulk_members_undone")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
