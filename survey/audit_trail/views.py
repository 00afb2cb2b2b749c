"""The page of the audit trail."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from survey import audit as trail
from survey.access import selectors
from survey.access.decorators import requires
from survey.access.forms import AuditFilter
from survey.access.models import User
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.audit_trail import presentation as audit_words
from survey.audit_trail import selectors as audit_objects
from survey.audit_trail.labels import ACTIONS, label_of

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class EventRow:
    """An audit row with actor, label of the action, subject and details for display."""

    event: trail.AuditEvent
    actor: User | None
    label: str
    subject: audit_objects.Subject | None
    details: list[tuple[str, str, bool]]


@requires(Permission.VIEW_AUDIT)
@never_cache
@require_GET
def audit(request: AuthenticatedRequest) -> HttpResponse:
    """Search the audit trail. The search itself is recorded."""
    kinds = [(code, kind.label) for code, kind in audit_objects.KINDS.items()]
    form = AuditFilter(list(ACTIONS.items()), kinds, request.GET or None)
    chosen: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    filters = {key: str(value) for key, value in chosen.items() if value}
    condition = audit_objects.condition_for(chosen.pop("kind", ""), chosen.pop("subject", ""))
    rows = selectors.audit_events(**chosen)
    rows = rows.none() if condition is None else rows.filter(condition)
    events = selectors.CappedPaginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    trail.record(by=request.user, action="audit_searched", rows=events.paginator.count, filters=filters)
    context = {"form": form, "page": events, "events": _rows_of(list(events), request.user)}
    return page(request, "survey/audit_trail/audit.html", context, status=422 if form.errors else 200)


def _rows_of(events: list[trail.AuditEvent], user: User) -> list[EventRow]:
    subjects = audit_objects.subjects_of(events, user)
    people = User.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    return [
        EventRow(
            event,
            people.get(event.actor_id or 0),
            label_of(event.action),
            subjects.get((event.subject_type, event.subject_id)),
            list(audit_words.described(event.details, event.action)),
        )
        for event in events
    ]
