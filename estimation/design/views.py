"""Sample design: list, strata, alternatives side by side, draw, approval by a second person, hand-over."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from estimation.design import selectors, services
from estimation.design.approval import services as approval
from estimation.design.comparison.forms import Comparison, compare, draw_request
from estimation.design.files import sample_bytes
from estimation.design.forms import DrawForm, RulesForm
from estimation.design.hand_over import services as services_hand_over
from estimation.design.messages import METHOD_LABELS, REASON_LABELS
from estimation.design.models import SampleDesign, Stratum
from survey import audit
from survey.access.decorators import requires
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.classification import REGIONS, SECTIONS
from survey.exceptions import SurveyError
from survey.frame.files import CONTENT_TYPES

P = Permission.DESIGN_SAMPLE
State = SampleDesign.State
TONES = {
    "draft": "neutral",
    "drawn": "warn",
    "approved": "info",
    "handed_over": "good",
    "withdrawn": "neutral",
}
STEPS = (State.DRAFT, State.DRAWN, State.APPROVED, State.HANDED_OVER)


@requires(P)
@require_GET
def designs(request: AuthenticatedRequest) -> HttpResponse:
    """All designs, newest first, and what can be designed next."""
    context = {
        "rows": [(row, TONES[row.state]) for row in selectors.designs()],
        "rounds": selectors.plannable_rounds(),
        "may_plan": request.user.has(Permission.DESIGN),
    }
    return page(request, "estimation/design/list.html", context)


@requires(P)
def design_new(request: AuthenticatedRequest) -> HttpResponse:
    """Choose the round and the take-all rules; build strata from the current frame."""
    rounds = selectors.plannable_rounds()
    form = RulesForm(
        request.POST if request.method == "POST" else None,
        rounds=rounds,
        initial={"round": request.GET.get("round", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = services.build_design(
                round=form.rounds[form.cleaned_data["round"]], by=request.user, rules=form.rules()
            )
            return redirect("design_detail", row.pk)
        except SurveyError as refusal:
            form.add_error(None, str(refusal.sentence))
    errors = [
        {"href": "" if name == "__all__" else f"#id_{name}", "text": text}
        for name, texts in form.errors.items()
        for text in texts
    ]
    context = {
        "form": form,
        "errors": errors,
        "rounds": rounds,
        "may_plan": request.user.has(Permission.DESIGN),
    }
    return page(request, "estimation/design/new.html", context, status=422 if errors else 200)


def _load(pk: int) -> SampleDesign:
    return get_object_or_404(selectors.designs(), pk=pk)


@requires(P)
@require_GET
def design_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """One design: its state, its strata, reasons of take-all units, overlap, and the next step."""
    row = _load(pk)
    done = STEPS.index(State(row.state)) if row.state in STEPS else -1
    kinds = selectors.strata_by_kind(row)
    asked = row.allocation.request
    context = {
        "design": row,
        "tone": TONES[row.state],
        "steps": [(step.label, index < done, index == done) for index, step in enumerate(STEPS)],
        "kinds": [
            (
                Stratum.Kind(line["kind"]).label,
                Stratum.Reason(line["reason"]).label if line["reason"] else "",
                line,
            )
            for line in kinds
        ],
        "sums": {
            name: sum(line[name] for line in kinds) for name in ("strata", "population", "listed", "drawn")
        },
        "reasons": [(REASON_LABELS[code], count) for code, count in row.summary.reasons.items()],
        "method": METHOD_LABELS[asked.method] if asked else "",
        "percent": services_hand_over.percent_of(row),
        "own_draw": row.drawn_by_id == request.user.pk,
        "formats": list(CONTENT_TYPES),
        "drawn": row.state in (State.DRAWN, State.APPROVED, State.HANDED_OVER),
        "may_withdraw": row.state in (State.DRAFT, State.DRAWN, State.APPROVED),
    }
    return page(request, "estimation/design/detail.html", context)


@requires(P)
@require_GET
def design_allocation(request: HttpRequest, pk: int) -> HttpResponse:
    """Up to three allocations side by side; all parameters are in the address, so the page can be bookmarked."""
    row = _load(pk)
    if row.basis.response is None:
        raise Http404
    seen: Comparison = compare(row, request.GET)
    context = {"design": row, "seen": seen, "may_draw": row.state in (State.DRAFT, State.DRAWN)}
    return page(request, "estimation/design/allocation.html", context, status=422 if seen.errors else 200)


@requires(P)
@require_POST
def design_draw(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Draw the sample of one alternative."""
    row = _load(pk)
    allocation, form = draw_request(row, request.POST), DrawForm(request.POST)
    if allocation is None or not form.is_valid():
        messages.error(
            request, _("The alternative or the start point cannot be used. Look at the page again.")
        )
        return redirect("design_allocation", pk)
    return _act(
        request,
        pk,
        _("The sample has been drawn. A second person approves it now."),
        lambda: services.draw_sample(
            row,
            by=request.user,
            request=allocation,
            response=form.cleaned_data["response"] / 100,
            start=form.cleaned_data["start"],
        ),
        "design_allocation",
    )


