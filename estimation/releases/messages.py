"""Reasons why a transition of a release is refused: shown to the user, stored for a scheduled transition."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

CONTENT_CHANGED = define(
    "release_content_changed",
    _("The content does not have the hash that was frozen with it. Rebuild the draft."),
)
FAULTS_OPEN = define(
    "release_faults_open", _("%(count)s faults are open; the list is on the page of the release.")
)
RECOVERABLE = define(
    "release_recoverable", _("Withheld cells can be computed from published ones, or the audit has not run.")
)
PREPARED_BY_YOU = define(
    "release_prepared_by_you", _("You prepared this release; somebody else validates it.")
)
RUN_BY_YOU = define("release_run_by_you", _("You ran the estimation; somebody else publishes it."))
EMBARGO_NOT_AHEAD = define(
    "release_embargo_not_ahead", _("The moment of publication must lie in the future.")
)
EMBARGO_NOT_OVER = define("release_embargo_not_over", _("The embargo is not over yet."))
NOT_A_CORRECTION = define(
    "release_not_a_correction",
    _("This round has a published release that this one does not correct. Prepare a correction of it."),
)
NO_PUBLIC_CORRECTION = define("release_no_public_correction", _("No correction of this release is public."))
REASON_TOO_SHORT = define("release_reason_too_short", _("Give a reason of at least four characters."))
NO_SUCH_MOVE = define("release_no_such_move", _("This is not possible in the present state of the release."))
RELEASE = define("release_named", _("Release no. %(number)s of %(year)s"))
