"""Write every file of a published release: PDF, pages, Word, Excel, CSV, SDMX, JSON, figures, and a manifest."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from estimation.report import selectors, services
from estimation.report.files import storage
from survey.exceptions import SurveyError
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """``release_report --round 2025 --out report/``; ``--release 2`` takes a release by its number."""

    help = "Write every file of a published release in both languages, with SHA-256 of each."

    def add_arguments(self, parser: CommandParser) -> None:
        """The round, the folder, and the number of the release."""
        parser.add_argument("--round", type=int, required=True, help="year of the round")
        parser.add_argument("--out", type=Path, required=True, help="folder to write into; it may exist")
        parser.add_argument(
            "--release", type=int, help="number of the release; the current one when left out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the release, build the files, write them."""
        year, number = options["round"], options["release"]
        release = selectors.release_to_print(year, number)
        if release is None:
            which = f"release {number}" if number else "published release"
            raise CommandError(
                f"There is no {which} of {year}. Publish one first: prepare, validate, schedule."
            )
        if not selectors.is_public(release):
            state = release.get_state_display()
            raise CommandError(
                f"Release {release.number} of {year} is not public (state: {state}). Its files are on its page."
            )
        started = time.perf_counter()
        try:
            files = services.files_of(release)
        except (SurveyError, ValueError) as refusal:
            raise CommandError(str(refusal)) from refusal
        storage.spread(options["out"], files)
        size = sum(map(len, files.values())) / 2**20
        self.stdout.write(
            f"release {release.number} of {year}, content {release.content_hash[:12]}: {len(files)} files, "
            f"{size:.1f} MiB in {time.perf_counter() - started:.1f} s -> {options['out']}"
        )