def _act(
    request: HttpRequest, pk: int, done: str, act: Callable[[], Any], back: str = "design_detail"
) -> HttpResponse:
    """Call a service; a refusal becomes a message on the page that sent the form."""
    try:
        act()
    except SurveyError as refusal:
        messages.error(request, str(refusal.sentence))
        return redirect(back, pk)
    messages.success(request, done)
    return redirect("design_detail", pk)


@requires(P)
@require_POST
def design_approve(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Approve the displayed draw as the second person."""
    row, shown = _load(pk), request.POST.get("content_hash", "")
    return _act(
        request,
        pk,
        _("The design has been approved."),
        lambda: approval.approve_design(row, by=request.user, content_hash=shown),
    )


@requires(P)
@require_POST
def design_withdraw(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Withdraw a design, with a reason."""
    row, reason = _load(pk), request.POST.get("reason", "")
    return _act(
        request,
        pk,
        _("The design has been withdrawn."),
        lambda: approval.withdraw_design(row, by=request.user, reason=reason),
    )


@requires(P)
@require_POST
def design_hand_over(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Assign the drawn units to the planned round; a worker hands a large sample over."""
    row = _load(pk)
    try:
        sent = services_hand_over.proceed(services_hand_over.request_hand_over(row, by=request.user))
    except SurveyError as refusal:
        messages.error(request, str(refusal.sentence))
        return redirect("design_detail", pk)
    row = _load(pk)
    if row.state == State.HANDED_OVER:
        messages.success(
            request, _("The sample has been handed over: every drawn unit is asked in the round.")
        )
    elif row.job is not None and row.job.error:
        messages.error(request, str(row.job.error))
    elif not sent:
        messages.warning(request, _("The hand-over is noted. It starts when the task queue is back."))
    return redirect("design_detail", pk)


@requires(P)
@require_GET
def design_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Progress of the hand-over; reloads the page when it has finished."""
    row = _load(pk)
    context = {"design": row, "percent": services_hand_over.percent_of(row)}
    response = page(request, "estimation/design/detail.html", context, partial="progress")
    if not row.is_being_handed_over and getattr(request, "htmx", None):
        response.headers["HX-Refresh"] = "true"
    return response


@requires(P)
@require_POST
def design_redraw(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Repeat the draw from its parameters and compare the hashes. Nothing is stored."""
    row = _load(pk)
    if row.allocation.request is None:
        raise Http404
    content_hash = services.redraw_hash(row)
    audit.record(by=request.user, action="design_checked", subject=row, same=content_hash == row.content_hash)
    if content_hash is None:
        messages.warning(
            request, _("The frame has changed since the draw, so it cannot be made again from it.")
        )
    elif content_hash == row.content_hash:
        messages.success(request, _("Drawn again from the parameters: the same sample to the unit."))
    else:
        messages.error(
            request, _("Drawn again from the parameters: another sample. Do not approve this design.")
        )
    return redirect("design_detail", pk)


@requires(P)
@require_GET
def design_strata(request: HttpRequest, pk: int) -> HttpResponse:
    """The list of strata, filtered."""
    row = _load(pk)
    filters = {name: request.GET.get(name, "") for name in ("kind", "region", "section")}
    strata = selectors.strata_page(row, **filters)
    context = {
        "design": row,
        "filters": filters,
        "page": Paginator(strata, 100).get_page(request.GET.get("page")),
        "kinds": Stratum.Kind.choices,
        "regions": REGIONS,
        "sections": SECTIONS,
        "items": row.basis.items,
    }
    return page(request, "estimation/design/strata.html", context)


@requires(P)
@require_GET
def design_sample(request: AuthenticatedRequest, pk: int, form: str) -> HttpResponse:
    """The drawn units as a file; the download is recorded."""
    row = _load(pk)
    if form not in CONTENT_TYPES or row.state not in (State.DRAWN, State.APPROVED, State.HANDED_OVER):
        raise Http404
    rows = selectors.sample_rows(row, request.user)
    facts = {"design": str(row), "sha256": row.content_hash, "state": row.state, "units": str(len(rows))}
    if row.is_synthetic:
        facts["synthetic"] = "rehearsal, every unit is made up"
    response = HttpResponse(sample_bytes(rows, form, facts), content_type=CONTENT_TYPES[form])
    response.headers["Content-Disposition"] = (
        f'attachment; filename="sample-{row}-{row.content_hash[:12]}.{form}"'
    )
    audit.record(
        by=request.user,
        action="sample_downloaded",
        subject=row,
        rows=len(rows),
        format=form,
        content_hash=row.content_hash,
    )
    return response
