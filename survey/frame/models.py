"""The population: organisations that report."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from survey.access.scope import Scope, ScopedQuerySet

# Categories whose sheets go straight to national review (design/house: house.md 5b, issue text).
NATIONAL_CATEGORIES = frozenset({"CAT01", "CAT02", "CAT05", "CAT06", "CAT07", "CAT14"})


class SizeClass(models.TextChoices):
    """Four legal classes of the 2017 rules; estimation maps them to three."""

    LARGE = "large", _("Large")
    MEDIUM = "medium", _("Medium")
    SMALL = "small", _("Small")
    MICRO = "micro", _("Micro")


class ReportingUnit(models.Model):
    """One organisation of one category. Where it lies and who reviews it are two facts."""

    SCOPE: ClassVar[Scope] = Scope("review_region__path", "category", "pk")

    uscc = models.CharField(_("Unified social credit code"), max_length=18, unique=True)
    name = models.CharField(_("Full legal name"), max_length=120)
    category = models.CharField(max_length=5)
    region = models.ForeignKey("survey.Region", models.PROTECT, related_name="+")
    division_code = models.CharField(max_length=6)
    review_region = models.ForeignKey("survey.Region", models.PROTECT, related_name="+")
    industry = models.CharField(max_length=4, blank=True)
    section = models.CharField(max_length=1, blank=True)
    size_class = models.CharField(max_length=6, choices=SizeClass.choices, blank=True)
    institution_type = models.CharField(max_length=2, blank=True)
    employees = models.PositiveIntegerField(null=True)
    turnover = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    assets = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    founded_on = models.DateField(null=True)
    is_head_platform = models.BooleanField(default=False)
    is_pilot_space = models.BooleanField(default=False)
    # Permanent random number: one per unit for life, so that yearly samples overlap.
    random_number = models.FloatField()
    is_synthetic = models.BooleanField(default=False)

    objects = ScopedQuerySet["ReportingUnit"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["review_region", "category"], name="unit_review_category"),
            models.Index(fields=["region", "section", "size_class"], name="unit_stratum"),
        ]

    def __str__(self) -> str:
        return self.name
