"""The accepted file: one packed row of numbers per accepted filing, and frozen sets of them.

A filing never changes and its projection is pure, so a frozen set of filings *is* a frozen data set:
freezing 42,505 sheets writes 42,505 narrow member rows and copies no value.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from survey import clock


class MicrodataLayout(models.Model):
    """The variables of an observation's arrays, in order."""

    content_hash = models.CharField(max_length=64, unique=True)
    variables = models.JSONField()  # ordered list of {code, unit, period, kind}


class Observation(models.Model):
    """The typed numbers of one accepted filing, with the classification it had then.

    The three arrays have one element per variable of the layout. ``collected`` is what was filed (NaN:
    blank or not applicable); ``edited`` and ``imputed`` are NULL or hold NaN where nothing was changed.
    They are never merged in the database: the run chooses what an estimate uses.
    ``reasons`` has one byte per variable, a ``projection.Reason``; NULL for rows created before it was stored.
    It follows from the filing, whose own hash covers it, and is therefore not part of ``values_hash``.
    """

    filing = models.OneToOneField(
        "survey.Filing", models.PROTECT, primary_key=True, related_name="observation"
    )
    layout = models.ForeignKey(MicrodataLayout, models.PROTECT, related_name="+")
    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, related_name="+")
    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+")
    category = models.CharField(max_length=5)
    region = models.CharField(max_length=6)
    section = models.CharField(max_length=1, blank=True)
    size_class = models.CharField(max_length=6, blank=True)
    is_head_platform = models.BooleanField(default=False)
    is_pilot_space = models.BooleanField(default=False)
    collected = ArrayField(models.FloatField())
    edited = ArrayField(models.FloatField(), null=True)
    imputed = ArrayField(models.FloatField(), null=True)
    reasons = models.BinaryField(null=True)
    values_hash = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["round", "unit"], name="observation_round_unit")]


class MicrodataVersion(models.Model):
    """A frozen, hashed set of observations of one round."""

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="microdata_versions")
    number = models.PositiveSmallIntegerField()
    layout = models.ForeignKey(MicrodataLayout, models.PROTECT, related_name="+")
    size = models.PositiveIntegerField()
    filed_count = models.PositiveIntegerField(default=0)
    content_hash = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(default=clock.present)
    frozen_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-round__year", "-number"]
        constraints = [models.UniqueConstraint(name="one_microdata_number", fields=["round", "number"])]

    def __str__(self) -> str:
        return f"{self.round} v{self.number}"


class MicrodataMember(models.Model):
    """One observation in one frozen set."""

    version = models.ForeignKey(MicrodataVersion, models.CASCADE, related_name="members")
    observation = models.ForeignKey(Observation, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="one_membership", fields=["version", "observation"])]


class RoundCoverage(models.Model):
    """Counts of tables 3 and 4 at the time of the freeze, stored with the frozen set."""

    version = models.ForeignKey(MicrodataVersion, models.CASCADE, related_name="coverage")
    category = models.CharField(max_length=5)
    region = models.CharField(max_length=6)
    is_city_bureau = models.BooleanField(default=False)
    filed = models.PositiveIntegerField()
    valid = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_coverage_cell", fields=["version", "category", "region", "is_city_bureau"]
            )
        ]


class ItemResponse(models.Model):
    """How the sheets of one category in a frozen set answered one variable; counted at the freeze.

    ``answered`` and the counts by reason add up to the sheets of the category; ``zero`` is part of ``answered``.
    """

    version = models.ForeignKey(MicrodataVersion, models.CASCADE, related_name="item_responses")
    category = models.CharField(max_length=5)
    variable = models.CharField(max_length=12)
    answered = models.PositiveIntegerField()
    zero = models.PositiveIntegerField()
    not_applicable = models.PositiveIntegerField()
    unknown = models.PositiveIntegerField()
    blank = models.PositiveIntegerField()
    not_asked = models.PositiveIntegerField()
    not_computed = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_item_response", fields=["version", "category", "variable"])
        ]
