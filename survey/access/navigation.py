"""What every page's frame needs to know: where this person can go, and how long the session lasts.

Variables given to templates:

``navigation``       list of Entry (name, label, href, current)
``SYNTHETIC``        True when everything shown is made up (rehearsal)
``session_seconds``  seconds until this session ends without another request; 0 when nobody is signed in
``other_language``   code of the language to switch to
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.access.models import User
from survey.access.roles import Permission as P  # noqa: N817 as in the table of roles
from survey.access.sessions import seconds_left


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the main navigation."""

    name: str
    label: str | Promise
    href: str
    current: bool


# URL name, label, permissions of which one is needed, other URL names that belong to the same place.
PLACES: list[tuple[str, Promise, tuple[P, ...], tuple[str, ...]]] = [
    ("tasks", _("My tasks"), (P.RESPOND,), ("sheet_",)),
    ("notices", _("Notices"), (P.RESPOND,), ()),
    ("review_queue", _("Review"), (P.REVIEW,), ("review_",)),
    ("progress_board", _("Progress"), (P.VIEW_PROGRESS,), ()),
    ("unit_list", _("Units"), (P.MANAGE_UNITS,), ("unit_",)),
    ("reminders", _("Reminders"), (P.MANAGE_UNITS,), ("reminder_",)),
    ("jobs", _("Files"), (P.VIEW_SHEETS, P.MANAGE_UNITS), ("job_",)),
    ("rounds", _("Rounds"), (P.DESIGN,), ("round_",)),
    ("designs", _("Sample design"), (P.DESIGN_SAMPLE,), ("design_", "frame")),
    ("questionnaires", _("Questionnaires"), (P.DESIGN,), ("questionnaire_",)),
    ("rules", _("Rules at work"), (P.DESIGN,), ()),
    ("item_response", _("Item response"), (P.DESIGN,), ()),
    ("runs", _("Estimation runs"), (P.RUN_ESTIMATION,), ("run_",)),
    ("results", _("Results"), (P.VIEW_ESTIMATES,), ("results_",)),
    ("release_list", _("Releases"), (P.VIEW_ESTIMATES,), ("release_", "block_")),
    ("external_list", _("External series"), (P.VIEW_ESTIMATES,), ("external_",)),
    ("truth", _("Estimate and truth"), (P.VIEW_ESTIMATES,), ()),
    ("accounts", _("Accounts"), (P.MANAGE_USERS, P.GRANT_ROLES), ("account", "roles_")),
    ("audit", _("Audit"), (P.VIEW_AUDIT,), ("audit_",)),
]


def places(user: User, current: str = "") -> Iterator[Entry]:
    """The places this user may go to, in their fixed order."""
    for name, label, permissions, prefixes in PLACES:
        if not any(user.has(permission) for permission in permissions):
            continue
        try:
            href = reverse(name)
        except NoReverseMatch:  # the place is reached only from another page
            continue
        yield Entry(name, label, href, current == name or current.startswith(prefixes or ("\0",)))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor; must not fail where there is no user or no route (error pages)."""
    user: User | None = getattr(request, "user", None)
    match = getattr(request, "resolver_match", None)
    known = user is not None and user.is_authenticated
    # Somebody halfway through sign-in sees no links that would only lead back.
    settled = known and not getattr(request, "pending_step", "")
    return {
        "navigation": list(places(user, (match and match.url_name) or "")) if settled and user else [],
        "SYNTHETIC": settings.SYNTHETIC_BANNER,
        "session_seconds": seconds_left(request.session) if known else 0,
        "other_language": "zh-hans" if (get_language() or "").startswith("en") else "en",
    }
