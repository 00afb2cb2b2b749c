"""Signing in and out."""

from typing import Any

from allauth.account.views import LoginView, ReauthenticateView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from survey import audit
from survey.access import sessions
from survey.access.decorators import public
from survey.access.forms import ConfirmForm, SignInForm
from survey.access.guessing.services import TooManyAttempts
from survey.access.models import User
from survey.access.own_sessions import services as own_sessions
from survey.access.pages import page


class SignInView(LoginView):
    """Account and password; the second factor and the other steps follow."""

    access = "public"
    form_class = SignInForm
    template_name = "survey/access/sign_in/sign_in.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the password, unless failures before make this browser wait."""
        try:
            response: HttpResponseBase = super().post(request, *args, **kwargs)
            return response
        except TooManyAttempts as wait:
            return waiting(request, wait, request.POST.get("username", "").strip())

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """The page again, with what was wrong."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 422
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What the page shows."""
        next_page = self.request.POST.get("next") or self.request.GET.get("next") or ""
        host = {self.request.get_host()}
        safe = url_has_allowed_host_and_scheme(next_page, host, self.request.is_secure())
        providers = [(provider["kind"], provider["name"]) for provider in settings.SINGLE_SIGN_ON.values()]
        added = {"next": next_page if safe else "", "providers": providers}
        return {**super().get_context_data(**context), **added}


class ConfirmPasswordView(ReauthenticateView):
    """The password once more, before a second factor is changed or sessions are ended."""

    access = "signed_in"
    form_class = ConfirmForm
    template_name = "survey/access/sign_in/confirm.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the password, unless failures before make this browser wait."""
        try:
            response: HttpResponseBase = super().post(request, *args, **kwargs)
        except TooManyAttempts as wait:
            return waiting(request, wait, request.user.get_username())
        return response

    def form_valid(self, form: ConfirmForm) -> HttpResponse:
        """The session goes on under a new key, as after signing in."""
        response: HttpResponse = super().form_valid(form)
        own_sessions.forget(self.request)
        self.request.session.cycle_key()
        own_sessions.begin(self.request)
        return response

    def form_invalid(self, form: ConfirmForm) -> HttpResponse:
        """The page again, with what was wrong."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 422
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Where to go on afterwards."""
        return {**super().get_context_data(**context), "next": self.get_next_url() or ""}


def waiting(request: HttpRequest, wait: TooManyAttempts, username: str) -> HttpResponse:
    """The page that says when the next attempt is possible."""
    account = User.objects.filter(username=username).first()
    audit.record(
        by=None, action="sign_in_locked", subject=account, succeeded=False, known=account is not None
    )
    response = page(request, "survey/access/sign_in/waiting.html", {"until": wait.until}, status=429)
    response.headers["Retry-After"] = str(wait.seconds)
    return response


def _sign_in_page(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("sign_in"))


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, or the attempt to sign in that waits for the second factor, and all data kept in it.

    Who came from a provider of single sign-on goes on to its page for signing out, and comes back from there.
    """
    user, elsewhere = request.user, sessions.sign_out_address(request.session)
    if user.is_authenticated:
        audit.record(by=user, action="sign_out", subject=user)
        own_sessions.forget(request)
    logout(request)
    if user.is_authenticated:
        messages.success(request, _("You have signed out."))
    response = redirect("sign_in")
    if user.is_authenticated and elsewhere:
        response = redirect(f"{elsewhere}&{urlencode({'post_logout_redirect_uri': _sign_in_page(request)})}")
    # What pages of this session have left in the browser goes with it; what was typed and not sent yet stays.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
