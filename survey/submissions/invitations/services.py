"""Invitations by link: create and withdraw them, save as a guest, mail the link.

A guest can fill the sections of the invitation only; no other answer is shown and nothing can be submitted. The
link is random and stored as a hash only. It ends by date, by withdrawal, and when the sheet is filed.
"""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission
from survey.exceptions import PolicyDenied
from survey.jobs.mail.services import message_of
from survey.jobs.services import Work, enqueue
from survey.questionnaires.selectors import definition_for
from survey.submissions import cells
from survey.submissions.invitations.messages import SECRET_KEY_CHANGED
from survey.submissions.lifecycle.saving.services import SaveResult, autosave
from survey.submissions.lifecycle.signing import services as signing
from survey.submissions.lifecycle.signing.signatories import STEPS
from survey.submissions.lifecycle.states import EDITABLE, Owner
from survey.submissions.lifecycle.transitions import locked, reaches
from survey.submissions.models import SectionInvitation, Submission
from survey.submissions.selectors import SHEET_RELATIONS, Sheet, deadline, sheet

MOST = 20  # open invitations of one sheet
LONGEST_DAYS = 30
CHANNEL = "guest"


@transaction.atomic
def invite(
    submission: Submission,
    *,
    by: User,
    name: str,
    email: str,
    sections: Iterable[str],
    days: int,
    site: str = "",
) -> tuple[SectionInvitation, str]:
    """Invite somebody to fill sections. Returns the row and the secret of the link, never shown again.

    The link is mailed when ``site``, the address of the system, is given.

    Raises PermissionDenied, PolicyDenied.
    """
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    if row.state not in EDITABLE:
        raise PolicyDenied(_("The sheet takes no answers now, so nobody can be invited."))
    shown = [section.code for section, _progress in sheet(row).sections]
    chosen = [code for code in shown if code in set(sections)]
    if not chosen:
        raise PolicyDenied(_("Choose at least one section."))
    if live(row).count() >= MOST:
        raise PolicyDenied(_("There are too many open invitations. Withdraw one first."))
    nonce = secrets.token_urlsafe(24)
    secret = _secret(nonce)
    invitation = SectionInvitation.objects.create(
        submission=row,
        name=name,
        email=email,
        sections=chosen,
        secret_hash=_hash(secret),
        invited_by=by,
        expires_at=clock.present() + dt.timedelta(days=min(max(days, 1), LONGEST_DAYS)),
    )
    audit.record(
        by=by,
        action="section_invited",
        subject=row,
        region_path=row.unit.review_region.path,
        invitation=invitation.pk,
        sections=chosen,
    )
    _mail(invitation, nonce, site, by)
    return invitation, secret


@transaction.atomic
def withdraw(submission: Submission, *, by: User, invitation_id: int) -> None:
    """End an invitation: its link stops working at once."""
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    ended = live(row).filter(pk=invitation_id).update(withdrawn_at=clock.present())
    if not ended:
        raise PolicyDenied(_("This invitation has ended already."))
    audit.record(
        by=by,
        action="section_invitation_withdrawn",
        subject=row,
        region_path=row.unit.review_region.path,
        invitation=invitation_id,
    )


@transaction.atomic
def ask_signature(
    submission: Submission, *, by: User, name: str, email: str, role: str, site: str = ""
) -> tuple[SectionInvitation, str]:
    """Create the link for a step of the sign-off; an earlier link for the step stops working.

    The link is mailed when ``site``, the address of the system, is given.

    Raises PermissionDenied, PolicyDenied.
    """
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    if row.state not in EDITABLE or role not in signing.BY_LINK:
        raise PolicyDenied(_("Nobody can sign this sheet now."))
    live(row).filter(role=role).update(withdrawn_at=clock.present())
    nonce = secrets.token_urlsafe(24)
    secret = _secret(nonce)
    invitation = SectionInvitation.objects.create(
        submission=row,
        name=name,
        email=email,
        sections=[],
        role=role,
        secret_hash=_hash(secret),
        invited_by=by,
        expires_at=clock.present() + dt.timedelta(days=LONGEST_DAYS),
    )
    audit.record(
        by=by,
        action="signature_asked",
        subject=row,
        region_path=row.unit.review_region.path,
        invitation=invitation.pk,
        role=role,
    )
    _mail(invitation, nonce, site, by)
    return invitation, secret


