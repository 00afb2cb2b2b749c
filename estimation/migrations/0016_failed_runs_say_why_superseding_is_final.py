"""A failed run has a code; what a finished run superseded is never rewritten."""

from django.db import migrations, models
from django.db.models import F, Q

_FUNCTION = """
CREATE FUNCTION estimation_superseding_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'run % is finished: what it supersedes is not rewritten', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_TRIGGER = """
CREATE TRIGGER superseding_is_final BEFORE UPDATE OF supersedes_id ON estimation_estimationrun FOR EACH ROW
WHEN (OLD.state = 'finished' AND NEW.supersedes_id IS DISTINCT FROM OLD.supersedes_id)
EXECUTE FUNCTION estimation_superseding_is_final()
"""


class Migration(migrations.Migration):
    dependencies = [("estimation", "0015_stored_sentences_and_superseded_runs")]

    operations = [
        migrations.AddConstraint(
            model_name="estimationrun",
            constraint=models.CheckConstraint(
                name="failed_run_says_why", condition=~Q(state="failed") | ~Q(error={})
            ),
        ),
        migrations.AddConstraint(
            model_name="estimationrun",
            constraint=models.CheckConstraint(
                name="finished_run_supersedes",
                condition=Q(supersedes__isnull=True) | (Q(state="finished") & ~Q(supersedes=F("pk"))),
            ),
        ),
        migrations.RunSQL(
            [_FUNCTION, _TRIGGER],
            [
                "DROP TRIGGER superseding_is_final ON estimation_estimationrun",
                "DROP FUNCTION estimation_superseding_is_final()",
            ],
        ),
    ]
