"""Messages of files that could not be created."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

NOT_ALLOWED = define("file_not_allowed", _("You may not do this any more."))
NOBODY = define("letters_for_nobody", _("Every unit of this filter has an account already."))
TOO_MANY = define("letters_too_many", _("More than %(count)s letters. Choose a category or a region."))
