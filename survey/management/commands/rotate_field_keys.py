"""manage.py rotate_field_keys: encrypt with the first key of FIELD_KEYS what an earlier key has encrypted.

Put the new key in front of FIELD_KEYS and restart, run this command, then remove the earlier keys.
"""

from typing import Any

from django.core.management.base import CommandError

from survey import audit
from survey.access.second_factor.services import rotate_secrets
from survey.encrypted_fields import encrypted_columns, rotate
from survey.encryption import EncryptionError
from survey.management.base import SurveyCommand


class Command(SurveyCommand):
    """Rotates every encrypted column and the secrets of second factors; may be repeated at any time."""

    help = "Encrypts with the current key and algorithm what is stored with earlier ones."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many values of each column were encrypted anew."""
        try:
            rotated = {field.context: rotate(model, field) for model, field in encrypted_columns()}
            rotated["second factors"] = rotate_secrets()
        except EncryptionError as error:
            raise CommandError(
                f"{error}. Nothing is lost: add the key that is missing and run this again."
            ) from error
        for name, count in rotated.items():
            self.stdout.write(f"{name}: {count}")
        audit.record(by=None, action="field_keys_rotated", values=sum(rotated.values()))
