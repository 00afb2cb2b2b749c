"""The sample design of a round: strata with their population counts, and who was drawn."""

from django.db import models
from django.utils import timezone


class SampleDesign(models.Model):
    """Strata and draw of one round. A run names the design it used."""

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="designs")
    number = models.PositiveSmallIntegerField(default=1)
    seed = models.BigIntegerField(default=0)
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_design_number", fields=["round", "number"])]


class Stratum(models.Model):
    """One cell of the design. ``key`` parts that do not apply are blank.

    kind: enterprise (region x section x size), institution (category x region), certainty (taken whole).
    """

    class Kind(models.TextChoices):
        ENTERPRISE = "enterprise"
        INSTITUTION = "institution"
        CERTAINTY = "certainty"

    design = models.ForeignKey(SampleDesign, models.CASCADE, related_name="strata")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    category = models.CharField(max_length=5, blank=True)
    region = models.CharField(max_length=6, blank=True)
    section = models.CharField(max_length=1, blank=True)
    size = models.CharField(max_length=6, blank=True)  # estimation size: large, medium, small
    population = models.PositiveIntegerField()  # N_h
    drawn = models.PositiveIntegerField()  # n_h
    take_all = models.BooleanField(default=False)

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
    probability = models.FloatField()
    random_number = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_selection", fields=["design", "unit"])]
