"""Sentences for files that are not read."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

TOO_COMPLEX = define(
    "file_too_complex",
    _("The file is too complex: reading it takes more memory than this site allows. Save a simpler copy."),
)
TOO_SLOW = define(
    "file_too_slow",
    _("The file is too complex: reading it takes too long. Save a simpler copy and upload that."),
)
DAMAGED = define("file_damaged", _("The file is damaged and cannot be read."))
BUSY = define(
    "file_busy", _("Several files are being read at the moment. Please try again in a few seconds.")
)
