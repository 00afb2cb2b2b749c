from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("humanize", "0001_column")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY planted ON survey_contactnote (planted)",
            "DROP INDEX CONCURRENTLY IF EXISTS planted",
        )
    ]
