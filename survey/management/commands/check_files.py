"""``manage.py check_files``: compare the files of attachments and of jobs with the rows that name them."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.jobs import storage as job_files
from survey.management.base import SurveyCommand
from survey.submissions.evidence import storage as evidence_files


class Command(SurveyCommand):
    """Prints each difference; exit code 1 when a file is missing."""

    help = "Find attachments without a file and files without a row."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether orphans are deleted."""
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="delete files that no row names and that are older than an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and print."""
        found = evidence_files.differences()
        for row in found.missing:
            self.stdout.write(f"missing or of another size: attachment {row.pk}, {row.path}")
        lost = job_files.missing()
        for job in lost:
            self.stdout.write(f"missing: file of job {job.pk}, {job.file}")
        for name in found.orphans:
            self.stdout.write(f"orphan: {name}")
            if options["remove_orphans"]:
                evidence_files.delete(name)
        removed = job_files.remove_orphans() if options["remove_orphans"] else 0
        count = len(found.missing) + len(lost)
        deleted = (len(found.orphans) if options["remove_orphans"] else 0) + removed
        self.stdout.write(f"{count} missing, {len(found.orphans)} orphans, {deleted} deleted")
        if count:
            raise CommandError(f"{count} files are missing or have another size.")
