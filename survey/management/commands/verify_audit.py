"""``manage.py verify_audit``: recompute the ledgers, or a signed export without any database."""

import datetime as dt
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from survey.ledgers import signing
from survey.ledgers.content import LEDGERS
from survey.ledgers.verification import selectors
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Prints each fault as a sentence; exit code 1 when there is one."""

    help = "Find changed, deleted, inserted and reordered rows of the audit trail and of the answers' events."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Ledgers, time, or the folder of an export."""
        parser.add_argument("--ledger", choices=[*LEDGERS], action="append", help="only this ledger (all)")
        parser.add_argument("--since", type=dt.date.fromisoformat, help="only blocks sealed since this day")
        parser.add_argument("--export", type=Path, help="verify this folder instead of the database")
        parser.add_argument("--public-key", help="public key of the export, as export_audit printed it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify and print."""
        if options["export"]:
            if not options["public_key"]:
                raise CommandError("--export needs --public-key.")
            self.print_report(
                selectors.Report(faults=[*signing.faults_of(options["export"], options["public_key"])]), 0
            )
            return
        since = options["since"]
        if since is not None:
            since = dt.datetime.combine(since, dt.time(), tzinfo=timezone.get_current_timezone())
        began = time.process_time()
        report = selectors.verify(options["ledger"] or [*LEDGERS], since)
        self.print_report(report, time.process_time() - began)

    def print_report(self, report: selectors.Report, seconds: float) -> None:
        """Print restores, faults and the sum. Raises CommandError when there is a fault."""
        for note in report.notes:
            self.stdout.write(str(note))
        for fault in report.faults:
            self.stderr.write(str(fault))
        summary = f"{report.rows:,} rows in {report.blocks:,} blocks, {seconds:.1f} s of processor"
        if report.faults:
            raise CommandError(f"{len(report.faults)} faults; {summary}")
        self.stdout.write(f"no fault; {summary}")
