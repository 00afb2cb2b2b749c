"""Background work of the ledgers; everything is safe to run twice."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from survey.jobs.kinds import register
from survey.jobs.services import enqueue
from survey.ledgers.export import services as export
from survey.ledgers.sealing import services as sealing
from survey.ledgers.verification import services as verification

register(
    verification.JOB_KIND,
    verification.verify_nightly,
    label=_("Verification of the ledgers"),
    lease=3600,
    time_limit=4 * 3600,
)

register(
    export.JOB_KIND, export.make_file, label=_("Signed export of the ledgers"), lease=900, time_limit=3600
)


@shared_task(name="survey.ledgers.tasks.seal", expires=5, time_limit=300, ignore_result=True)
def seal() -> None:
    """Seal rows that were committed since the last block."""
    sealing.seal_all()


@shared_task(name="survey.ledgers.tasks.verify", expires=3600, ignore_result=True)
def verify() -> None:
    """Request a verification of all ledgers."""
    enqueue(verification.JOB_KIND, "all")
