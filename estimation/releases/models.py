"""A release: the frozen content that the public sees, and its history of states."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from estimation.releases.checks import ReleaseChecks
from survey import clock
from survey.records import RecordField


class Release(models.Model):
    """One publication of a round. A correction is a new release that references the release it replaces."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        VALIDATED = "validated", _("Validated")
        SCHEDULED = "scheduled", _("Scheduled")
        PUBLISHED = "published", _("Published")
        CORRECTED = "corrected", _("Corrected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="releases")
    run = models.ForeignKey("estimation.EstimationRun", models.PROTECT, related_name="releases")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    content = models.JSONField(default=dict)  # content.Content
    content_hash = models.CharField(max_length=64)
    prepared_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    prepared_at = models.DateTimeField(default=clock.present)
    validated_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    validated_at = models.DateTimeField(null=True)
    embargo_until = models.DateTimeField(null=True)
    published_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    correction_note_zh = models.TextField(blank=True)
    correction_note_en = models.TextField(blank=True)
    reason = models.TextField(blank=True)  # of a withdrawal or a return, for the record
    # For the office only, never public: the result of disclosure control, and the faults of the draft.
    checks = RecordField(ReleaseChecks)

    class Meta:
        ordering = ["-round__year", "-number"]
        constraints = [
            models.UniqueConstraint(name="one_release_number", fields=["round", "number"]),
            models.CheckConstraint(
                name="public_release_has_time",
                condition=~Q(state__in=["published", "corrected"]) | Q(published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="scheduled_release_has_embargo",
                condition=~Q(state="scheduled") | Q(embargo_until__isnull=False),
            ),
            models.CheckConstraint(
                name="correction_says_what_changed",
                condition=Q(replaces__isnull=True) | ~Q(correction_note_zh=""),
            ),
            models.CheckConstraint(
                name="withdrawn_release_says_why", condition=~Q(state="withdrawn") | ~Q(reason="")
            ),
        ]


class BlockVersion(models.Model):
    """One version of a passage of the document; the newest of a code is the one in force. Rows are only added."""

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="block_versions")
    code = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()
    heading_zh = models.CharField(max_length=100)
    heading_en = models.CharField(max_length=200)
    body_zh = models.TextField()
    body_en = models.TextField()
    edited_by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    edited_at = models.DateTimeField(default=clock.present)

    class Meta:
        ordering = ["code", "-number"]
        constraints = [models.UniqueConstraint(name="one_block_version", fields=["round", "code", "number"])]
