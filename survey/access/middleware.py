"""Enforces the steps of signing in: session, second factor, own password, statutory notice."""

import ipaddress
import logging
from collections.abc import Callable
from typing import Any

from allauth.account.stages import LoginStageController
from allauth.mfa.stages import AuthenticateStage
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from config.errors import not_found
from survey import audit, clock
from survey.access import sessions
from survey.access.decorators import access_of
from survey.access.pages import page
from survey.access.roles import Role
from survey.access.second_factor import services as second_factor
from survey.exceptions import Overloaded, SurveyError

logger = logging.getLogger(__name__)
# Reachable at every step of signing in.
ALWAYS = frozenset({"sign_out", "set_language", "session_extend"})
# Pages that belong to a step.
BESIDE = {"second_factor_setup": frozenset({"passkey_new", "account_reauthenticate"})}


def address_of(request: HttpRequest) -> str | None:
    """The client's address; behind the proxy, config.web.forwarded has put it there."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR") or ""))
    except ValueError:  # a socket without an address, as in tests
        return None


class SignInMiddleware:
    """Requires a session for every view that is not public; turns refusals into messages or 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Record the address for the audit rows of this request; forbid caches to store pages."""
        with audit.address(address_of(request)):
            response = self.get_response(request)
            self._trace(request, response)
        if request.resolver_match and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Redirect to the first missing step of signing in."""
        if access_of(view) == "public":
            return None
        machine = _is_api(view)
        if _factor_missing(request):
            logout(request)
        if request.user.is_authenticated and sessions.too_old(request.session, clock.present()):
            logout(request)
            messages.info(request, _("Your session has reached its longest duration. Please sign in again."))
        if not request.user.is_authenticated:
            if not machine and (stage := LoginStageController.enter(request, AuthenticateStage.key)):
                return _go(request, reverse(stage.urlname))
            # DRF answers API clients itself, with its own error body.
            return None if machine else _to_sign_in(request)
        step = pending_step(request)
        if step and request.method == "GET" and not machine and not getattr(request, "htmx", False):
            request.session.setdefault(sessions.NEXT, request.get_full_path())
        request.pending_step = step  # type: ignore[attr-defined]  # read by the navigation
        match = request.resolver_match
        if not step or (match and match.url_name in ALWAYS | {step} | BESIDE.get(step, frozenset())):
            return None
        if machine:
            return _problem(_("Finish signing in on the web page first."), 403)
        return _go(request, reverse(step))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Show a refusal with its message; answer 404 for a missing permission."""
        if isinstance(exception, PermissionDenied):
            return not_found(request, exception)
        if not isinstance(exception, SurveyError):
            return None
        sentence = str(exception.sentence)
        if isinstance(exception, Overloaded):
            return _busy(request, exception)
        if getattr(request, "htmx", False):
            return page(
                request, "survey/access/refused.html", {"sentence": sentence}, "refusal", exception.status
            )
        if request.method == "POST":
            messages.error(request, sentence)
            return HttpResponseRedirect(
                _back(request)
            )  # an address; ``redirect`` takes other texts for names
        return page(request, "survey/access/refused.html", {"sentence": sentence}, status=exception.status)

    def _trace(self, request: HttpRequest, response: HttpResponse) -> None:
        """Record when a signed-in user requests something outside the user's scope."""
        match = request.resolver_match
        if response.status_code not in (403, 404) or not match or not request.user.is_authenticated:
            return
        audit.record(
            by=request.user,
            action="access_refused",
            succeeded=False,
            path=request.path[:200],
            method=request.method,
            view=match.url_name or "",
        )


def pending_step(request: HttpRequest) -> str:
    """URL name of the first step of signing in that is missing, or an empty string.

    The second factor of an account that has one was verified before the session began.
    """
    user: Any = request.user
    if user.must_change_password:
        return "password_change"
    if second_factor.required_of(user) and not second_factor.is_verified(request):
        return "second_factor_setup"
    if user.notice_read_at is None and Role.RESPONDENT in user.roles():
        return "notice"
    return ""


def _factor_missing(request: HttpRequest) -> bool:
    """True for a session that began before the account had the second factor that it needs."""
    user: Any = request.user
    if not user.is_authenticated or second_factor.is_verified(request):
        return False
    return second_factor.required_of(user) and second_factor.is_set_up(user)


def _busy(request: HttpRequest, exception: Overloaded) -> HttpResponse:
    """The page that asks for another attempt, and says when."""
    query = urlencode({"next": following}) if (following := request.POST.get("next")) else ""
    context = {"sentence": str(exception.sentence), "again": f"{request.path}?{query}".rstrip("?")}
    response = page(request, "survey/access/busy.html", context, status=exception.status)
    response.headers["Retry-After"] = str(exception.retry_after)
    return response


def _is_api(view: Any) -> bool:
    cls = getattr(view, "cls", None)
    return isinstance(cls, type) and issubclass(cls, APIView)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    htmx: Any = getattr(request, "htmx", None)
    if not htmx:
        return redirect_to_login(request.get_full_path() if request.method == "GET" else _back(request))
    # The address of a fragment is no page to return to. The page keeps the unsaved input and offers the
    # link, so this response must not navigate.
    response = HttpResponse(status=401)
    response.headers["X-Sign-In"] = redirect_to_login(htmx.current_url_abs_path or reverse("home")).url
    return response


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        response = HttpResponse(status=403)
        response.headers["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def _back(request: HttpRequest) -> str:
    """The page that contained the form, if it belongs to this site; else the home page."""
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return came_from
    return reverse("home")


def _problem(sentence: str, status: int) -> HttpResponse:
    body = {"type": "urn:problem:SignInIncomplete", "title": sentence, "status": status}
    return JsonResponse(body, status=status, content_type="application/problem+json")
