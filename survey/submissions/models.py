"""The answer sheet with its events, filings, explanations, attachments and paradata."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet
from survey.encrypted_fields import EncryptedEmailField, EncryptedJSONField, EncryptedTextField
from survey.submissions.lifecycle.states import EDITABLE, State

STATE_LABELS = {
    State.NOT_STARTED: _("Not started"),
    State.IN_PROGRESS: _("In progress"),
    State.RETURNED: _("Returned for correction"),
    State.SUBMITTED: _("With the province"),
    State.NATIONAL_REVIEW: _("In national review"),
    State.ACCEPTED: _("Accepted"),
    State.EXEMPTED: _("Exempted"),
    State.INVALIDATED: _("Ruled invalid"),
}
_SCOPE = Scope("submission__unit__review_region__path", "submission__unit__category", "submission__unit")


class Submission(models.Model):
    """The current sheet of one assignment: one document, one revision, one state."""

    SCOPE: ClassVar[Scope] = Scope("unit__review_region__path", "unit__category", "unit")

    assignment = models.OneToOneField("survey.Assignment", models.PROTECT, related_name="submission")
    # Copies of assignment facts that never change: lists and queues filter on them without a join.
    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, related_name="submissions")
    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="submissions")
    state = models.CharField(
        max_length=16, choices=[(s.value, STATE_LABELS[s]) for s in State], default=State.NOT_STARTED
    )
    revision = models.PositiveIntegerField(default=0)
    answers = models.JSONField(default=dict)
    # Revision at which each item was last changed: detects conflicts by cell instead of by page.
    item_revisions = models.JSONField(default=dict)
    # Values that could not be read, as typed, by key of their cell (``submissions.refused``).
    refused = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # Counts of findings after the last change, so that lists need not run the edits.
    hard_count = models.PositiveSmallIntegerField(default=0)
    soft_count = models.PositiveSmallIntegerField(default=0)
    unexplained_count = models.PositiveSmallIntegerField(default=0)
    signatories = EncryptedJSONField(default=dict)  # unit head, head of statistics, filler, phone
    filed_at = models.DateTimeField(null=True)
    review_started_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    return_due_at = models.DateTimeField(null=True)
    return_reason = models.TextField(blank=True)
    invalid_reason = models.CharField(max_length=40, blank=True)
    exempt_reason = models.CharField(max_length=40, blank=True)
    updated_at = models.DateTimeField(default=clock.present)

    objects = ScopedQuerySet["Submission"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invalidated_has_reason", condition=~Q(state="invalidated") | ~Q(invalid_reason="")
            ),
            models.CheckConstraint(
                name="exempted_has_reason", condition=~Q(state="exempted") | ~Q(exempt_reason="")
            ),
            models.CheckConstraint(
                name="filed_has_time",
                condition=~Q(state__in=["submitted", "national_review", "accepted", "invalidated"])
                | Q(filed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="known_state", condition=Q(state__in=[state.value for state in State])
            ),
        ]
        indexes = [
            models.Index(fields=["round", "state", "unit"], name="sheet_round_state"),
            models.Index(fields=["unit", "round"], name="sheet_unit_round"),
        ]

    @property
    def is_editable(self) -> bool:
        """Whether the respondent may change the answers in this state."""
        return self.state in EDITABLE


class SubmissionEvent(models.Model):
    """One change of a value or of the state. Rows are only ever added."""

    SCOPE: ClassVar[Scope] = _SCOPE

    class Kind(models.TextChoices):
        VALUE = "value", _("Value changed")
        STATE = "state", _("State changed")
        EXPLANATION = "explanation", _("Explanation given")
        SIGNATURE = "signature", _("Signed")

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="events")
    at = models.DateTimeField(default=clock.present)
    actor = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    action = models.CharField(max_length=20, blank=True)
    item = models.CharField(max_length=60, blank=True)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    channel = models.CharField(max_length=10, default="page")  # page, api, excel, rehearsal

    objects = ScopedQuerySet["SubmissionEvent"].as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["submission", "id"], name="event_submission")]

    @property
    def guest(self) -> str:
        """The name of the guest who made the change, whose invitation the reason names; empty for others."""
        number = self.reason.removeprefix("#")
        if self.channel != "guest" or not number.isdecimal():
            return ""
        invitation = SectionInvitation.objects.filter(pk=int(number), submission=self.submission_id).first()
        return invitation.name if invitation else ""


class SectionInvitation(models.Model):
    """A link for a colleague without an account: to fill some sections, or to sign a step."""

    SCOPE: ClassVar[Scope] = _SCOPE

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="invitations")
    name = EncryptedTextField(max_length=60)
    email = EncryptedEmailField()
    sections = models.JSONField()  # codes; none for a signature
    role = models.CharField(max_length=12, blank=True)  # the step of the sign-off, empty for filling
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(default=clock.present)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["SectionInvitation"].as_manager()


class Attachment(models.Model):
    """A file attached to a sheet. Its content is stored outside the web root under a random name."""

    SCOPE: ClassVar[Scope] = _SCOPE

    class Purpose(models.TextChoices):
        SHEET = "sheet", _("Evidence for the answers")  # uploaded by the unit
        DESK = (
            "desk",
            _("Evidence for a disposition or exemption"),
        )  # uploaded by a reviewing office, for offices only

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="attachments")
    purpose = models.CharField(
        max_length=8, choices=Purpose.choices, default=Purpose.SHEET, db_default=Purpose.SHEET
    )
    item = models.CharField(max_length=60, blank=True, default="", db_default="")  # item or section, if one
    scanned_at = models.DateTimeField(null=True)  # passed the scan; empty without a scanner
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8)  # detected from the content
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=80)  # name among the attachments (survey.files)
    note = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.present)
    removed_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["Attachment"].as_manager()


class Filing(models.Model):
    """A sheet as it was filed: frozen answers with their hash. Never changed."""

    SCOPE: ClassVar[Scope] = _SCOPE

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="filings")
    number = models.PositiveSmallIntegerField()
    version = models.ForeignKey("survey.QuestionnaireVersion", models.PROTECT, related_name="+")
    answers = models.JSONField()
    explanations = models.JSONField(default=list)
    signatories = EncryptedJSONField(default=dict)
    revision = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    filed_at = models.DateTimeField(default=clock.present)
    filed_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")

    objects = ScopedQuerySet["Filing"].as_manager()

    class Meta:
        ordering = ["submission", "number"]
        constraints = [models.UniqueConstraint(name="one_filing_number", fields=["submission", "number"])]


class Explanation(models.Model):
    """The explanation of a soft finding, valid for the values that its fingerprint names."""

    SCOPE: ClassVar[Scope] = _SCOPE

    class Verdict(models.TextChoices):
        NONE = "", _("Not judged")
        ACCEPTED = "accepted", _("Explanation accepted")
        REFUSED = "refused", _("Explanation refused")

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="explanations")
    edit = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    reason_code = models.CharField(max_length=40)
    text = models.TextField()
    by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.present)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    verdict_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    verdict_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["Explanation"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_explanation", fields=["submission", "edit"])]


class ItemNote(models.Model):
    """A respondent's remark at an item, shown to the reviewer; no rule requires it.

    One row per author, so that nobody overwrites a colleague's remark. Remarks are not part of a filing.
    """

    SCOPE: ClassVar[Scope] = _SCOPE

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="notes")
    item = models.CharField(max_length=12)
    text = models.CharField(max_length=500)
    by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.present)

    objects = ScopedQuerySet["ItemNote"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_note_by_author", fields=["submission", "item", "by"])
        ]


class FindingTrace(models.Model):
    """A finding of a rule on a sheet and when it was cleared. Blank required cells are not traced."""

    SCOPE: ClassVar[Scope] = _SCOPE

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="traces")
    # Copies of facts of the assignment that never change: rates are counted without a join.
    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+", db_index=False)
    category = models.CharField(max_length=5)
    edit = models.CharField(max_length=100)
    severity = models.CharField(max_length=8)
    first_shown = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)  # the answers changed so that the rule holds
    times = models.PositiveSmallIntegerField(default=1)  # how often the finding appeared

    objects = ScopedQuerySet["FindingTrace"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_trace", fields=["submission", "edit"])]
        indexes = [
            models.Index(
                fields=["round", "category", "edit"], include=["severity", "cleared_at"], name="trace_rates"
            )
        ]


class SectionTime(models.Model):
    """Seconds of work on one section of a filed sheet; the row without a section is the whole sheet."""

    SCOPE: ClassVar[Scope] = _SCOPE

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="section_times")
    round = models.ForeignKey("survey.CollectionRound", models.PROTECT, related_name="+", db_index=False)
    category = models.CharField(max_length=5)
    section = models.CharField(max_length=20, blank=True)
    seconds = models.PositiveIntegerField()

    objects = ScopedQuerySet["SectionTime"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_section_time", fields=["submission", "section"])]
        indexes = [
            models.Index(
                fields=["round", "section", "category"], include=["seconds"], name="section_time_median"
            )
        ]
