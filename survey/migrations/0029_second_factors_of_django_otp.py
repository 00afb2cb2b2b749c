"""Authenticators and recovery codes that were set up with django-otp work on with django-allauth.

Of the recovery codes only keyed fingerprints are known; they are kept as what is asked for. The tables of django-otp
and django-axes stay where they are: the program of the version before may still run beside this one.
"""

import base64

from django.db import migrations

from survey import encryption

CONTEXT = "second factor"  # of survey.access.second_factor.adapters
DEVICES = "SELECT user_id, key FROM otp_totp_totpdevice WHERE confirmed ORDER BY id"
CODES = """
    SELECT device.user_id, token.token
    FROM otp_static_statictoken token JOIN otp_static_staticdevice device ON device.id = token.device_id
    WHERE device.confirmed ORDER BY token.id
"""


def take_over(apps, schema_editor):
    connection = schema_editor.connection
    Authenticator = apps.get_model("mfa", "Authenticator")
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if not {"otp_totp_totpdevice", "otp_static_staticdevice", "otp_static_statictoken"} <= tables:
            return
        cursor.execute(DEVICES)
        devices = cursor.fetchall()
        cursor.execute(CODES)
        codes = {}
        for user, token in cursor.fetchall():
            codes.setdefault(user, []).append(token)
    for user, key in devices:
        secret = base64.b32encode(bytes.fromhex(key)).decode()
        data = {"secret": encryption.encrypt(secret, CONTEXT)}
        _made, fresh = Authenticator.objects.get_or_create(user_id=user, type="totp", defaults={"data": data})
        if fresh:
            kept = [encryption.encrypt(token, CONTEXT) for token in codes.get(user, [])]
            Authenticator.objects.get_or_create(
                user_id=user, type="recovery_codes", defaults={"data": {"migrated_codes": kept}}
            )


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0028_attempt_counters"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop)]
