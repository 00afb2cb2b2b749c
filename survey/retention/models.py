"""Legal holds, and what each sweep removed."""

from django.db import models

from survey import clock


class LegalHold(models.Model):
    """Data that must not be removed although their period is over: of one unit, or of everybody."""

    unit = models.ForeignKey("survey.ReportingUnit", models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20, blank=True)  # blank: every kind
    reason = models.TextField()
    since = models.DateTimeField(default=clock.present)
    until = models.DateTimeField(null=True)  # null: until it is ended
    by = models.ForeignKey("survey.User", models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")


class RetentionReport(models.Model):
    """One sweep: rows or files removed and kept under a hold, by kind."""

    at = models.DateTimeField(default=clock.present)
    removed = models.JSONField(default=dict)
    held = models.JSONField(default=dict)
