"""Check the questionnaire files for static faults."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from survey.management.base import SurveyCommand
from survey.questionnaires.loader import DEFINITIONS, load_all
from survey.questionnaires.proof.checks import check_all


class Command(SurveyCommand):
    """Print every fault with its location and code; exit with 1 when there is any."""

    requires_system_checks = ()  # reads files only; must run when a setting is wrong
    help = "Check the questionnaire definitions: shape, codes, rules, routing, translations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", type=Path, default=DEFINITIONS, help="folder of the definition files")

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["root"]
        faults = check_all(root)
        for fault in sorted(faults, key=lambda fault: (fault.where, fault.code)):
            self.stderr.write(f"{fault.where}: {fault.message} [{fault.code}]")
        if faults:
            raise CommandError(f"{len(faults)} faults in the questionnaire definitions", returncode=1)
        forms = load_all(root)
        items = {code for form in forms.values() for code in form.items}
        edits = {edit.code for form in forms.values() for edit in form.edits}
        self.stdout.write(
            self.style.SUCCESS(f"{len(forms)} forms, {len(items)} items, {len(edits)} edits: no faults")
        )
