"""``manage.py check_registry``: static checks of indicators, facts, forecasts and figures."""

from typing import Any

from django.core.management.base import CommandError

from estimation.releases.content.registry import book
from estimation.releases.content.registry_checks import check_registry
from estimation.releases.selectors import vocabulary
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints every fault; ends with an error when there is one."""

    help = "Check the registry of published numbers: names, circles, units, translations, places."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check."""
        try:
            known = book()
        except ValueError as error:
            raise CommandError(f"the registry cannot be read: {error}") from error
        findings = check_registry(known, vocabulary())
        for one in findings:
            self.stdout.write(f"{one.code}: {one.kind}: {one.sentence}")
        if findings:
            raise CommandError(f"{len(findings)} faults")
        self.stdout.write(
            f"{len(known.registry.indicators)} indicators, {len(known.registry.tables)} tables, {len(known.facts)} facts,"
            f" {len(known.rankings)} rankings, {len(known.forecasts)} forecasts, {len(known.figures)} figures: no fault"
        )
