"""``manage.py verify_backup --from DIR``: restore a backup into a database of its own, verify it, and drop it."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.backups.restoring.services import verify_backup
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints each fault as a sentence; exit code 1 when there is one."""

    help = "Prove that a backup can be restored: files, every table, hashes of filings and releases, ledgers."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder."""
        parser.add_argument(
            "--from",
            dest="folder",
            type=Path,
            required=True,
            help="a backup, or the folder of the backups: the newest",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify and print."""
        folder, findings = verify_backup(options["folder"])
        for fault in findings.faults:
            self.stderr.write(str(fault))
        summary = ", ".join(f"{count:,} {name}" for name, count in findings.counts.items())
        if findings.faults:
            raise CommandError(f"{folder}: {len(findings.faults)} faults; {summary}")
        self.stdout.write(f"{folder}: no fault; {summary}")
