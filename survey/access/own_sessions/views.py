"""The page of one's own sessions."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from survey.access.decorators import signed_in
from survey.access.own_sessions import services as own_sessions
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.request_values import row_key


@signed_in
@never_cache
@reauthentication_required(app="survey.access", allow_get=True)  # type: ignore[untyped-decorator]  # django-allauth has no types
def sessions(request: AuthenticatedRequest) -> HttpResponse:
    """Where this account is signed in; end one of these sessions, or all but the present one, after the password."""
    user = request.user
    if request.method == "POST":
        if (chosen := row_key(request.POST.get("session"))) is not None:
            if own_sessions.end_session(pk=chosen, by=user):
                messages.success(request, _("The session has been ended."))
        else:
            ended = own_sessions.end_other_sessions(by=user, keep=request.session.session_key)
            sentence = ngettext(
                "%(count)d other session has been ended.", "%(count)d other sessions have been ended.", ended
            )
            messages.success(request, sentence % {"count": ended})
        return redirect("sessions")
    context = {"sessions": own_sessions.open_sessions(request, user)}
    return page(request, "survey/access/own_sessions/sessions.html", context)
