"""``manage.py prepare_release``: a draft release of a round's newest run, from the command line."""

import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import CommandError

from estimation.releases import services
from estimation.runs.selectors import finished_runs
from survey.exceptions import PolicyDenied
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prepares a draft; publishes it only when all data are synthetic."""

    help = "Prepare a draft release of the newest finished run of a round."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Round, notes of a correction, rehearsal of the publication."""
        parser.add_argument("--round", type=int, required=True, help="year of the round")
        parser.add_argument("--note-zh", default="", help="what a correction changes, in Chinese")
        parser.add_argument("--note-en", default="", help="what a correction changes, in English")
        parser.add_argument(
            "--publish",
            action="store_true",
            help="also validate and publish; refused for a real round, where two people do it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, print the checks, publish when requested."""
        run = finished_runs().filter(round__year=options["round"]).first()
        if run is None:
            raise CommandError(f"Round {options['round']} has no finished run.")
        if options["publish"] and not run.round.is_synthetic:
            raise CommandError("A real round is validated and published by two people in the application.")
        began = time.monotonic()
        try:
            release = services.prepare_release(
                run=run, by=None, note_zh=options["note_zh"], note_en=options["note_en"]
            )
            self._report(release, time.monotonic() - began)
            if options["publish"]:
                release = services.rehearse_publication(release)
                self.stdout.write(f"published as release {release.number}, {release.content_hash[:12]}")
        except PolicyDenied as refusal:
            raise CommandError(str(refusal)) from refusal

    def _report(self, release: Any, seconds: float) -> None:
        count = Counter(cell["status"] for cell in release.content["cells"].values())
        words = ", ".join(f"{number} {status}" for status, number in sorted(count.items()))
        self.stdout.write(f"release {release.number} of run {release.run_id}: {words} ({seconds:.1f} s)")
        for fault in release.checks.faults:
            self.stdout.write(f"  {fault.kind} {fault.where}: {fault.detail}")
        for system in release.checks.disclosure.systems:
            self.stdout.write(
                f"  {system.variable}/{system.statistic}/{system.year}"
                f"{' by region and industry' if system.crossed else ''}: {system.primary} sensitive,"
                f" {system.secondary} more withheld, {len(system.recovered)} recovered"
            )
