"""The second factor in the hooks of django-allauth: its secrets are encrypted, its labels name the account."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext_lazy as _

from survey import encryption
from survey.access.second_factor.services import CONTEXT


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keys of authenticators and of recovery codes are stored encrypted (survey.encryption)."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong or has been used already."),
    }

    def encrypt(self, text: str) -> str:
        """The stored form of a secret."""
        return encryption.encrypt(text, CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret of a stored form."""
        return encryption.decrypt(encrypted_text, CONTEXT)

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """The account name, as the authenticator shows it."""
        return user.get_username()
