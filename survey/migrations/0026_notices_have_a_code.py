"""A notice of the system is a code with its parameters; one that says anything else is kept word for word."""

import re
from typing import Any

from django.db import migrations, models

# The text had two lines in Chinese, then two in English, as they stood in the catalogues.
HINTS = (
    "请登录系统填报。如已报送，请忽略本通知。",
    "Sign in to the system to fill it. If you have filed it meanwhile, nothing is to be done.",
)
HEADS = {
    "reminder_returned": (
        "%(unit)s：%(year)s年报表已退回更正，请于%(due)s前重新报送。",
        "%(unit)s: the sheet of %(year)s was returned for correction and is due by %(due)s.",
    ),
    "reminder_not_filed": (
        "%(unit)s：%(year)s年报表尚未报送，截止时间为%(due)s。",
        "%(unit)s: the sheet of %(year)s has not been filed yet and is due by %(due)s.",
    ),
}
PARTS = {"unit": "(?P<unit>.+)", "year": r"(?P<year>\d{4})", "due": r"(?P<due>[\d-]+ [\d:]+)"}


def coded(text: str) -> dict[str, Any]:
    """The code and parameters of a reminder, the text itself of anything else."""
    lines = text.splitlines()
    for code, (_chinese, english) in HEADS.items():
        pattern = re.sub(r"%\((\w+)\)s", lambda one: PARTS[one[1]], english.replace(".", r"\."))
        found = re.fullmatch(pattern, lines[2]) if len(lines) == 4 else None
        if found is not None:
            params = {**found.groupdict(), "year": int(found["year"])}
            if worded(code, params) == text:
                return {"code": code, "params": params}
    return {"code": "as_written", "params": {"text": text}}


def worded(code: str, params: dict[str, Any]) -> str:
    """The text of a reminder as it was stored."""
    return "\n".join(line for pair in zip(HEADS[code], HINTS, strict=True) for line in (pair[0] % params, pair[1]))


def forwards(apps: Any, schema_editor: Any) -> None:
    for row in apps.get_model("survey", "SiteNotice").objects.filter(message={}).iterator():
        row.message = coded(row.text)
        row.save(update_fields=["message"])


def backwards(apps: Any, schema_editor: Any) -> None:
    for row in apps.get_model("survey", "SiteNotice").objects.filter(text="").iterator():
        code, params = row.message["code"], row.message["params"]
        row.text = worded(code, params) if code in HEADS else params["text"]
        row.save(update_fields=["text"])


class Migration(migrations.Migration):
    dependencies = [("survey", "0025_known_answers_get_their_code")]

    operations = [
        migrations.AddField("sitenotice", "message", models.JSONField(blank=True, default=dict)),
        migrations.AlterField("sitenotice", "text", models.TextField(default="")),
        migrations.RunPython(forwards, backwards),
    ]
