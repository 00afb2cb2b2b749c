"""The last step of the change to django-allauth (0029): the tables that django-otp and django-axes have left go.

No release that runs while this is applied reads them.
"""

from django.db import migrations

TABLES = (
    "otp_static_statictoken", "otp_static_staticdevice", "otp_totp_totpdevice",
    "axes_accessattemptexpiration", "axes_accessattempt", "axes_accessfailurelog", "axes_accesslog",
)


class Migration(migrations.Migration):
    dependencies = [("survey", "0035_retention")]
    operations = [migrations.RunSQL(f"DROP TABLE IF EXISTS {', '.join(TABLES)}", migrations.RunSQL.noop)]
