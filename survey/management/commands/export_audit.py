"""``manage.py export_audit``: what was sealed in a time, as a signed folder that needs no database to be verified."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from survey import audit
from survey.ledgers import signing
from survey.ledgers.export.services import write_export
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Writes JSON Lines, manifest and signature, and prints the public key."""

    help = "Export audit trail and answers' events of a time, signed with AUDIT_EXPORT_KEY."

    def add_arguments(self, parser: CommandParser) -> None:
        """Days and the folder."""
        parser.add_argument("--since", type=dt.date.fromisoformat, required=True, help="first day")
        parser.add_argument("--until", type=dt.date.fromisoformat, required=True, help="last day")
        parser.add_argument("--to", type=Path, required=True, help="an empty or new folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export and record it."""
        since, until = (
            dt.datetime.combine(day, dt.time(), tzinfo=timezone.get_current_timezone())
            for day in (options["since"], options["until"] + dt.timedelta(days=1))
        )
        if until <= since:
            raise CommandError("--until lies before --since.")
        rows = write_export(options["to"], since, until)
        audit.record(
            by=None,
            action="ledger_export_finished",
            rows=rows,
            since=since.isoformat(),
            until=until.isoformat(),
        )
        self.stdout.write(f"{rows:,} rows in {options['to']}; public key {signing.public_key()}")
