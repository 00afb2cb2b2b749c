"""What every page's frame needs to know: where this person can go, and how long the session lasts.

Variables given to templates:

``navigation``       list of Entry (name, label, href, current)
``SYNTHETIC``        True when everything shown is made up (rehearsal)
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

from survey.access.models import User
from survey.access.roles import Permission
from survey.access.sessions import seconds_left


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the main navigation."""

    name: str
    label: str | Promise
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the main navigation offers to those who hold one of the permissions.

    ``position`` orders the navigation. ``home`` orders the pages on which somebody's day may start; 0: none of them.
    ``prefixes`` begin the names of other addresses at which the entry is shown as the current one.
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
    """Offer pages in the navigation. Raises ValueError when a position is taken."""
    for one in pages:
        if any(one.position == other.position and one.name != other.name for other in _PAGES.values()):
            raise ValueError(f"the position {one.position} is taken")
        _PAGES[one.name] = one


def entries(user: User, current: str = "") -> Iterator[Entry]:
    """The pages that this user may open, in their fixed order."""
    for one in sorted(_PAGES.values(), key=lambda one: one.position):
        if any(user.has(permission) for permission in one.permissions):
            is_current = current == one.name or current.startswith(one.prefixes or ("\0",))
            yield Entry(one.name, one.label, reverse(one.name), is_current)


def register_links(links: Mapping[str, str]) -> None:
    """Say which address a link of a lower package leads to: its name there -> name of the address."""
    _LINKS.update(links)


def linked(name: str, *args: Any) -> str:
    """Where a link leads that an upper package has registered. Raises ImproperlyConfigured for an unknown one."""
    if name not in _LINKS:
        raise ImproperlyConfigured(f"no package has registered the link {name}")
    return reverse(_LINKS[name], args=args)


def home_of(user: User) -> Entry | None:
    """Where this user's day starts; None when no page is open to them."""
    ranks = {one.name: one.home for one in _PAGES.values() if one.home}
    return min(
        (one for one in entries(user) if one.name in ranks), key=lambda one: ranks[one.name], default=None
    )


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor; must not fail where there is no user or no route (error pages)."""
    user: User | None = getattr(request, "user", None)
    match = getattr(request, "resolver_match", None)
    known = user is not None and user.is_authenticated
    # Somebody halfway through sign-in sees no links that would only lead back.
    settled = known and not getattr(request, "pending_step", "")
    return {
        "navigation": list(entries(user, (match and match.url_name) or "")) if settled and user else [],
        "SYNTHETIC": settings.SYNTHETIC_BANNER,
        "session_seconds": seconds_left(request.session) if known else 0,
        "other_language": "zh-hans" if (get_language() or "").startswith("en") else "en",
    }
