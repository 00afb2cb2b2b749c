from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "ALTER TABLE survey_contactnote ADD COLUMN planted text NULL",
            "ALTER TABLE survey_contactnote DROP COLUMN planted",
        )
    ]
