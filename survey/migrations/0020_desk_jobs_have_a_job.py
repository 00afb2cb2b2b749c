"""Each file of the desks points at the job that makes it; what there is gets one, finished files included."""

from uuid import uuid4

import django.db.models.deletion
from django.db import migrations, models

STATES = {"queued": "waiting", "running": "waiting", "finished": "done"}


def link(apps, schema_editor):
    Job = apps.get_model("survey", "Job")
    for row in apps.get_model("survey", "DeskJob").objects.filter(job=None).iterator():
        state = STATES.get(row.state, row.state)
        row.job = Job.objects.create(
            kind="desk_file",
            state=state,
            done=row.done if state == "done" else 0,
            total=row.total if state == "done" else 0,
            token=uuid4().hex if state == "done" else "",
            requested_by=row.by_id,
            requested_at=row.requested_at,
            available_at=row.requested_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            error={"code": "as_written", "params": {"text": row.error}} if state == "failed" else {},
            file=row.path if state == "done" else "",
            expires_at=row.expires_at,
        )
        row.save(update_fields=["job"])


class Migration(migrations.Migration):

    dependencies = [
        ("survey", "0019_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="deskjob",
            name="job",
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="survey.job"),
        ),
        migrations.RunPython(link, migrations.RunPython.noop),
    ]
