"""Files of external values in stored sentences."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

EXTERNAL_FILE = define("external_file", _("File no. %(number)s of external values"))
