"""Values that runs have used so far count as approved: there was no approval before."""

from django.db import migrations
from django.db.models import F


def approve(apps, schema_editor):
    apps.get_model("estimation", "ExternalSeries").objects.filter(approved_at__isnull=True).update(
        approved_at=F("entered_at")
    )


class Migration(migrations.Migration):
    dependencies = [("estimation", "0004_release_workflow")]
    operations = [migrations.RunPython(approve, migrations.RunPython.noop)]
