"""The composite index of a run."""

from django.db import models
from django.db.models import Q

from estimation.runs.bootstrap.models import Bootstrap
from estimation.runs.models import EstimationRun
from survey import clock
from survey.records import SentenceField


class IndexResult(models.Model):
    """One computation of the index, identified by its inputs: the run, its replicates, the seed and the program."""

    State = EstimationRun.State

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="indices")
    bootstrap = models.ForeignKey(Bootstrap, models.SET_NULL, null=True, related_name="+")
    seed = models.PositiveIntegerField(default=0)
    input_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=EstimationRun.State.choices, default="queued")
    error = SentenceField()
    job = models.OneToOneField("survey.Job", models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(default=clock.present)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    document = models.JSONField(default=dict)
    result_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="finished_index_is_hashed",
                condition=~Q(state="finished") | (Q(finished_at__isnull=False) & ~Q(result_hash="")),
            ),
        ]
