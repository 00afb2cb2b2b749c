"""Background work on stored files; safe to run twice."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from config.files.faults import FilesUnavailable
from survey.backups.stored_files import services as stored_files
from survey.jobs.kinds import register
from survey.jobs.services import enqueue

register(
    stored_files.JOB_KIND,
    stored_files.check_nightly,
    label=_("Comparison of stored files with their rows"),
    lease=3600,
    time_limit=4 * 3600,
    retry_on=(OSError, FilesUnavailable),
)


@shared_task(name="survey.backups.tasks.check_files", expires=3600, ignore_result=True)
def check_files() -> None:
    """Request a comparison of all stores."""
    enqueue(stored_files.JOB_KIND, "all")
