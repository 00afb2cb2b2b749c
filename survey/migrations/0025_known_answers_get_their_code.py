"""Answers that the program wrote when nothing was typed get their code."""

from typing import Any

from django.db import migrations

# As they stood in the English and in the Chinese catalogue.
SENTENCES = {
    "corrected": ("Corrected.", "已更正。"),
    "confirmed": ("Proposed value confirmed.", "已确认建议值。"),
}


def forwards(apps: Any, schema_editor: Any) -> None:
    queries = apps.get_model("survey", "ReviewQuery").objects
    for code, wordings in SENTENCES.items():
        queries.filter(corrected=True, reply__in=wordings).update(reply="", reply_code=code)


def backwards(apps: Any, schema_editor: Any) -> None:
    queries = apps.get_model("survey", "ReviewQuery").objects
    for code, (_english, chinese) in SENTENCES.items():
        queries.filter(reply_code=code).update(reply=chinese, reply_code="")


class Migration(migrations.Migration):
    dependencies = [("survey", "0024_reply_code")]

    operations = [migrations.RunPython(forwards, backwards)]
