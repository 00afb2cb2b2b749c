"""Messages of refusals that a worker may store."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

HAS_BEGUN = define(
    "round_has_begun", _("The round has begun; nobody can be added to it as a whole any more.")
)
NOT_PUBLISHED = define(
    "questionnaires_not_published", _("No questionnaire of %(year)s is published for %(categories)s.")
)
