"""Start page, accessibility, own password, statutory notice."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from survey import clock
from survey.access import services, sessions
from survey.access.decorators import public, signed_in
from survey.access.forms import PasswordForm
from survey.access.navigation import home_of
from survey.access.own_sessions import services as own_sessions
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest


@signed_in
@require_GET
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Redirect to the user's start page; users without a role get a page that says so."""
    start = home_of(request.user)
    if start is not None:
        return redirect(start.href)
    return page(request, "survey/access/home.html")


@public
@require_GET
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement: conformance, known limits, contact."""
    context = {"contact": settings.SURVEY_CONTACT, "authority": settings.SURVEY_AUTHORITY}
    return page(request, "survey/access/accessibility.html", context)


@public
@require_POST
def session_extend(request: HttpRequest) -> JsonResponse:
    """Extend the session. Returns the remaining seconds, or 401 when the session has ended."""
    if not request.user.is_authenticated or sessions.too_old(request.session, clock.present()):
        return JsonResponse({"seconds": 0, "sign_in": reverse("sign_in")}, status=401)
    return JsonResponse({"seconds": sessions.seconds_remaining(request.session, clock.present())})


@signed_in
@never_cache
@sensitive_post_parameters()
def password_change(request: AuthenticatedRequest) -> HttpResponse:
    """The user's own password; required at first sign-in, after a reset and when it has expired."""
    user = request.user
    forced = user.must_change_password
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.change_password(password=form.cleaned_data["new_password"], by=user)
        own_sessions.end_sessions_of(user)
        update_session_auth_hash(request, user)
        own_sessions.begin(request)
        messages.success(request, _("Your password has been changed. Other sessions have been ended."))
        return _continue(request)
    context = {"form": form, "forced": forced}
    return page(request, "survey/access/password.html", context, status=422 if form.errors else 200)


@signed_in
def notice(request: AuthenticatedRequest) -> HttpResponse:
    """The statutory notice, to be confirmed once."""
    if request.method == "POST":
        services.read_notice(by=request.user)
        return _continue(request)
    read = getattr(request.user, "notice_read_at", None)
    return page(request, "survey/access/notice.html", {"read_at": read})


def _continue(request: HttpRequest) -> HttpResponse:
    """Redirect to the page requested before signing in; the middleware inserts missing steps."""
    return redirect(request.session.pop(sessions.NEXT, "") or reverse("home"))
