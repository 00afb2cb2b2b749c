"""Where a unit was when it was drawn, and the region of a response class."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('estimation', '0009_release_peers'),
    ]

    operations = [
        migrations.AddField(
            model_name='selectedunit',
            name='region',
            field=models.CharField(blank=True, db_default='', max_length=6),
        ),
        migrations.AddField(
            model_name='stratumweight',
            name='region',
            field=models.CharField(blank=True, db_default='', max_length=6),
        ),
    ]
