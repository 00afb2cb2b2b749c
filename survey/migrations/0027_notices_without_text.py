"""What a notice says stands in its code and parameters only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("survey", "0026_notices_have_a_code")]

    operations = [migrations.RemoveField("sitenotice", "text")]
