"""Publish the questionnaires of the repository for a year."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.management.base import SurveyCommand
from survey.questionnaires.loader import load_all, load_questionnaire
from survey.questionnaires.services import publish_questionnaire

EARLIEST, LATEST = 2000, 2100


class Command(SurveyCommand):
    """``publish_questionnaire --year 2025 [CAT01 ...]``: without categories, all fourteen."""

    help = "Checks questionnaires and freezes them as versions of a year. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Year and categories."""
        parser.add_argument("categories", nargs="*", metavar="CATEGORY", help="CAT01 ... CAT14; none: all")
        parser.add_argument("--year", type=int, required=True, help="reference year of the round")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish and print the versions."""
        if not EARLIEST <= options["year"] <= LATEST:
            raise CommandError(f"--year must lie between {EARLIEST} and {LATEST}.")
        categories = options["categories"]
        questionnaires = (
            [load_questionnaire(code) for code in categories] if categories else load_all().values()
        )
        for questionnaire in questionnaires:
            version, new = publish_questionnaire(questionnaire, year=options["year"], by=None)
            word = "published" if new else "unchanged"
            self.stdout.write(
                f"{version.category} {version.form_no} {version.year}/{version.number} "
                f"{version.content_hash[:12]} {word}"
            )
