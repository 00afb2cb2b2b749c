"""The sign-off in turn: the respondent signs and sends links; the two heads sign on pages of guests."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from survey.access.decorators import requires
from survey.access.forms import PlainForm
from survey.access.roles import Permission
from survey.submissions.invitations import services as invitations
from survey.submissions.lifecycle import signing
from survey.submissions.page.views import load
from survey.submissions.tasks import send_invitation_later


class SignatoryForm(PlainForm):
    """To whom the link for a step goes."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    email = forms.EmailField(label=gettext_lazy("Work e-mail"))
    role = forms.ChoiceField(choices=[(role, role) for role in signing.BY_LINK])


@requires(Permission.RESPOND)
@require_POST
def sheet_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """The first step: whoever filled signs with their account."""
    signing.sign(
        load(request, pk),
        role="filler",
        name=request.POST.get("name", ""),
        seen_hash=request.POST.get("hash", ""),
        by=request.user,
    )
    messages.success(request, _("You have signed. Send the form to the head of statistics now."))
    return redirect("sheet_submit", pk)


@requires(Permission.RESPOND)
@require_POST
def sheet_ask_signature(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the link for the next step."""
    submission = load(request, pk)
    form = SignatoryForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter the name and the work e-mail of the person who signs."))
        return redirect("sheet_submit", pk)
    invitation, secret = invitations.ask_signature(submission, by=request.user, **form.cleaned_data)
    link = request.build_absolute_uri(reverse("guest_open", args=[secret]))
    send_invitation_later(invitation.pk, link)
    text = _("The link goes to %(email)s. Should you want to hand it on yourself: %(link)s")
    messages.success(request, text % {"email": invitation.email, "link": link})
    return redirect("sheet_submit", pk)
