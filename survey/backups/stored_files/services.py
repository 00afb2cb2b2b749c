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
    found = [selectors.compare(store) for store in Store]
    faults = [fault for one in found for fault in one.faults]
    for fault in faults:
        logger.error("%s", fault)
    audit.record(
        by=None,
        action=selectors.CHECKED,
        succeeded=not faults,
        files={one.store: one.count for one in found},
        sizes={one.store: one.size for one in found},
        missing={one.store: len(one.faults) for one in found},
        orphans={one.store: len(one.orphans) for one in found},
        faults=[fault.to_document() for fault in faults[:LISTED]],
        unnamed=[f"{one.store}/{name}" for one in found for name in one.orphans][:LISTED],
    )
    if faults:
        raise PolicyDenied(messages.FOUND(count=len(faults), first=faults[0]))


def remove_orphans(found: selectors.Comparison) -> int:
    """Delete what no row names; how many files. What lies beside the heads of the ledgers is left to people."""
    if found.store is Store.AUDIT:
        return 0
    for name in found.orphans:
        files.discard(found.store, name)
    return len(found.orphans)
