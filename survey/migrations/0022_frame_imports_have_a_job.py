"""Each import of the frame points at the job that checks or applies it; what there is gets one."""

import django.db.models.deletion
from django.db import migrations, models

# State of an import -> kind and state of its job. What a worker had in hand is done again from its beginning.
JOBS = {
    "queued": ("frame_check", "waiting"),
    "checking": ("frame_check", "waiting"),
    "checked": ("frame_check", "done"),
    "confirmed": ("frame_apply", "waiting"),
    "applying": ("frame_apply", "waiting"),
    "applied": ("frame_apply", "done"),
    "failed": ("frame_check", "failed"),
    "cancelled": ("frame_check", "cancelled"),
}


def link(apps, schema_editor):
    Job = apps.get_model("survey", "Job")
    rows = apps.get_model("survey", "FrameImport").objects.filter(job=None)
    for row in rows.defer("content", "findings", "changes").iterator():
        kind, state = JOBS[row.state]
        error = {}
        if state == "failed":
            code = row.error.get("code", "crashed")
            error = {"code": f"frame_file_{code}", "params": row.error.get("parameters", {})}
        row.job = Job.objects.create(
            kind=kind,
            state=state,
            requested_by=row.uploaded_by_id,
            requested_at=row.uploaded_at,
            finished_at=None if state == "waiting" else row.applied_at or row.heartbeat_at,
            error=error,
        )
        row.save(update_fields=["job"])


class Migration(migrations.Migration):

    dependencies = [
        ("survey", "0021_desk_jobs_without_states"),
    ]

    operations = [
        migrations.AddField(
            model_name="frameimport",
            name="job",
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="survey.job"),
        ),
        migrations.RunPython(link, migrations.RunPython.noop),
    ]
