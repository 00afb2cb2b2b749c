"""The base class of the project's commands: a refusal is a message and exit code 1, not a traceback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.exceptions import SurveyError


class SurveyCommand(BaseCommand):
    """A command that reports refusals and errors of files as messages."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. Raises CommandError for every refusal."""
        try:
            return super().execute(*args, **options)
        except SurveyError as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            if error.filename is None:  # a connection error, not a wrong argument
                raise
            raise CommandError(f"{error.filename}: {error.strerror}") from error
