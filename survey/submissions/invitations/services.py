"""Single sections in other hands: an invitation by link, what its holder may fill, and how it ends.

Whoever holds the link fills the sections that it names, and nothing else: no other answer is shown, nothing can be
submitted. The link is random and stored as a hash only; it ends by date, by revocation, and with the sheet.
"""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey import audit
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
        expires_at=timezone.now() + dt.timedelta(days=min(max(days, 1), LONGEST_DAYS)),
    )
    audit.record(
        by=by,
        action="section_invited",
        subject=row,
        region_path=row.unit.review_region.path,
        invitation=invitation.pk,
        sections=chosen,
        email=email,
    )
    _mail(invitation, nonce, site, by)
    return invitation, secret


@transaction.atomic
def withdraw(submission: Submission, *, by: User, invitation_id: int) -> None:
    """End an invitation: its link stops working at once."""
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    ended = live(row).filter(pk=invitation_id).update(withdrawn_at=timezone.now())
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
    """A link for a step of the sign-off; an earlier link for the same step stops working.

    The link is mailed when ``site``, the address of the system, is given.

    Raises PermissionDenied, PolicyDenied.
    """
    row = locked(submission)
    if not reaches(row, Permission.RESPOND, Owner.RESPONDENT, by):
        raise PermissionDenied
    if row.state not in EDITABLE or role not in signing.BY_LINK:
        raise PolicyDenied(_("Nobody can sign this sheet now."))
    live(row).filter(role=role).update(withdrawn_at=timezone.now())
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
        expires_at=timezone.now() + dt.timedelta(days=LONGEST_DAYS),
    )
    audit.record(
        by=by,
        action="signature_asked",
        subject=row,
        region_path=row.unit.review_region.path,
        invitation=invitation.pk,
        role=role,
        email=email,
    )
    _mail(invitation, nonce, site, by)
    return invitation, secret


def live(submission: Submission) -> Any:
    """Invitations of a sheet whose links work."""
    return submission.invitations.filter(withdrawn_at=None, expires_at__gt=timezone.now())


def by_secret(secret: str) -> SectionInvitation | None:
    """The invitation that a link belongs to, while it works."""
    return _found(secret_hash=_hash(secret))


def by_session(pk: int, secret_hash: str) -> SectionInvitation | None:
    """The invitation that a browser has proved to hold, looked up anew with every request."""
    return _found(pk=pk, secret_hash=secret_hash)


def _found(**wanted: Any) -> SectionInvitation | None:
    rows = SectionInvitation.objects.select_related(
        *(f"submission__{name}" for name in SHEET_RELATIONS), "invited_by"
    ).defer("submission__assignment__version__document")
    found = rows.filter(**wanted, withdrawn_at=None, expires_at__gt=timezone.now()).first()
    return found if found is not None and found.submission.state in EDITABLE else None


def guest_sheet(invitation: SectionInvitation, whole: Sheet | None = None) -> Sheet:
    """The sheet as the guest sees it: findings that tell of other sections are left out."""
    result = whole or sheet(invitation.submission)
    items = items_of(invitation, result)
    result.findings = tuple(one for one in result.findings if set(one.items) <= items)
    result.queries = ()  # reviewers write to the unit, not to its guests
    return result


def items_of(invitation: SectionInvitation, of: Sheet) -> set[str]:
    """Items that the invitation opens."""
    return {code for one in of.definition.sections if one.code in invitation.sections for code in one.items}


def save_as_guest(
    invitation: SectionInvitation, *, changes: Mapping[str, Any], base_revision: int, bases: Mapping[str, int]
) -> SaveResult:
    """Autosave of a guest: only cells of the invited sections; the event says by whose link.

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
        reason=f"{invitation.name} <{invitation.email}>",
    )


def link_to(site: str, secret: str) -> str:
    """The address that opens an invitation; ``site`` is the address of the system."""
    return f"{site.rstrip('/')}{reverse('guest_open', args=[secret])}"


def _mail(invitation: SectionInvitation, nonce: str, site: str, by: Any) -> None:
    if site:
        given = {"nonce": nonce, "site": site, "language": get_language() or "zh-hans"}
        enqueue("invitation", invitation.pk, by=by, arguments=given, not_after=invitation.expires_at)


def send_invitation(work: Work) -> None:
    """Mail the link of the invitation that is the key of a job; nothing when it has ended meanwhile.

    Raises PolicyDenied when the secret key of the system has changed since.
    """
    invitation = _found(pk=int(work.job.key))
    if invitation is None:
        return
    language, secret = work.job.arguments["language"], _secret(work.job.arguments["nonce"])
    if _hash(secret) != invitation.secret_hash:
        raise PolicyDenied(SECRET_KEY_CHANGED())
    link = link_to(work.job.arguments["site"], secret)
    submission = invitation.submission
    definition = definition_for(submission.assignment.version)
    with translation.override(language):
        titles = [one.title.get(language) for one in definition.sections if one.code in invitation.sections]
        text = render_to_string(
            "email/invitation.txt",
            {
                "invitation": invitation,
                "link": link,
                "titles": titles,
                "form": definition.form_no,
                "year": submission.round.year,
                "role": signing.STEPS.get(invitation.role, ""),
                "due": deadline(submission),
            },
        )
        subject = _("Please fill sections of the National Data Resource Survey")
        if invitation.role:
            subject = _("Please sign the form of the National Data Resource Survey")
        message_of(work.job, subject, text, invitation.email).send()


def _secret(nonce: str) -> str:
    """The secret of a link. Whoever reads the job that mails it cannot make it without the system's own key."""
    digest = salted_hmac("survey.invitation", nonce, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
