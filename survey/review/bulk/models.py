"""Bulk acceptances and their sheets."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet


class BulkAcceptance(models.Model):
    """A bulk acceptance: its filter, the previewed count and the user."""

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+")
    filter = models.JSONField()
    expected = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.present)
    action = models.CharField(max_length=20, blank=True)  # blank: accepted before undo existed
    undo_until = models.DateTimeField(null=True)
    # Of the last undo; how many sheets were undone so far. Which ones, by whom and why: the members.
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    undone = models.PositiveIntegerField(default=0)
    undo_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="undone_act_says_why", condition=Q(undone_at__isnull=True) | ~Q(undo_reason="")
            )
        ]


class BulkMember(models.Model):
    """A sheet of a bulk acceptance, with the time of its decision, by which later changes are detected."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    act = models.ForeignKey(BulkAcceptance, models.CASCADE, related_name="members")
    submission = models.ForeignKey("survey.Submission", models.CASCADE, related_name="bulk_memberships")
    decided_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    undo_reason = models.TextField(blank=True, default="", db_default="")

    objects = ScopedQuerySet["BulkMember"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_bulk_member", fields=["act", "submission"]),
            models.CheckConstraint(
                name="undone_member_says_why", condition=Q(undone_at__isnull=True) | ~Q(undo_reason="")
            ),
        ]
