"""``manage.py check_registry``: static checks of indicators, facts, forecasts and figures."""

from typing import Any

from django.core.management.base import CommandError

from estimation.releases.content.registry import publication_plan
from estimation.releases.content.registry_checks import check_registry
from estimation.releases.selectors import vocabulary
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints every fault; ends with an error when there is one."""

    help = "Check the registry of published numbers: names, circles, units, translations, places."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks."""
        try:
            plan = publication_plan()
        except ValueError as error:
            raise CommandError(f"the registry cannot be read: {error}") from error
        findings = check_registry(plan, vocabulary())
        for finding in findings:
            self.stdout.write(f"{finding.code}: {finding.kind}: {finding.sentence}")
        if findings:
            raise CommandError(f"{len(findings)} faults")
        self.stdout.write(
            f"{len(plan.registry.indicators)} indicators, {len(plan.registry.tables)} tables, {len(plan.facts)} facts,"
            f" {len(plan.rankings)} rankings, {len(plan.forecasts)} forecasts, {len(plan.figures)} figures: no fault"
        )
