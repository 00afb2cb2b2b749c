"""Who may open a view, written on the view. The middleware refuses what is written nowhere.

Each view carries exactly one mark in ``view.access``: ``"public"``, ``"signed_in"``, or a tuple of the
permissions of which one is needed. A test reads the marks of the whole URL configuration.
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

# Views of packages, which cannot be decorated where they are written.
FOREIGN: dict[str, Access] = {
    "django.views.i18n.set_language": "public",
    "drf_spectacular.views.SpectacularAPIView": "signed_in",
}


def public(view: View) -> View:
    """Open to everybody, signed in or not."""
    return _mark(_same(view), "public")


def signed_in(view: View) -> View:
    """Open to every signed-in person."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return _mark(guarded, "signed_in")


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Open to those who hold one of the permissions somewhere; for all others the page does not exist.

    Where they hold it is decided row by row: the view starts from ``visible_to``.
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

        return _mark(guarded, permissions[0] if len(permissions) == 1 else permissions)

    return decorate


def access_of(view: Any) -> Access | None:
    """The mark of a view (function, class-based or DRF), or None when nobody wrote one."""
    mark: Access | None = getattr(view, "access", None)
    if mark is not None:
        return mark
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is not None:
        mark = getattr(cls, "access", None) or getattr(cls, "permission", None)
        if mark is not None:
            result: Access | None = mark
            return result
    named = cls or view
    return FOREIGN.get(f"{named.__module__}.{getattr(named, '__qualname__', '')}")


def opens(view: Any, user: User) -> bool:
    """May this user open this view at all (rows apart)? What the permission matrix expects."""
    mark = access_of(view)
    if mark == "public":
        return True
    if mark is None or not user.is_authenticated:
        return False
    if mark == "signed_in":
        return True
    wanted = (mark,) if isinstance(mark, Permission) else mark
    return any(user.has(permission) for permission in wanted if isinstance(permission, Permission))


def _same(view: View) -> View:
    @wraps(view)
    def passed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return passed


def _mark(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # functions take attributes; the type does not say so
    return view
