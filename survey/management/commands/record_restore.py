"""``manage.py record_restore``: after a recovery by other means, say so in the audit trail, signed."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.ledgers.restores.services import record_restore
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """From then on ``verify_audit`` tells the restore instead of a lost block. ``restore`` does this by itself."""

    help = "Record that the database was recovered to an earlier moment, by whom, why and from what."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, why and from what."""
        parser.add_argument("--by", required=True, help="who recovered it: an account")
        parser.add_argument("--reason", required=True, help="why")
        parser.add_argument(
            "--source", required=True, help="from what: for example the time, or the name of a backup"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Record it."""
        given = {name: options[name].strip() for name in ("by", "reason", "source")}
        if not all(given.values()):
            raise CommandError("--by, --reason and --source must not be empty.")
        event = record_restore(operator=given["by"], reason=given["reason"], source=given["source"])
        heads = ", ".join(f"{name} block {head['block']}" for name, head in event.details["ledgers"].items())
        self.stdout.write(f"recorded in row {event.pk} of the audit trail; the ledgers go on from {heads}")
