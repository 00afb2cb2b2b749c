"""``manage.py backup --to DIR``: database and files in a new folder of DIR; keys only where ``--keys-to`` says."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.backups.services import Made, make_backup
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints what was written and which keys a restore needs; exit code 1 when files were missing."""

    help = "Back up the database and the files that its rows name. Safe while people work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Folders, number of backups, processes."""
        parser.add_argument(
            "--to", type=Path, required=True, help="folder of the backups, on an encrypted disk"
        )
        parser.add_argument("--keys-to", type=Path, help="write the keys to this folder, which is kept apart")
        parser.add_argument(
            "--keep", type=int, default=0, help="delete all but this number of backups (keep all)"
        )
        parser.add_argument("--jobs", type=int, default=2, help="tables that are dumped at the same time (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Back up and say what was done."""
        if options["keep"] < 0 or options["jobs"] < 1:
            raise CommandError("--keep must not be below 0, --jobs not below 1.")
        made = make_backup(
            options["to"], keys_to=options["keys_to"], keep=options["keep"], jobs=options["jobs"]
        )
        self.print_result(made)
        if made.manifest.missing:
            for path in made.manifest.missing:
                self.stderr.write(f"missing: {path}")
            raise CommandError(
                f"{len(made.manifest.missing)} files that rows name are missing; the backup was made."
            )

    def print_result(self, made: Made) -> None:
        """Print the result."""
        manifest = made.manifest
        self.stdout.write(
            f"{made.path}: {manifest.rows:,} rows in {len(manifest.tables)} tables, {len(manifest.files):,} files, "
            f"{manifest.size:,} bytes"
        )
        for name in made.removed:
            self.stdout.write(f"removed: {name}")
        for path in made.keys:
            self.stdout.write(f"key: {path}")
        if not made.keys:
            self.stdout.write(
                "A restore needs these keys, which are not in the backup. Keep them apart from it:"
            )
        for setting, named in manifest.keys.items():
            for name, fingerprint in named.items():
                self.stdout.write(" ".join(filter(None, (setting, name, fingerprint))))
