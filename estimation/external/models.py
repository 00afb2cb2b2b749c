"""External series, and the files that they were imported from."""

from django.db import models
from django.db.models import Q

from survey import clock


class ExternalSeries(models.Model):
    """A value of an external series, with its source and version.

    One person enters a version, another approves it; runs read approved versions only.
    """

    code = models.CharField(max_length=30)
    year = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    value = models.DecimalField(max_digits=30, decimal_places=6)
    unit = models.CharField(max_length=20)
    label_zh = models.CharField(max_length=100)
    label_en = models.CharField(max_length=150)
    source = models.CharField(max_length=300)
    source_date = models.DateField(null=True, blank=True)  # when the source published it
    is_synthetic = models.BooleanField(default=False)
    entered_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(default=clock.present)
    approved_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_external_value", fields=["code", "year", "version"]),
            models.CheckConstraint(
                name="external_approved_by_another",
                condition=Q(approved_by__isnull=True)
                | Q(entered_by__isnull=True)
                | ~Q(approved_by=models.F("entered_by")),
            ),
        ]


class ExternalFile(models.Model):
    """An uploaded file of external values. The stored bytes are those that were checked and are entered."""

    name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.present)
    entered_at = models.DateTimeField(null=True)
