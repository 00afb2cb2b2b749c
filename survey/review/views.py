"""The review queue and the review sheet. Every write is a plain POST that redirects."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from survey.access.decorators import requires
from survey.access.models import User
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied, SurveyError
from survey.request_values import whole_number
from survey.review import presentation as choices
from survey.review import services
from survey.review.filters import QueueFilter, carried
from survey.review.forms import InvalidateForm, ReturnForm
from survey.review.selectors import neighbours, queue, round_of, rounds
from survey.review.sheet import selectors as reading
from survey.review.sheet.versions import presentation as versions
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.states import OWNERS, TRANSITIONS, Action, Owner, State
from survey.submissions.lifecycle.transitions import reaches
from survey.submissions.models import Submission
from survey.submissions.selectors import SHEET_RELATIONS

OWNER_SENTENCES = {
    Owner.RESPONDENT: gettext_lazy("The respondent has to act next."),
    Owner.PROVINCE: gettext_lazy("The province has to decide next."),
    Owner.NATION: gettext_lazy("The national desk has to decide next."),
    Owner.NOBODY: gettext_lazy("Nobody has to act: the sheet is settled."),
}


def review_sheets(user: User, permission: Permission = Permission.REVIEW) -> "QuerySet[Submission]":
    """Filed sheets in scope; sheets that were never filed are not shown to reviewers."""
    return (
        Submission.objects.visible_to(user, permission)
        .exclude(filed_at=None)
        .select_related(*SHEET_RELATIONS)
        .defer("assignment__version__document")
    )


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_queue(request: AuthenticatedRequest) -> HttpResponse:
    """The queue, filtered by the query string."""
    setting = QueueFilter.read(request.GET)
    opened = rounds()
    round_ = round_of(setting, opened)
    if round_ is None:
        return page(request, "survey/review/queue.html", {"setting": setting})
    result = queue(request.user, round_, setting, request.GET.get("page"))
    context = {
        "queue": result,
        "setting": setting,
        "rounds": opened,
        "filters": choices.filters(result),
        "desk_labels": sorted(state.value for state in result.desk),
        "may_review": bool(result.desk),
    }
    return page(request, "survey/review/queue.html", context, partial="desk")


@require_GET
@requires(Permission.VIEW_SHEETS)
def review_sheet(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A sheet beside last year's. Opening a sheet that the user decides on begins the review."""
    submission = get_object_or_404(review_sheets(request.user, Permission.VIEW_SHEETS), pk=pk)
    services.begin_review(submission, by=request.user)
    return show_sheet(request, submission)


@dataclass(frozen=True, slots=True)
class Button:
    """An action of the decision bar; enabled without reasons against it."""

    action: str
    reasons: list[Any]


def _buttons(submission: Submission, user: User) -> dict[str, Button]:
    """The actions that the user has permission for in this state, with the reasons that disable them."""
    buttons = {}
    for (state, action), move in TRANSITIONS.items():
        if state != submission.state or not reaches(
            submission, Permission(move.permission), move.level, user
        ):
            continue
        reasons = services.obstacles(submission, action, user)
        name = "accept" if action is Action.ACCEPT_FINALLY else action.value
        buttons[name] = Button(action.value, reasons)
    return buttons


def show_sheet(request: AuthenticatedRequest, submission: Submission, **extra: Any) -> HttpResponse:
    """The page of a sheet; ``extra`` is the context of a refused form."""
    setting = QueueFilter.read(request.GET)
    show = request.GET.get("show", "all")
    show = show if show in reading.SHOWS else "all"
    threshold = _digits(request, "over")
    percent = 50 if threshold is None else threshold
    content = reading.read(submission, show=show, over=percent)
    filed = versions.compared(submission, content, _digits(request, "older"), _digits(request, "newer"))
    events = reading.history(submission)
    context = {
        "submission": submission,
        "unit": submission.unit,
        "setting": setting,
        "content": content,
        "show": show,
        "over": percent,
        "thresholds": reading.THRESHOLDS,
        "versions": filed,
        "state_events": [e for e in events if e.kind != "value"],
        "value_events": [e for e in events if e.kind == "value"],
        "buttons": _buttons(submission, request.user),
        "owner": OWNER_SENTENCES[OWNERS[State(submission.state)]],
        "near": neighbours(request.user, setting, submission),
        "waiting": [remark for remark in content.remarks if remark.needs_verdict],
        "return_form": ReturnForm(auto_id="return_%s"),
        "reopen_form": ReturnForm(auto_id="reopen_%s"),
        "invalidate_form": InvalidateForm(auto_id="invalidate_%s"),
        "errors": [],
    }
    return page(request, "survey/review/sheet.html", {**context, **extra}, status=422 if extra else 200)


def _digits(request: HttpRequest, name: str) -> int | None:
    return whole_number(request.GET.get(name), 9_999)


def _address(request: HttpRequest, pk: int, anchor: str = "") -> str:
    query = carried(request.GET, request.GET.urlencode())
    return (
        reverse("review_sheet", args=[pk]) + (f"?{query}" if query else "") + (f"#{anchor}" if anchor else "")
    )


def _next_page(request: AuthenticatedRequest, submission: Submission) -> HttpResponse:
    """After a decision: the next sheet of the queue, or the queue when there is none."""
    setting = QueueFilter.read(request.GET)
    following = neighbours(request.user, setting, submission).next
    if following:
        return redirect(_address(request, following))
    return redirect(reverse("review_queue") + (f"?{setting.encoded}" if setting.encoded else ""))


