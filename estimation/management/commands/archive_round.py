"""``manage.py archive_round``: everything of a round in one package of open formats."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from estimation.archive.services import archive_round
from survey.collection.models import CollectionRound
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Writes the package."""

    help = "Write the archive package of a round: sheets, rules, inputs, runs, releases, with their hashes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Round and output path."""
        parser.add_argument("--round", type=int, required=True, help="year of the round")
        parser.add_argument("--out", type=Path, required=True, help="a folder, or the name of the zip file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the package."""
        round_ = CollectionRound.objects.filter(year=options["round"]).first()
        if round_ is None:
            raise CommandError(f"There is no round {options['round']}.")
        out: Path = options["out"]
        path = out if out.suffix == ".zip" else out / f"round-{round_.year}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, files = archive_round(round_, path)
        size = path.stat().st_size / 1e6
        self.stdout.write(f"{path}: {len(files)} files, {size:.1f} MB, digest {digest}")
