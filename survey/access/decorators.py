"""Access rules of views. The middleware refuses a view without a rule.

Each view has exactly one rule in ``view.access``: ``"public"``, ``"signed_in"``, or a tuple of the
permissions of which one is needed. A test reads the rules of the whole URL configuration.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase

from survey.access.models import User
from survey.access.roles import Permission

type Access = Literal["public", "signed_in"] | Permission | tuple[Permission, ...]
type View = Callable[..., HttpResponseBase]

# Views of third-party packages, which cannot be decorated in their own modules.
THIRD_PARTY_VIEWS: dict[str, Access] = {
    "django.views.i18n.set_language": "public",
    "drf_spectacular.views.SpectacularAPIView": "signed_in",
}


def public(view: View) -> View:
    """Open to everybody, signed in or not."""
    return _set_access(_unguarded_view(view), "public")


def signed_in(view: View) -> View:
    """Open to every signed-in person."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return _set_access(guarded, "signed_in")


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Open to those who have one of the permissions for any region; others get 404.

    The region is checked for each row: the view starts from ``visible_to``.
    """
    if not permissions:
        raise ValueError("requires() needs at least one permission")

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user: Any = request.user
            if not user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not any(user.has(permission) for permission in permissions):
                raise Http404
            return view(request, *args, **kwargs)

        return _set_access(guarded, permissions[0] if len(permissions) == 1 else permissions)

    return decorate


def reporting_characters(view: View) -> View:
    """A view whose form says at the field which character is not stored; other forms are refused as a whole."""
    view.reports_characters = True  # type: ignore[attr-defined]  # functions take attributes
    return view


def access_of(view: Any) -> Access | None:
    """The access rule of a view (function, class-based or DRF), or None when it has none."""
    access: Access | None = getattr(view, "access", None)
    if access is not None:
        return access
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is not None:
        access = getattr(cls, "access", None) or getattr(cls, "permission", None)
        if access is not None:
            result: Access | None = access
            return result
    named = cls or view
    return THIRD_PARTY_VIEWS.get(f"{named.__module__}.{getattr(named, '__qualname__', '')}")


def may_open(view: Any, user: User) -> bool:
    """Whether this user may open this view, regardless of rows. The permission matrix expects this result."""
    access = access_of(view)
    if access == "public":
        return True
    if access is None or not user.is_authenticated:
        return False
    if access == "signed_in":
        return True
    permissions = (access,) if isinstance(access, Permission) else access
    return any(user.has(permission) for permission in permissions if isinstance(permission, Permission))


def _unguarded_view(view: View) -> View:
    @wraps(view)
    def unguarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return unguarded


def _set_access(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # functions take attributes; the type does not say so
    return view
