"""Sign-in and sign-out, own password, statutory notice, second factor."""

import datetime as dt
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from django_otp import login as second_factor_login

from survey import audit
from survey.access import services, sessions
from survey.access.decorators import public, signed_in
from survey.access.forms import CodeForm, PasswordForm, SignInForm
from survey.access.idleness import services as idleness
from survey.access.middleware import address_of
from survey.access.models import User
from survey.access.navigation import home_of
from survey.access.pages import page
from survey.access.passwords import services as passwords
from survey.access.requests import AuthenticatedRequest
from survey.access.second_factor import services as second_factor

NEXT = "next_page"  # the page to open after the steps of signing in


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
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Account and password; the middleware requires the further steps."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect("home")
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        username = form.cleaned_data["username"].strip()
        user = authenticate(request, username=username, password=form.cleaned_data["password"])
        if isinstance(user, User) and not idleness.close_idle_accounts(only=user):
            return _start_session(request, user)
        _record_failure(username)
        form.add_error(None, _failure_message(username, form.cleaned_data["password"]))
    context = {"form": form, "next": _safe_next(request)}
    return page(request, "survey/access/sign_in.html", context, status=422 if form.errors else 200)


def _start_session(request: HttpRequest, user: User) -> HttpResponse:
    """Sign the user in: new session key, time of sign-in, pending steps."""
    next_url = _safe_next(request)
    login(request, user)
    request.session.cycle_key()
    sessions.start(request.session)
    if next_url:
        request.session[NEXT] = next_url
    if second_factor.device_of(user):
        request.session[sessions.SECOND_FACTOR_PENDING] = True
    if not user.must_change_password and passwords.has_expired(user):
        user.must_change_password = True
        user.save(update_fields=["must_change_password"])
    audit.record(by=user, action="sign_in", subject=user)
    return _continue(request)


def _failure_message(username: str, password: str) -> str:
    """The message of a failed sign-in. That an account is closed is shown only for the correct password."""
    closed = User.objects.filter(username=username, is_active=False).first()
    if closed is not None and closed.check_password(password):
        return _(
            "This account is closed: by an administrator, or because nobody has signed in for a long time. "
            "A system administrator can open it again."
        )
    return _("Account or password is wrong.")


def _record_failure(username: str) -> None:
    account = User.objects.filter(username=username).first()
    # The input is recorded only when it is an account: people enter passwords into the wrong field.
    audit.record(by=None, action="sign_in", subject=account, succeeded=False, known=account is not None)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """The page that django-axes shows after too many failures: end of the lock, and what else can be done."""
    username = (credentials or {}).get("username") or request.POST.get("username", "")
    attempts = AccessAttempt.objects.filter(username=username, ip_address=address_of(request))
    latest = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    until = (latest or timezone.now()) + (get_cool_off(request) or dt.timedelta())
    account = User.objects.filter(username=username).first()
    audit.record(
        by=None, action="sign_in_locked", subject=account, succeeded=False, known=account is not None
    )
    return page(request, "survey/access/locked.html", {"until": until}, status=429)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and delete its data."""
    if request.user.is_authenticated:
        audit.record(by=request.user, action="sign_out", subject=request.user)
    logout(request)
    messages.success(request, _("You have signed out."))
    return redirect("sign_in")


@public
@require_POST
def session_extend(request: HttpRequest) -> JsonResponse:
    """Extend the session. Returns the remaining seconds, or 401 when the session has ended."""
    if not request.user.is_authenticated or sessions.too_old(request.session):
        return JsonResponse({"seconds": 0, "sign_in": reverse("sign_in")}, status=401)
    return JsonResponse({"seconds": sessions.seconds_remaining(request.session)})


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
        update_session_auth_hash(request, user)
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


@signed_in
@never_cache
@sensitive_post_parameters("code")
def second_factor_challenge(request: AuthenticatedRequest) -> HttpResponse:
    """A code of the authenticator, or a recovery code."""
    user = request.user
    if second_factor.is_verified(user) or not second_factor.device_of(user):
        return redirect("home")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = second_factor.verify(by=user, code=form.cleaned_data["code"])
        if device is not None:
            second_factor_login(request, device)
            request.session.cycle_key()
            request.session.pop(sessions.SECOND_FACTOR_PENDING, None)
            return _continue(request)
        form.add_error("code", _wrong_code(user))
    return page(
        request, "survey/access/second_factor.html", {"form": form}, status=422 if form.errors else 200
    )


@signed_in
@never_cache
@sensitive_post_parameters("code")
def second_factor_setup(request: AuthenticatedRequest) -> HttpResponse:
    """Set up an authenticator, then show the recovery codes once. With a confirmed device, show its state."""
    user = request.user
    if second_factor.device_of(user):
        return _second_factor_state(request)
    pending = second_factor.begin_setup(by=user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        confirmed = second_factor.confirm_setup(by=user, code=form.cleaned_data["code"])
        if confirmed is not None:
            second_factor_login(request, confirmed[0])
            request.session.cycle_key()
            return page(request, "survey/access/recovery_codes.html", {"codes": confirmed[1]})
        form.add_error("code", _("This is not the code that the authenticator shows now."))
    context = {
        "form": form,
        # SVG made by segno from a generated key; it contains no user input.
        "qr": mark_safe(second_factor.qr_code(pending)),  # noqa: S308
        "secret": second_factor.secret_of(pending),
    }
    return page(
        request, "survey/access/second_factor_setup.html", context, status=422 if form.errors else 200
    )


def _second_factor_state(request: AuthenticatedRequest) -> HttpResponse:
    """The state of the user's second factor; new recovery codes once it is verified in this session."""
    user = request.user
    if request.method == "POST" and second_factor.is_verified(user):
        codes = second_factor.renew_recovery_codes(by=user)
        return page(request, "survey/access/recovery_codes.html", {"codes": codes})
    unused = second_factor.unused_recovery_codes(user)
    return page(request, "survey/access/second_factor_state.html", {"left": unused})


def _wrong_code(user: User) -> str:
    if second_factor.locked(user):
        return _("This code is wrong. After each wrong code you have to wait longer before the next.")
    return _("This code is wrong or has been used already.")


def _safe_next(request: HttpRequest) -> str:
    """The requested page, if it belongs to this site; else an empty string."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    return url if url_has_allowed_host_and_scheme(url, hosts, request.is_secure()) else ""


def _continue(request: HttpRequest) -> HttpResponse:
    """Redirect to the page requested before signing in; the middleware inserts missing steps."""
    try:
        return redirect(request.session.pop(NEXT, "") or "home")
    except NoReverseMatch:
        return redirect("home")
