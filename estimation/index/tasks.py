"""Background work of the index."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from estimation.index import services
from survey.jobs.kinds import register

register(
    "index",
    services.compute_index,
    label=_("Composite index"),
    ended=services.end_index,
    waits=services.wait_again,
    lease=660,
    time_limit=600,
)


@shared_task(name="estimation.index.tasks.index_new_runs", expires=60, ignore_result=True)
def index_new_runs() -> None:
    """Request the index of new runs and of runs with new replicates."""
    services.request_missing()
