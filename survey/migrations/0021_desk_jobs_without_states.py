"""State, progress, error and file of a desk's file stand in its job only."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("survey", "0020_desk_jobs_have_a_job"),
    ]

    operations = [
        migrations.AlterField(
            model_name="deskjob",
            name="job",
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="survey.job"),
        ),
        *(
            migrations.RemoveField(model_name="deskjob", name=name)
            for name in (
                "state", "done", "total", "cancel_requested", "error", "secret", "path",
                "requested_at", "started_at", "beat_at", "finished_at", "expires_at",
            )
        ),
    ]
