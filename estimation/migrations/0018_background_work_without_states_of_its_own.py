"""Attempts, signs of life and progress stand in the jobs only."""

from django.db import migrations

FIELDS = {
    "estimationrun": ("stage", "percent", "cancel_requested", "attempts", "heartbeat_at"),
    "bootstrap": ("cancel_requested",),
    "bootstrapchunk": ("attempts", "claimed_at"),
    "sampledesign": (
        "hand_over_requested_at", "hand_over_requested_by", "hand_over_attempts", "hand_over_error",
    ),
}


class Migration(migrations.Migration):

    dependencies = [
        ("estimation", "0017_background_work_has_jobs"),
    ]

    operations = [
        migrations.RemoveField(model_name=model, name=name) for model, names in FIELDS.items() for name in names
    ]
