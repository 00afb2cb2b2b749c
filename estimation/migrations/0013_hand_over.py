"""A hand-over that a worker does: who asked, how often it was begun, why it failed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('estimation', '0012_external_file'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='sampledesign',
            name='hand_over_attempts',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='sampledesign',
            name='hand_over_error',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='sampledesign',
            name='hand_over_requested_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='sampledesign',
            name='hand_over_requested_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
    ]
