"""Send one mail by the settings."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from survey import audit
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """``send_test_mail somebody@example.org``."""

    help = "Sends a mail to an address and reports what the mail server answered."

    def add_arguments(self, parser: CommandParser) -> None:
        """The address."""
        parser.add_argument("address", help="e-mail address that receives the mail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send it; the audit trail has the result, for the checklist of set_up."""
        address = options["address"]
        try:
            validate_email(address)
        except ValidationError as error:
            raise CommandError(f"{address!r} is no e-mail address.") from error
        message = EmailMessage(
            "National Data Resource Survey: test mail",
            "This mail was sent by manage.py send_test_mail. Nothing is to be done.\n",
            settings.DEFAULT_FROM_EMAIL,
            [address],
        )
        try:
            message.send()
        except OSError as error:  # smtplib's errors are errors of this kind
            audit.record(by=None, action="test_mail_sent", succeeded=False, error=type(error).__name__)
            raise CommandError(
                f"The mail was not sent. {type(error).__name__}: {_single_line(error)}"
            ) from error
        audit.record(by=None, action="test_mail_sent")
        self.stdout.write("The mail server has taken the mail.")


def _single_line(error: OSError) -> str:
    return " ".join(str(error).split())
