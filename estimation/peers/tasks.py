"""Background work of the comparison."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from estimation.peers import selectors, services
from survey.jobs.kinds import register
from survey.jobs.services import enqueue_missing

register("peers", services.do_peers, label=_("Comparison with similar units"), lease=660, time_limit=600)


@shared_task(name="estimation.peers.tasks.build_missing_peers", expires=60, ignore_result=True)
def build_missing_peers() -> None:
    """Request the comparison of every release that awaits publication, so that it exists when published."""
    for release_id in selectors.releases_without_peers():
        enqueue_missing("peers", release_id)
