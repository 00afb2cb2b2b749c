"""``manage.py verify_archive``: recomputes every hash of an archive package."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from estimation.archive.package import verify_package
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints what has changed; exits with an error when anything has."""

    help = "Recompute every hash of an archive package."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The package."""
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify the package."""
        try:
            faults = verify_package(options["path"])
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults")
        self.stdout.write("every hash is right")
