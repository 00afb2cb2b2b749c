"""Approval of a design by a second person, and its withdrawal with a reason."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from estimation.design import selectors
from estimation.design.models import SampleDesign
from estimation.design.services import State, locked
from survey import audit, clock, locks
from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import may
from survey.exceptions import PolicyDenied

SHORTEST_REASON = 5


@transaction.atomic
def approve_design(design: SampleDesign, *, by: User, content_hash: str) -> SampleDesign:
    """Record the second person's approval of the displayed content. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied
    row = locked(design, (State.DRAWN,))
    if row.drawn_by_id is None:
        raise PolicyDenied(_("A sample that nobody has signed cannot be approved. Draw it as a person."))
    if by.pk == row.drawn_by_id:
        raise PolicyDenied(_("Who has drawn a sample cannot approve it. Ask a second person."))
    if content_hash != row.content_hash:
        raise PolicyDenied(
            _("The sample has been drawn again since you opened the page. Look at it once more.")
        )
    locks.hold(f"approved design of {row.round_id}")
    if SampleDesign.objects.filter(round=row.round, state__in=selectors.USABLE).exists():
        raise PolicyDenied(_("The round has an approved design. Withdraw it first."))
    row.state, row.approved_by, row.approved_at = State.APPROVED, by, clock.present()
    row.save(update_fields=["state", "approved_by", "approved_at"])
    audit.record(
        by=by, action="design_approved", subject=row, year=row.round.year, content_hash=row.content_hash
    )
    return row


@transaction.atomic
def withdraw_design(design: SampleDesign, *, by: User, reason: str) -> SampleDesign:
    """Withdraw a design before it is handed over. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.DESIGN_SAMPLE):
        raise PermissionDenied
    row = locked(design, (State.DRAFT, State.DRAWN, State.APPROVED))
    text = " ".join(reason.split())[:300]
    if len(text) < SHORTEST_REASON:
        raise PolicyDenied(_("Give a reason of at least %(count)s characters.") % {"count": SHORTEST_REASON})
    row.state, row.withdrawn_by, row.withdrawn_at, row.withdrawal_reason = (
        State.WITHDRAWN,
        by,
        clock.present(),
        text,
    )
    row.save(update_fields=["state", "withdrawn_by", "withdrawn_at", "withdrawal_reason"])
    audit.record(by=by, action="design_withdrawn", subject=row, year=row.round.year, reason=text)
    return row
