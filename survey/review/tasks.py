"""Celery tasks of the review; each calls a service and is idempotent."""

import logging

from celery import shared_task

from survey.microdata.services import current_layout
from survey.review.ledger import services as macro_edits

logger = logging.getLogger(__name__)


@shared_task(name="survey.review.tasks.sweep_macro", expires=900, time_limit=900, ignore_result=True)
def sweep_macro() -> None:
    """Run the checks across respondents for open rounds whose sheets have changed."""
    items = [
        entry["code"]
        for entry in current_layout().variables
        if entry["kind"] in {"quantity", "money", "count"}
    ]
    macro_edits.sweep_open_rounds(items)
