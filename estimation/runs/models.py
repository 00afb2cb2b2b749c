"""An estimation run, identified by the hash of its inputs, and its stored results."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from estimation.runs.compute.summary import Measured, RunSummary
from survey import clock
from survey.records import RecordField, SentenceField


class EstimationRun(models.Model):
    """One computation. The same inputs give the same hash and therefore the same row."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="runs")
    microdata = models.ForeignKey("survey.MicrodataVersion", models.PROTECT, related_name="+")
    previous_microdata = models.ForeignKey(
        "survey.MicrodataVersion", models.PROTECT, null=True, related_name="+"
    )
    design = models.ForeignKey("estimation.SampleDesign", models.PROTECT, related_name="+")
    previous_design = models.ForeignKey(
        "estimation.SampleDesign", models.PROTECT, null=True, related_name="+"
    )
    spec = models.JSONField()
    input_hash = models.CharField(max_length=64, unique=True)
    code_version = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    job = models.OneToOneField("survey.Job", models.PROTECT, null=True, related_name="+")
    error = SentenceField()
    requested_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(default=clock.present)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    measured = RecordField(Measured)
    result_hash = models.CharField(max_length=64, blank=True)
    summary = RecordField(RunSummary)
    # The finished run of the round that this run superseded. Written once, when this one finishes; a
    # trigger refuses to change it.
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(name="failed_run_says_why", condition=~Q(state="failed") | ~Q(error={})),
            models.CheckConstraint(
                name="finished_run_is_hashed",
                condition=~Q(state="finished") | (Q(finished_at__isnull=False) & ~Q(result_hash="")),
            ),
            models.CheckConstraint(
                name="finished_run_supersedes",
                condition=Q(supersedes__isnull=True) | (Q(state="finished") & ~Q(supersedes=F("pk"))),
            ),
        ]

    @property
    def stage(self) -> str:
        """The current stage; empty when no worker computes the run."""
        return self.job.stage if self.state == self.State.RUNNING and self.job is not None else ""

    @property
    def percent(self) -> int:
        """Progress in percent."""
        if self.state == self.State.FINISHED:
            return 100
        return self.job.percent if self.job is not None else 0


class Estimate(models.Model):
    """One number of a run with its quality."""

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="estimates")
    year = models.PositiveSmallIntegerField()
    variable = models.CharField(max_length=40)  # item code, or numerator/denominator of a ratio
    statistic = models.CharField(max_length=16)  # total mean ratio proportion panel_growth level_growth ...
    domain_kind = models.CharField(max_length=20)  # nation region section industry_group size category group
    domain_code = models.CharField(max_length=20)
    value = models.FloatField(null=True)
    se = models.FloatField(null=True)
    cv = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    deff = models.FloatField(null=True)
    n = models.PositiveIntegerField()
    n_positive = models.PositiveIntegerField(default=0)
    weight_sum = models.FloatField(null=True)
    winsorized_share = models.FloatField(null=True)
    top_share = models.FloatField(null=True)
    grade = models.CharField(max_length=1, blank=True)
    note = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_estimate",
                fields=["run", "variable", "statistic", "domain_kind", "domain_code", "year"],
            )
        ]


class Contributors(models.Model):
    """How many units contribute to a total of the run's own year, and the shares of the largest ones in it."""

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="contributors")
    variable = models.CharField(max_length=40)
    domain_kind = models.CharField(max_length=20)
    domain_code = models.CharField(max_length=20)
    units = models.PositiveIntegerField()
    largest = models.FloatField()
    two_largest = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_contributors", fields=["run", "variable", "domain_kind", "domain_code"]
            )
        ]


class TreatedUnit(models.Model):
    """A value outside the cutoffs that winsorization changed, or did not change for a stated reason."""

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="treated_units")
    year = models.PositiveSmallIntegerField()
    variable = models.CharField(max_length=40)
    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, related_name="+")
    treatment_class = models.CharField(max_length=40)
    collected = models.FloatField()
    treated = models.FloatField()
    cutoff = models.FloatField()
    weight = models.FloatField()
    reason = models.CharField(max_length=30)
    effect = models.FloatField()  # weight x (collected - treated)

    class Meta:
        indexes = [models.Index(fields=["run", "variable"], name="treated_run_variable")]


class Cutoff(models.Model):
    """The cutoffs of an item in a class of a run, and the number of values that they are computed from."""

    class Source(models.IntegerChoices):
        CLASS = 0, _("The class itself")
        GROUP = 1, _("Its category group")
        ALL = 2, _("All units")

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="cutoffs")
    year = models.PositiveSmallIntegerField()
    variable = models.CharField(max_length=40)
    treatment_class = models.CharField(max_length=40)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    counted = models.PositiveIntegerField()
    source = models.SmallIntegerField(choices=Source.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_cutoff", fields=["run", "variable", "year", "treatment_class"])
        ]


class StratumWeight(models.Model):
    """The weight of a stratum, or of a region of a take-all stratum, in a run, and the stratum that it was collapsed to."""

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="stratum_weights")
    year = models.PositiveSmallIntegerField()
    stratum = models.ForeignKey("estimation.Stratum", models.PROTECT, related_name="+")
    region = models.CharField(max_length=6, blank=True, db_default="")  # of a response class
    estimation_stratum = models.CharField(max_length=60)
    population = models.PositiveIntegerField()
    respondents = models.PositiveIntegerField()
    weight = models.FloatField(null=True)
    collapsed_step = models.CharField(max_length=20, blank=True)  # "", macro_region, nation, size

    class Meta:
        indexes = [models.Index(fields=["run", "year"], name="weight_run_year")]

    @property
    def drawn(self) -> int:
        """Drawn units; all units in a response class."""
        return self.population if self.region else self.stratum.drawn
