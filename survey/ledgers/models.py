"""Blocks that seal the rows of the ledgers, what a block waits for, and blocks whose rows were removed lawfully."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from survey import clock


class LedgerBlock(models.Model):
    """Rows of a ledger, linked by hash each over its predecessor, and signed. Rows are only ever added."""

    ledger = models.CharField(max_length=30)
    number = models.PositiveIntegerField()
    layout = models.PositiveSmallIntegerField()  # which columns are hashed
    row_ids: Any = ArrayField(models.BigIntegerField())  # ascending
    row_digests = models.BinaryField()  # says which row of a faulty block was changed
    count = models.PositiveIntegerField()
    high = models.BigIntegerField()  # the largest id that this or an earlier block has seen
    opening = models.BooleanField(default=False)  # rows of the time before the ledger was sealed continuously
    caught_up = models.BooleanField(default=True)  # no other row waited
    sealed_at = models.DateTimeField()
    predecessor = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=20)
    key = models.CharField(max_length=60)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_block", fields=["ledger", "number"])]
        indexes = [models.Index(fields=["ledger", "sealed_at"], name="block_sealed")]


class LedgerGap(models.Model):
    """Ids that a block passed over: their transactions were rolled back or are still open."""

    ledger = models.CharField(max_length=30)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ledger", "first"], name="gap_ledger")]


class LedgerRemoval(models.Model):
    """The rows of a block were removed at the end of their period: their hash stays, signed again."""

    ledger = models.CharField(max_length=30)
    number = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=60)  # kind of the table of periods
    removed_at = models.DateTimeField(default=clock.present)  # start of the transaction that removed the rows
    algorithm = models.CharField(max_length=20)
    key = models.CharField(max_length=60)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_removal", fields=["ledger", "number"])]


class LedgerExport(models.Model):
    """A signed export that a worker makes for the audit administrator."""

    by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    job = models.OneToOneField("survey.Job", models.PROTECT, related_name="+")
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
