"""The bootstrap of a run: its chunks of replicates and their errors."""

from django.db import models
from django.db.models import Q

from estimation.runs.bootstrap.timings import Timings
from estimation.runs.models import EstimationRun
from survey import clock
from survey.records import RecordField, SentenceField


class Bootstrap(models.Model):
    """Replicates of one run, computed in chunks by any number of workers."""

    State = EstimationRun.State

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="bootstraps")
    replicates = models.PositiveIntegerField()
    seed = models.PositiveIntegerField(default=0)  # together with the run's hash the seed of every replicate
    code_version = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=EstimationRun.State.choices, default="queued")
    error = SentenceField()
    requested_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(default=clock.present)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result_hash = models.CharField(max_length=64, blank=True)
    timings = RecordField(Timings)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_bootstrap", fields=["run", "replicates", "seed", "code_version"]
            ),
            models.CheckConstraint(
                name="finished_bootstrap_is_hashed",
                condition=~Q(state="finished") | (Q(finished_at__isnull=False) & ~Q(result_hash="")),
            ),
        ]


class BootstrapChunk(models.Model):
    """Consecutive replicates. ``rows`` holds them as big-endian float64, (count, S), once they are computed."""

    bootstrap = models.ForeignKey(Bootstrap, models.CASCADE, related_name="chunks")
    first = models.PositiveIntegerField()
    count = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=100, blank=True)
    seconds = models.FloatField(null=True)
    finished_at = models.DateTimeField(null=True)
    rows = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_chunk", fields=["bootstrap", "first"])]


class ReplicateEstimate(models.Model):
    """An estimate with its bootstrap error, beside the linearised error where available."""

    bootstrap = models.ForeignKey(Bootstrap, models.CASCADE, related_name="estimates")
    variable = models.CharField(max_length=40)
    statistic = models.CharField(max_length=16)
    domain_kind = models.CharField(max_length=20)
    domain_code = models.CharField(max_length=20)
    value = models.FloatField()
    se = models.FloatField()
    lower = models.FloatField()  # percentiles of the replicates, at the level of the run
    upper = models.FloatField()
    linear_se = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_replicate_estimate",
                fields=["bootstrap", "variable", "statistic", "domain_kind", "domain_code"],
            )
        ]
