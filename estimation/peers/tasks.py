"""Celery entry points of the room; safe to run twice."""

import logging

from celery import shared_task

from estimation.peers import selectors, services
from estimation.releases.models import Release

logger = logging.getLogger(__name__)


@shared_task(
    name="estimation.peers.tasks.build_missing_peers", expires=60, time_limit=600, ignore_result=True
)
def build_missing_peers() -> None:
    """Make the comparison of every release that waits for its hour, so that it is there at publication."""
    for release in Release.objects.filter(pk__in=selectors.releases_without_peers()):
        try:
            services.build_peers(release)
        except ValueError:
            logger.exception("the comparison of release %s was not made", release.pk)
