"""An estimation run, named by the hash of its inputs, and everything that it stored."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ExternalSeries(models.Model):
    """A number that no questionnaire asks for, with its source and version.

    One person enters a version, another approves it; runs read approved versions only.
    """

    code = models.CharField(max_length=30)
    year = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    value = models.DecimalField(max_digits=30, decimal_places=6)
    unit = models.CharField(max_length=20)
    label_zh = models.CharField(max_length=100)
    label_en = models.CharField(max_length=150)
    source = models.CharField(max_length=300)
    source_date = models.DateField(null=True, blank=True)  # when the source published it
    is_synthetic = models.BooleanField(default=False)
    entered_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_external_value", fields=["code", "year", "version"]),
            models.CheckConstraint(
                name="external_approved_by_another",
                condition=Q(approved_by__isnull=True)
                | Q(entered_by__isnull=True)
                | ~Q(approved_by=models.F("entered_by")),
            ),
        ]


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
    stage = models.CharField(max_length=20, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    measured = models.JSONField(default=dict)  # seconds per stage, peak memory
    result_hash = models.CharField(max_length=64, blank=True)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(name="failed_run_says_why", condition=~Q(state="failed") | ~Q(error="")),
            models.CheckConstraint(
                name="finished_run_is_hashed",
                condition=~Q(state="finished") | (Q(finished_at__isnull=False) & ~Q(result_hash="")),
            ),
        ]


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


class TreatedUnit(models.Model):
    """A value that winsorization moved, or left alone for a stated reason although it lay outside."""

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
    """Where the values of an item were cut in a class of a run, and from how many values that was taken."""

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
    """The weight that a stratum, or one region of a stratum taken whole, had in a run, and where it was collapsed to."""

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
        """Drawn units; of a response class they are all that there are."""
        return self.population if self.region else self.stratum.drawn


class Bootstrap(models.Model):
    """Replicates of one run, computed in chunks by however many workers there are."""

    State = EstimationRun.State

    run = models.ForeignKey(EstimationRun, models.CASCADE, related_name="bootstraps")
    replicates = models.PositiveIntegerField()
    seed = models.PositiveIntegerField(default=0)  # together with the run's hash the seed of every replicate
    code_version = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=EstimationRun.State.choices, default="queued")
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result_hash = models.CharField(max_length=64, blank=True)
    timings = models.JSONField(default=list)  # measured: {workers, seconds, replicates}

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
    """Some replicates in a row. ``rows`` holds them as big-endian float64, (count, S), once they are computed."""

    bootstrap = models.ForeignKey(Bootstrap, models.CASCADE, related_name="chunks")
    first = models.PositiveIntegerField()
    count = models.PositiveSmallIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)  # beaten while somebody computes
    worker = models.CharField(max_length=100, blank=True)
    seconds = models.FloatField(null=True)
    finished_at = models.DateTimeField(null=True)
    rows = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_chunk", fields=["bootstrap", "first"])]


class ReplicateEstimate(models.Model):
    """An estimate with its bootstrap error, beside the linearised one where there is one."""

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
