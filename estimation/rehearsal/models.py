"""True values of the rehearsal population, which exist for a synthetic population only."""

from django.db import models


class TrueValue(models.Model):
    """The true value of one quantity in one domain, to hold an estimate against."""

    year = models.PositiveSmallIntegerField()
    variable = models.CharField(max_length=40)
    statistic = models.CharField(max_length=16)
    domain_kind = models.CharField(max_length=20)
    domain_code = models.CharField(max_length=20)
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_truth", fields=["year", "variable", "statistic", "domain_kind", "domain_code"]
            )
        ]


class Rehearsal(models.Model):
    """The build of the rehearsal country that this database holds."""

    seed = models.BigIntegerField()
    scale = models.FloatField()
    built_at = models.DateTimeField(auto_now_add=True)
    seconds = models.FloatField()
    notes = models.JSONField(default=dict)
