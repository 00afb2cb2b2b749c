"""Sentences about repeated requests."""

from django.utils.translation import gettext_lazy as _

DONE_BEFORE = _("This form was sent before and has been carried out once. Nothing was done twice.")
OTHER_CONTENT = _("This Idempotency-Key was used for another request. Use a new key for each request.")
NOT_A_KEY = _("An Idempotency-Key has 1 to 200 printable characters.")
