"""The sampling frame: reporting units, register counts, imports and changes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet
from survey.encrypted_fields import EncryptedEmailField, EncryptedTextField
from survey.frame.summary import FrameSummary
from survey.records import RecordField


class SizeClass(models.TextChoices):
    """Four legal classes of the 2017 rules; estimation maps them to three."""

    LARGE = "large", _("Large")
    MEDIUM = "medium", _("Medium")
    SMALL = "small", _("Small")
    MICRO = "micro", _("Micro")


class ReportingUnit(models.Model):
    """An organisation of one category. Its region and the region that reviews it may differ."""

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
    left_on = models.DateField(null=True)  # day on which it left the frame; the row is retained
    is_synthetic = models.BooleanField(default=False)

    objects = ScopedQuerySet["ReportingUnit"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["review_region", "category"], name="unit_review_category"),
            models.Index(fields=["region", "section", "size_class"], name="unit_stratum"),
        ]

    def __str__(self) -> str:
        return self.name


class UnitContact(models.Model):
    """A contact person of a unit in a role: name, office phone and work e-mail."""

    SCOPE: ClassVar[Scope] = Scope("unit__review_region__path", "unit__category", "unit")

    class Role(models.TextChoices):
        FILLER = "filler", _("Person who fills the form")
        STAT_HEAD = "stat_head", _("Head of statistics")
        UNIT_HEAD = "unit_head", _("Head of the unit")
        IT = "it", _("IT contact")

    unit = models.ForeignKey(ReportingUnit, models.PROTECT, related_name="contacts")
    role = models.CharField(max_length=10, choices=Role.choices)
    name = EncryptedTextField(max_length=60)
    phone = EncryptedTextField(max_length=30, blank=True)
    email = EncryptedEmailField(blank=True)

    objects = ScopedQuerySet["UnitContact"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_contact_of_a_role", fields=["unit", "role"])]


class FrameCount(models.Model):
    """The number of units of the business register in one cell; the listed units are a part of them.

    Two kinds of cells: enterprises by region, section and size (category blank), and other units of one
    category by region (section and size blank).
    """

    category = models.CharField(max_length=5, blank=True)
    region = models.CharField(max_length=6)
    section = models.CharField(max_length=1, blank=True)
    size_class = models.CharField(max_length=6, choices=SizeClass.choices, blank=True)
    units = models.PositiveIntegerField()
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_frame_count", fields=["category", "region", "section", "size_class"]
            ),
            models.CheckConstraint(
                name="frame_count_is_of_one_kind",
                condition=(Q(category="") & ~Q(section="") & ~Q(size_class=""))
                | (~Q(category="") & Q(section="", size_class="")),
            ),
        ]


class FrameImport(models.Model):
    """An uploaded file, the result of its check, and its state. The checked bytes are stored."""

    class Kind(models.TextChoices):
        UNITS = "units", _("Units")
        COUNTS = "counts", _("Counts per stratum")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting for its check")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        CONFIRMED = "confirmed", _("Waiting to be applied")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(max_length=6, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    complete = models.BooleanField(default=False)  # units that the file lacks leave the frame
    job = models.OneToOneField(
        "survey.Job", models.PROTECT, related_name="+"
    )  # the check, then the application
    summary = RecordField(FrameSummary)
    findings = models.JSONField(default=list)  # [line, column, value, code, parameters]
    changes = models.JSONField(default=list)  # the first changes: [key, name, [[field, old, new], ...]]
    plan_hash = models.CharField(max_length=64, blank=True)  # over all changes that the check showed
    uploaded_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.present)
    applied_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="applied_import_has_a_time", condition=~Q(state="applied") | Q(applied_at__isnull=False)
            )
        ]


class UnitChange(models.Model):
    """A change of a unit in the frame by an import. Rows are only added."""

    SCOPE: ClassVar[Scope] = Scope("unit__review_region__path", "unit__category", "unit")

    class Kind(models.TextChoices):
        BIRTH = "birth", _("Entered the frame")
        DEATH = "death", _("Left the frame")
        RETURN = "return", _("Came back")
        MOVE = "move", _("Moved to another region")
        CATEGORY = "category", _("Category changed")
        SECTION = "section", _("Industry section changed")
        SIZE = "size", _("Size changed")
        NAME = "name", _("Renamed")

    unit = models.ForeignKey(ReportingUnit, models.PROTECT, related_name="changes")
    source = models.ForeignKey(FrameImport, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    old = models.CharField(max_length=120, blank=True)
    new = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=clock.present)

    objects = ScopedQuerySet["UnitChange"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["unit", "-at"], name="unit_change_unit")]
