"""Rounds, assignments of units to rounds, and contacts with units."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet
from survey.frame.models import UnitContact


class CollectionRound(models.Model):
    """One year's survey with its calendar. Times are in UTC in the database, Beijing on the page."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    year = models.PositiveSmallIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    reference_date = models.DateField()
    opens_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                name="round_calendar_in_order",
                condition=Q(opens_at__lt=F("due_at")) & Q(due_at__lte=F("closes_at")),
            )
        ]

    def __str__(self) -> str:
        return str(self.year)

    def is_open(self) -> bool:
        """True while answers may be changed."""
        return self.state == self.State.OPEN and self.opens_at <= clock.present() < self.closes_at


class Disposition(models.TextChoices):
    """The disposition of a unit in a round, independent of the state of its sheet."""

    ELIGIBLE = "eligible", _("Eligible")
    REFUSED = "refused", _("Refused")
    CLOSED = "closed", _("Closed down")
    OUT_OF_SCOPE = "out_of_scope", _("Out of scope")
    NOT_LOCATED = "not_located", _("Not located")
    DUPLICATE = "duplicate", _("Duplicate")


class Assignment(models.Model):
    """A unit assigned to a round with a version of its questionnaire."""

    SCOPE: ClassVar[Scope] = Scope("unit__review_region__path", "unit__category", "unit")

    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, related_name="assignments")
    round = models.ForeignKey(CollectionRound, models.PROTECT, related_name="assignments")
    version = models.ForeignKey("survey.QuestionnaireVersion", models.PROTECT, related_name="+")
    disposition = models.CharField(max_length=15, choices=Disposition.choices, default=Disposition.ELIGIBLE)
    disposition_reason = models.CharField(max_length=300, blank=True)
    # The document of the disposition, and where it is kept.
    disposition_evidence = models.CharField(max_length=300, blank=True, default="", db_default="")
    disposition_by = models.ForeignKey("survey.User", models.SET_NULL, null=True, related_name="+")
    disposition_at = models.DateTimeField(null=True)
    extended_until = models.DateTimeField(null=True)
    extension_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    extended_by = models.ForeignKey("survey.User", models.SET_NULL, null=True, related_name="+")

    objects = ScopedQuerySet["Assignment"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_sheet_per_unit_and_round", fields=["round", "unit"])]

    def deadline(self) -> datetime:
        """The time at which the answers of this unit are due."""
        return self.extended_until or self.round.due_at

    def accepts_answers(self) -> bool:
        """True while this unit may change its answers (an extension may end after the round closes)."""
        if self.disposition != Disposition.ELIGIBLE or self.round.state != CollectionRound.State.OPEN:
            return False
        now = clock.present()
        return self.round.opens_at <= now < max(self.round.closes_at, self.extended_until or now)


class ContactNote(models.Model):
    """A contact with a unit in a round: outcome, text and day of the follow-up.

    The contact person is recorded by role, never by name: names are stored in ``UnitContact`` only.
    """

    SCOPE: ClassVar[Scope] = Scope(
        "assignment__unit__review_region__path", "assignment__unit__category", "assignment__unit"
    )

    class Channel(models.TextChoices):
        TELEPHONE = "telephone", _("Telephone")
        VISIT = "visit", _("Visit")
        EMAIL = "email", _("E-mail")
        LETTER = "letter", _("Letter or fax")

    class Direction(models.TextChoices):
        OUT = "out", _("We asked the unit")
        IN = "in", _("The unit asked us")

    class Outcome(models.TextChoices):
        PROMISED = "promised", _("Promised to file")
        HELPED = "helped", _("Question answered")
        LATER = "later", _("Asks for more time")
        NOT_REACHED = "not_reached", _("Nobody reached")
        WRONG_CONTACT = "wrong_contact", _("Wrong number or address")
        REFUSES = "refuses", _("Refuses to answer")
        NOT_OURS = "not_ours", _("Says it is not concerned")
        OTHER = "other", _("Other")

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="contact_notes")
    at = models.DateTimeField(default=clock.present)  # time of the contact, not of the record
    by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.OUT)
    role = models.CharField(max_length=10, choices=UnitContact.Role.choices, blank=True)
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    text = models.CharField(max_length=500, blank=True)
    follow_up_on = models.DateField(null=True)
    recorded_at = models.DateTimeField(default=clock.present)

    objects = ScopedQuerySet["ContactNote"].as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["assignment", "-at"], name="note_assignment"),
            models.Index(
                fields=["follow_up_on"], name="note_follow_up", condition=Q(follow_up_on__isnull=False)
            ),
        ]
