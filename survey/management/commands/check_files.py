"""``manage.py check_files``: compare the files of every store with the rows that name them."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.backups.stored_files import selectors, services
from survey.files import Store
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints each difference; exit code 1 when a file is missing."""

    help = "Find rows without their file and files without a row, in every store."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether orphans are deleted."""
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="delete files that no row names and that are older than an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and print."""
        missing = 0
        for store in Store:
            comparison = selectors.compare(store)
            for fault in comparison.faults:
                self.stdout.write(f"{store}: {fault}")
            for name in comparison.orphans:
                self.stdout.write(f"{store}: orphan: {name}")
            deleted = services.remove_orphans(comparison) if options["remove_orphans"] else 0
            missing += len(comparison.faults)
            self.stdout.write(
                f"{store}: {comparison.count} files, {len(comparison.faults)} missing, {len(comparison.orphans)} orphans, "
                f"{deleted} deleted"
            )
        if missing:
            raise CommandError(f"{missing} files are missing or have another size.")
