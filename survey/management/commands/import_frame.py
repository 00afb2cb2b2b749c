"""Import a frame file from the command line, with the same services as the page."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import translation

from survey.exceptions import SurveyError
from survey.frame import services
from survey.frame.messages import column_name, failure, sentence
from survey.frame.models import FrameImport
from survey.frame.summary import FrameSummary
from survey.jobs.services import run
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """``import_frame FILE [--kind counts] [--complete] [--dry-run]``."""

    help = "Checks a CSV, XLSX or Parquet file of the frame and applies it. Faults change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments: the file, its kind and options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", choices=FrameImport.Kind.values, default="units")
        parser.add_argument(
            "--complete", action="store_true", help="units that the file lacks leave the frame"
        )
        parser.add_argument("--dry-run", action="store_true", help="check and show, change nothing")
        parser.add_argument("--language", choices=["zh-hans", "en"], default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print, apply."""
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"{path} is not a file")
        with translation.override(options["language"]):
            try:
                row = services.upload_frame(
                    by=None,
                    kind=options["kind"],
                    name=path.name,
                    content=path.read_bytes(),
                    complete=options["complete"],
                )
                run(row.job_id)
                self._show(row)
                if options["dry_run"]:
                    services.cancel_import(row, by=None)
                    return
                row = services.confirm_import(row, by=None, sha256=row.sha256)
            except SurveyError as refusal:
                raise CommandError(str(refusal.sentence)) from refusal
            run(row.job_id)
            self._fail_with_sentence(row)
            self.stdout.write("applied")

    def _show(self, row: FrameImport) -> None:
        self._fail_with_sentence(row)
        facts: FrameSummary = row.summary
        self.stdout.write(f"{row.file_name} {row.sha256[:16]} {facts.format} {facts.encoding}".rstrip())
        names = ("rows", "new", "changed", "back", "unchanged", "missing", "faults")
        self.stdout.write(", ".join(f"{getattr(facts, name):,} {name}" for name in names))
        for line, column, value, code, parameters in row.findings[:20]:
            self.stdout.write(f"  {line}: {column_name(column)}: {value!r}: {sentence(code, parameters)}")

    def _fail_with_sentence(self, row: FrameImport) -> None:
        row.refresh_from_db()
        if row.state == FrameImport.State.FAILED:
            raise CommandError(failure(row.job.error))