def live(submission: Submission) -> Any:
    """Invitations of a sheet whose links work."""
    return submission.invitations.filter(withdrawn_at=None, expires_at__gt=clock.present())


def by_secret(secret: str) -> SectionInvitation | None:
    """The invitation of a link, while it is valid."""
    return _usable(secret_hash=_hash(secret))


def by_session(pk: int, secret_hash: str) -> SectionInvitation | None:
    """The invitation of a session, checked again with every request."""
    return _usable(pk=pk, secret_hash=secret_hash)


def _usable(**lookup: Any) -> SectionInvitation | None:
    rows = SectionInvitation.objects.select_related(
        *(f"submission__{name}" for name in SHEET_RELATIONS), "invited_by"
    ).defer("submission__assignment__version__document")
    invitation = rows.filter(**lookup, withdrawn_at=None, expires_at__gt=clock.present()).first()
    return invitation if invitation is not None and invitation.submission.state in EDITABLE else None


def guest_sheet(invitation: SectionInvitation, source: Sheet | None = None) -> Sheet:
    """The sheet as the guest sees it, without findings about other sections."""
    result = source or sheet(invitation.submission)
    items = items_of(invitation, result)
    result.findings = tuple(finding for finding in result.findings if set(finding.items) <= items)
    result.queries = ()  # comments are addressed to the unit, not to its guests
    return result


def items_of(invitation: SectionInvitation, current: Sheet) -> set[str]:
    """Codes of the items in the invited sections."""
    return {
        code
        for section in current.definition.sections
        if section.code in invitation.sections
        for code in section.items
    }


def save_as_guest(
    invitation: SectionInvitation,
    *,
    changes: Mapping[str, Any],
    base_revision: int,
    bases: Mapping[str, int],
    discard: Collection[str] = (),
) -> SaveResult:
    """Autosave of a guest: only cells of the invited sections; the event names the guest.

    Raises PolicyDenied when the sheet takes no answers.
    """
    allowed = items_of(invitation, sheet(invitation.submission))
    return autosave(
        invitation.submission,
        by=None,
        base_revision=base_revision,
        bases=bases,
        channel=CHANNEL,
        changes={key: raw for key, raw in changes.items() if cells.item_of(key) in allowed},
        discard=[key for key in discard if cells.item_of(key) in allowed],
        reason=f"#{invitation.pk}",
    )


def link_to(site: str, secret: str) -> str:
    """The address that opens an invitation; ``site`` is the address of the system."""
    return f"{site.rstrip('/')}{reverse('guest_open', args=[secret])}"


def _mail(invitation: SectionInvitation, nonce: str, site: str, by: Any) -> None:
    if site:
        arguments = {"nonce": nonce, "site": site, "language": get_language() or "zh-hans"}
        enqueue("invitation", invitation.pk, by=by, arguments=arguments, not_after=invitation.expires_at)


def send_invitation(work: Work) -> None:
    """Mail the link of the invitation that is the key of a job; nothing when it has ended meanwhile.

    Raises PolicyDenied when the secret key of the system has changed since.
    """
    invitation = _usable(pk=int(work.job.key))
    if invitation is None:
        return
    language, secret = work.job.arguments["language"], _secret(work.job.arguments["nonce"])
    if _hash(secret) != invitation.secret_hash:
        raise PolicyDenied(SECRET_KEY_CHANGED())
    link = link_to(work.job.arguments["site"], secret)
    submission = invitation.submission
    definition = definition_for(submission.assignment.version)
    with translation.override(language):
        titles = [
            section.title.get(language)
            for section in definition.sections
            if section.code in invitation.sections
        ]
        text = render_to_string(
            "email/invitation.txt",
            {
                "invitation": invitation,
                "link": link,
                "titles": titles,
                "form": definition.form_no,
                "year": submission.round.year,
                "role": STEPS.get(invitation.role, ""),
                "due": deadline(submission),
            },
        )
        subject = _("Please fill sections of the National Data Resource Survey")
        if invitation.role:
            subject = _("Please sign the form of the National Data Resource Survey")
        message_of(work.job, subject, text, invitation.email).send()


def _secret(nonce: str) -> str:
    """The secret of a link, derived from the nonce and the secret key, so that a stored job does not reveal it."""
    digest = salted_hmac("survey.invitation", nonce, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
