"""What a reminder says; the same on the site, by e-mail and as a text message."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

RETURNED = define(
    "reminder_returned",
    _("%(unit)s: the sheet of %(year)s was returned for correction and is due by %(due)s."),
)
NOT_FILED = define(
    "reminder_not_filed",
    _("%(unit)s: the sheet of %(year)s has not been filed yet and is due by %(due)s."),
)
HINT = _("Sign in to the system to fill it. If you have filed it meanwhile, nothing is to be done.")
