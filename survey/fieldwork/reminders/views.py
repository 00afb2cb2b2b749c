"""Reminders with their decisions, and the notices of a respondent."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from survey import clock
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.fieldwork.exports.views import LATEST, PAGE_SIZE
from survey.fieldwork.models import Reminder, ReminderBatch
from survey.fieldwork.reminders import services as reminders
from survey.questionnaires.loader import load_codelist
from survey.review.filters import QueueFilter
from survey.review.selectors import round_of, rounds


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def reminders_page(request: AuthenticatedRequest) -> HttpResponse:
    """The number of sheets of each group; POST requests reminders to a group."""
    user = request.user
    setting = QueueFilter.read(request.POST if request.method == "POST" else request.GET)
    round_ = round_of(setting, rounds())
    errors: list[dict[str, Any]] = []
    if request.method == "POST" and round_ is not None:
        try:
            batch = reminders.request_reminders(
                by=user, round_=round_, group=request.POST.get("group", ""), category=setting.category
            )
        except PolicyDenied as refused:
            errors = [{"href": "#groups", "text": refused.sentence}]
        else:
            messages.success(request, _("The reminders are being sent."))
            return redirect("reminder_batch", batch.pk)
    groups = (
        []
        if round_ is None
        else [
            (code, label, reminders.candidates(user, round_, code, setting.category).count())
            for code, label in ReminderBatch.Group.choices
        ]
    )
    context = {
        "round": round_,
        "groups": groups,
        "setting": setting,
        "errors": errors,
        "categories": load_codelist("categories").entries,
        "batches": reminders.batches_of(user).annotate(size=Count("reminders"))[:LATEST],
    }
    return page(request, "survey/fieldwork/reminders/reminders.html", context, status=409 if errors else 200)


@require_GET
@requires(Permission.MANAGE_UNITS)
def reminder_batch(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The decisions of a batch about the units in the user's scope."""
    batch = get_object_or_404(reminders.batches_of(request.user), pk=pk)
    log = reminders.log_of(batch, request.user)
    counted = dict(log.order_by().values_list("outcome").annotate(size=Count("pk")))
    context = {
        "batch": batch,
        "outcomes": [(label, counted.get(code, 0)) for code, label in Reminder.Outcome.choices],
        "page_obj": Paginator(log, PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return page(request, "survey/fieldwork/reminders/reminder_batch.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.RESPOND)
def notices(request: AuthenticatedRequest) -> HttpResponse:
    """Notices to the respondent; POST marks all as read."""
    rows = reminders.notices_of(request.user)
    if request.method == "POST":
        rows.filter(read_at=None).update(read_at=clock.present())
        return redirect("notices")
    context = {
        "page_obj": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "unread": rows.filter(read_at=None).count(),
    }
    return page(request, "survey/fieldwork/reminders/notices.html", context)
