"""Celery entry points of the room; safe to run twice."""

import logging

from celery import shared_task

from estimation.releases.models import Release
from estimation.report import selectors, services
from survey.exceptions import SurveyError

logger = logging.getLogger(__name__)


@shared_task(name="estimation.report.tasks.build_report", time_limit=600, ignore_result=True)
def build_report(release_id: int) -> None:
    """Build the files of one release."""
    release = Release.objects.filter(pk=release_id).first()
    if release is None:
        return
    try:
        services.build_files(release)
    except (SurveyError, ValueError):
        logger.exception("the files of release %s were not built", release_id)


@shared_task(name="estimation.report.tasks.build_missing_reports", expires=60, ignore_result=True)
def build_missing_reports() -> None:
    """Build what is missing, one release after the other: a validated release is printed before its hour."""
    for release_id in selectors.releases_without_files():
        build_report(release_id)
