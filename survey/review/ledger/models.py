"""Findings of the checks across respondents."""

from typing import ClassVar

from django.db import models

from survey.access.scope import Scope, ScopedQuerySet


class MacroFinding(models.Model):
    """Sheets of several respondents that contradict each other or are copies (rules X07 to X11)."""

    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="+")
    rule = models.CharField(max_length=6)
    key = models.CharField(max_length=64)  # group, province, hash of the numbers, or sheet
    region = models.CharField(max_length=6, blank=True)  # whose sums are compared
    numbers = models.JSONField(default=dict)
    size = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_macro_finding", fields=["round", "rule", "key"])]


class MacroMember(models.Model):
    """One sheet of such a finding."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    finding = models.ForeignKey(MacroFinding, models.CASCADE, related_name="members")
    submission = models.ForeignKey("survey.Submission", models.CASCADE, related_name="+")

    objects = ScopedQuerySet["MacroMember"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_macro_member", fields=["finding", "submission"])]


class MacroLook(models.Model):
    """When the sheets of a round were compared with each other."""

    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="macro_looks")
    at = models.DateTimeField()
