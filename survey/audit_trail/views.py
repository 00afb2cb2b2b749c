"""The audit trail for its reader: what happened in words. It tells of every room, so it stands in the last one."""

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
class Told:
    """One row of the trail: who, what, to what, and what else was noted."""

    event: trail.AuditEvent
    actor: User | None
    label: str
    thing: audit_objects.Thing | None
    facts: list[tuple[str, str, bool]]


@requires(Permission.VIEW_AUDIT)
@never_cache
@require_GET
def audit(request: AuthenticatedRequest) -> HttpResponse:
    """Search the audit trail. Searching it leaves a row in it."""
    kinds = [(code, kind.label) for code, kind in audit_objects.KINDS.items()]
    form = AuditFilter(list(ACTIONS.items()), kinds, request.GET or None)
    chosen: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    asked = {key: str(value) for key, value in chosen.items() if value}
    condition = audit_objects.about(chosen.pop("kind", ""), chosen.pop("subject", ""))
    rows = selectors.audit_events(**chosen)
    rows = rows.none() if condition is None else rows.filter(condition)
    found = selectors.CappedPaginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    trail.record(by=request.user, action="audit_searched", rows=found.paginator.count, filters=asked)
    context = {"form": form, "page": found, "events": _told(list(found), request.user)}
    return page(request, "survey/audit_trail/audit.html", context, status=422 if form.errors else 200)


def _told(events: list[trail.AuditEvent], user: User) -> list[Told]:
    things = audit_objects.things_of(events, user)
    people = User.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    return [
        Told(
            event,
            people.get(event.actor_id or 0),
            label_of(event.action),
            things.get((event.subject_type, event.subject_id)),
            list(audit_words.told(event.details)),
        )
        for event in events
    ]
