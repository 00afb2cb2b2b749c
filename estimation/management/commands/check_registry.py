"""``manage.py check_registry``: static checks of indicators, facts, forecasts and figures."""

from typing import Any

from django.core.management.base import CommandError

from estimation.releases.content.passages import default_passages
from estimation.releases.content.registry import publication_plan
from estimation.releases.content.registry_checks import check_registry
from estimation.releases.selectors import vocabulary
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints every fault; ends with an error when there is one."""

    help = "Check the registry of published numbers: names, circles, units, translations, places."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks."""
        plan, passages = publication_plan(), default_passages()
        findings = check_registry(plan, vocabulary())
        for finding in findings:
            self.stdout.write(f"{finding.code}: {finding.kind}: {finding.sentence}")
        if findings:
            raise CommandError(f"{len(findings)} faults")
        counted = {
            "indicators": plan.registry.indicators,
            "tables": plan.registry.tables,
            "facts": plan.facts,
            "rankings": plan.rankings,
            "forecasts": plan.forecasts,
            "figures": plan.figures,
            "passages": passages,
        }
        self.stdout.write(", ".join(f"{len(rows)} {name}" for name, rows in counted.items()) + ": no fault")
