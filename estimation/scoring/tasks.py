"""Background work of the scores."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from estimation.scoring import services
from survey.jobs.kinds import register

register("scores", services.do_scores, label=_("Priority scores of sheets"), lease=960, time_limit=900)


@shared_task(name="estimation.scoring.tasks.sweep_scores", expires=60, ignore_result=True)
def sweep_scores() -> None:
    """Request scores after a finished run or newly filed sheets since the last sweep."""
    services.request_scores()
