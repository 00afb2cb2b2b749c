"""Celery entry points of the room; each is safe to run twice."""

from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils.translation import get_language

from survey.submissions.invitations import services as invitations
from survey.submissions.models import Filing
from survey.submissions.printing import services as receipts


@shared_task(
    name="survey.submissions.tasks.send_receipt",
    ignore_result=True,
    autoretry_for=(OSError,),
    retry_backoff=30,
    max_retries=5,
)
def send_receipt(filing_id: int, language: str) -> None:
    """Mail a receipt; a mail server that is away is tried again."""
    receipts.send_receipt(filing_id, language)


def send_receipt_later(filing: Filing) -> None:
    """Hand the mail to a worker once the filing stands; a broker that is away does not undo the filing."""
    send = partial(send_receipt.delay, filing.pk, get_language() or "zh-hans")
    transaction.on_commit(send, robust=True)


@shared_task(
    name="survey.submissions.tasks.send_invitation",
    ignore_result=True,
    autoretry_for=(OSError,),
    retry_backoff=30,
    max_retries=5,
)
def send_invitation(invitation_id: int, link: str, language: str) -> None:
    """Mail the link of an invitation."""
    invitations.send_invitation(invitation_id, link, language)


def send_invitation_later(invitation_id: int, link: str) -> None:
    """Hand the mail to a worker; the page shows the link as well."""
    send = partial(send_invitation.delay, invitation_id, link, get_language() or "zh-hans")
    transaction.on_commit(send, robust=True)
