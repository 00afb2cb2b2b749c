"""Errors become a code with parameters; what was stored as a sentence is kept word for word for the next migration."""

from django.db import migrations, models
import django.db.models.deletion

_COLUMNS = (
    ("estimation_estimationrun", "error"),
    ("estimation_bootstrap", "error"),
    ("estimation_indexresult", "error"),
    ("estimation_sampledesign", "hand_over_error"),
)


def _to_json(table: str, column: str) -> str:
    return (
        f"ALTER TABLE {table} ALTER COLUMN {column} TYPE jsonb USING CASE WHEN {column} = '' THEN '{{}}'::jsonb "
        f"ELSE jsonb_build_object('code', 'as_written', 'params', jsonb_build_object('text', {column})) END"
    )


def _to_text(table: str, column: str) -> str:
    return (
        f"ALTER TABLE {table} ALTER COLUMN {column} TYPE text USING "
        f"coalesce({column} -> 'params' ->> 'text', {column} ->> 'code', '')"
    )


class Migration(migrations.Migration):
    dependencies = [("estimation", "0013_hand_over")]

    operations = [
        migrations.RemoveConstraint(model_name="estimationrun", name="failed_run_says_why"),
        migrations.RunSQL(
            [_to_json(*one) for one in _COLUMNS],
            [_to_text(*one) for one in _COLUMNS],
            state_operations=[
                migrations.AlterField(
                    model_name=model, name=field, field=models.JSONField(blank=True, default=dict)
                )
                for model, field in (
                    ("estimationrun", "error"),
                    ("bootstrap", "error"),
                    ("indexresult", "error"),
                    ("sampledesign", "hand_over_error"),
                )
            ],
        ),
        migrations.AddField(
            model_name="estimationrun",
            name="supersedes",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="superseded_by",
                to="estimation.estimationrun",
            ),
        ),
    ]