@require_POST
@requires(Permission.REVIEW)
def review_query(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Comment on an item, or on the sheet."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    item = request.POST.get("item", "")
    text = request.POST.get("text", "")
    try:
        services.raise_query(submission, by=request.user, text=text, item=item)
    except PolicyDenied as refused:
        errors = [{"href": f"#ask-{item}", "text": refused.sentence}]
        return show_sheet(request, submission, errors=errors, asked={"item": item, "text": text})
    messages.success(request, _("Comment added. The respondent sees it once you return the sheet."))
    return redirect(_address(request, pk, f"item-{item.split('/')[0]}" if item else "comments"))


@require_POST
@requires(Permission.REVIEW)
def review_query_close(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Close a comment, or reopen it."""
    queries = ReviewQuery.objects.visible_to(request.user, Permission.REVIEW).select_related("submission")
    query = get_object_or_404(queries, pk=pk)
    if request.POST.get("again"):
        services.reopen_query(query, by=request.user, text=request.POST.get("text", ""))
        messages.success(request, _("Comment reopened."))
    else:
        services.close_query(query, by=request.user)
        messages.success(request, _("Comment closed."))
    anchor = f"item-{query.item.split('/')[0]}" if query.item else "comments"
    return redirect(_address(request, query.submission_id, anchor))


@require_POST
@requires(Permission.REVIEW)
def review_verdict(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Accept or refuse the reason for one unusual value."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    edit, verdict = request.POST.get("edit", ""), request.POST.get("verdict", "")
    services.judge_explanation(submission, by=request.user, edit=edit, verdict=verdict)
    texts = {"accepted": _("Explanation accepted."), "refused": _("Explanation refused.")}
    messages.success(request, texts.get(verdict, _("Judgement withdrawn.")))
    return redirect(_address(request, pk, f"finding-{edit}"))


def _shown(request: HttpRequest, name: str = "shown_filing") -> int | None:
    return whole_number(request.POST.get(name), 99_999)


@require_POST
@requires(Permission.REVIEW)
def review_accept(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Accept at the level of the user."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    reasons = _shown(request, "shown_reasons")
    services.accept_submission(
        submission, by=request.user, shown_filing=_shown(request), shown_reasons=reasons
    )
    messages.success(request, _("Accepted: %(name)s") % {"name": submission.unit.name})
    return _next_page(request, submission)


@require_POST
@requires(Permission.REVIEW)
def review_return(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Return with reason and date; a refusal redisplays the form."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    form = ReturnForm(request.POST, auto_id="return_%s")
    try:
        if not form.is_valid():
            return show_sheet(
                request, submission, return_form=form, errors=_errors(form, "return"), opened="return"
            )
        services.return_submission(
            submission,
            by=request.user,
            reason=form.cleaned_data["reason"],
            due_at=form.due_at,
            shown_filing=_shown(request),
        )
    except SurveyError as refused:
        errors = [{"href": "#decide", "text": refused.sentence}]
        fresh = get_object_or_404(review_sheets(request.user), pk=pk)
        return show_sheet(request, fresh, return_form=form, errors=errors, opened="return")
    messages.success(request, _("Returned: %(name)s") % {"name": submission.unit.name})
    return _next_page(request, submission)


def _errors(form: Any, prefix: str) -> list[dict[str, Any]]:
    return [
        {"href": f"#{prefix}_{name}", "text": sentence}
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]


@require_POST
@requires(Permission.REVIEW)
def review_send_back(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Nation: back to the provincial review."""
    submission = get_object_or_404(review_sheets(request.user), pk=pk)
    services.send_back(submission, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("Sent back to the province: %(name)s") % {"name": submission.unit.name})
    return _next_page(request, submission)


@require_POST
@requires(Permission.REOPEN)
def review_reopen(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Open an accepted sheet again."""
    submission = get_object_or_404(review_sheets(request.user, Permission.REOPEN), pk=pk)
    form = ReturnForm(request.POST, auto_id="reopen_%s")
    if not form.is_valid():
        return show_sheet(
            request, submission, reopen_form=form, errors=_errors(form, "reopen"), opened="reopen"
        )
    services.reopen(submission, by=request.user, reason=form.cleaned_data["reason"], due_at=form.due_at)
    messages.success(request, _("Reopened: %(name)s") % {"name": submission.unit.name})
    return redirect(_address(request, pk))


@require_POST
@requires(Permission.INVALIDATE)
def review_invalidate(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Rule a sheet out of the valid sample."""
    submission = get_object_or_404(review_sheets(request.user, Permission.INVALIDATE), pk=pk)
    services.invalidate(submission, by=request.user, reason_code=request.POST.get("reason_code", ""))
    messages.success(request, _("Ruled invalid: %(name)s") % {"name": submission.unit.name})
    return _next_page(request, submission)


@require_POST
@requires(Permission.INVALIDATE)
def review_reinstate(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Reverse the invalidation."""
    submission = get_object_or_404(review_sheets(request.user, Permission.INVALIDATE), pk=pk)
    services.reinstate(submission, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("Reinstated: %(name)s") % {"name": submission.unit.name})
    return redirect(_address(request, pk))
