"""Rows of the audit trail and of the answers' events can only be added; blocks seal them.

Triggers refuse what the owner of the tables might do by mistake; the role of the application has no right to it
(``manage.py database_grants``). Rows are removed by ``survey_delete_removed_rows`` alone, after six months at the
earliest and only with a removal stored in the same transaction.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


FUNCTIONS = """
CREATE FUNCTION survey_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION survey_only_removed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT id FROM gone
        EXCEPT
        SELECT unnest(block.row_ids) FROM survey_ledgerremoval removal
        JOIN survey_ledgerblock block ON (block.ledger, block.number) = (removal.ledger, removal.number)
        WHERE removal.ledger = TG_ARGV[0] AND removal.removed_at = transaction_timestamp()
          AND block.sealed_at < transaction_timestamp() - interval '6 months'
    ) THEN
        RAISE EXCEPTION 'rows of % are only ever added: DELETE is refused', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Retention removes rows of blocks that are older than six months.';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION survey_delete_removed_rows(named text, block_number integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ids bigint[];
    deleted bigint;
BEGIN
    SELECT row_ids INTO ids FROM survey_ledgerblock WHERE ledger = named AND number = block_number;
    IF named = 'audit' THEN
        DELETE FROM survey_auditevent WHERE id = ANY(ids);
    ELSIF named = 'answers' THEN
        DELETE FROM survey_submissionevent WHERE id = ANY(ids);
    ELSE
        RAISE EXCEPTION 'there is no ledger %', named;
    END IF;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION survey_delete_removed_rows(text, integer) FROM PUBLIC;
"""
LEDGERS = {"survey_auditevent": "audit", "survey_submissionevent": "answers"}
SEALS = ("survey_ledgerblock", "survey_ledgerremoval")
TRIGGERS = [
    *(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION survey_append_only();"
        f"CREATE TRIGGER only_removed_rows AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone"
        f" FOR EACH STATEMENT EXECUTE FUNCTION survey_only_removed_rows('{ledger}');"
        for table, ledger in LEDGERS.items()
    ),
    *(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION survey_append_only();"
        for table in SEALS
    ),
]
BACK = """
DROP FUNCTION survey_delete_removed_rows(text, integer);
DROP FUNCTION survey_only_removed_rows() CASCADE;
DROP FUNCTION survey_append_only() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('survey', '0029_second_factors_of_django_otp'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ledger', models.CharField(max_length=30)),
                ('number', models.PositiveIntegerField()),
                ('layout', models.PositiveSmallIntegerField()),
                ('row_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField())),
                ('row_digests', models.BinaryField()),
                ('count', models.PositiveIntegerField()),
                ('high', models.BigIntegerField()),
                ('opening', models.BooleanField(default=False)),
                ('caught_up', models.BooleanField(default=True)),
                ('sealed_at', models.DateTimeField()),
                ('predecessor', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('algorithm', models.CharField(max_length=20)),
                ('key', models.CharField(max_length=60)),
                ('signature', models.CharField(max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['ledger', 'sealed_at'], name='block_sealed')],
                'constraints': [models.UniqueConstraint(fields=('ledger', 'number'), name='one_block')],
            },
        ),
        migrations.CreateModel(
            name='LedgerExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('rows', models.PositiveBigIntegerField(default=0)),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='survey.job')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ledger', models.CharField(max_length=30)),
                ('first', models.BigIntegerField()),
                ('last', models.BigIntegerField()),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['ledger', 'first'], name='gap_ledger')],
            },
        ),
        migrations.CreateModel(
            name='LedgerRemoval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ledger', models.CharField(max_length=30)),
                ('number', models.PositiveIntegerField()),
                ('count', models.PositiveIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('reason', models.CharField(max_length=60)),
                ('removed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('algorithm', models.CharField(max_length=20)),
                ('key', models.CharField(max_length=60)),
                ('signature', models.CharField(max_length=64)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ledger', 'number'), name='one_removal')],
            },
        ),
        migrations.RunSQL([FUNCTIONS, *TRIGGERS], BACK),
    ]
