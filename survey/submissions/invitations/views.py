"""The respondent invites colleagues to sections and withdraws invitations."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from survey.access.decorators import requires
from survey.access.forms import PlainForm
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import SurveyError
from survey.submissions.invitations import services as invitations
from survey.submissions.page.views import frame, load
from survey.submissions.selectors import Sheet, sheet_of


class ShareForm(PlainForm):
    """A new invitation: recipient, sections and validity."""

    name = forms.CharField(label=gettext_lazy("Name of the colleague"), max_length=60)
    email = forms.EmailField(label=gettext_lazy("Work e-mail"))
    days = forms.TypedChoiceField(
        label=gettext_lazy("The link works for"),
        coerce=int,
        initial=7,
        choices=[(days, format_lazy(gettext_lazy("{days} days"), days=days)) for days in (3, 7, 14, 30)],
    )
    sections = forms.MultipleChoiceField(
        label=gettext_lazy("Sections"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )

    def __init__(self, sheet: Sheet, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or ""
        self.fields["sections"].choices = [  # type: ignore[attr-defined]  # a field with choices
            (section.code, f"{section.code} {section.title.get(language)}")
            for section, _progress in sheet.sections
        ]


@requires(Permission.RESPOND)
@never_cache
@require_http_methods(["GET", "POST"])
def sheet_share(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Invitations of a sheet, and a form for a new one. The link is shown once, on creation."""
    submission = load(request, pk)
    sheet = sheet_of(submission)
    form = ShareForm(sheet, request.POST or None)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        site = request.build_absolute_uri("/")
        try:
            invitation, secret = invitations.invite(
                submission, by=request.user, site=site, **form.cleaned_data
            )
        except SurveyError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            context = {"link": invitations.link_to(site, secret), "invited": invitation}
            form = ShareForm(sheet)
    context |= frame(request, sheet) | {"form": form, "rows": invitations.live(submission).order_by("pk")}
    return page(
        request, "survey/submissions/invitations/share.html", context, status=422 if form.errors else 200
    )


@requires(Permission.RESPOND)
@require_POST
def share_withdraw(request: AuthenticatedRequest, pk: int, invitation: int) -> HttpResponse:
    """End an invitation."""
    invitations.withdraw(load(request, pk), by=request.user, invitation_id=invitation)
    messages.success(request, _("The invitation has been withdrawn."))
    return redirect("sheet_share", pk)
