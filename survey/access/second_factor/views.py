"""Pages of the second factor: the check at sign-in, setting it up, its state."""

from typing import Any

from allauth.mfa.base.views import AuthenticateView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from survey import audit
from survey.access.decorators import signed_in
from survey.access.forms import ChallengeForm, CodeForm
from survey.access.guessing.services import TooManyAttempts, begin_code
from survey.access.own_sessions import services as own_sessions
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.second_factor import services as second_factor
from survey.access.sign_in.views import waiting


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
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        accepted = self.form.is_valid()
        kind = self.form.authenticator.type if accepted else ""
        user = self.stage.login.user
        audit.record(by=user, action="second_factor", subject=user, succeeded=accepted, kind=kind)
        if accepted:
            attempt.succeeded()
        else:
            attempt.failed()
            response.status_code = 422
        return response


@signed_in
@never_cache
@sensitive_post_parameters("code")
def second_factor_setup(request: AuthenticatedRequest) -> HttpResponse:
    """Pair an authenticator, then display the recovery codes once. With a factor already set up: its state."""
    user = request.user
    if second_factor.is_set_up(user):
        return _state(request)
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
        codes = second_factor.renew_recovery_codes(by=user)
        return page(request, "survey/access/second_factor/recovery_codes.html", {"codes": codes})
    context = {"left": second_factor.unused_recovery_codes(user), "verified": verified}
    return page(request, "survey/access/second_factor/state.html", context)
