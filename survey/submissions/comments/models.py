"""Comments of reviewers at items of a sheet, and the values that they propose."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet


class ReviewQuery(models.Model):
    """A reviewer's comment on an item of a sheet: open, answered, closed."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    class ReplyCode(models.TextChoices):
        """What a respondent answered without typing a text."""

        CORRECTED = "corrected", _("Corrected.")
        CONFIRMED = "confirmed", _("Proposed value confirmed.")

    submission = models.ForeignKey("survey.Submission", models.PROTECT, related_name="queries")
    item = models.CharField(max_length=60, blank=True)  # blank: the sheet as a whole
    text = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    raised_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    raised_at = models.DateTimeField(default=clock.present)
    reply = models.TextField(blank=True)
    reply_code = models.CharField(max_length=9, choices=ReplyCode.choices, blank=True, db_default="")
    corrected = models.BooleanField(default=False)  # the respondent states that the value was corrected
    replied_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    replied_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["ReviewQuery"].as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["submission", "state"], name="query_submission_state")]
        constraints = [
            models.CheckConstraint(
                name="answered_query_has_reply",
                condition=~Q(state="answered") | ~Q(reply="") | ~Q(reply_code=""),
            )
        ]

    @property
    def answer(self) -> str:
        """The reply as it was typed, or what its code says in the language of the reader."""
        return self.reply or str(self.get_reply_code_display())


class CorrectionSlip(models.Model):
    """A value that a reviewer proposes under a comment. The respondent confirms it or refuses it."""

    SCOPE: ClassVar[Scope] = Scope(
        "query__submission__unit__review_region__path",
        "query__submission__unit__category",
        "query__submission__unit",
    )

    class Outcome(models.TextChoices):
        NONE = "", _("Not answered")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")

    query = models.OneToOneField(ReviewQuery, models.CASCADE, related_name="slip")
    proposed = models.JSONField()  # a cell in stored form
    filed = models.JSONField(null=True)  # the cell that the reviewer saw
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    answered_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["CorrectionSlip"].as_manager()
