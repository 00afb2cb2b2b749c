"""A run keeps the contributors of its totals: disclosure control of a release reads them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("estimation", "0018_background_work_without_states_of_its_own"),
    ]

    operations = [
        migrations.CreateModel(
            name="Contributors",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("variable", models.CharField(max_length=40)),
                ("domain_kind", models.CharField(max_length=20)),
                ("domain_code", models.CharField(max_length=20)),
                ("units", models.PositiveIntegerField()),
                ("largest", models.FloatField()),
                ("two_largest", models.FloatField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contributors",
                        to="estimation.estimationrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "variable", "domain_kind", "domain_code"), name="one_contributors"
                    )
                ],
            },
        ),
    ]
