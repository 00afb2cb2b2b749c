"""What every command of the project is made of: a refusal is one sentence and exit code 1, not a traceback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.exceptions import SurveyError


class SurveyCommand(BaseCommand):
    """A command whose refusals, and whose missing or closed files, are sentences."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. Raises CommandError for every refusal."""
        try:
            return super().execute(*args, **options)
        except SurveyError as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            if error.filename is None:  # a server that does not answer is no wrong argument
                raise
            raise CommandError(f"{error.filename}: {error.strerror}") from error
