"""Two pages for a forgotten password: request a link, and set a new password."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from survey.access.decorators import public
from survey.access.forms import ForgottenForm, RenewalForm
from survey.access.middleware import address_of
from survey.access.pages import page
from survey.access.recovery import services as recovery


@public
@never_cache
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Request a link. The response does not reveal whether the account exists."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if recovery.may_ask(address_of(request)):
            username = form.cleaned_data["username"].strip()
            recovery.ask_link(username, site=request.build_absolute_uri("/"))
            return page(request, "survey/access/recovery/password_forgotten.html", {"sent": True})
        form.add_error(None, _("Too many requests came from your network. Please try again in an hour."))
    status = 422 if form.errors else 200
    return page(request, "survey/access/recovery/password_forgotten.html", {"form": form}, status=status)


@public
@never_cache
@sensitive_post_parameters()
def password_renew(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a new password, by the link."""
    user = recovery.account_of(uid, token)
    if user is None:
        return page(request, "survey/access/recovery/password_renew.html", {"expired": True}, status=410)
    form = RenewalForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        recovery.renew_password(user=user, password=form.cleaned_data["new_password"])
        messages.success(request, _("Your password has been changed. Sign in with it."))
        return redirect("sign_in")
    context = {"form": form, "account": user}
    return page(
        request, "survey/access/recovery/password_renew.html", context, status=422 if form.errors else 200
    )
