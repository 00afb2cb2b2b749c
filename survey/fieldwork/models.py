"""Reminders, notices to respondents and files for the desks."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet
from survey.records import SentenceField


class ReminderBatch(models.Model):
    """A batch of reminders to a group of units, requested by a user or (``by`` empty) by the calendar."""

    class Group(models.TextChoices):
        NOT_STARTED = "not_started", _("Not started")
        IN_PROGRESS = "in_progress", _("In progress")
        RETURNED = "returned", _("Returned and not corrected")
        DUE_7 = "due_7", _("Due in 7 days")
        DUE_3 = "due_3", _("Due in 3 days")
        DUE_1 = "due_1", _("Due tomorrow")

    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+")
    group = models.CharField(max_length=12, choices=Group.choices)
    category = models.CharField(max_length=5, blank=True)
    by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.present)
    day = models.DateField(null=True)  # of a calendar batch
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_calendar_batch", fields=["round", "group", "day"], condition=Q(by__isnull=True)
            )
        ]


class Reminder(models.Model):
    """The decision about one sheet of a batch, made when the batch is sent."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Reminded")
        NOT_OWED = "not_owed", _("Not reminded: filed or no longer in the group")
        NOBODY = "nobody", _("Not reminded: the unit has no account")

    batch = models.ForeignKey(ReminderBatch, models.CASCADE, related_name="reminders")
    submission = models.ForeignKey("survey.Submission", models.CASCADE, related_name="reminders")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    decided_at = models.DateTimeField(null=True)
    notices = models.PositiveSmallIntegerField(default=0)
    emails = models.PositiveSmallIntegerField(default=0)
    texts = models.PositiveSmallIntegerField(default=0)
    detail = models.CharField(max_length=300, blank=True)  # error of the gateway

    objects = ScopedQuerySet["Reminder"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_reminder", fields=["batch", "submission"])]


class SiteNotice(models.Model):
    """A message to a user, shown on the site."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    user = models.ForeignKey("survey.User", models.CASCADE, related_name="notices")
    submission = models.ForeignKey("survey.Submission", models.CASCADE, related_name="+")
    message = SentenceField()
    at = models.DateTimeField(default=clock.present)
    read_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["SiteNotice"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "read_at"], name="notice_user_read")]


class DeskJob(models.Model):
    """A file that a worker creates for one user: an export or letters."""

    class Kind(models.TextChoices):
        CSV = "export_csv", _("Data as CSV")
        XLSX = "export_xlsx", _("Data as Excel workbook")
        PARQUET = "export_parquet", _("Data as Parquet")
        LETTERS = "letters", _("Activation letters (PDF)")

    by = models.ForeignKey("survey.User", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+")
    filter = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=80, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    job = models.OneToOneField("survey.Job", models.PROTECT, related_name="+")  # progress and file

    class Meta:
        indexes = [models.Index(fields=["by", "-id"], name="job_by")]
