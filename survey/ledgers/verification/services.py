"""The nightly verification: its result is an audit row; faults end the job and are logged as errors."""

import logging

from survey import audit
from survey.exceptions import PolicyDenied
from survey.jobs.services import Work
from survey.ledgers.selectors import VERIFIED
from survey.ledgers.verification import messages, selectors

logger = logging.getLogger(__name__)
JOB_KIND = "verify_ledgers"


def verify_nightly(work: Work) -> None:
    """Verify every ledger. Raises PolicyDenied with the first fault, so that the job has failed."""
    report = selectors.verify()
    for fault in report.faults:
        logger.error("%s", fault)
    audit.record(
        by=None,
        action=VERIFIED,
        succeeded=not report.faults,
        rows=report.rows,
        blocks=report.blocks,
        faults=[fault.to_document() for fault in report.faults[:100]],
        restores=[note.to_document() for note in report.notes[-10:]],
    )
    if report.faults:
        raise PolicyDenied(messages.FAULTS(count=len(report.faults), first=report.faults[0]))
