"""Drawn units lie in their region of the frame; runs of before took strata taken whole for one response class."""

from django.db import migrations


def fill(apps, schema_editor):
    schema_editor.execute(
        "UPDATE estimation_selectedunit s SET region = u.region_id FROM survey_reportingunit u"
        " WHERE u.id = s.unit_id AND s.region = ''"
    )
    schema_editor.execute(
        "UPDATE estimation_estimationrun SET spec = jsonb_set(spec, '{response_classes}', '\"stratum\"')"
        " WHERE NOT spec ? 'response_classes'"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('estimation', '0010_response_classes'),
        ('survey', '0001_initial'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
