"""Celery entry points of the releases; safe to run twice."""

import logging

from celery import shared_task

from estimation.releases import services

logger = logging.getLogger(__name__)


@shared_task(name="estimation.releases.tasks.publish_due", expires=30, ignore_result=True)
def publish_due() -> None:
    """Publish the scheduled releases whose embargo is over."""
    for release_id in services.publish_due():
        logger.info("release %s is published", release_id)
