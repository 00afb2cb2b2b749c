"""Context of every page: the navigation of this user and the remaining time of the session.

Variables of the templates:

``navigation``       list of Entry (name, label, href, current)
``SYNTHETIC``        True when all data are synthetic (rehearsal)
``session_seconds``  seconds until this session ends without another request; 0 when nobody is signed in
``other_language``   code of the language to switch to
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language

from survey import clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.sessions import seconds_remaining


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the main navigation."""

    name: str
    label: str | Promise
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the main navigation, for users who have one of the permissions.

    ``position`` orders the navigation. ``home`` ranks the pages that can be a user's start page; 0: never.
    ``prefixes`` begin the URL names for which the entry is shown as the current one.
    """

    name: str
    label: str | Promise
    permissions: tuple[Permission, ...]
    position: int
    prefixes: tuple[str, ...] = ()
    home: int = 0


_PAGES: dict[str, Page] = {}
_LINKS: dict[str, str] = {}


def register(*pages: Page) -> None:
    """Add pages to the navigation. Raises ValueError when a position is taken."""
    for page in pages:
        if any(
            page.position == existing.position and page.name != existing.name for existing in _PAGES.values()
        ):
            raise ValueError(f"the position {page.position} is taken")
        _PAGES[page.name] = page


def entries(user: User, current: str = "") -> Iterator[Entry]:
    """The pages that this user may open, in order of position."""
    for page in sorted(_PAGES.values(), key=lambda page: page.position):
        if any(user.has(permission) for permission in page.permissions):
            is_current = current == page.name or current.startswith(page.prefixes or ("\0",))
            yield Entry(page.name, page.label, reverse(page.name), is_current)


def register_links(links: Mapping[str, str]) -> None:
    """Map the names of links in lower packages to URL names."""
    _LINKS.update(links)


def linked(name: str, *args: Any) -> str:
    """The address of a registered link. Raises ImproperlyConfigured when no package has registered it."""
    if name not in _LINKS:
        raise ImproperlyConfigured(f"no package has registered the link {name}")
    return reverse(_LINKS[name], args=args)


def home_of(user: User) -> Entry | None:
    """The start page of this user; None when the user may open none."""
    ranks = {page.name: page.home for page in _PAGES.values() if page.home}
    return min(
        (entry for entry in entries(user) if entry.name in ranks),
        key=lambda entry: ranks[entry.name],
        default=None,
    )


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor; must not fail without a user or a resolved URL (error pages)."""
    user: User | None = getattr(request, "user", None)
    match = getattr(request, "resolver_match", None)
    signed_in = user is not None and user.is_authenticated
    # While a step of signing in is missing, every link would lead back to that step.
    complete = signed_in and not getattr(request, "pending_step", "")
    return {
        "navigation": list(entries(user, (match and match.url_name) or "")) if complete and user else [],
        "SYNTHETIC": settings.SYNTHETIC_BANNER,
        "SURVEY_CONTACT": settings.SURVEY_CONTACT,
        "session_seconds": seconds_remaining(request.session, clock.present()) if signed_in else 0,
        "other_language": "zh-hans" if (get_language() or "").startswith("en") else "en",
    }
