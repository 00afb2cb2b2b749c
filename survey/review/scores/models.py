"""Scores of undecided and missing sheets and the data they need, replaced by every estimation run."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.scope import Scope, ScopedQuerySet


class SheetScore(models.Model):
    """The score of a filed, undecided sheet.

    ``run`` is the key of the estimation run that computed it. ``stratum`` and ``amounts`` are the stratum and the
    values with which the sheet would enter the totals.
    """

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    submission = models.OneToOneField(
        "survey.Submission", models.CASCADE, primary_key=True, related_name="score"
    )
    filing_number = models.PositiveSmallIntegerField()
    run = models.PositiveIntegerField()
    value = models.FloatField()  # largest suspicion x impact over the items
    reach = models.FloatField()  # largest share of a national or regional total that an unusual value moves
    has_slip = models.BooleanField(default=False)
    stratum = models.CharField(max_length=20)
    region = models.CharField(max_length=6)
    population = models.FloatField()  # number of units that the stratum represents
    respondents = models.PositiveIntegerField()  # valid units in it, without this sheet
    amounts = models.JSONField(default=dict)  # item -> filed value, for the totals of ``TotalCell``
    computed_at = models.DateTimeField(default=clock.present)

    objects = ScopedQuerySet["SheetScore"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["-value"], name="score_value")]


class ItemScore(models.Model):
    """An item of a scored sheet: its expected value, and the effect of the difference on totals."""

    SCOPE: ClassVar[Scope] = Scope(
        "sheet__submission__unit__review_region__path",
        "sheet__submission__unit__category",
        "sheet__submission__unit",
    )

    class Source(models.TextChoices):
        PREVIOUS = "previous", _("last year's value times the growth of its class")
        SIZE = "size", _("number of employees times the ratio of its class")
        MEDIAN = "median", _("median of its class")

    sheet = models.ForeignKey(SheetScore, models.CASCADE, related_name="items")
    item = models.CharField(max_length=40)
    rank = models.PositiveSmallIntegerField()  # 1 is the item that the score of the sheet comes from
    value = models.FloatField()
    expected = models.FloatField()
    source = models.CharField(max_length=10, choices=Source.choices)
    suspicion = models.FloatField()  # distance from the class, in robust standard deviations
    national = models.FloatField(null=True)  # signed share of the national total, w (y - expected) / total
    regional = models.FloatField(null=True)  # the same for the unit's own region
    slip_base = models.PositiveSmallIntegerField(default=0)  # 1000 or 1024, 0 without a unit error
    slip_power = models.SmallIntegerField(default=0)

    objects = ScopedQuerySet["ItemScore"].as_manager()

    class Meta:
        ordering = ["sheet", "rank"]
        constraints = [models.UniqueConstraint(name="one_item_score", fields=["sheet", "item"])]


class PeerQuantiles(models.Model):
    """Quantiles (5, 25, 50, 75 and 95 per cent) of the positive accepted values of similar units."""

    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="+")
    run = models.PositiveIntegerField()
    group = models.CharField(max_length=12)  # category and size class ("CAT12/small"), or category alone
    item = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    quantiles = ArrayField(models.FloatField(), size=5)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_peer_group", fields=["round", "group", "item"])]


class SamplingError(models.Model):
    """Relative standard error of a total that the latest run estimated: of the nation ("") or of a region."""

    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="+")
    run = models.PositiveIntegerField()
    region = models.CharField(max_length=6, blank=True)
    item = models.CharField(max_length=40)
    relative = models.FloatField()  # positive

    class Meta:
        constraints = [models.UniqueConstraint(name="one_sampling_error", fields=["round", "region", "item"])]


class TotalCell(models.Model):
    """The part of the totals that one estimation stratum has in one region, with the weights of the run.

    A total is the sum over cells of population / respondents x sum; accepting a sheet adds to both.
    """

    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="+")
    run = models.PositiveIntegerField()
    stratum = models.CharField(max_length=20)
    region = models.CharField(max_length=6)
    population = models.FloatField()  # of the whole stratum
    respondents = models.PositiveIntegerField()  # of the whole stratum
    sums = models.JSONField()  # item -> sum over the valid units of the stratum in the region

    class Meta:
        constraints = [models.UniqueConstraint(name="one_total_cell", fields=["round", "stratum", "region"])]


class ExpectedShare(models.Model):
    """The expected contribution of a unit that has not filed yet, from the estimation."""

    SCOPE: ClassVar[Scope] = Scope(
        "submission__unit__review_region__path", "submission__unit__category", "submission__unit"
    )

    submission = models.OneToOneField(
        "survey.Submission", models.CASCADE, primary_key=True, related_name="expected_share"
    )
    round = models.ForeignKey("survey.CollectionRound", models.CASCADE, related_name="+")
    run = models.PositiveIntegerField()
    item = models.CharField(max_length=40)  # the item with the largest contribution
    expected = models.FloatField()
    source = models.CharField(max_length=10, choices=ItemScore.Source.choices)
    national = models.FloatField()  # share of the national total of the item
    regional = models.FloatField(null=True)

    objects = ScopedQuerySet["ExpectedShare"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["round", "-national"], name="expected_round_national")]
