"""Stored messages about invitations."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

SECRET_KEY_CHANGED = define(
    "invitation_secret_key_changed", _("The secret key of the system has changed. Invite again.")
)
