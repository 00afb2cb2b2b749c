"""Designs of a rehearsal country that was built before designs had states: signed by its two members of staff."""

from django.db import migrations
from django.utils import timezone


def sign(apps, schema_editor):
    design = apps.get_model("estimation", "SampleDesign")
    user = apps.get_model("survey", "User")
    first, second = (user.objects.filter(username=name, is_synthetic=True).first() for name in ("designer", "methodologist"))
    if first is None or second is None:
        return
    now = timezone.now()
    # Each round of such a country has one design.
    design.objects.filter(is_synthetic=True, number=1).update(
        state="handed_over", drawn_by=first, drawn_at=now, approved_by=second, approved_at=now,
        handed_over_by=first, handed_over_at=now,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('estimation', '0007_design_states'),
        ('survey', '0004_frame_imports'),
    ]

    operations = [migrations.RunPython(sign, migrations.RunPython.noop)]
