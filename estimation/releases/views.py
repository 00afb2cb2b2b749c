"""Pages of the publishers: releases, their cells and checks, differences and transitions."""

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from estimation.releases import services
from estimation.releases.checks import Fault
from estimation.releases.differences import compare_cells, compare_with_report
from estimation.releases.forms import ActForm, PrepareForm
from estimation.releases.listing import selectors as release_reading
from estimation.releases.listing.selectors import ACTION_LABELS, FAULT_LABELS
from estimation.releases.models import Release
from estimation.releases.states import Action
from estimation.releases.transitions import refusals
from estimation.runs.selectors import choose_run
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_list(request: AuthenticatedRequest) -> HttpResponse:
    """Every release, newest first, and the form that prepares one."""
    return page(
        request,
        "estimation/releases/releases.html",
        {
            "releases": release_reading.all_releases().defer("content", "checks"),
            "runs": release_reading.releasable_runs(),
            "form": PrepareForm(),
            "may_publish": may(request.user, Permission.PUBLISH),
        },
    )


@requires(Permission.PUBLISH)
@require_POST
def release_prepare(request: AuthenticatedRequest) -> HttpResponse:
    """Prepare a draft of a run."""
    form = PrepareForm(request.POST)
    run = choose_run(str(form.cleaned_data["run"])) if form.is_valid() else None
    if run is None:
        messages.error(request, _("Choose a finished run."))
        return redirect("release_list")
    try:
        release = services.prepare_release(
            run=run,
            by=request.user,
            note_zh=form.cleaned_data["note_zh"],
            note_en=form.cleaned_data["note_en"],
        )
    except PolicyDenied as refusal:
        messages.error(request, str(refusal.sentence))
        return redirect("release_list")
    return redirect("release_detail", release.pk)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """State, possible actions, faults, identities, disclosure control."""
    release = _release(pk)
    possible = refusals(release, request.user)
    content = release_reading.content_of(release)
    return page(
        request,
        "estimation/releases/release.html",
        {
            "release": release,
            "active_page": "overview",
            "may_publish": may(request.user, Permission.PUBLISH),
            "counts": release_reading.counts(content),
            "acts": [(action, ACTION_LABELS[action], sentence) for action, sentence in possible.items()],
            "needs_reason": release_reading.NEEDS_REASON,
            "needs_moment": Action.SCHEDULE,
            "faults": _with_sentences(release.checks.faults),
            "remarks": _with_sentences(release.checks.remarks),
            "identities": release_reading.identities(content, get_language() or "zh"),
            "disclosure": release.checks.disclosure,
            "rules": release.checks.rules,
            "trail": release_reading.trail(release),
        },
    )


def _with_sentences(faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [
        {"where": fault.where, "sentence": str(FAULT_LABELS[fault.kind]) % {"detail": fault.detail}}
        for fault in faults
    ]


@requires(Permission.PUBLISH)
@require_POST
def release_act(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Apply a transition to a release, or fill its draft again."""
    release, form = _release(pk), ActForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The moment of publication is written as 2026-05-31 10:00."))
        return redirect("release_detail", pk)
    action = Action(form.cleaned_data["action"])
    try:
        if action is Action.REBUILD:
            services.rebuild_draft(release, by=request.user)
        else:
            services.transition(
                release, action, by=request.user, reason=form.cleaned_data["reason"], embargo=form.moment()
            )
    except PolicyDenied as refusal:
        messages.error(request, str(refusal.sentence))
    except PermissionDenied:
        raise Http404 from None
    else:
        messages.success(request, _("Done: %(action)s.") % {"action": ACTION_LABELS[action]})
    return redirect("release_detail", pk)


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_cells(request: HttpRequest, pk: int) -> HttpResponse:
    """Every cell with its quality, reason and lineage; by beginning of the key."""
    release, begins = _release(pk), request.GET.get("begins", "").strip()
    status = request.GET.get("status", "")
    rows = release_reading.cells(release_reading.content_of(release), begins, status)
    return page(
        request,
        "estimation/releases/release_cells.html",
        {
            "release": release,
            "active_page": "cells",
            "rows": rows[:400],
            "total": len(rows),
            "begins": begins,
            "status": status,
            "statuses": release_reading.STATUS_LABELS.items(),
        },
        partial="cells",
    )


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_disclosure(request: HttpRequest, pk: int) -> HttpResponse:
    """Withheld cells with their reasons, and the result of the audit."""
    release = _release(pk)
    return page(
        request,
        "estimation/releases/release_disclosure.html",
        {
            "release": release,
            "active_page": "disclosure",
            "disclosure": release.checks.disclosure,
            "rules": release.checks.rules,
            "withheld": release_reading.withheld(release),
        },
    )


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_differences(request: HttpRequest, pk: int) -> HttpResponse:
    """Cell by cell against the release before."""
    release = _release(pk)
    earlier = release_reading.release_before(release)
    rows = (
        compare_cells(release_reading.content_of(earlier).cells, release_reading.content_of(release).cells)
        if earlier
        else ()
    )
    return page(
        request,
        "estimation/releases/release_differences.html",
        {
            "release": release,
            "active_page": "differences",
            "earlier": earlier,
            "rows": rows[:500],
            "total": len(rows),
            "kinds": release_reading.DIFFERENCE_LABELS,
        },
    )


@requires(Permission.VIEW_ESTIMATES)
@require_GET
def release_comparison(request: HttpRequest, pk: int) -> HttpResponse:
    """Number by number against the published report of the year."""
    release = _release(pk)
    content = release_reading.content_of(release)
    rows = compare_with_report(content.cells, content.year, synthetic=content.is_synthetic)
    begins = request.GET.get("begins", "")
    shown = [row for row in rows if row.key.startswith(begins)]
    return page(
        request,
        "estimation/releases/release_comparison.html",
        {
            "release": release,
            "active_page": "comparison",
            "rows": shown,
            "begins": begins,
            "reasons": release_reading.COMPARISON_LABELS,
            "inside": sum(row.inside for row in rows),
            "total": len(rows),
            "begin_choices": ("", "SUP", "CIR", "USE", "T1", "T2", "T3", "T4", "TXT", "FC", "RK"),
        },
    )


def _release(pk: int) -> Release:
    return get_object_or_404(release_reading.all_releases(), pk=pk)
