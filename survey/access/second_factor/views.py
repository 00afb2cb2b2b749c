"""Pages of the second factor: the check at sign-in, setting it up, its state."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from survey import audit
from survey.access.decorators import signed_in
from survey.access.forms import ChallengeForm, CodeForm, PasskeyForm, PasskeySignInForm
from survey.access.guessing.services import TooManyAttempts, begin_code
from survey.access.own_sessions import services as own_sessions
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.second_factor import services as second_factor
from survey.access.sign_in.views import waiting
from survey.exceptions import Overloaded


class ChallengeView(AuthenticateView):
    """A code of the authenticator or a recovery code, between password and session."""

    access = "public"
    form_class = ChallengeForm
    template_name = "survey/access/second_factor/challenge.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the code, unless failures before make this browser wait."""
        username = self.stage.login.user.get_username()
        try:
            attempt = begin_code(request, username)
        except TooManyAttempts as wait:
            return waiting(request, wait, username)
        try:
            response: HttpResponseBase = super().post(request, *args, **kwargs)
        except Overloaded:  # nothing was checked
            attempt.succeeded()
            raise
        accepted = self.form.is_valid()
        kind = second_factor.kind_of(self.form) if accepted else ""
        user = self.stage.login.user
        audit.record(by=user, action="second_factor", subject=user, succeeded=accepted, kind=kind)
        if accepted:
            attempt.succeeded()
        else:
            attempt.failed()
            response.status_code = 422
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """The passkey is offered to those who have one."""
        has_passkey = second_factor.has_passkey(self.stage.login.user)
        return {**super().get_context_data(**context), "has_passkey": has_passkey}


class PasskeySignInView(LoginWebAuthnView):
    """A passkey instead of password and code. Scripts read what it has to sign, as JSON."""

    access = "public"
    form_class = PasskeySignInForm

    def form_invalid(self, form: PasskeySignInForm) -> HttpResponse:
        """Back to the page of sign-in, with what was wrong."""
        audit.record(by=None, action="sign_in", succeeded=False, kind="webauthn")
        response: HttpResponse = super().form_invalid(form)
        return response


class PasskeyAddView(AddWebAuthnView):
    """Make a passkey. The first factor of an account brings recovery codes along."""

    access = "signed_in"
    form_class = PasskeyForm
    template_name = "survey/access/second_factor/passkey_new.html"

    def form_valid(self, form: PasskeyForm) -> HttpResponse:
        """Keep the passkey; with the first factor show the recovery codes and end all other sessions."""
        request, user = self.request, self.request.user
        first = not second_factor.is_set_up(user)
        super().form_valid(form)
        codes = second_factor.passkey_added(request, by=user, first=first)
        if codes:
            own_sessions.end_sessions_of(user, keep=request.session.session_key)
            return page(request, "survey/access/second_factor/recovery_codes.html", {"codes": codes})
        messages.success(request, _("The passkey has been added."))
        return redirect("second_factor_setup")

    def get_success_url(self) -> str:
        """The state of the second factor."""
        return reverse("second_factor_setup")


class PasskeyRemoveView(RemoveWebAuthnView):
    """Remove a passkey, unless it is the last factor of somebody who needs one."""

    access = "signed_in"
    template_name = "survey/access/second_factor/passkey_remove.html"
    success_url = reverse_lazy("second_factor_setup")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Passkeys of others do not exist, also before the password is asked for."""
        get_object_or_404(second_factor.passkeys(request.user), pk=kwargs["pk"])
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it."""
        user = self.request.user
        if second_factor.is_last_needed(user):
            messages.error(self.request, _("This is your only second factor. Add another one first."))
            return redirect("second_factor_setup")
        response: HttpResponse = super().form_valid(form)
        audit.record(by=user, action="passkey_removed", subject=user)
        return response


@signed_in
@never_cache
@sensitive_post_parameters("code")
def second_factor_setup(request: AuthenticatedRequest) -> HttpResponse:
    """Pair an authenticator, then display the recovery codes once. With a factor already set up: its state."""
    response: HttpResponse = _state(request) if second_factor.is_set_up(request.user) else _first(request)
    return response


@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]  # django-allauth has no types
def _first(request: AuthenticatedRequest) -> HttpResponse:
    """Pair the first authenticator."""
    user = request.user
    secret = second_factor.begin_setup(request.session)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.confirm_setup(request, by=user, code=form.cleaned_data["code"])
        if codes is not None:
            own_sessions.forget(request)
            request.session.cycle_key()
            own_sessions.begin(request)
            own_sessions.end_sessions_of(user, keep=request.session.session_key)
            return page(request, "survey/access/second_factor/recovery_codes.html", {"codes": codes})
        form.add_error("code", _("This is not the code that the authenticator shows now."))
    context = {
        "form": form,
        "qr": second_factor.qr_code(user, secret),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }
    status = 422 if form.errors else 200
    return page(request, "survey/access/second_factor/setup.html", context, status=status)


def _state(request: AuthenticatedRequest) -> HttpResponse:
    """The state of the second factor. Recovery codes are renewed only in a session with a verified factor."""
    user = request.user
    verified = second_factor.is_verified(request)
    if request.method == "POST" and verified:
        renewed: HttpResponse = _renewed(request)
        return renewed
    context = {"left": second_factor.unused_recovery_codes(user), "verified": verified}
    context["passkeys"] = second_factor.passkeys(user)
    return page(request, "survey/access/second_factor/state.html", context)


@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]  # django-allauth has no types
def _renewed(request: AuthenticatedRequest) -> HttpResponse:
    """New recovery codes."""
    codes = second_factor.renew_recovery_codes(by=request.user)
    return page(request, "survey/access/second_factor/recovery_codes.html", {"codes": codes})
