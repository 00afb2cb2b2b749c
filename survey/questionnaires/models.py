"""Published questionnaires: immutable, hashed, bound to every sheet."""

from typing import TYPE_CHECKING

from django.db import models

from survey import clock

if TYPE_CHECKING:
    from survey.questionnaires.definition import Questionnaire


class QuestionnaireVersion(models.Model):
    """One questionnaire of one category as it was published. Never changed, never deleted."""

    category = models.CharField(max_length=5)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(default=1)
    form_no = models.CharField(max_length=20)
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=150)
    document = models.JSONField()
    content_hash = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=clock.present)
    published_by = models.ForeignKey("survey.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-year", "category", "-number"]
        constraints = [
            models.UniqueConstraint(name="one_version_number", fields=["category", "year", "number"]),
            models.UniqueConstraint(name="one_version_hash", fields=["category", "year", "content_hash"]),
        ]

    @property
    def definition(self) -> "Questionnaire":
        """The parsed questionnaire, shared between all sheets of this version in this process."""
        from survey.questionnaires.loader import definition_of

        return definition_of(self.content_hash, self.document)
