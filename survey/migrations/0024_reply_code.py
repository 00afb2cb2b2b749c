"""An answer without a text is a code, not a sentence in the language of whoever ticked the box."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("survey", "0023_frame_imports_without_progress")]

    operations = [
        migrations.AddField(
            model_name="reviewquery",
            name="reply_code",
            field=models.CharField(
                blank=True,
                choices=[("corrected", "Corrected."), ("confirmed", "Proposed value confirmed.")],
                db_default="",
                max_length=9,
            ),
        ),
        migrations.RemoveConstraint(model_name="reviewquery", name="answered_query_has_reply"),
        migrations.AddConstraint(
            model_name="reviewquery",
            constraint=models.CheckConstraint(
                name="answered_query_has_reply",
                condition=~Q(state="answered") | ~Q(reply="") | ~Q(reply_code=""),
            ),
        ),
    ]
