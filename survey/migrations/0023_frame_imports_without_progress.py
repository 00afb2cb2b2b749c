"""Progress, sign of life and error of an import stand in its job only."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("survey", "0022_frame_imports_have_a_job"),
    ]

    operations = [
        migrations.AlterField(
            model_name="frameimport",
            name="job",
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="survey.job"),
        ),
        *(
            migrations.RemoveField(model_name="frameimport", name=name)
            for name in ("percent", "cancel_requested", "error", "heartbeat_at")
        ),
    ]
