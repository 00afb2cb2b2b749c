"""What is unfinished gets a job: runs, chunks of a bootstrap, indices and hand-overs begin again from there."""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

OPEN = ("queued", "running")


def link(apps, schema_editor):
    Job = apps.get_model("survey", "Job")

    def job(kind, key, by=None, **values):
        return Job.objects.create(kind=kind, key=str(key), requested_by=by, **values)

    EstimationRun = apps.get_model("estimation", "EstimationRun")
    EstimationRun.objects.filter(state__in=OPEN, cancel_requested=True).update(
        state="cancelled", finished_at=timezone.now()
    )
    for kind, rows in (
        ("run", EstimationRun.objects),
        ("index", apps.get_model("estimation", "IndexResult").objects),
    ):
        for row in rows.filter(state__in=OPEN, job=None):
            row.state, row.job = "queued", job(kind, row.pk, row.requested_by_id)
            row.save(update_fields=["state", "job"])
    for row in apps.get_model("estimation", "Bootstrap").objects.filter(state__in=OPEN):
        missing = list(row.chunks.filter(finished_at=None).values_list("pk", flat=True))
        for pk in missing:
            job("bootstrap_chunk", pk)
        if not missing:
            job("bootstrap_gather", row.pk)
    for row in apps.get_model("estimation", "SampleDesign").objects.filter(state="approved", job=None):
        if row.hand_over_requested_at is not None:
            row.job = job("hand_over", row.pk, row.hand_over_requested_by_id)
        elif row.hand_over_error:
            row.job = job("hand_over", row.pk, state="failed", error=row.hand_over_error, finished_at=timezone.now())
        row.save(update_fields=["job"])


def field():
    return models.OneToOneField(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="survey.job"
    )


class Migration(migrations.Migration):

    dependencies = [
        ("survey", "0023_frame_imports_without_progress"),
        ("estimation", "0016_failed_runs_say_why_superseding_is_final"),
    ]

    operations = [
        *(
            migrations.AddField(model_name=name, name="job", field=field())
            for name in ("estimationrun", "indexresult", "sampledesign")
        ),
        migrations.RunPython(link, migrations.RunPython.noop),
    ]
