"""A copy of the site's URLconf with faulty views, each of which the permission matrix must report."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from rest_framework.request import Request
from rest_framework.views import APIView

import config.urls
from survey.access.decorators import public, requires, signed_in
from survey.access.models import User
from survey.access.roles import Permission, Role
from survey.frame.models import ReportingUnit


@require_GET
def _empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def without_access_rule(request: HttpRequest) -> HttpResponse:
    """A view without an access rule."""
    return HttpResponse()


correct = requires(Permission.VIEW_SHEETS)(_empty)
unlisted = signed_in(_empty)


@requires(Permission.VIEW_SHEETS)
@require_GET
def refuses_a_permitted_role(request: HttpRequest) -> HttpResponse:
    """404 for reviewers, who hold the required permission."""
    user: Any = request.user
    if Role.REVIEWER in user.roles():
        raise Http404
    return HttpResponse()


def admits_another_role(request: HttpRequest) -> HttpResponseBase:
    """200 for respondents, who lack the required permission."""
    if request.user.is_authenticated and Role.RESPONDENT in request.user.roles():
        return _empty(request)
    return requires(Permission.REVIEW)(_empty)(request)


admits_another_role.access = Permission.REVIEW  # type: ignore[attr-defined]  # functions take attributes


class AdmitsWithoutSession(APIView):
    """An endpoint that answers requests without a session."""

    permission = Permission.REVIEW
    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        """404 only for users without the required permission."""
        if request.user.is_authenticated and not request.user.has(self.permission):
            raise Http404
        return HttpResponse()


def writes_before_refusing(request: HttpRequest) -> HttpResponseBase:
    """404 for users without the required permission, for designers after a row was written."""
    user = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not user.has(Permission.REVIEW):
        if Role.DESIGNER in user.roles():
            User.objects.filter(pk=user.pk).update(name=user.name)
        raise Http404
    return _empty(request)


writes_before_refusing.access = Permission.REVIEW  # type: ignore[attr-defined]  # functions take attributes


@requires(Permission.VIEW_SHEETS)
@require_GET
def lists_units_of_every_region(request: HttpRequest) -> HttpResponse:
    """Names units without ``visible_to``."""
    return HttpResponse("\n".join(ReportingUnit.objects.values_list("name", flat=True)))


@csrf_exempt
@public
@require_POST
def exempt_from_csrf(request: HttpRequest) -> HttpResponse:
    """Takes a POST without a CSRF token."""
    return HttpResponse()


urlpatterns = [
    *config.urls.urlpatterns,
    path("planted/unnamed/", signed_in(_empty)),
    path("planted/without_access_rule/", without_access_rule, name="without_access_rule"),
    path("planted/unlisted/", unlisted, name="unlisted"),
    path("planted/correct/", correct, name="correct"),
    path("planted/refuses/", refuses_a_permitted_role, name="refuses_a_permitted_role"),
    path("planted/admits/", admits_another_role, name="admits_another_role"),
    path("planted/api/", AdmitsWithoutSession.as_view(), name="api_admits_without_session"),
    path("planted/writes/", writes_before_refusing, name="writes_before_refusing"),
    path("planted/lists/", lists_units_of_every_region, name="lists_units_of_every_region"),
    path("planted/csrf/", exempt_from_csrf, name="exempt_from_csrf"),
]
handler404 = config.urls.handler404
handler500 = config.urls.handler500
