"""``manage.py restore --from DIR``: the database and the files of a backup take the place of the present ones."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.backups.restoring.services import Restored, restore_backup
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Keys come from the environment, as always; the database is that of DATABASE_URL, with the role of its owner."""

    help = "Restore a backup. Web, workers and beat must be stopped. Everything is verified before anything is replaced."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, who and why, and the word that replaces a database with content."""
        parser.add_argument(
            "--from",
            dest="folder",
            type=Path,
            required=True,
            help="a backup, or the folder of the backups: the newest",
        )
        parser.add_argument("--by", required=True, help="who restores: an account, for the audit trail")
        parser.add_argument("--reason", required=True, help="why, for the audit trail")
        parser.add_argument(
            "--overwrite", default="", metavar="DATABASE", help="name of the database, if it is not empty"
        )
        parser.add_argument(
            "--despite-faults", action="store_true", help="restore rows and files whose hashes do not hold"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore and say what is left to do."""
        if not options["by"].strip() or not options["reason"].strip():
            raise CommandError("--by and --reason must not be empty.")
        self.print_result(
            restore_backup(
                options["folder"],
                operator=options["by"].strip(),
                reason=options["reason"].strip(),
                overwrite=options["overwrite"],
                despite_faults=options["despite_faults"],
            )
        )

    def print_result(self, done: Restored) -> None:
        """Print the result."""
        manifest = done.manifest
        for fault in done.findings.faults:
            self.stderr.write(str(fault))
        summary = ", ".join(f"{count:,} {name}" for name, count in done.findings.counts.items())
        self.stdout.write(
            f"restored {manifest.name} of version {manifest.version}: {manifest.rows:,} rows, {done.files:,} files"
        )
        self.stdout.write(f"verified: {summary}; {len(done.findings.faults)} faults")
        self.stdout.write(
            "Everybody is signed out. Rights of the application's role: database_grants ROLE --apply."
        )
        if done.former:
            self.stdout.write(f"The replaced database is {done.former}; drop it when you need it no more.")
        if manifest.open_jobs:
            self.stdout.write(
                f"{manifest.open_jobs} jobs waited or ran when the backup was made. Workers do them again, "
                "also mails that have been sent since."
            )
        for setting in done.changed_secrets:
            self.stdout.write(
                f"{setting} is not that of the backup: codes and links that depend on it are void."
            )
