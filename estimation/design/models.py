"""The sample design of a round: strata with their population counts, and the drawn units."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from estimation.design.records import Basis, DesignSummary, DrawnAllocation
from estimation.design.states import STATE_LABELS
from survey import clock
from survey.records import RecordField


class SampleDesign(models.Model):
    """Strata and draw of one round. A run names the design it used.

    A design is drawn by one person and approved by another; from then on it defines the sample of the round and
    the weights of its estimates. Its parameters and hashes suffice to repeat the draw exactly.
    """

    class State(models.TextChoices):
        DRAFT = "draft", STATE_LABELS["draft"]
        DRAWN = "drawn", STATE_LABELS["drawn"]
        APPROVED = "approved", STATE_LABELS["approved"]
        HANDED_OVER = "handed_over", STATE_LABELS["handed_over"]
        WITHDRAWN = "withdrawn", STATE_LABELS["withdrawn"]

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="designs")
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=11, choices=State.choices, default=State.DRAFT)
    seed = models.BigIntegerField(default=0)
    content_hash = models.CharField(max_length=64)
    frame_hash = models.CharField(max_length=64, blank=True)
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    rules = models.JSONField(default=dict)  # rules of the take-all units
    basis = RecordField(Basis)
    allocation = RecordField(DrawnAllocation)
    summary = RecordField(DesignSummary)
    created_at = models.DateTimeField(default=clock.present)
    created_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    drawn_at = models.DateTimeField(null=True)
    drawn_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    job = models.OneToOneField("survey.Job", models.PROTECT, null=True, related_name="+")  # its hand-over
    handed_over_at = models.DateTimeField(null=True)
    handed_over_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    withdrawal_reason = models.CharField(max_length=300, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_design_number", fields=["round", "number"]),
            models.UniqueConstraint(
                name="one_approved_design_a_round",
                fields=["round"],
                condition=Q(state__in=["approved", "handed_over"]),
            ),
            models.CheckConstraint(
                name="design_approved_by_a_second_person",
                condition=~Q(state__in=["approved", "handed_over"])
                | Q(
                    drawn_by__isnull=False,
                    approved_by__isnull=False,
                    drawn_at__isnull=False,
                    approved_at__isnull=False,
                )
                & ~Q(drawn_by=F("approved_by")),
            ),
            models.CheckConstraint(
                name="withdrawn_design_has_reason", condition=~Q(state="withdrawn") | ~Q(withdrawal_reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round.year}-{self.number}"

    @property
    def is_being_handed_over(self) -> bool:
        """True while a hand-over waits for a worker or one works on it."""
        return self.state == self.State.APPROVED and self.job is not None and self.job.is_open


class Stratum(models.Model):
    """One cell of the design. ``key`` parts that do not apply are blank.

    kind: enterprise (region x section x size), institution (category x region), certainty (take-all).
    """

    class Kind(models.TextChoices):
        ENTERPRISE = "enterprise", _("Enterprises")
        INSTITUTION = "institution", _("Institutions and platforms")
        CERTAINTY = "certainty", _("Taken with certainty")

    class Reason(models.TextChoices):
        CATEGORY = "category", _("The whole category is asked")
        PLATFORM = "platform", _("Leading platforms")
        THRESHOLD = "threshold", _("Above the size threshold")

    design = models.ForeignKey(SampleDesign, models.CASCADE, related_name="strata")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    category = models.CharField(max_length=5, blank=True)
    region = models.CharField(max_length=6, blank=True)
    section = models.CharField(max_length=1, blank=True)
    size = models.CharField(max_length=6, blank=True)  # estimation size: large, medium, small
    population = models.PositiveIntegerField()  # N_h
    listed = models.PositiveIntegerField(
        db_default=0
    )  # units of it that the frame lists and that can be drawn
    drawn = models.PositiveIntegerField()  # n_h
    take_all = models.BooleanField(default=False)
    reason = models.CharField(max_length=9, choices=Reason.choices, blank=True, db_default="")
    # Last year's mean and standard deviation of the chief items, in the order of ``basis.items``.
    mean = ArrayField(models.FloatField(), db_default=[])
    spread = ArrayField(models.FloatField(), db_default=[])
    borrowed = models.BooleanField(db_default=False)  # too few answers: values of a wider class

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_stratum_key", fields=["design", "kind", "category", "region", "section", "size"]
            )
        ]


class SelectedUnit(models.Model):
    """A unit in the sample with its stratum, probability and random number."""

    design = models.ForeignKey(SampleDesign, models.CASCADE, related_name="selected")
    stratum = models.ForeignKey(Stratum, models.CASCADE, related_name="selected")
    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, related_name="+")
    region = models.CharField(max_length=6, blank=True, db_default="")  # its region when it was drawn
    probability = models.FloatField()
    random_number = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_selection", fields=["design", "unit"])]
