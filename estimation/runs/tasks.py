"""Background work of the runs: runs, chunks of replicates and their gathering."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from estimation.runs import services
from estimation.runs.bootstrap import services as bootstrap
from estimation.runs.compute.spec import RunSpec
from estimation.runs.messages import CHUNK_LOST, LOST, STOPPED
from survey.exceptions import SurveyError
from survey.jobs.kinds import register

logger = logging.getLogger(__name__)

register(
    "run",
    services.do_run,
    label=_("Estimation run"),
    ended=services.end_run,
    waits=services.wait_again,
    lost=LOST,
    stopped=STOPPED,
)
for name, work, label in (
    ("bootstrap_chunk", bootstrap.compute_chunk, _("Bootstrap: replicates")),
    ("bootstrap_gather", bootstrap.gather, _("Bootstrap: standard errors")),
):
    register(name, work, label=label, ended=bootstrap.end_bootstrap, lost=CHUNK_LOST, stopped=STOPPED)


@shared_task(name="estimation.runs.tasks.sweep_stale_rounds", expires=300, ignore_result=True)
def sweep_stale_rounds() -> None:
    """Recompute rounds whose accepted data have changed, when the office has enabled it."""
    if not settings.RECOMPUTE_ON_CHANGE:
        return
    for round_ in services.stale_rounds():
        try:
            services.request_run(round=round_, by=None, spec=RunSpec())
        except SurveyError as refusal:
            logger.warning("round %s is not recomputed: %s", round_.year, refusal)
