"""Background work of the report."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from estimation.report import selectors, services
from survey.jobs.kinds import register
from survey.jobs.services import enqueue_missing

register("report", services.do_report, label=_("Files of a report"), lease=660, time_limit=600)


@shared_task(name="estimation.report.tasks.build_missing_reports", expires=60, ignore_result=True)
def build_missing_reports() -> None:
    """Request the files of every release without files; a validated release is built before its publication."""
    for release_id in selectors.releases_without_files():
        enqueue_missing("report", release_id)
