"""The nightly comparison of stored files with rows: its result is an audit row; missing files end the job."""

import logging

from survey import audit, files
from survey.backups.stored_files import messages, selectors
from survey.exceptions import PolicyDenied
from survey.files import Store
from survey.jobs.services import Work

logger = logging.getLogger(__name__)
JOB_KIND = "check_files"
LISTED = 100  # faults, and orphans, that the audit row names


def check_nightly(work: Work) -> None:
    """Compare every store. Raises PolicyDenied with the first missing file, so that the job has failed."""
    comparisons = [selectors.compare(store) for store in Store]
    faults = [fault for comparison in comparisons for fault in comparison.faults]
    for fault in faults:
        logger.error("%s", fault)
    audit.record(
        by=None,
        action=selectors.CHECKED,
        succeeded=not faults,
        files={comparison.store: comparison.count for comparison in comparisons},
        sizes={comparison.store: comparison.size for comparison in comparisons},
        missing={comparison.store: len(comparison.faults) for comparison in comparisons},
        orphans={comparison.store: len(comparison.orphans) for comparison in comparisons},
        faults=[fault.to_document() for fault in faults[:LISTED]],
        unnamed=[f"{comparison.store}/{name}" for comparison in comparisons for name in comparison.orphans][
            :LISTED
        ],
    )
    if faults:
        raise PolicyDenied(messages.FILES_MISSING(count=len(faults), first=faults[0]))


def remove_orphans(comparison: selectors.Comparison) -> int:
    """Delete what no row names; how many files. What lies beside the heads of the ledgers is left to people."""
    if comparison.store is Store.AUDIT:
        return 0
    for name in comparison.orphans:
        files.discard(comparison.store, name)
    return len(comparison.orphans)
