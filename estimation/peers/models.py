"""Quartiles of groups of units, frozen with a release."""

from django.db import models

from survey import clock


class PeerTable(models.Model):
    """The quartiles of every group that may be shown, one table per release; never computed during a request.

    ``groups`` is {item: {group: [units, lower quartile, median, upper quartile]}}, quartiles as printed text.
    """

    release = models.OneToOneField("estimation.Release", models.PROTECT, related_name="peers")
    groups = models.JSONField()
    rules = (
        models.JSONField()
    )  # minimum of units, maximum shares of the largest and the two largest units: compute.Guard
    content_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.present)
