"""Background work of the retention; safe to run twice."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from survey.jobs.kinds import register
from survey.jobs.services import enqueue
from survey.retention import services

register(
    services.JOB_KIND,
    services.do_sweep,
    label=_("Removal of data over their period"),
    lease=3600,
    time_limit=4 * 3600,
)


@shared_task(name="survey.retention.tasks.sweep", expires=3600, ignore_result=True)
def sweep() -> None:
    """Request the nightly sweep."""
    enqueue(services.JOB_KIND, "all")
