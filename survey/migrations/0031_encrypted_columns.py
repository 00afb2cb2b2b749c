"""Telephone numbers, e-mail addresses and names of contact persons are stored encrypted."""

import survey.encrypted_fields
from django.db import migrations

from survey import encryption

BATCH = 1_000
# (table, column, stored as JSON), as they were when this migration was written.
COLUMNS = (
    ("survey_user", "email", False),
    ("survey_user", "phone", False),
    ("survey_unitcontact", "name", False),
    ("survey_unitcontact", "phone", False),
    ("survey_unitcontact", "email", False),
    ("survey_sectioninvitation", "name", False),
    ("survey_sectioninvitation", "email", False),
    ("survey_submission", "signatories", True),
    ("survey_filing", "signatories", True),
)


def encrypt(apps, schema_editor):
    def stored(text, context):
        return text if encryption.is_encrypted(text) else encryption.encrypt(text, context)

    for table, column, is_json in COLUMNS:
        read = f"CASE jsonb_typeof({column}) WHEN 'object' THEN {column}::text ELSE {column} #>> '{{}}' END"
        _rewrite(schema_editor, table, column, read if is_json else column, "to_jsonb(given.form)", is_json, stored)


def decrypt(apps, schema_editor):
    for table, column, is_json in COLUMNS:
        read = f"{column} #>> '{{}}'" if is_json else column
        _rewrite(schema_editor, table, column, read, "given.form::jsonb", is_json, encryption.decrypt)


def _rewrite(schema_editor, table, column, read, written, is_json, change):
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(f"SELECT id, {read} FROM {table} WHERE id > %s ORDER BY id LIMIT {BATCH}", [last])
            rows = cursor.fetchall()
            if not rows:
                return
            pairs = [(pk, change(text, f"{table}.{column}")) for pk, text in rows if text not in ("", "{}")]
            cursor.execute(
                f"UPDATE {table} SET {column} = {written if is_json else 'given.form'}"
                f" FROM unnest(%s::bigint[], %s::text[]) AS given (pk, form) WHERE id = given.pk",
                [[pk for pk, _text in pairs], [text for _pk, text in pairs]],
            )
            last = rows[-1][0]


class Migration(migrations.Migration):

    dependencies = [
        ('survey', '0030_ledgers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='filing',
            name='signatories',
            field=survey.encrypted_fields.EncryptedJSONField(default=dict),
        ),
        migrations.AlterField(
            model_name='sectioninvitation',
            name='email',
            field=survey.encrypted_fields.EncryptedEmailField(max_length=254),
        ),
        migrations.AlterField(
            model_name='sectioninvitation',
            name='name',
            field=survey.encrypted_fields.EncryptedTextField(max_length=60),
        ),
        migrations.AlterField(
            model_name='submission',
            name='signatories',
            field=survey.encrypted_fields.EncryptedJSONField(default=dict),
        ),
        migrations.AlterField(
            model_name='unitcontact',
            name='email',
            field=survey.encrypted_fields.EncryptedEmailField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='unitcontact',
            name='name',
            field=survey.encrypted_fields.EncryptedTextField(max_length=60),
        ),
        migrations.AlterField(
            model_name='unitcontact',
            name='phone',
            field=survey.encrypted_fields.EncryptedTextField(blank=True, max_length=30),
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=survey.encrypted_fields.EncryptedEmailField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='user',
            name='phone',
            field=survey.encrypted_fields.EncryptedTextField(blank=True, max_length=30),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
